//! The scenarios: what is done to the cluster, for how long, and what must hold beside the promises.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use samtale_tests::chaos::crowd::CrowdOptions;
use samtale_tests::chaos::plan::{Kind, Outages};
use samtale_tests::chaos::{self, ChaosOptions, Outcome, Scenario};
use samtale_tests::cluster::cql_server::can_be_had;
use samtale_tests::cluster::people::{self, School};
use samtale_tests::cluster::{Cluster, ClusterOptions, Footing};
use samtale_tests::skipped::skip;
use samtale_tests::witness::Notebook;

/// The broken promises that are told one by one.
const TOLD: usize = 10;
/// How long people talk before and after an outage of an exact length, in a short run and in a long one.
const SHORT_TALK_S: u64 = 2;
const FULL_TALK_S: u64 = 15;
/// How soon after Redis delivery must be back. The budget is two seconds, which a machine that does much beside may not
/// keep: the figure is printed, and the test fails only beyond this.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// What a scenario is beside its fault.
#[derive(Clone, Copy)]
pub struct Trial {
    pub name: &'static str,
    pub scenario: Scenario,
    /// How long it is hurt.
    pub short: Duration,
    pub full: Duration,
    /// How long the outages are.
    pub short_outages: Outages,
    pub full_outages: Outages,
    /// How long each message is at least.
    pub text_bytes: usize,
    /// The shortest and the longest silence of a client in a short run.
    pub silence_ms: (u64, u64),
    /// Whether it is part of the long run alone.
    pub takes_long: bool,
    /// What else must hold.
    pub holds: fn(&Outcome) -> Result<()>,
}

const fn trial(name: &'static str, kind: Kind, short_outage_ms: u64, full_outage_s: u64) -> Trial {
    Trial {
        name,
        scenario: Scenario::One(kind),
        short: Duration::from_secs(5),
        full: Duration::from_secs(if full_outage_s > 100 { 660 } else { 120 }),
        short_outages: Outages::UpTo(Duration::from_millis(short_outage_ms)),
        full_outages: Outages::UpTo(Duration::from_secs(full_outage_s)),
        text_bytes: 0,
        silence_ms: (150, 800),
        takes_long: false,
        holds: journal_reaches_back,
    }
}

/// Redis is killed once, for exactly this long, while people talk on.
const fn redis_killed_once(name: &'static str, lasts_s: u64) -> Trial {
    const fn once(talk_s: u64, lasts_s: u64) -> Outages {
        Outages::Once {
            after: Duration::from_secs(talk_s),
            lasts: Duration::from_secs(lasts_s),
        }
    }
    Trial {
        short: Duration::from_secs(lasts_s + 2 * SHORT_TALK_S),
        full: Duration::from_secs(lasts_s + 2 * FULL_TALK_S),
        short_outages: once(SHORT_TALK_S, lasts_s),
        full_outages: once(FULL_TALK_S, lasts_s),
        takes_long: lasts_s > 5,
        holds: delivery_is_back,
        ..trial(name, Kind::RedisKill, 0, 0)
    }
}

/// The scenarios, in the order in which they run. The last ones change what the cluster stands on.
pub fn trials() -> Vec<Trial> {
    vec![
        Trial {
            scenario: Scenario::Calm,
            ..trial("members_are_removed_while_messages_fly", Kind::ClientResets, 0, 0)
        },
        Trial {
            holds: resumes_replay,
            // Long enough for two kills: by chance nobody may be on one gateway, and then nobody is cut.
            short: Duration::from_secs(8),
            ..trial("a_gateway_is_killed_every_few_seconds", Kind::GatewayKill, 500, 2)
        },
        trial("a_gateway_hangs", Kind::GatewayHang, 1_500, 5),
        Trial {
            holds: each_is_cut_once,
            short: Duration::from_secs(1),
            full: Duration::from_secs(1),
            ..trial("a_rolling_restart_cuts_each_client_once", Kind::RollingRestart, 0, 0)
        },
        redis_killed_once("redis_is_killed_for_1_second", 1),
        redis_killed_once("redis_is_killed_for_5_seconds", 5),
        redis_killed_once("redis_is_killed_for_30_seconds", 30),
        redis_killed_once("redis_is_killed_for_300_seconds", 300),
        Trial {
            takes_long: true,
            ..trial("redis_is_killed_again_and_again", Kind::RedisKill, 1_000, 30)
        },
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
        trial("the_cql_server_is_unreachable", Kind::CqlUnreachable, 2_000, 30),
        trial("the_cql_server_hangs", Kind::CqlHang, 2_000, 30),
        Trial {
            // It starts twice for this, beside what it takes to start the cluster.
            takes_long: true,
            ..trial("the_cql_server_is_stopped_and_returns", Kind::CqlStop, 2_000, 30)
        },
        trial("the_cql_server_is_slow", Kind::CqlSlow, 2_000, 20),
        trial(
            "the_cql_server_is_slow_on_one_partition",
            Kind::CqlPartitionSlow,
            3_000,
            20,
        ),
        trial("lines_carry_bytes_one_by_one", Kind::Slicing, 2_000, 20),
        trial("lines_are_long", Kind::Latency, 2_000, 20),
        trial("lines_are_reset", Kind::Resets, 1_000, 10),
        trial("lines_go_nowhere", Kind::HalfOpen, 2_500, 30),
        trial("some_published_messages_do_not_arrive", Kind::PublishDrops, 4_000, 60),
        Trial {
            holds: resumes_replay,
            ..trial("a_client_is_offline", Kind::ClientOffline, 2_000, 60)
        },
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

/// Lets a crowd talk while it happens, and judges.
pub async fn attempt(
    cluster: &Arc<Cluster>,
    school: &School,
    notebook: &Arc<Notebook>,
    trial: &Trial,
    seed: u64,
) -> Result<()> {
    // A CQL server that is given may not be stopped.
    let is_for_this = cluster.services.as_ref().is_none_or(|services| match trial.scenario {
        Scenario::One(Kind::CqlStop) => services.cql.own().is_some(),
        Scenario::One(Kind::CqlHang) => services.cql.pausable().is_some(),
        _ => true,
    });
    if !is_for_this {
        return attempt_apart(cluster, trial, seed).await;
    }
    attempt_on(cluster, school, notebook, trial, seed).await
}

/// The same on a cluster whose CQL server may be stopped.
async fn attempt_apart(beside: &Cluster, trial: &Trial, seed: u64) -> Result<()> {
    if !can_be_had()? {
        skip(&format!("{}: get JDK 17 and Maven, then scripts/set-up", trial.name));
        return Ok(());
    }
    let folder = beside.options.folder.join(trial.name);
    let options = ClusterOptions::of_test(&folder, Footing::OwnServices, seed);
    let cluster = Arc::new(Cluster::start(options).await?);
    let school = {
        let gateway = cluster.gateways[0].lock().await;
        people::found(&gateway, CrowdOptions::default().clients, folder.join("tokens")).await?
    };
    let outcome = attempt_on(&cluster, &school, &Arc::default(), trial, seed).await;
    if let Ok(cluster) = Arc::try_unwrap(cluster) {
        cluster.stop().await?;
    }
    outcome
}

async fn attempt_on(
    cluster: &Arc<Cluster>,
    school: &School,
    notebook: &Arc<Notebook>,
    trial: &Trial,
    seed: u64,
) -> Result<()> {
    let is_soak = std::env::var_os("SAMTALE_SOAK").is_some();
    let mut options = ChaosOptions::new(trial.scenario, if is_soak { trial.full } else { trial.short }, seed);
    options.outages = if is_soak {
        trial.full_outages
    } else {
        trial.short_outages
    };
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
    let back = outcome
        .back_after
        .map(|after| format!(", back after {:.1} s", after.as_secs_f64()));
    println!(
        "{}: {}, quiet after {:?}{}",
        trial.name,
        summary.json(),
        outcome.quiet_after,
        back.unwrap_or_default()
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
    if let Some(after) = outcome.back_after.filter(|_| is_soak) {
        ensure!(after <= BACK_WITHIN, "delivery was back {after:?} after Redis");
    }
    (trial.holds)(&outcome)
}

/// Messages came through again, and it was measured how soon.
fn delivery_is_back(outcome: &Outcome) -> Result<()> {
    ensure!(
        outcome.back_after.is_some(),
        "no message came through after Redis was back"
    );
    journal_reaches_back(outcome)
}

/// Clients were cut, and whoever came back was told of what they missed. Of a hundred 99 have to be; nothing here outlives
/// the journal, so all are.
fn resumes_replay(outcome: &Outcome) -> Result<()> {
    ensure!(outcome.summary.replayed > 0, "nobody came back");
    journal_reaches_back(outcome)
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
    resumes_replay(outcome)
}
