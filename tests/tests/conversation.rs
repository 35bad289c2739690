//! Two people talk, live, over a real server.

use anyhow::{Result, bail};
use samtale_client::Update;
use samtale_protocol::messages::{History, Part};
use samtale_protocol::threads::{Inbox, Recipient};
use samtale_protocol::{Event, Reply, Request};
use samtale_tests::node::{Node, until};
use samtale_tests::town::Town;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_teacher_and_a_parent_talk_and_a_restart_changes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(folder.path()).await?;
    let town = Town::found(&node.office, 2).await?;
    let (teacher, mut teacher_hears) = node.client(town.teacher()).await?;
    let (parent, mut parent_hears) = node.client(town.guardian(0)).await?;

    let to = vec![Recipient::Guardians { group: town.class }];
    let text = "Husk turtøj i morgen 🌧️";
    teacher
        .start_thread(town.space, to, "Tur til skoven".to_owned(), vec![Part::text(text)])
        .await?;
    let sent = until(&mut teacher_hears, |update| match update {
        Update::Sent(sent) => Some(sent),
        _ => None,
    })
    .await?;
    let heard = until(&mut parent_hears, message).await?;
    assert_eq!(
        (heard.message, Part::plain_text(&heard.parts)),
        (sent.message, text.to_owned())
    );

    parent
        .send(sent.thread, vec![Part::text("Tak, det gør vi ☔ æøå")])
        .await?;
    let answer = until(&mut teacher_hears, |update| {
        message(update).filter(|it| it.message != sent.message)
    })
    .await?;
    assert!(
        answer.message > sent.message,
        "an answer never sorts before its question"
    );

    let url = node.url.clone();
    node.stop().await?;
    let node = Node::start(folder.path()).await?;
    assert_ne!(node.url, url);
    let (parent, _updates) = node.client(town.guardian(0)).await?;
    let Reply::Inbox(inbox) = parent
        .request(Request::Inbox(Inbox {
            space: None,
            before: None,
            search: None,
            limit: 20,
        }))
        .await?
    else {
        bail!("not an inbox")
    };
    assert_eq!(inbox.entries.len(), 1);
    assert_eq!(inbox.entries[0].unread, 1, "one message of another");
    let history = History {
        thread: sent.thread,
        before: None,
        after: None,
        limit: 50,
    };
    let Reply::History(page) = parent.request(Request::History(history)).await? else {
        bail!("not a history")
    };
    let texts: Vec<String> = page
        .messages
        .iter()
        .map(|message| Part::plain_text(&message.parts))
        .collect();
    assert_eq!(texts, [text, "Tak, det gør vi ☔ æøå"]);
    drop(parent);
    node.stop().await
}

fn message(update: Update) -> Option<samtale_protocol::messages::Message> {
    match update {
        Update::Event { event, .. } => match *event {
            Event::Message(message) => Some(message),
            _ => None,
        },
        _ => None,
    }
}
