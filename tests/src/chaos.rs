//! Chaos: real clients talk through a real cluster while it is hurt on a seeded schedule; then all is healed, and the
//! checker judges from what the clients wrote down.
//!
//! [`plan`] says what happens when, [`stage`] does it and undoes it, [`crowd`] are the clients, [`summary`] counts,
//! [`comeback`] measures how soon delivery is back after Redis was gone.

pub mod comeback;
pub mod crowd;
mod lines;
mod nodes;
pub mod plan;
mod services;
pub mod stage;
pub mod summary;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::checker::{self, Violation};
use crate::cluster::Cluster;
use crate::cluster::people::School;
use crate::witness::{Blemish, Notebook};
use crowd::{Crowd, CrowdOptions};
use plan::{Kind, Lane, Outages};
use stage::Stage;
use summary::Summary;

pub use plan::Scenario;

/// How long it may take, once all is healed, until every client has everything. Clients that were away for half a
/// minute come back within half a minute.
const QUIET_PATIENCE: Duration = Duration::from_secs(120);
/// The same for a client that never has everything, on purpose.
const BLEMISHED_PATIENCE: Duration = Duration::from_secs(5);

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct ChaosOptions {
    /// What happens.
    pub scenario: Scenario,
    /// For how long.
    pub length: Duration,
    /// What all chance is made from.
    pub seed: u64,
    /// When faults come and how long they last.
    pub outages: Outages,
    /// Who the clients are.
    pub crowd: CrowdOptions,
    /// What is wrong with one of the clients on purpose.
    pub blemish: Option<Blemish>,
}

impl ChaosOptions {
    /// A run of this length, whose outages last at most a third of it.
    pub fn new(scenario: Scenario, length: Duration, seed: u64) -> Self {
        Self {
            scenario,
            length,
            seed,
            outages: Outages::UpTo((length / 3).min(Duration::from_secs(30))),
            crowd: CrowdOptions::default(),
            blemish: None,
        }
    }
}

/// What came of a run.
pub struct Outcome {
    /// The counts.
    pub summary: Summary,
    /// The promises that were broken.
    pub violations: Vec<Violation>,
    /// How often the live connection of each client ended.
    pub cuts: Vec<usize>,
    /// From the end of the last fault until everybody had everything; `None` when that never came.
    pub quiet_after: Option<Duration>,
    /// From when Redis answered again after it was last killed until messages came through again, as
    /// [`comeback`] says; `None` when it was not killed or nothing was sent after.
    pub back_after: Option<Duration>,
}

/// Lets the crowd talk through the cluster while what the scenario says happens. The cluster is whole again afterwards.
///
/// Runs with one school share a notebook: a gateway that replays a journal tells people again of threads that earlier
/// runs began, and whether those were for them only the notes of those runs say.
pub async fn run(
    cluster: &Arc<Cluster>,
    school: &School,
    notebook: &Arc<Notebook>,
    options: &ChaosOptions,
) -> Result<Outcome> {
    let crowd = Arc::new(Crowd::gather(cluster, school, notebook, options).await?);
    let stage = Arc::new(Stage::new(Arc::clone(cluster), Arc::clone(&crowd), options));
    let talking = crowd.talk(options);
    let mut lanes = Vec::new();
    let available: Vec<Kind> = options
        .scenario
        .kinds()
        .into_iter()
        .filter(|kind| stage.can(*kind))
        .collect();
    for lane in Lane::ALL {
        let kinds: Vec<Kind> = available.iter().copied().filter(|kind| kind.lane() == lane).collect();
        if !kinds.is_empty() {
            let steps = plan::steps(options, lane, kinds);
            lanes.push(tokio::spawn(stage::perform(Arc::clone(&stage), steps, options.length)));
        }
    }
    let mut end = tokio::time::Instant::now() + options.length;
    for lane in lanes {
        lane.await??;
    }
    if let Outages::Once { after, .. } = options.outages {
        // However long it took to undo: people talk on as long as they did before.
        end = end.max(tokio::time::Instant::now() + after);
    }
    // tidy: waits because the length of the run is what was asked for
    tokio::time::sleep_until(end).await;
    stage.say("the last fault is over");
    let stopping = tokio::time::timeout(QUIET_PATIENCE, talking.stop());
    stopping
        .await
        .context("somebody waits for an answer that does not come")??;
    stage.heal().await.context("the cluster does not heal")?;
    let healed = Instant::now();
    stage.say("all is healed");
    let patience = options.blemish.map_or(QUIET_PATIENCE, |_| BLEMISHED_PATIENCE);
    let is_quiet = crowd.is_quiet_within(patience).await;
    let quiet_after = is_quiet.then(|| healed.elapsed());
    stage.say(if is_quiet {
        "everybody has everything"
    } else {
        "not everybody has everything"
    });
    crowd.conclude().await?;
    crowd.leave().await;
    let (earlier, notes) = crowd.notes();
    let violations = checker::check_after(&earlier, &notes);
    let comeback = stage.comeback();
    Ok(Outcome {
        back_after: comeback.and_then(|comeback| comeback::back_after(&comeback, &earlier, &notes)),
        summary: Summary::of(&notes, &violations),
        cuts: crowd.cuts(),
        violations,
        quiet_after,
    })
}
