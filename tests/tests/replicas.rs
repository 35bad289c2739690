//! Three CQL servers that each keep everything, of which one is stopped while people talk: nobody is to notice.
//!
//! It takes three Java processes and minutes, so it runs with `SAMTALE_SOAK=1` only.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use samtale_tests::chaos::plan::{Kind, Outages};
use samtale_tests::chaos::{self, ChaosOptions, Scenario};
use samtale_tests::cluster::cql_server::can_be_had;
use samtale_tests::cluster::{Cluster, ClusterOptions, Footing, missing, people};
use samtale_tests::skipped::skip;

const PEOPLE: usize = 12;
const LENGTH: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_databases_is_stopped_and_nobody_notices() -> Result<()> {
    if std::env::var_os("SAMTALE_SOAK").is_none() {
        println!("it is part of the long run: SAMTALE_SOAK=1 cargo test -p samtale-tests --test replicas");
        return Ok(());
    }
    if missing()?.is_some() || !can_be_had()? {
        skip("three CQL servers that keep the same: get JDK 17, Maven and redis-server, then scripts/set-up");
        return Ok(());
    }
    let seed = std::env::var("SAMTALE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    println!("seed {seed}: SAMTALE_SOAK=1 SAMTALE_SEED={seed} cargo test -p samtale-tests --test replicas");
    let folder = tempfile::tempdir()?;
    let cluster = Arc::new(Cluster::start(ClusterOptions::of_test(folder.path(), Footing::Replicated, seed)).await?);
    let school = people::found(&*cluster.gateways[0].lock().await, PEOPLE, folder.path().join("tokens")).await?;
    let mut options = ChaosOptions::new(Scenario::One(Kind::CqlReplicaStop), LENGTH, seed);
    options.outages = Outages::UpTo(Duration::from_secs(30));
    let outcome = chaos::run(&cluster, &school, &Arc::default(), &options).await?;
    println!("{}, quiet after {:?}", outcome.summary.json(), outcome.quiet_after);
    ensure!(outcome.summary.is_clean(), "seed {seed}: {:#?}", outcome.violations);
    ensure!(outcome.quiet_after.is_some(), "not everybody had everything in time");
    ensure!(outcome.summary.resynced == 0, "the journal was there all the time");
    ensure!(
        outcome.cuts.iter().all(|cuts| *cuts == 0),
        "cut so often: {:?}",
        outcome.cuts
    );
    if let Ok(cluster) = Arc::try_unwrap(cluster) {
        cluster.stop().await?;
    }
    Ok(())
}
