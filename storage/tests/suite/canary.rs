//! A canary in every text of every record is in no file of the data folder, the key folder or a backup.

use std::fs;
use std::path::{Path, PathBuf};

use samtale_protocol::messages::Part;
use samtale_protocol::people::{GroupKind, Role};
use samtale_protocol::threads::Thread;
use samtale_protocol::{ClientId, GroupId, MessageId, PersonId, ProfileId, SessionId, ThreadId, Timestamp};
use samtale_storage::backup::backup;
use samtale_storage::directory::{
    GroupRecord, ProfileRecord, ReadReceipts, RelationRecord, SpaceKind, SpaceRecord, group_key, profile_key,
    relation_key, space_key,
};
use samtale_storage::people::{
    LoginRecord, PasswordRecord, PersonRecord, UsernameRecord, login_key, person_key, username_key,
};
use samtale_storage::threads::{
    DraftRecord, MessageRecord, ThreadHeadRecord, ThreadRecord, head_key, message_key, profile_thread_key, thread_key,
};
use samtale_storage::{Store, open};

use crate::rig::{Folders, TestClock, space};

const CANARY: &str = "Kanariefugl-Ærø-7261";

/// Writes the canary into every text field there is.
async fn sing(store: &Store, username: [u8; 16]) {
    let text = || CANARY.to_owned();
    let (home, person, profile) = (space(1), PersonId::from_bytes([2; 16]), ProfileId::from_bytes([3; 16]));
    let (thread, group) = (ThreadId::from_bytes([4; 16]), GroupId::from_bytes([5; 16]));
    let now = Timestamp::saturating(1_700_000_000_000);
    let message = MessageId::derive(thread, profile, ClientId::from_bytes([6; 16]), now);

    let record = PersonRecord {
        username: text(),
        disabled: false,
        closed_by_roster: false,
        presence_hidden: false,
    };
    store.put(person_key(person), &record, 1).await.unwrap();
    store
        .put(person_key(person), &PasswordRecord { hash: text() }, 1)
        .await
        .unwrap();
    let record = LoginRecord {
        client: text(),
        since: now,
        refresh_hash: [0; 32],
        previous_hash: None,
        refreshed_at: now,
        ended_at: None,
    };
    let key = login_key(person, SessionId::from_bytes([7; 16]));
    store.compare_and_set(&key, None, &record).await.unwrap();
    store
        .compare_and_set(&username_key(username), None, &UsernameRecord { person })
        .await
        .unwrap();
    let record = SpaceRecord {
        kind: SpaceKind::Institution,
        name: text(),
        parent: None,
        roster_id: Some(text()),
        forbidden: Vec::new(),
        read_receipts: ReadReceipts::Staff,
    };
    store.compare_and_set(&space_key(home), None, &record).await.unwrap();
    let record = ProfileRecord {
        person,
        role: Role::Child,
        given_name: text(),
        family_name: text(),
        name_protected: true,
        roster_id: Some(text()),
        left_at: None,
    };
    store.put(profile_key(home, profile), &record, 1).await.unwrap();
    let record = RelationRecord {
        kind: text(),
        custody: true,
        contact: true,
        pickup: true,
        from: None,
        to: None,
    };
    store
        .put(relation_key(home, profile, profile), &record, 1)
        .await
        .unwrap();
    let record = GroupRecord {
        kind: GroupKind::Class,
        name: text(),
        roster_id: Some(text()),
        ended_at: None,
    };
    store.put(group_key(home, group), &record, 1).await.unwrap();
    let record = ThreadRecord {
        subject: text(),
        starter: profile,
        started_at: now,
        regarding: Vec::new(),
        linked_to: None,
        follows: Vec::new(),
        membership_version: 1,
        change: [0; 16],
        members_begun: 0,
        members_unfinished: Vec::new(),
    };
    store
        .compare_and_set(&thread_key(home, thread), None, &record)
        .await
        .unwrap();
    let record = MessageRecord::Sent {
        author: profile,
        client_id: ClientId::from_bytes([6; 16]),
        content_hash: [0; 32],
        version: 1,
        parts: vec![Part::text(CANARY.repeat(500))],
        reply_to: None,
        edited_at: None,
        recalled_at: None,
    };
    store.put(message_key(home, thread, message), &record, 1).await.unwrap();
    let record = ThreadHeadRecord {
        thread: Thread {
            space: home,
            thread,
            version: 1,
            membership_version: 1,
            subject: text(),
            starter: profile,
            started_at: now,
            regarding: Vec::new(),
            linked_to: None,
        },
        last_message: message,
        last_version: 1,
        last_author: profile,
        preview: text(),
        recent: Vec::new(),
    };
    store.put(head_key(home, thread), &record, 1).await.unwrap();
    store
        .put(
            profile_thread_key(home, profile, thread),
            &DraftRecord { text: text() },
            1,
        )
        .await
        .unwrap();
}

/// Every file below the folder that holds one of the words.
fn search(folder: &Path, words: &[&[u8]], found: &mut Vec<PathBuf>) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += search(&path, words, found);
            continue;
        }
        files += 1;
        let bytes = fs::read(&path).unwrap();
        // The log is as long as it will be from the beginning, and zero where nothing was written yet.
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let bytes = &bytes[..end];
        if words
            .iter()
            .any(|word| bytes.windows(word.len()).any(|window| window == *word))
        {
            found.push(path);
        }
    }
    files
}

#[tokio::test]
async fn no_text_is_in_clear_in_any_file() {
    let folders = Folders::new();
    let mut options = folders.options();
    // So small that tables are written out too, and not only the log.
    options.embedded.memtable_bytes = 4 * 1024;
    let lowercase = CANARY.to_lowercase();
    {
        let opened = open(options.clone(), TestClock::new()).await.unwrap();
        let system = samtale_protocol::SpaceId::SYSTEM;
        let username = opened.keyring.lookup(system, "username", &lowercase).await.unwrap();
        sing(&opened.store, username).await;
        backup(opened.embedded.as_ref().unwrap(), &folders.at("backup"))
            .await
            .unwrap();
    }
    // Opened once more, so that what the log holds goes into tables as well.
    let opened = open(options, TestClock::new()).await.unwrap();
    let person = person_key(PersonId::from_bytes([2; 16]));
    let found = opened.store.get::<PersonRecord>(&person).await.unwrap().unwrap();
    assert_eq!(found.record.username, CANARY);
    // Closed, so that no file comes or goes while they are searched.
    drop(opened);
    let sixteen: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let words: [&[u8]; 4] = [&CANARY.as_bytes()[..12], lowercase.as_bytes(), b"-7261", &sixteen];
    for name in ["data", "keys", "backup"] {
        let mut found = Vec::new();
        assert!(search(&folders.at(name), &words, &mut found) > 0);
        assert!(found.is_empty(), "the canary sings in {found:?}");
        // The search finds one that is planted.
        fs::write(folders.at(name).join("planted"), format!("before {CANARY} after")).unwrap();
        search(&folders.at(name), &words, &mut found);
        assert_eq!(found, [folders.at(name).join("planted")]);
    }
}
