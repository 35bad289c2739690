//! A school day on bad days: three gateways over a real Redis and a real CQL server, hurt in one way after the other, and
//! after each the checker judges from what the clients wrote down.
//!
//! All scenarios share one cluster, one after the other, so this file brings its own `main`: it prints what other tests
//! print, takes names as filters, and stops the cluster whatever happens. `SAMTALE_SEED=N` replays a schedule;
//! `SAMTALE_SOAK=1` runs every scenario at full length.

mod meetings;
mod trials;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use samtale_tests::chaos::crowd::CrowdOptions;
use samtale_tests::chaos::{self, ChaosOptions};
use samtale_tests::cluster::people::{self, School};
use samtale_tests::cluster::{Cluster, ClusterOptions, Footing, missing};
use samtale_tests::process::told_to_end;
use samtale_tests::skipped::skip;
use samtale_tests::witness::Notebook;

use meetings::{dies_with_its_people, end_elsewhere, outlives_a_new_password, outlives_the_journal, talk_over_two};
use trials::{Trial, trials};

/// The people of the school; a crowd is some of them.
const PEOPLE: usize = 13;
/// The broken promises that are told one by one.
const TOLD: usize = 10;

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
    let name = "a_client_offline_for_longer_than_the_journal_loads_anew";
    if wanted(name) {
        count(
            name,
            Instant::now(),
            outlives_the_journal(&cluster, &school, &notebook).await,
        );
    }
    let name = "a_login_with_a_new_password_outlives_the_news_of_it";
    if wanted(name) {
        count(name, Instant::now(), outlives_a_new_password(&cluster, &school).await);
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
