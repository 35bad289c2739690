//! What a gateway that is killed leaves behind: people who seem to be there, and messages that only the journal knows.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use samtale_client::{Client, Update, Updates};
use samtale_protocol::messages::Part;
use samtale_protocol::presence::WatchPresence;
use samtale_protocol::threads::Recipient;
use samtale_protocol::{ProfileId, Reply, Request, Signal, SpaceId, ThreadId};
use samtale_tests::checker::Note;
use samtale_tests::cluster::Cluster;
use samtale_tests::cluster::people::School;
use samtale_tests::node::until;
use samtale_tests::witness::Notebook;

use crate::meetings::{NOISE, connected, leave, message};

/// How long someone may be seen online whose gateway was killed.
const OFFLINE_WITHIN: Duration = Duration::from_secs(30);
/// How long after a gateway was killed what it kept to itself is told.
const REPUBLISHED_WITHIN: Duration = Duration::from_secs(10);
/// What is told by the log is told sooner, even on a busy machine.
const TOLD_BY_THE_LOG_WITHIN: Duration = Duration::from_secs(2);
/// More than are told while gateways publish what an earlier one left, and not so many that a session may not say them.
const TRIES: usize = 15;
/// How long Redis is away after the gateway's death when it returns.
const SHORT_ABSENCE: Duration = Duration::from_secs(5);
/// Beside the slack for other reasons: a message is also shown to a client on a machine that does much beside.
const REPUBLISHING_NOISE: Duration = Duration::from_secs(5);

/// What Redis does when a gateway dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redis {
    /// It works.
    Works,
    /// It was killed before, and is away for as long as anyone looks.
    StaysAway,
    /// It was killed before, and comes back soon after with all that it had.
    ComesBack,
}

/// Someone is watched from the first gateway, and theirs is killed: a wrong "online" ends.
pub async fn dies_with_its_people(cluster: &Cluster, school: &School, redis: Redis) -> Result<()> {
    let (first, last) = (&cluster.addresses[0], cluster.addresses.last().context("no gateway")?);
    let [.., watcher, watched] = school.people.as_slice() else {
        bail!("too few people");
    };
    let (there, mut there_hears) = watched.connect(&format!("http://{last}"))?;
    until(&mut there_hears, connected).await?;
    let (here, mut here_hears) = watcher.connect(&format!("http://{first}"))?;
    until(&mut here_hears, connected).await?;
    see_online(&here, &mut here_hears, school.space, watched.profile).await?;
    let services = cluster.services.as_ref().context("no services")?;
    if redis != Redis::Works {
        services.redis.lock().await.kill()?;
    }
    let gateway = cluster.gateways.last().context("no gateway")?;
    gateway.lock().await.kill()?;
    let killed = Instant::now();
    there.stop().await;
    let looking = is_offline_in_time(
        &here,
        &mut here_hears,
        (school.space, watched.profile),
        killed,
        redis != Redis::ComesBack,
    );
    let returning = async {
        if redis == Redis::ComesBack {
            // tidy: waits because Redis is to be away for a while
            tokio::time::sleep(SHORT_ABSENCE).await;
            services.redis.lock().await.return_to_work().await?;
        }
        anyhow::Ok(())
    };
    let (seen, returned) = tokio::join!(looking, returning);
    here.stop().await;
    if redis == Redis::StaysAway {
        services.redis.lock().await.return_to_work().await?;
    }
    let mut gateway = gateway.lock().await;
    gateway.start()?;
    gateway.ready().await?;
    returned?;
    seen
}

/// Listens to what is told of someone until they are offline, or else until the last moment: they may be seen again when
/// Redis comes back, and only what holds then counts.
async fn is_offline_in_time(
    here: &Client,
    hears: &mut Updates,
    (space, watched): (SpaceId, ProfileId),
    killed: Instant,
    at_once: bool,
) -> Result<()> {
    let mut is_online = true;
    let listening = async {
        while is_online || !at_once {
            let told = until(hears, |update| match update {
                Update::Signal(Signal::Presence { online, profile, .. }) => {
                    (profile == watched).then_some(Some(online))
                }
                Update::Connected(_) => Some(None),
                _ => None,
            });
            // A gateway remembers of a connection that ended nothing, also not whom it watched.
            is_online = match told.await? {
                Some(online) => online,
                None => watch(here, space, watched).await?,
            };
            let seen = if is_online { "online" } else { "offline" };
            println!("a dead gateway's person was seen {seen} after {:?}", killed.elapsed());
        }
        anyhow::Ok(())
    };
    if let Ok(ended) = tokio::time::timeout(OFFLINE_WITHIN + NOISE, listening).await {
        ended?;
    }
    ensure!(!is_online, "they stay online");
    Ok(())
}

/// Watches someone until they are seen online: the answer says so, or a signal does soon after. A gateway whose Redis has
/// just come back tells of its people when it has reached it again.
async fn see_online(here: &Client, hears: &mut Updates, space: SpaceId, watched: ProfileId) -> Result<()> {
    if watch(here, space, watched).await? {
        return Ok(());
    }
    let told = until(hears, |update| match update {
        Update::Signal(Signal::Presence { online, profile, .. }) => (online && profile == watched).then_some(()),
        _ => None,
    });
    told.await.context("they are not seen")
}

/// Watches someone, and returns whether they are online.
async fn watch(here: &Client, space: SpaceId, watched: ProfileId) -> Result<bool> {
    let watch = Request::WatchPresence(WatchPresence {
        space,
        profiles: vec![watched],
    });
    let Reply::Online(online) = here.request(watch).await? else {
        bail!("no answer to who is online");
    };
    Ok(online.profiles == [watched])
}

/// The first gateway can not reach Redis, acknowledges two messages nevertheless, and is killed right behind the second. It
/// stays down; the others find both in the journal.
pub async fn dies_with_messages(cluster: &Cluster, school: &School, notebook: &Notebook) -> Result<()> {
    let (first, last) = (&cluster.addresses[0], cluster.addresses.last().context("no gateway")?);
    let (anne, mut anne_hears) = school.people[0].connect(&format!("http://{first}"))?;
    until(&mut anne_hears, connected).await?;
    let (mette, mut mette_hears) = school.people[1].connect(&format!("http://{last}"))?;
    until(&mut mette_hears, connected).await?;
    let profile = school.people[1].profile;
    anne.start_thread(
        school.space,
        vec![Recipient::Profile { profile }],
        "Før strømmen går".to_owned(),
        vec![Part::text("Er du der?")],
    )
    .await?;
    let thread = until(&mut mette_hears, |update| message(update, "Er du der?")).await?;
    let members = school.people[..2].iter().map(|member| member.profile).collect();
    notebook.note(notebook.devices(1), Note::Given { thread, members });

    let line = &cluster.services.as_ref().context("no services")?.redis_lines[0];
    line.cut();
    let shown = is_shown_after_a_death(cluster, (anne, anne_hears), &mut mette_hears, thread).await;
    line.heal();
    let mut gateway = cluster.gateways[0].lock().await;
    // It still runs if something failed before its death.
    gateway.kill()?;
    gateway.start()?;
    gateway.ready().await?;
    shown?;
    leave(mette, &mut mette_hears).await
}

async fn is_shown_after_a_death(
    cluster: &Cluster,
    (anne, mut anne_hears): (Client, Updates),
    mette_hears: &mut Updates,
    thread: ThreadId,
) -> Result<()> {
    let kept_back = kept_back((&anne, &mut anne_hears), mette_hears, thread).await?;
    acknowledged(&anne, &mut anne_hears, thread, "Nu går strømmen").await?;
    cluster.gateways[0].lock().await.kill()?;
    let killed = Instant::now();
    anne.stop().await;
    let mut missing = vec![kept_back.as_str(), "Nu går strømmen"];
    let shown = until(mette_hears, |update| {
        let found = missing
            .iter()
            .position(|text| message(update.clone(), text).is_some())?;
        println!(
            "{:?} was shown {:?} after the death",
            missing.remove(found),
            killed.elapsed()
        );
        missing.is_empty().then_some(())
    });
    let shown = tokio::time::timeout(REPUBLISHED_WITHIN + REPUBLISHING_NOISE, shown).await;
    shown.context("a message of a dead gateway is not shown in time")?
}

/// Says something that the log does not tell, since the gateway can not reach it. Other gateways that still publish what an
/// earlier one left may find it in the journal at once: then something else is said.
async fn kept_back(
    (anne, anne_hears): (&Client, &mut Updates),
    mette_hears: &mut Updates,
    thread: ThreadId,
) -> Result<String> {
    for number in 1..=TRIES {
        let text = format!("Nu er Redis væk, {number}");
        acknowledged(anne, anne_hears, thread, &text).await?;
        let too_soon = until(mette_hears, |update| message(update, &text));
        if tokio::time::timeout(TOLD_BY_THE_LOG_WITHIN, too_soon).await.is_err() {
            return Ok(text);
        }
        println!("{text:?} was told at once");
    }
    bail!("the line to Redis is not cut: each of {TRIES} messages was told at once")
}

/// Sends a message, and waits until the server says that it has it.
async fn acknowledged(client: &Client, hears: &mut Updates, thread: ThreadId, text: &str) -> Result<()> {
    let id = client.send(thread, vec![Part::text(text)]).await?;
    until(hears, |update| match update {
        Update::Sent(sent) => (sent.client_id == id).then_some(()),
        _ => None,
    })
    .await
    .context("it is not acknowledged")
}
