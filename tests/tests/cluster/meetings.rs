//! What two people of one school see of each other when they are on different gateways.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use samtale_client::{Client, StopReason, Update, Updates};
use samtale_protocol::messages::{History, Part};
use samtale_protocol::presence::WatchPresence;
use samtale_protocol::threads::{Recipient, ThreadReference};
use samtale_protocol::{CloseCode, Event, Reply, Request, SessionId, Signal};
use samtale_tests::checker::Note;
use samtale_tests::cluster::Cluster;
use samtale_tests::cluster::people::School;
use samtale_tests::node::until;
use samtale_tests::town::PASSWORD;
use samtale_tests::witness::Notebook;

/// How soon the socket of an ended login, or of someone whose rights changed, is closed, on whatever gateway it is.
pub const REVOKED_WITHIN: Duration = Duration::from_secs(2);
/// A session whose client was shown something gets a cursor with the next ping, 25 s later at most.
const CURSOR_WITHIN: Duration = Duration::from_secs(40);
/// How long what the journal holds takes to be told again, and then some.
const TOLD_AGAIN_WITHIN: Duration = Duration::from_secs(5);
/// On a machine that does much beside, it is told that long later, and this file fails only beyond.
pub const NOISE: Duration = Duration::from_secs(3);

/// The last of the school is there twice, and ends the login on the last gateway from the first.
pub async fn end_elsewhere(cluster: &Cluster, school: &School, is_redis_away: bool) -> Result<()> {
    let (first, last) = (&cluster.addresses[0], cluster.addresses.last().context("no gateway")?);
    let person = school.people.last().context("nobody")?;
    let (here, mut here_hears) = person.connect(&format!("http://{first}"))?;
    until(&mut here_hears, connected).await?;
    let before = logins(&here).await?;
    let (there, mut there_hears) = person.connect(&format!("http://{last}"))?;
    until(&mut there_hears, connected).await?;
    let after = logins(&here).await?;
    let new = after.iter().find(|session| !before.contains(session));
    let session = *new.context("the second login is not listed")?;
    let services = cluster.services.as_ref().context("no services")?;
    if is_redis_away {
        services.redis.lock().await.kill()?;
    }
    let asked = Instant::now();
    here.request(Request::EndLogin { session }).await?;
    let reason = tokio::time::timeout(REVOKED_WITHIN + NOISE, stopped(&mut there_hears)).await;
    let reason = reason.context("the socket stays open")??;
    ensure!(reason.close_code() == Some(CloseCode::Revoked), "{reason:?}");
    let took = asked.elapsed();
    println!("an ended login's socket on another gateway was closed after {took:?}");
    if is_redis_away {
        services.redis.lock().await.return_to_work().await?;
    }
    here.stop().await;
    there.stop().await;
    Ok(())
}

/// A new password ends the logins that there were. Told of it again, when Redis is emptied, a node leaves the one that
/// was begun with the new password alone.
pub async fn outlives_a_new_password(cluster: &Cluster, school: &School) -> Result<()> {
    let (first, last) = (&cluster.addresses[0], cluster.addresses.last().context("no gateway")?);
    let person = school.people.last().context("nobody")?;
    let (before, mut before_hears) = person.connect(&format!("http://{last}"))?;
    until(&mut before_hears, connected).await?;
    // Longer ago than clocks may be apart.
    // tidy: waits because a login that began just now might have begun after the password was set
    tokio::time::sleep(Duration::from_secs(3)).await;
    let set = ["people", "set-password", &person.username];
    cluster.gateways[0].lock().await.run(&set, PASSWORD).await?;
    let (after, mut after_hears) = person.connect(&format!("http://{first}"))?;
    until(&mut after_hears, connected).await?;
    let reason = tokio::time::timeout(REVOKED_WITHIN + NOISE, stopped(&mut before_hears)).await;
    let reason = reason.context("the old login's socket stays open")??;
    ensure!(reason.close_code() == Some(CloseCode::Revoked), "{reason:?}");
    let services = cluster.services.as_ref().context("no services")?;
    services.redis.lock().await.command("FLUSHALL").await?;
    let reason = tokio::time::timeout(TOLD_AGAIN_WITHIN, stopped(&mut after_hears)).await;
    ensure!(reason.is_err(), "the login with the new password has ended: {reason:?}");
    ensure!(!logins(&after).await?.is_empty(), "it is not listed");
    before.stop().await;
    leave(after, &mut after_hears).await
}

/// Waits until a client gives up, and why.
async fn stopped(hears: &mut Updates) -> Result<StopReason> {
    while let Some(update) = hears.next().await {
        if let Update::Stopped { reason } = update {
            return Ok(reason);
        }
    }
    bail!("the client ended without a word")
}

async fn logins(client: &Client) -> Result<Vec<SessionId>> {
    match client.request(Request::ListLogins).await? {
        Reply::Logins { logins } => Ok(logins.into_iter().map(|login| login.session).collect()),
        other => bail!("{other:?} is no list of logins"),
    }
}

/// The first of the school on the first gateway, the second on the last.
pub async fn talk_over_two(cluster: &Cluster, school: &School, notebook: &Notebook) -> Result<()> {
    let (first, last) = (&cluster.addresses[0], cluster.addresses.last().context("no gateway")?);
    let (anne, mut anne_hears) = school.people[0].connect(&format!("http://{first}"))?;
    until(&mut anne_hears, connected).await?;
    let watch = Request::WatchPresence(WatchPresence {
        space: school.space,
        profiles: vec![school.people[1].profile],
    });
    anne.request(watch).await?;
    let (mette, mut mette_hears) = school.people[1].connect(&format!("http://{last}"))?;
    until(&mut mette_hears, connected).await?;
    until(&mut anne_hears, |update| match update {
        Update::Signal(Signal::Presence { online, profile, .. }) => {
            (online && profile == school.people[1].profile).then_some(())
        }
        _ => None,
    })
    .await
    .context("she is not seen online")?;

    let to = vec![Recipient::Profile {
        profile: school.people[1].profile,
    }];
    anne.start_thread(
        school.space,
        to,
        "Over to servere".to_owned(),
        vec![Part::text("Hej Mette")],
    )
    .await?;
    let thread = until(&mut mette_hears, |update| message(update, "Hej Mette"))
        .await
        .context("no message")?;
    // Later gateways may tell the two of it again.
    let members = school.people[..2].iter().map(|member| member.profile).collect();
    notebook.note(notebook.devices(1), Note::Given { thread, members });
    let typing = Request::Typing(ThreadReference { thread });
    mette.request(typing).await?;
    until(&mut anne_hears, |update| match update {
        Update::Signal(Signal::Typing { profile, .. }) => (profile == school.people[1].profile).then_some(()),
        _ => None,
    })
    .await
    .context("she is not seen typing")?;
    mette.send(thread, vec![Part::text("Hej Anne")]).await?;
    until(&mut anne_hears, |update| message(update, "Hej Anne"))
        .await
        .context("no answer")?;
    leave(mette, &mut mette_hears).await?;
    until(&mut anne_hears, |update| match update {
        Update::Signal(Signal::Presence { online, .. }) => (!online).then_some(()),
        _ => None,
    })
    .await
    .context("she is still seen online")?;
    leave(anne, &mut anne_hears).await
}

/// The second of the school goes away for longer than the journal remembers: what they show is loaded anew, and what
/// comes is told again.
pub async fn outlives_the_journal(cluster: &Cluster, school: &School, notebook: &Notebook) -> Result<()> {
    let (first, last) = (&cluster.addresses[0], cluster.addresses.last().context("no gateway")?);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("cursor");
    let (anne, mut anne_hears) = school.people[0].connect(&format!("http://{first}"))?;
    until(&mut anne_hears, connected).await?;
    let back = || school.people[1].connect_with_cursor(&format!("http://{last}"), &file);
    let (mette, mut mette_hears) = back()?;
    until(&mut mette_hears, connected).await?;
    let to = vec![Recipient::Profile {
        profile: school.people[1].profile,
    }];
    let start = anne.start_thread(
        school.space,
        to,
        "Efter ferien".to_owned(),
        vec![Part::text("God ferie")],
    );
    start.await?;
    let thread = until(&mut mette_hears, |update| message(update, "God ferie")).await?;
    let members = school.people[..2].iter().map(|member| member.profile).collect();
    notebook.note(notebook.devices(1), Note::Given { thread, members });
    let kept = async {
        while !file.exists() {
            // tidy: waits because the file is looked for again and again, within a bound
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(CURSOR_WITHIN, kept)
        .await
        .context("no cursor is kept")?;
    leave(mette, &mut mette_hears).await?;
    anne.send(thread, vec![Part::text("Velkommen hjem")]).await?;
    until(&mut anne_hears, |update| message(update, "Velkommen hjem")).await?;

    std::fs::write(&file, aged(std::fs::read(&file)?)?)?;
    let (mette, mut mette_hears) = back()?;
    until(&mut mette_hears, |update| {
        matches!(update, Update::Resync { space } if space == school.space).then_some(())
    })
    .await
    .context("they are not told to load anew")?;
    let read = Request::History(History {
        thread,
        before: None,
        after: None,
        limit: 10,
    });
    let Reply::History(history) = mette.request(read).await? else {
        bail!("no answer to what was written");
    };
    let texts: Vec<String> = history
        .messages
        .iter()
        .map(|message| Part::plain_text(&message.parts))
        .collect();
    ensure!(texts.iter().any(|text| text == "Velkommen hjem"), "{texts:?}");
    anne.send(thread, vec![Part::text("Er I der?")]).await?;
    until(&mut mette_hears, |update| message(update, "Er I der?"))
        .await
        .context("nothing is told any more")?;
    leave(mette, &mut mette_hears).await?;
    leave(anne, &mut anne_hears).await
}

/// A cursor as it is after two weeks and a day without Redis' log of then: each place of another epoch, and older. Its
/// layout is the server's own (`gateway/src/cursor.rs`).
fn aged(mut cursor: Vec<u8>) -> Result<Vec<u8>> {
    const FIFTEEN_DAYS_MS: u64 = 15 * 24 * 60 * 60 * 1000;
    let places = cursor.get_mut(1..).context("the cursor is empty")?;
    ensure!(
        !places.is_empty() && places.len() % 40 == 0,
        "the layout of cursors is another"
    );
    for place in places.chunks_exact_mut(40) {
        place[16] ^= 1;
        let time = u64::from_be_bytes(place[32..].try_into()?);
        place[32..].copy_from_slice(&time.saturating_sub(FIFTEEN_DAYS_MS).to_be_bytes());
    }
    Ok(cursor)
}

pub fn connected(update: Update) -> Option<()> {
    matches!(update, Update::Connected(_)).then_some(())
}

pub fn message(update: Update, text: &str) -> Option<samtale_protocol::ThreadId> {
    match update {
        Update::Event { event, .. } => match *event {
            Event::Message(message) => (Part::plain_text(&message.parts) == text).then_some(message.thread),
            _ => None,
        },
        _ => None,
    }
}

pub async fn leave(client: Client, hears: &mut Updates) -> Result<()> {
    client.stop().await;
    while let Some(update) = hears.next().await {
        if matches!(update, Update::Stopped { .. }) {
            break;
        }
    }
    Ok(())
}
