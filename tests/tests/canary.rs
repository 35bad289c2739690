//! A canary in every field that a person fills is in no file that the host keeps: not in the data folder, not in a
//! backup, not in the log. The search itself is shown to find one that is planted.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use samtale_client::{Client, ClientOptions, Credentials, Secret, Update};
use samtale_protocol::messages::{EditMessage, Part, ReplyToSender, SendMessage};
use samtale_protocol::people::Role;
use samtale_protocol::threads::{Recipient, RenameThread, SaveDraft};
use samtale_protocol::{ClientId, Reply, Request};
use samtale_tests::node::{Node, until};
use samtale_tests::process::{ServerProcess, binary, free_port};
use samtale_tests::town::{PASSWORD, Town};

const CANARY: &str = "gulirisk7351";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_write_is_nowhere_in_clear() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(folder.path()).await?;
    let mut town = Town::found(&node.office, 1).await?;
    let now = node.office.clock.now().as_micros();
    town.settle(&node.office, Role::Employee, CANARY, now).await?;
    let singer = town.people[town.people.len() - 1].clone();
    node.office.school.tell_directory(town.space).await?;
    node.stop().await?;

    let port = free_port()?;
    let mut server = ServerProcess::start(folder.path(), port)?;
    let credentials = Credentials::Password {
        username: singer.username.clone(),
        password: Secret::new(PASSWORD),
    };
    let (client, mut hears) = Client::connect(ClientOptions::new(&format!("http://127.0.0.1:{port}"), credentials)?);
    until(&mut hears, |update| {
        matches!(update, Update::Connected(_)).then_some(())
    })
    .await?;
    sing(&client, &mut hears, &town).await?;
    let backup = folder.path().join("backup");
    run(&["backup", "--to"], &backup, folder.path())?;
    drop(client);
    server.kill()?;

    let log = folder.path().join("server.log");
    ensure!(
        std::fs::metadata(&log)?.len() > 0,
        "the server logged nothing, so the search of its log says nothing"
    );
    for place in [&folder.path().join("data"), &folder.path().join("keys"), &backup, &log] {
        let found = files_with(place, CANARY)?;
        ensure!(found.is_empty(), "the canary sings in {found:?}");
        let password = files_with(place, PASSWORD)?;
        ensure!(password.is_empty(), "a password is in {password:?}");
    }
    let planted = folder.path().join("data").join("planted");
    std::fs::write(&planted, format!("\0\0{CANARY}\u{1}"))?;
    ensure!(
        files_with(&folder.path().join("data"), CANARY)? == [planted],
        "the search does not find a planted canary"
    );
    Ok(())
}

/// Writes the canary wherever a client can write.
async fn sing(client: &Client, hears: &mut samtale_client::Updates, town: &Town) -> Result<()> {
    let to = vec![Recipient::Profile {
        profile: town.teacher().profile,
    }];
    let parts = vec![Part::text(format!("{CANARY} i en besked"))];
    client
        .start_thread(town.space, to, format!("{CANARY} i et emne"), parts.clone())
        .await?;
    let sent = until(hears, |update| match update {
        Update::Sent(sent) => Some(sent),
        _ => None,
    })
    .await?;
    let thread = sent.thread;
    let sent_at = samtale_protocol::time::Clock::now(&samtale_gateway::server::SystemClock);
    let second = SendMessage {
        thread,
        client_id: ClientId::from_bytes(rand::random()),
        sent_at,
        parts: parts.clone(),
        reply_to: Some(sent.message),
        membership_version: None,
    };
    let Reply::Sent(second) = client.request(Request::SendMessage(second)).await? else {
        anyhow::bail!("the second message was not sent")
    };
    let edited = vec![Part::text(format!("rettet {CANARY}"))];
    client
        .request(Request::EditMessage(EditMessage {
            thread,
            message: second.message,
            parts: edited,
        }))
        .await?;
    client
        .request(Request::SaveDraft(SaveDraft {
            thread,
            text: format!("kladde {CANARY}"),
        }))
        .await?;
    let subject = format!("nyt emne {CANARY}");
    client
        .request(Request::RenameThread(RenameThread { thread, subject }))
        .await?;
    // Refused, because one does not answer oneself: what is refused must not be logged either.
    let client_id = ClientId::from_bytes(rand::random());
    let reply = ReplyToSender {
        thread,
        message: sent.message,
        client_id,
        sent_at,
        parts,
    };
    ensure!(client.request(Request::ReplyToSender(reply)).await.is_err());
    Ok(())
}

fn run(command: &[&str], path: &Path, folder: &Path) -> Result<()> {
    let output = Command::new(binary()?)
        .args(command)
        .arg(path)
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--keys")
        .arg(folder.join("keys"))
        .output()?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// The files below `place` that hold `text`.
fn files_with(place: &Path, text: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![place.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let kind = std::fs::symlink_metadata(&path)
            .with_context(|| path.display().to_string())?
            .file_type();
        if kind.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        } else if kind.is_file() {
            let bytes = std::fs::read(&path)?;
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
