//! Chaos on one gateway that stands alone, and the proof that its checker sees: what is planted is found.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use samtale_tests::chaos::summary::Summary;
use samtale_tests::chaos::{self, ChaosOptions, Scenario};
use samtale_tests::cluster::people::{self, School};
use samtale_tests::cluster::{Cluster, ClusterOptions, Footing};
use samtale_tests::witness::Blemish;
use serde_json::Value;

/// The people of the school.
const PEOPLE: usize = 6;

async fn alone(folder: &std::path::Path, seed: u64) -> Result<(Arc<Cluster>, School)> {
    let cluster = Arc::new(Cluster::start(ClusterOptions::of_test(folder, Footing::Alone, seed)).await?);
    let school = people::found(&*cluster.gateways[0].lock().await, PEOPLE, folder.join("tokens")).await?;
    Ok((cluster, school))
}

fn options(scenario: Scenario, seconds: u64, seed: u64) -> ChaosOptions {
    let mut options = ChaosOptions::new(scenario, Duration::from_secs(seconds), seed);
    options.crowd.clients = PEOPLE;
    options.crowd.silence_ms = 100..600;
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_planted_is_found_and_nothing_else() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (cluster, school) = alone(folder.path(), 1).await?;
    let mut options = options(Scenario::Calm, 3, 1);
    let notebook = Arc::default();
    let mut found = async |blemish| -> Result<Summary> {
        options.blemish = blemish;
        let summary = chaos::run(&cluster, &school, &notebook, &options).await?.summary;
        println!("{blemish:?}: {}", summary.json());
        Ok(summary)
    };
    assert!(found(None).await?.is_clean());
    let loss = found(Some(Blemish::Loss)).await?;
    assert!(loss.lost > 0 && loss.duplicated + loss.reordered + loss.leaked == 0);
    let leak = found(Some(Blemish::Leak)).await?;
    assert!(leak.leaked > 0 && leak.lost + leak.duplicated + leak.reordered == 0);
    let duplicate = found(Some(Blemish::Duplicate)).await?;
    assert!(duplicate.duplicated > 0 && duplicate.leaked == 0);
    let disorder = found(Some(Blemish::Disorder)).await?;
    assert!(disorder.reordered > 0 && disorder.lost + disorder.duplicated + disorder.leaked == 0);
    Ok(())
}

#[tokio::test]
async fn the_program_ends_with_one_when_a_promise_was_broken_and_with_zero_otherwise() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let run = async |name: &str, more: &[&str]| -> Result<(Option<i32>, Value)> {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_samtale-chaos"));
        command.args(["--alone", "--scenario", "calm", "--seconds", "3", "--clients", "6"]);
        command.arg("--folder").arg(folder.path().join(name)).args(more);
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let last = String::from_utf8(output.stdout)?;
        let said = String::from_utf8_lossy(&output.stderr);
        let summary = serde_json::from_str(&last).with_context(|| format!("{last:?} is no JSON:\n{said}"))?;
        Ok((output.status.code(), summary))
    };
    let (clean, broken) = tokio::try_join!(run("clean", &[]), run("broken", &["--plant", "loss"]))?;
    assert!(clean.0 == Some(0) && clean.1["lost"] == 0, "{clean:?}");
    assert!(broken.0 == Some(1) && broken.1["lost"] != 0, "{broken:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_alone_keeps_its_promises_whatever_happens_to_it() -> Result<()> {
    let seed = std::env::var("SAMTALE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    println!("seed {seed}: SAMTALE_SEED={seed} cargo test -p samtale-tests --test chaos");
    let folder = tempfile::tempdir()?;
    let (cluster, school) = alone(folder.path(), seed).await?;
    let seconds = if std::env::var_os("SAMTALE_SOAK").is_some() {
        600
    } else {
        8
    };
    let outcome = chaos::run(
        &cluster,
        &school,
        &Arc::default(),
        &options(Scenario::All, seconds, seed),
    )
    .await?;
    println!("{}, cut {:?}", outcome.summary.json(), outcome.cuts);
    assert!(outcome.summary.is_clean(), "seed {seed}: {:#?}", outcome.violations);
    assert!(
        outcome.quiet_after.is_some(),
        "not everybody had everything in time, seed {seed}"
    );
    assert_eq!(outcome.summary.resynced, 0, "the journal reaches back, seed {seed}");
    assert!(
        outcome.cuts.iter().any(|cuts| *cuts > 0),
        "nothing happened, seed {seed}"
    );
    Ok(())
}
