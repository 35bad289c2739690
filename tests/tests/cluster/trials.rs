//! The scenarios: what is done to the cluster, for how long, and what must hold beside the promises.

use std::time::Duration;

use anyhow::{Result, ensure};
use samtale_tests::chaos::plan::Kind;
use samtale_tests::chaos::{Outcome, Scenario};

/// What a scenario is beside its fault.
#[derive(Clone, Copy)]
pub struct Trial {
    pub name: &'static str,
    pub scenario: Scenario,
    /// How long it is hurt.
    pub short: Duration,
    pub full: Duration,
    /// The longest outages.
    pub short_outage: Duration,
    pub full_outage: Duration,
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
        short_outage: Duration::from_millis(short_outage_ms),
        full_outage: Duration::from_secs(full_outage_s),
        text_bytes: 0,
        silence_ms: (150, 800),
        takes_long: false,
        holds: journal_reaches_back,
    }
}

/// The scenarios, in the order in which they run. The last ones change what the cluster stands on.
pub fn trials() -> Vec<Trial> {
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
        trial(
            "the_cql_server_is_slow_on_one_partition",
            Kind::CqlPartitionSlow,
            3_000,
            20,
        ),
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
