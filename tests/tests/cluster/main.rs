//! A school day on bad days: three gateways over a real Redis and a real CQL server, hurt in one way after the other, and
//! after each the checker judges from what the clients wrote down.
//!
//! All scenarios share one cluster, one after the other, so this file brings its own `main`: it prints what other tests
//! print, takes names as filters, and stops the cluster whatever happens. `SAMTALE_SEED=N` replays a schedule;
//! `SAMTALE_SOAK=1` runs every scenario at full length.

mod deaths;
mod meetings;
mod rights;
mod terminal;
mod trials;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use samtale_tests::cluster::people::{self, School};
use samtale_tests::cluster::{Cluster, ClusterOptions, Footing, missing};
use samtale_tests::process::told_to_end;
use samtale_tests::skipped::skip;
use samtale_tests::witness::Notebook;

use deaths::{Redis, dies_with_its_people, dies_with_messages};
use meetings::{end_elsewhere, outlives_a_new_password, outlives_the_journal, talk_over_two};
use rights::leave_by_roster;
use terminal::talk_in_terminals;
use trials::{attempt, trials};

/// The people of the school; a crowd is some of them.
const PEOPLE: usize = 13;
/// What a few people do, before crowds come.
const MEETINGS: [(&str, Meeting); 12] = [
    (
        "people_on_two_gateways_see_each_others_messages_typing_and_presence",
        Meeting::TalkOverTwo,
    ),
    ("people_at_terminals_talk_over_two_gateways", Meeting::TalkInTerminals),
    (
        "a_client_offline_for_longer_than_the_journal_loads_anew",
        Meeting::OutlivesTheJournal,
    ),
    (
        "a_login_with_a_new_password_outlives_the_news_of_it",
        Meeting::OutlivesANewPassword,
    ),
    (
        "an_ended_login_closes_its_socket_on_another_gateway",
        Meeting::LoginEnds { is_redis_away: false },
    ),
    (
        "an_ended_login_closes_its_socket_while_redis_is_away",
        Meeting::LoginEnds { is_redis_away: true },
    ),
    (
        "someone_who_left_loses_their_socket_on_another_gateway",
        Meeting::SomeoneLeaves { is_redis_away: false },
    ),
    (
        "someone_who_left_loses_their_socket_while_redis_is_away",
        Meeting::SomeoneLeaves { is_redis_away: true },
    ),
    (
        "the_people_of_a_dead_gateway_go_offline",
        Meeting::GatewayDies(Redis::Works),
    ),
    (
        "the_people_of_a_gateway_that_dies_while_redis_is_away_go_offline",
        Meeting::GatewayDies(Redis::StaysAway),
    ),
    (
        "the_people_of_a_dead_gateway_are_offline_when_redis_comes_back",
        Meeting::GatewayDies(Redis::ComesBack),
    ),
    (
        "the_messages_of_a_gateway_that_dies_without_redis_are_told",
        Meeting::GatewayDiesWithMessages,
    ),
];

/// What a few people do.
#[derive(Clone, Copy)]
enum Meeting {
    TalkOverTwo,
    TalkInTerminals,
    OutlivesTheJournal,
    OutlivesANewPassword,
    LoginEnds { is_redis_away: bool },
    SomeoneLeaves { is_redis_away: bool },
    GatewayDies(Redis),
    GatewayDiesWithMessages,
}

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        list();
        return ExitCode::SUCCESS;
    }
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
            _ = told_to_end() => Err(anyhow::anyhow!("stopped by a signal")),
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

/// Names what there is, as other tests do.
fn list() {
    let meetings = MEETINGS.into_iter().map(|(name, _)| name);
    for name in meetings.chain(trials().into_iter().map(|trial| trial.name)) {
        println!("{name}: test");
    }
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
    let is_soak = std::env::var_os("SAMTALE_SOAK").is_some();
    // It looks until the last moment.
    let is_due = |meeting: &Meeting| is_soak || !matches!(meeting, Meeting::GatewayDies(Redis::ComesBack));
    let meetings = MEETINGS.into_iter().filter(|(_, meeting)| is_due(meeting));
    for (name, meeting) in meetings.filter(|(name, _)| wanted(name)) {
        count(name, Instant::now(), meet(meeting, &cluster, &school, &notebook).await);
    }
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

async fn meet(meeting: Meeting, cluster: &Cluster, school: &School, notebook: &Notebook) -> Result<()> {
    match meeting {
        Meeting::TalkOverTwo => talk_over_two(cluster, school, notebook).await,
        Meeting::TalkInTerminals => talk_in_terminals(cluster, school, notebook).await,
        Meeting::OutlivesTheJournal => outlives_the_journal(cluster, school, notebook).await,
        Meeting::OutlivesANewPassword => outlives_a_new_password(cluster, school).await,
        Meeting::LoginEnds { is_redis_away } => end_elsewhere(cluster, school, is_redis_away).await,
        Meeting::SomeoneLeaves { is_redis_away } => leave_by_roster(cluster, is_redis_away).await,
        Meeting::GatewayDies(redis) => dies_with_its_people(cluster, school, redis).await,
        Meeting::GatewayDiesWithMessages => dies_with_messages(cluster, school, notebook).await,
    }
}
