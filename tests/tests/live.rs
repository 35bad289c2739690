//! What passes, and what acts on open sockets: typing, presence, ended logins, lost rights, readers that stall.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use samtale_client::{StopReason, Update, Updates};
use samtale_protocol::messages::Part;
use samtale_protocol::presence::{SetPresenceVisibility, WatchPresence};
use samtale_protocol::threads::{Recipient, RemoveMembers, ThreadReference};
use samtale_protocol::{CloseCode, Event, Reply, Request, Signal, ThreadId};
use samtale_tests::node::{Node, PATIENCE, until};
use samtale_tests::town::Town;

async fn started(client: &samtale_client::Client, hears: &mut Updates, town: &Town) -> Result<ThreadId> {
    let to = vec![Recipient::Guardians { group: town.class }];
    client
        .start_thread(town.space, to, "Løbende".to_owned(), vec![Part::text("Hej alle")])
        .await?;
    until(hears, |update| match update {
        Update::Sent(sent) => Some(sent.thread),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_and_presence_pass_live_and_a_hidden_person_is_seen_by_nobody() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(folder.path()).await?;
    let town = Town::found(&node.office, 2).await?;
    let (teacher, mut teacher_hears) = node.client(town.teacher()).await?;
    let thread = started(&teacher, &mut teacher_hears, &town).await?;

    let profiles = vec![town.guardian(0).profile];
    let watch = Request::WatchPresence(WatchPresence {
        space: town.space,
        profiles: profiles.clone(),
    });
    let Reply::Online(online) = teacher.request(watch.clone()).await? else {
        bail!("not who is online")
    };
    assert!(online.profiles.is_empty());
    let (parent, _parent_hears) = node.client(town.guardian(0)).await?;
    until(&mut teacher_hears, presence)
        .await
        .map(|online| assert!(online))?;
    let Reply::Online(online) = teacher.request(watch.clone()).await? else {
        bail!("not who is online")
    };
    assert_eq!(online.profiles, profiles);

    parent.request(Request::Typing(ThreadReference { thread })).await?;
    let who = until(&mut teacher_hears, |update| match update {
        Update::Signal(Signal::Typing { profile, .. }) => Some(profile),
        _ => None,
    });
    assert_eq!(who.await?, town.guardian(0).profile);

    parent
        .request(Request::SetPresenceVisibility(SetPresenceVisibility { hidden: true }))
        .await?;
    until(&mut teacher_hears, presence)
        .await
        .map(|online| assert!(!online))?;
    let Reply::Online(online) = teacher.request(watch).await? else {
        bail!("not who is online")
    };
    assert!(online.profiles.is_empty());
    drop((teacher, parent));
    node.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_login_and_a_removed_member_are_felt_on_the_open_socket() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(folder.path()).await?;
    let town = Town::found(&node.office, 2).await?;
    let (teacher, mut teacher_hears) = node.client(town.teacher()).await?;
    let thread = started(&teacher, &mut teacher_hears, &town).await?;
    let (parent, mut parent_hears) = node.client(town.guardian(0)).await?;
    let (_other, mut other_hears) = node.client(town.guardian(1)).await?;

    let profiles = vec![town.guardian(0).profile];
    teacher
        .request(Request::RemoveMembers(RemoveMembers { thread, profiles }))
        .await?;
    until(&mut parent_hears, |update| match update {
        Update::Event { event, .. } => matches!(*event, Event::Membership { left_at: Some(_), .. }).then_some(()),
        _ => None,
    })
    .await?;
    teacher.send(thread, vec![Part::text("Kun for de andre")]).await?;
    until(&mut other_hears, |update| {
        text(update).filter(|text| text == "Kun for de andre")
    })
    .await?;
    // What the removed parent hears next is the end of the login, and no message before it.
    node.office
        .accounts
        .disable(town.guardian(0).person)
        .await
        .map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
    let stopped = tokio::time::timeout(PATIENCE, async {
        while let Some(update) = parent_hears.next().await {
            match update {
                Update::Stopped { reason } => return Ok(reason),
                update => {
                    if let Some(text) = text(update) {
                        bail!("a removed member was told {text:?}");
                    }
                }
            }
        }
        bail!("the updates ended")
    });
    let reason: StopReason = stopped.await.context("the socket was not closed")??;
    let code = reason.close_code();
    assert!(code.is_none() || code == Some(CloseCode::Revoked), "{reason:?}");
    drop((teacher, parent));
    node.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stalls_hurts_only_itself_and_then_has_everything() -> Result<()> {
    const MESSAGES: usize = 400;
    let folder = tempfile::tempdir()?;
    let node = Node::start(folder.path()).await?;
    let town = Town::found(&node.office, 2).await?;
    let (teacher, mut teacher_hears) = node.client(town.teacher()).await?;
    let thread = started(&teacher, &mut teacher_hears, &town).await?;
    let (_other, mut other_hears) = node.client(town.guardian(1)).await?;
    // Takes no updates: its client soon reads nothing more, and the server's queue for it fills.
    let (_stalled, mut stalled_hears) = node.client(town.guardian(0)).await?;

    let long = "ø".repeat(7_000);
    let sending = tokio::spawn(async move {
        for number in 0..MESSAGES {
            teacher
                .send(thread, vec![Part::text(format!("{number} {long}"))])
                .await?;
        }
        until(&mut teacher_hears, {
            let mut sent = 0;
            move |update| {
                sent += usize::from(matches!(update, Update::Sent(_)));
                (sent == MESSAGES).then_some(())
            }
        })
        .await
    });
    let mut heard = 0;
    until(&mut other_hears, |update| {
        heard += usize::from(text(update).is_some());
        (heard >= MESSAGES).then_some(())
    })
    .await
    .context("a reader that keeps up was held back")?;
    sending.await??;

    let mut numbers = std::collections::BTreeSet::new();
    let mut slow = false;
    until(&mut stalled_hears, |update| {
        if let Update::Disconnected { .. } = &update {
            slow = true;
        }
        assert!(
            !matches!(update, Update::Resync { .. }),
            "a slow reader resumes, and is not sent away"
        );
        let number = text(update).and_then(|text| text.split(' ').next()?.parse::<usize>().ok());
        numbers.extend(number);
        (numbers.len() == MESSAGES).then_some(())
    })
    .await
    .with_context(|| format!("the stalled reader has {} of {MESSAGES}; closed: {slow}", numbers.len()))?;
    tokio::time::timeout(Duration::from_secs(60), node.stop()).await?
}

fn presence(update: Update) -> Option<bool> {
    match update {
        Update::Signal(Signal::Presence { online, .. }) => Some(online),
        _ => None,
    }
}

fn text(update: Update) -> Option<String> {
    match update {
        Update::Event { event, .. } => match *event {
            Event::Message(message) => Some(Part::plain_text(&message.parts)),
            _ => None,
        },
        _ => None,
    }
}
