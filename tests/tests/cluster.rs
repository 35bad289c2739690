//! A school day on bad days: three gateways over a real Redis and a real CQL server, hurt in one way after the other, and
//! after each the checker judges from what the clients wrote down.
//!
//! All scenarios share one cluster, one after the other, so this file brings its own `main`: it prints what other tests
//! print, takes names as filters, and stops the cluster whatever happens. `SAMTALE_SEED=N` replays a schedule;
//! `SAMTALE_SOAK=1` runs every scenario at full length.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use samtale_client::{Client, Update, Updates};
use samtale_protocol::messages::Part;
use samtale_protocol::presence::WatchPresence;
use samtale_protocol::threads::{Recipient, ThreadReference};
use samtale_protocol::{CloseCode, Event, Reply, Request, SessionId, Signal};
use samtale_tests::chaos::crowd::CrowdOptions;
use samtale_tests::chaos::plan::Kind;
use samtale_tests::chaos::{self, ChaosOptions, Outcome, Scenario};
use samtale_tests::checker::Note;
use samtale_tests::cluster::people::{self, School};
use samtale_tests::cluster::{Cluster, ClusterOptions, Footing, missing};
use samtale_tests::node::until;
use samtale_tests::skipped::skip;
use samtale_tests::witness::Notebook;
use tokio::signal::unix::{SignalKind, signal};

/// The people of the school; a crowd is some of them.
const PEOPLE: usize = 13;
/// How soon an ended login's socket is closed, on whatever gateway it is.
const REVOKED_WITHIN: Duration = Duration::from_secs(2);
/// How long someone may be seen online whose gateway was killed.
const OFFLINE_WITHIN: Duration = Duration::from_secs(30);
/// On a machine that does much beside, it is told that long later, and this file fails only beyond.
const NOISE: Duration = Duration::from_secs(3);
/// The broken promises that are told one by one.
const TOLD: usize = 10;

/// What a scenario is beside its fault.
#[derive(Clone, Copy)]
struct Trial {
    name: &'static str,
    scenario: Scenario,
    /// How long it is hurt.
    short: Duration,
    full: Duration,
    /// The longest outages.
    short_outage: Duration,
    full_outage: Duration,
    /// How long each message is at least.
    text_bytes: usize,
    /// The shortest and the longest silence of a client in a short run.
    silence_ms: (u64, u64),
    /// Whether it is part of the long run alone.
    takes_long: bool,
    /// What else must hold.
    holds: fn(&Outcome) -> Result<()>,
}

const fn trial(name: &'static str, kind: Kind, short_outage_ms: u64, full_outage_s: u64) -> Trial {
    Trial {
        name,
        scenario: Scenario::One(kind),
        short: Duration::from_secs(5),
        full: Duration::from_secs(if full_outage_s > 100 { 660 } else { 120 }),
        short_outage: Duration::from_millis(short_outage_ms),
        full_outage: Duration::from_secs(full_outage_s),
        text_bytes: 0,
        silence_ms: (150, 800),
        takes_long: false,
        holds: journal_reaches_back,
    }
}

/// The scenarios, in the order in which they run. The last ones change what the cluster stands on.
fn trials() -> Vec<Trial> {
    vec![
        Trial {
            scenario: Scenario::Calm,
            ..trial("members_are_removed_while_messages_fly", Kind::ClientResets, 0, 0)
        },
        trial("a_gateway_is_killed_every_few_seconds", Kind::GatewayKill, 500, 2),
        trial("a_gateway_hangs", Kind::GatewayHang, 1_500, 5),
        Trial {
            holds: each_is_cut_once,
            short: Duration::from_secs(1),
            full: Duration::from_secs(1),
            ..trial("a_rolling_restart_cuts_each_client_once", Kind::RollingRestart, 0, 0)
        },
        trial("redis_is_killed_for_a_second", Kind::RedisKill, 1_000, 30),
        trial("redis_is_killed_for_long", Kind::RedisKill, 3_000, 300),
        trial("redis_is_emptied", Kind::RedisFlush, 0, 0),
        trial("redis_forgets_its_last_second", Kind::RedisForgets, 0, 0),
        trial("redis_cuts_its_subscribers", Kind::RedisCutsSubscribers, 0, 0),
        Trial {
            // Some megabytes lie in the sockets before Redis keeps anything for it: hundreds of the longest messages,
            // which everybody reads again in the end. That takes minutes.
            takes_long: true,
            text_bytes: 15 * 1024,
            silence_ms: (30, 90),
            short: Duration::from_secs(1),
            full: Duration::from_secs(1),
            ..trial(
                "redis_cuts_a_subscriber_that_is_too_slow",
                Kind::RedisCutsSlowSubscriber,
                0,
                0,
            )
        },
        trial("the_cql_server_goes_and_returns", Kind::CqlUnreachable, 2_000, 30),
        trial("the_cql_server_is_slow", Kind::CqlSlow, 2_000, 20),
        trial("lines_carry_bytes_one_by_one", Kind::Slicing, 2_000, 20),
        trial("lines_are_reset", Kind::Resets, 1_000, 10),
        trial("lines_go_nowhere", Kind::HalfOpen, 2_500, 30),
        trial("some_published_messages_do_not_arrive", Kind::PublishDrops, 4_000, 60),
        trial("a_client_is_offline", Kind::ClientOffline, 2_000, 60),
        Trial {
            holds: all_is_replayed,
            ..trial(
                "clients_are_offline_for_longer_than_the_log_remembers",
                Kind::ClientsMissTheLog,
                2_000,
                60,
            )
        },
        trial("a_replica_that_lags_is_promoted", Kind::RedisPromotion, 1_000, 10),
    ]
}

fn main() -> ExitCode {
    let filters: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Dropped, a cluster ends its processes.
    let all = async {
        tokio::select! {
            outcome = all(wanted) => outcome,
            signal = stopped() => Err(anyhow::anyhow!("stopped by a signal: {signal:?}")),
        }
    };
    match runtime.block_on(all) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("test cluster ... FAILED\n{error:#}\n\ntest result: FAILED. 0 passed; 1 failed;");
            ExitCode::FAILURE
        }
    }
}

/// Waits for a signal that ends the run.
async fn stopped() -> std::io::Result<()> {
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(())
}

/// Runs what is wanted; how many failed.
async fn all(wanted: impl Fn(&str) -> bool) -> Result<usize> {
    if let Some(missing) = missing()? {
        skip(&format!("three gateways over Redis and a CQL server: {missing}"));
        println!("\ntest result: ok. 0 passed; 0 failed;");
        return Ok(0);
    }
    let seed = std::env::var("SAMTALE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    println!("seed {seed}: SAMTALE_SEED={seed} cargo test -p samtale-tests --test cluster");
    let folder = tempfile::Builder::new().prefix("samtale-cluster-").tempdir()?;
    let cluster = Arc::new(Cluster::start(ClusterOptions::of_test(folder.path(), Footing::Services, seed)).await?);
    let school = {
        let gateway = cluster.gateways[0].lock().await;
        people::found(&gateway, PEOPLE, folder.path().join("tokens")).await?
    };
    let notebook = Arc::new(Notebook::default());
    let (mut passed, mut failures) = (0, Vec::new());
    let mut count = |name: &str, began: Instant, outcome: Result<()>| {
        let seconds = began.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                println!("test {name} ... ok ({seconds:.1} s)");
                passed += 1;
            }
            Err(error) => {
                println!("test {name} ... FAILED ({seconds:.1} s)");
                failures.push(format!("---- {name}, seed {seed}\n{error:#}"));
            }
        }
    };
    let name = "people_on_two_gateways_see_each_others_messages_typing_and_presence";
    if wanted(name) {
        count(name, Instant::now(), talk_over_two(&cluster, &school, &notebook).await);
    }
    for (name, is_redis_away) in [
        ("an_ended_login_closes_its_socket_on_another_gateway", false),
        ("an_ended_login_closes_its_socket_while_redis_is_away", true),
    ] {
        if wanted(name) {
            count(
                name,
                Instant::now(),
                end_elsewhere(&cluster, &school, is_redis_away).await,
            );
        }
    }
    let name = "the_people_of_a_dead_gateway_go_offline";
    if wanted(name) {
        count(name, Instant::now(), dies_with_its_people(&cluster, &school).await);
    }
    let is_soak = std::env::var_os("SAMTALE_SOAK").is_some();
    let trials = trials().into_iter().filter(|trial| is_soak || !trial.takes_long);
    for trial in trials.filter(|trial| wanted(trial.name)) {
        count(
            trial.name,
            Instant::now(),
            attempt(&cluster, &school, &notebook, &trial, seed).await,
        );
    }
    let (failed, verdict) = (failures.len(), if failures.is_empty() { "ok" } else { "FAILED" });
    for failure in &failures {
        println!("\n{failure}");
    }
    if failed > 0 {
        println!("\nthe logs stay in {}", folder.keep().display());
    }
    if let Ok(cluster) = Arc::try_unwrap(cluster) {
        cluster.stop().await?;
    }
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed;");
    Ok(failed)
}

async fn attempt(
    cluster: &Arc<Cluster>,
    school: &School,
    notebook: &Arc<Notebook>,
    trial: &Trial,
    seed: u64,
) -> Result<()> {
    let is_soak = std::env::var_os("SAMTALE_SOAK").is_some();
    let mut options = ChaosOptions::new(trial.scenario, if is_soak { trial.full } else { trial.short }, seed);
    options.longest_outage = if is_soak { trial.full_outage } else { trial.short_outage };
    if !is_soak {
        options.crowd = CrowdOptions {
            clients: 8,
            threads: 2,
            movers: 3,
            silence_ms: trial.silence_ms.0..trial.silence_ms.1,
            ..CrowdOptions::default()
        };
    }
    options.crowd.text_bytes = trial.text_bytes;
    let outcome = chaos::run(cluster, school, notebook, &options).await?;
    let summary = &outcome.summary;
    println!(
        "{}: {}, quiet after {:?}",
        trial.name,
        summary.json(),
        outcome.quiet_after
    );
    if !summary.is_clean() {
        let broken: Vec<String> = outcome.violations.iter().take(TOLD).map(ToString::to_string).collect();
        bail!("{} broken promises:\n{}", outcome.violations.len(), broken.join("\n"));
    }
    ensure!(outcome.quiet_after.is_some(), "not everybody had everything in time");
    ensure!(
        summary.acknowledged > 10 && summary.delivered > summary.acknowledged,
        "hardly anything was said"
    );
    (trial.holds)(&outcome)
}

/// While the journal reaches back there is nothing to load anew.
fn journal_reaches_back(outcome: &Outcome) -> Result<()> {
    let resynced = outcome.summary.resynced;
    ensure!(resynced == 0, "{resynced} resyncs while the journal reaches back");
    Ok(())
}

/// Whoever was away is told of everything, though the log has nothing of it.
fn all_is_replayed(outcome: &Outcome) -> Result<()> {
    let cut = outcome.cuts.iter().filter(|cuts| **cuts > 0).count();
    ensure!(cut > 0 && outcome.summary.replayed >= cut, "{cut} were away");
    journal_reaches_back(outcome)
}

fn each_is_cut_once(outcome: &Outcome) -> Result<()> {
    ensure!(
        outcome.cuts.iter().all(|cuts| *cuts == 1),
        "cut so often: {:?}",
        outcome.cuts
    );
    journal_reaches_back(outcome)
}

/// Someone is watched from the first gateway, and theirs is killed: a wrong "online" ends.
async fn dies_with_its_people(cluster: &Cluster, school: &School) -> Result<()> {
    let (first, last) = (&cluster.addresses[0], cluster.addresses.last().context("no gateway")?);
    let [.., watcher, watched] = school.people.as_slice() else {
        bail!("too few people");
    };
    let (there, mut there_hears) = watched.connect(&format!("http://{last}"))?;
    until(&mut there_hears, connected).await?;
    let (here, mut here_hears) = watcher.connect(&format!("http://{first}"))?;
    until(&mut here_hears, connected).await?;
    let watch = Request::WatchPresence(WatchPresence {
        space: school.space,
        profiles: vec![watched.profile],
    });
    let Reply::Online(online) = here.request(watch).await? else {
        bail!("no answer to who is online");
    };
    ensure!(online.profiles == [watched.profile], "they are not seen");
    let gateway = cluster.gateways.last().context("no gateway")?;
    gateway.lock().await.kill()?;
    let killed = Instant::now();
    let offline = until(&mut here_hears, |update| match update {
        Update::Signal(Signal::Presence { online: false, .. }) => Some(()),
        _ => None,
    });
    let seen = tokio::time::timeout(OFFLINE_WITHIN + NOISE, offline).await;
    println!("a dead gateway's person was seen offline after {:?}", killed.elapsed());
    there.stop().await;
    here.stop().await;
    let mut gateway = gateway.lock().await;
    gateway.start()?;
    gateway.ready().await?;
    seen.context("they stay online")?.map(drop)
}

/// The last of the school is there twice, and ends the login on the last gateway from the first.
async fn end_elsewhere(cluster: &Cluster, school: &School, is_redis_away: bool) -> Result<()> {
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
    let stopped = async {
        while let Some(update) = there_hears.next().await {
            if let Update::Stopped { reason } = update {
                return Ok(reason);
            }
        }
        bail!("the client ended without a word")
    };
    let reason = tokio::time::timeout(REVOKED_WITHIN + NOISE, stopped).await;
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

async fn logins(client: &Client) -> Result<Vec<SessionId>> {
    match client.request(Request::ListLogins).await? {
        Reply::Logins { logins } => Ok(logins.into_iter().map(|login| login.session).collect()),
        other => bail!("{other:?} is no list of logins"),
    }
}

/// The first of the school on the first gateway, the second on the last.
async fn talk_over_two(cluster: &Cluster, school: &School, notebook: &Notebook) -> Result<()> {
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

fn connected(update: Update) -> Option<()> {
    matches!(update, Update::Connected(_)).then_some(())
}

fn message(update: Update, text: &str) -> Option<samtale_protocol::ThreadId> {
    match update {
        Update::Event { event, .. } => match *event {
            Event::Message(message) => (Part::plain_text(&message.parts) == text).then_some(message.thread),
            _ => None,
        },
        _ => None,
    }
}

async fn leave(client: Client, hears: &mut Updates) -> Result<()> {
    client.stop().await;
    while let Some(update) = hears.next().await {
        if matches!(update, Update::Stopped { .. }) {
            break;
        }
    }
    Ok(())
}
