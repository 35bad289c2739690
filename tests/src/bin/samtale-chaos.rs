//! `samtale-chaos`: hurts a cluster on a seeded schedule while clients talk, and judges from what they wrote down.
//!
//! Progress goes to standard error. The last line, and the only one on standard output, is JSON; the exit code is 1 when
//! a promise was broken.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use samtale_tests::chaos::plan::Outages;
use samtale_tests::chaos::{self, ChaosOptions, Scenario};
use samtale_tests::cluster::{Cluster, ClusterOptions, Footing, missing, people};
use samtale_tests::process::told_to_end;
use samtale_tests::witness::Blemish;

/// The broken promises that are told one by one.
const TOLD: usize = 30;

/// Hurt a cluster while clients talk, then let the checker judge.
#[derive(Parser)]
#[command(after_help = "Examples:
  samtale-chaos --seconds 600 --seed 1
  samtale-chaos --seconds 60 --scenario redis-kill --longest 10
  samtale-chaos --seconds 30 --alone --plant loss")]
struct Arguments {
    /// How long things go wrong.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// The same number makes the same schedule.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What goes wrong: `all`, `calm`, or one kind of fault; an unknown name lists them.
    #[arg(long, default_value = "all")]
    scenario: Scenario,
    /// The longest outage, in seconds; otherwise a third of the run, and at most 30.
    #[arg(long)]
    longest: Option<u64>,
    /// How many clients.
    #[arg(long, default_value_t = 12)]
    clients: usize,
    /// One gateway with everything in its process, and no services.
    #[arg(long)]
    alone: bool,
    /// Use the CQL server of `SAMTALE_CQL` rather than one of our own; then it can not be stopped.
    #[arg(long, conflicts_with = "alone")]
    given_cql: bool,
    /// Where data and logs go, and stay; otherwise they stay only when something is wrong.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Something to be found: one client is wrong on purpose. The run must then fail.
    #[arg(long, hide = true)]
    plant: Option<Plant>,
}

/// What a client can be wrong about.
#[derive(Clone, Copy, ValueEnum)]
enum Plant {
    Loss,
    Leak,
    Duplicate,
    Disorder,
}

impl From<Plant> for Blemish {
    fn from(plant: Plant) -> Self {
        match plant {
            Plant::Loss => Self::Loss,
            Plant::Leak => Self::Leak,
            Plant::Duplicate => Self::Duplicate,
            Plant::Disorder => Self::Disorder,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("samtale-chaos: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether all promises were kept.
async fn run(arguments: &Arguments) -> Result<bool> {
    let footing = match (arguments.alone, arguments.given_cql) {
        (true, _) => Footing::Alone,
        (false, true) => Footing::Services,
        (false, false) => Footing::OwnServices,
    };
    if let Some(missing) = missing().map(|missing| missing.filter(|_| footing != Footing::Alone))? {
        bail!("missing: {missing}");
    }
    let temporary = tempfile::Builder::new().prefix("samtale-chaos-").tempdir()?;
    let folder = arguments.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    let mut options = ChaosOptions::new(
        arguments.scenario,
        Duration::from_secs(arguments.seconds),
        arguments.seed,
    );
    options.crowd.clients = arguments.clients;
    options.blemish = arguments.plant.map(Blemish::from);
    if let Some(longest) = arguments.longest {
        options.outages = Outages::UpTo(Duration::from_secs(longest));
    }

    eprintln!(
        "scenario {}, seed {}, {} s, in {}",
        options.scenario,
        options.seed,
        arguments.seconds,
        folder.display()
    );
    let outcome = tokio::select! {
        outcome = in_cluster(ClusterOptions::of_test(&folder, footing, options.seed), &options) => outcome,
        _ = told_to_end() => Err(anyhow::anyhow!("stopped")),
    };
    let is_clean = matches!(&outcome, Ok(true));
    if !is_clean && arguments.folder.is_none() {
        eprintln!("the logs stay in {}", temporary.keep().display());
    }
    outcome
}

async fn in_cluster(cluster: ClusterOptions, options: &ChaosOptions) -> Result<bool> {
    let tokens = cluster.folder.join("tokens");
    let cluster = Arc::new(Cluster::start(cluster).await?);
    let school = {
        let gateway = cluster.gateways[0].lock().await;
        people::found(&gateway, options.crowd.clients, tokens).await?
    };
    eprintln!(
        "{} gateways are ready, {} people can log in",
        cluster.gateways.len(),
        school.people.len()
    );
    let outcome = chaos::run(&cluster, &school, &Arc::default(), options).await?;
    match outcome.quiet_after {
        Some(after) => eprintln!(
            "everybody has everything {:.1} s after the last fault",
            after.as_secs_f64()
        ),
        None => eprintln!("not everybody has everything: what is missing, the checker names"),
    }
    eprintln!("connections of each client that were cut: {:?}", outcome.cuts);
    for violation in outcome.violations.iter().take(TOLD) {
        eprintln!("broken: {violation}");
    }
    if let Ok(cluster) = Arc::try_unwrap(cluster) {
        cluster.stop().await.context("the cluster does not stop")?;
    }
    println!("{}", outcome.summary.json());
    Ok(outcome.summary.is_clean())
}
