//! Plays the demo's conversations: every message is sent by whoever wrote it, through the rules, at the time that it
//! was written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use samtale_protocol::messages::{Part, SendMessage};
use samtale_protocol::people::{Caller, Role};
use samtale_protocol::threads::{Recipient, StartThread};
use samtale_protocol::time::Clock;
use samtale_protocol::{
    ClientId, ErrorCode, GroupId, ProfileId, Refusal, Reply, Request, SessionId, ThreadId, Timestamp,
};
use samtale_router::{Epoch, MemoryLog, Publisher, Rights};
use samtale_school::demo::{self, Conversation, Demo};
use samtale_school::directory::{Directory, id_at};
use samtale_school::{Sabotage, School, SchoolParts};
use samtale_storage::directory::{SpaceKind, SpaceRecord};
use samtale_storage::{Range, StorageError};

use crate::commands::{CommandError, Progress};
use crate::server::{Office, system_random};

/// Spaces of a demo: a municipality and a school.
const SPACES: usize = 10;

/// The time of those who write: set to each message's own.
struct WritersClock(AtomicU64);

impl Clock for WritersClock {
    fn now(&self) -> Timestamp {
        Timestamp::saturating(self.0.load(Ordering::Relaxed))
    }
}

/// A message of a conversation, with its time.
struct Line {
    sent_at: Timestamp,
    conversation: usize,
    message: usize,
}

/// Sends every message. The same ids and times on every run, so what was sent before a crash is not sent twice.
pub async fn play(
    office: &Office,
    demo: &Demo,
    started_at: Timestamp,
    progress: &dyn Progress,
) -> Result<(), CommandError> {
    let clock = Arc::new(WritersClock(AtomicU64::new(0)));
    // Nobody is connected yet: whoever comes reads it from storage, so this school's log leads nowhere, and it hears of all
    // that happens, which is what it does itself.
    let (log, _) = MemoryLog::new(Epoch(0));
    let school = School::new(SchoolParts {
        store: office.opened.store.clone(),
        clock: clock.clone(),
        random: Arc::new(system_random),
        publisher: Publisher::new(Arc::new(log), clock.clone()),
        sabotage: Sabotage::default(),
    });
    let directory = institution(office)
        .await
        .map_err(|error| CommandError::failed(error.to_string()))?;
    let directory = directory.ok_or_else(|| CommandError::failed("the demo school is not there"))?;
    school.followed(directory.space);
    let conversations = demo::conversations(demo);
    let mut threads: Vec<Option<ThreadId>> = vec![None; conversations.len()];
    let lines = in_order(&conversations, started_at);
    for (number, line) in lines.iter().enumerate() {
        clock.0.store(line.sent_at.as_millis(), Ordering::Relaxed);
        let conversation = &conversations[line.conversation];
        let message = &conversation.messages[line.message];
        let author = find_person(&directory, &message.author)?;
        let parts = vec![Part::text(message.text.clone())];
        let (client_id, sent_at) = (client_id(line), line.sent_at);
        let request = match threads[line.conversation] {
            None => Request::StartThread(StartThread {
                space: directory.space,
                client_id,
                sent_at,
                to: recipients(&directory, conversation)?,
                subject: conversation.subject.clone(),
                regarding: profiles(&directory, &conversation.regarding)?,
                parts,
                as_profile: Some(author),
            }),
            Some(thread) => Request::SendMessage(SendMessage {
                thread,
                client_id,
                sent_at,
                parts,
                reply_to: None,
                membership_version: None,
            }),
        };
        let caller = Caller {
            person: directory.profiles[&author].person,
            session: SessionId::from_bytes([0; 16]),
        };
        match school.handle(&caller, request).await? {
            Reply::Sent(sent) => threads[line.conversation] = Some(sent.thread),
            _ => return Err(Refusal::new(ErrorCode::Internal).into()),
        }
        progress.report(&format!("{} of {} messages written", number + 1, lines.len()));
    }
    Ok(())
}

async fn institution(office: &Office) -> Result<Option<Directory>, StorageError> {
    let partition = [samtale_protocol::SpaceId::SYSTEM.into()];
    let store = &office.opened.store;
    for row in store
        .scan::<SpaceRecord>(&partition, &Range::all(SPACES))
        .await?
        .records
    {
        if row.record.kind == SpaceKind::Institution {
            let space = samtale_protocol::SpaceId::from_bytes(id_at(&row.clustering, 0));
            return Directory::load(store, space).await;
        }
    }
    Ok(None)
}

/// All messages of all conversations, oldest first; no two at one time.
fn in_order(conversations: &[Conversation], started_at: Timestamp) -> Vec<Line> {
    let mut lines = Vec::new();
    for (conversation, written) in conversations.iter().enumerate() {
        for (message, said) in written.messages.iter().enumerate() {
            let ago = std::time::Duration::from_secs(u64::from(said.minutes_ago) * 60);
            // People do not write on the full minute.
            let seconds = (conversation * 7 + message * 13) % 50;
            let later = std::time::Duration::from_millis(seconds as u64 * 1000 + conversation as u64);
            let sent_at = started_at.minus(ago).plus(later).min(started_at);
            lines.push(Line {
                sent_at,
                conversation,
                message,
            });
        }
    }
    lines.sort_by_key(|line| (line.sent_at, line.conversation, line.message));
    lines
}

fn client_id(line: &Line) -> ClientId {
    let mut bytes = *b"demo\0\0\0\0\0\0\0\0\0\0\0\0";
    bytes[4..8].copy_from_slice(&u32::try_from(line.conversation).unwrap_or(u32::MAX).to_be_bytes());
    bytes[8..12].copy_from_slice(&u32::try_from(line.message).unwrap_or(u32::MAX).to_be_bytes());
    ClientId::from_bytes(bytes)
}

fn recipients(directory: &Directory, conversation: &Conversation) -> Result<Vec<Recipient>, CommandError> {
    let recipient = |to: &demo::Recipient| {
        Ok(match to {
            demo::Recipient::Person(person) => Recipient::Profile {
                profile: find_person(directory, person)?,
            },
            demo::Recipient::GuardiansOf(group) => Recipient::Guardians {
                group: find_group(directory, group)?,
            },
            demo::Recipient::Class(group) => Recipient::Group {
                group: find_group(directory, group)?,
            },
        })
    };
    conversation.recipients.iter().map(recipient).collect()
}

fn profiles(directory: &Directory, people: &[String]) -> Result<Vec<ProfileId>, CommandError> {
    people.iter().map(|person| find_person(directory, person)).collect()
}

/// Someone's profile; of several that with most rights, as the rules choose for whoever writes.
fn find_person(directory: &Directory, roster_id: &str) -> Result<ProfileId, CommandError> {
    let of_person = directory
        .profiles
        .iter()
        .filter(|(_, record)| record.roster_id.as_deref() == Some(roster_id));
    let found: Option<(Role, ProfileId)> = of_person.map(|(profile, record)| (record.role, *profile)).max();
    found.map(|(_, profile)| profile).ok_or_else(|| nobody(roster_id))
}

fn find_group(directory: &Directory, roster_id: &str) -> Result<GroupId, CommandError> {
    let mut groups = directory.groups.iter();
    let found = groups.find(|(_, record)| record.roster_id.as_deref() == Some(roster_id));
    found.map(|(group, _)| *group).ok_or_else(|| nobody(roster_id))
}

fn nobody(roster_id: &str) -> CommandError {
    CommandError::failed(format!("{roster_id} of the demo's conversations is not in the school"))
}
