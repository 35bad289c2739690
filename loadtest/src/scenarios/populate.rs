//! A nation is loaded: how many people a second come in through the import's bulk path, and what it takes to give the same
//! nation again, as after a stop.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::progress;
use crate::clock;
use crate::cluster::Cluster;
use crate::figure::{float, per, rounded, whole};
use crate::nation::{self, Nation};
use crate::outcome::Outcome;
use crate::server::{School, populate};

/// What a run is told.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The nation.
    pub nation: Nation,
    /// How many of its people get a login.
    pub logins: usize,
    /// The file of a cluster that runs, instead of a data folder of the run's own.
    pub cluster: Option<PathBuf>,
}

/// Loads it twice.
pub fn run(plan: &Plan) -> Result<Outcome> {
    let began = clock::now();
    let school = School::empty()?;
    let file = school.folder().join("nation.jsonl");
    progress(&format!("drawing a nation of {} people", plan.nation.people));
    let written = nation::write(plan.nation, plan.logins, &file)?;
    let drawn = seconds_since(began);
    let (data, keys) = match &plan.cluster {
        Some(cluster) => Cluster::read(cluster)?.folders(),
        None => (school.data(), school.keys()),
    };
    let loaded = load(&file, &data, &keys, school.people())?;
    progress("the same nation once more");
    let again = load(&file, &data, &keys, school.people())?;

    let people = float(written.people as u64);
    let mut outcome = Outcome::new("populate", written.logins, whole(seconds_since(began)));
    outcome.seed = Some(plan.nation.seed);
    for (name, count) in [
        ("people_simulated", written.people),
        ("institutions", written.institutions),
        ("classes", written.groups),
        ("people_with_a_login", written.logins),
    ] {
        outcome.counts.insert(name.to_owned(), float(count as u64));
    }
    for (name, figure) in [
        ("seconds_to_draw", drawn),
        ("seconds_to_load", loaded),
        ("seconds_when_given_again", again),
        ("people_loaded_per_second", per(people, loaded)),
    ] {
        outcome.counts.insert(name.to_owned(), rounded(figure));
    }
    outcome
        .note("given again, what is there is passed over, so a load that was stopped goes on; logins are issued anew");
    if plan.cluster.is_some() && loaded < 2.0 * again {
        outcome.note("the cluster had this nation already, so its loading was not measured");
    }
    Ok(outcome)
}

/// Returns how many seconds it took.
fn load(nation: &Path, data: &Path, keys: &Path, tokens: &Path) -> Result<f64> {
    let since = clock::now();
    populate("--nation", nation.as_os_str(), data, keys, tokens)?;
    Ok(seconds_since(since))
}

fn seconds_since(began: u64) -> f64 {
    float(clock::now() - began) / 1e9
}
