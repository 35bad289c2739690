//! A school day of a nation, against one server of our own or the gateways of a cluster.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::progress;
use crate::clock;
use crate::cluster::{Cluster, GATEWAYS, Processes};
use crate::day::{AULA_PER_MINUTE, Hours, Part, Players, Told, visits};
use crate::figure::{float, per, rounded, whole};
use crate::nation::{self, Draw, Nation, PEOPLE, Written};
use crate::outcome::{Latency, Outcome};
use crate::pairs::Pairs;
use crate::readers::merged;
use crate::server::{Features, School, Server, populate};

/// Real people of one player: below the 20,000 descriptors that a process may have.
const PER_PLAYER: usize = 15_000;
/// Minutes in which those who are there are counted.
const COUNTED_EVERY: f64 = 300.0;

/// What a day is told.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The nation.
    pub nation: Nation,
    /// How many people have real sockets.
    pub sockets: usize,
    /// Which part of the day, and how fast.
    pub hours: Hours,
    /// How many times Aula's busiest minute, for as many people.
    pub times_aula: f64,
    /// The file of a cluster that runs, instead of a server of our own.
    pub cluster: Option<PathBuf>,
}

/// Where it is played.
struct Stage {
    servers: Vec<SocketAddr>,
    processes: Processes,
    tokens: PathBuf,
    /// Held as long as it is to run.
    _server: Option<Server>,
}

/// Plays it.
pub fn run(plan: &Plan) -> Result<Outcome> {
    let hours = plan.hours;
    ensure!(hours.from < hours.to, "the day has to begin before it ends");
    let seconds = (hours.to - hours.from) / hours.speed;
    let mut outcome = Outcome::new("day", plan.sockets, whole(seconds));
    outcome.seed = Some(plan.nation.seed);
    let folder = tempfile::Builder::new().prefix("samtale-day-").tempdir()?;
    let file = folder.path().join("nation.jsonl");
    progress(&format!("drawing a nation of {} people", plan.nation.people));
    let written = nation::write(plan.nation, plan.sockets, &file)?;
    let stage = set(plan, &file, folder.path(), written, &mut outcome)?;
    let messages_per_second = AULA_PER_MINUTE / 60.0 * float(plan.nation.people as u64) / float(PEOPLE as u64)
        * plan.times_aula
        * hours.speed;
    let players = written.logins.div_ceil(PER_PLAYER).max(1);
    let parts: Vec<Part> = (0..players)
        .map(|player| Part {
            nation: plan.nation,
            logins: plan.sockets,
            tokens: stage.tokens.clone(),
            servers: stage.servers.clone(),
            hours,
            messages_per_second,
            player,
            players,
        })
        .collect();
    progress("starting the conversations");
    let players = Players::start(&parts, folder.path())?;
    let told = play(players, stage, seconds, &mut outcome)?;
    describe(plan, written, &told, messages_per_second, &mut outcome)?;
    Ok(outcome)
}

/// Loads the nation into a server of our own, or into the cluster.
fn set(plan: &Plan, file: &Path, folder: &Path, written: Written, outcome: &mut Outcome) -> Result<Stage> {
    let tokens = folder.join("tokens");
    let since = clock::now();
    let stage = if let Some(cluster) = &plan.cluster {
        let cluster = Cluster::read(cluster)?;
        let (data, keys) = cluster.folders();
        populate("--nation", file.as_os_str(), &data, &keys, &tokens)?;
        Stage {
            servers: cluster.servers()?,
            processes: cluster.processes(),
            tokens,
            _server: None,
        }
    } else {
        let school = School::empty()?;
        populate("--nation", file.as_os_str(), &school.data(), &school.keys(), &tokens)?;
        let server = Server::start(school, Features::default())?;
        let mut processes = Processes::default();
        processes.add(GATEWAYS, server.process());
        Stage {
            servers: server.target.servers.clone(),
            processes,
            tokens,
            _server: Some(server),
        }
    };
    let took = float(clock::now() - since) / 1e9;
    count(
        outcome,
        "people_loaded_per_second",
        per(float(written.people as u64), took).round(),
    );
    Ok(stage)
}

/// The day itself, with whose processor time it took.
fn play(players: Players, mut stage: Stage, seconds: f64, outcome: &mut Outcome) -> Result<Told> {
    for process in players.processes() {
        stage.processes.add("load", Some(process));
    }
    let (before, since) = (stage.processes.cpu(), clock::now());
    let mut shares: Option<(BTreeMap<&'static str, u64>, u64)> = None;
    progress(&format!("the day takes {seconds:.0} s"));
    let told = players.play(since + 200_000_000, |told| {
        // Of the day, without the evening after it.
        if !told.is_evening {
            shares = Some((stage.processes.cpu(), clock::now() - since));
        }
        tell(told)
    })?;
    let cores = float(outcome.machine.cores as u64);
    let (after, time) = shares.context("the day was over before anything was seen of it")?;
    for (what, used) in after {
        let used = used.saturating_sub(before.get(what).copied().unwrap_or_default());
        count(
            outcome,
            &format!("cpu_share_{what}"),
            rounded(per(float(used), float(time) * cores)),
        );
    }
    Ok(told)
}

/// Says how far the day is.
fn tell(told: &Told) -> Result<()> {
    let latency = Latency::of(&merged(&told.latencies_us)?);
    if told.is_evening {
        progress(&format!(
            "it is evening: {} people are still to catch up; {} sockets are open, {} deliveries, {} attempts failed",
            told.not_caught_up, told.open, told.deliveries, told.failed
        ));
        return Ok(());
    }
    progress(&format!(
        "{} sockets are open; {} messages stored, {} deliveries, p50 {} ms, p99 {} ms so far; {} attempts failed, {} refused, \
         {} closed, {} twice",
        told.open,
        told.stored,
        told.deliveries,
        latency.p50,
        latency.p99,
        told.failed,
        told.refused,
        told.closed,
        told.duplicated
    ));
    Ok(())
}

fn describe(plan: &Plan, written: Written, told: &Told, messages_per_second: f64, outcome: &mut Outcome) -> Result<()> {
    let latencies = merged(&told.latencies_us)?;
    outcome
        .histograms
        .insert("latency_us".to_owned(), Pairs::of(&latencies));
    let arrivals = merged(&told.arrivals_us)?;
    outcome
        .histograms
        .insert("coming back_latency_us".to_owned(), Pairs::of(&arrivals));
    let figures = &mut outcome.figures;
    figures.latency_ms = Some(Latency::of(&latencies));
    figures.deliveries = Some(told.deliveries);
    (figures.lost, figures.duplicated) = (Some(told.lost), Some(told.duplicated));
    (figures.reordered, figures.closed) = (Some(told.reordered), Some(told.closed));
    let (simulated, most) = simulate(plan);
    for (name, value) in [
        ("people_simulated", written.people as u64),
        ("people_simulated_who_came", simulated),
        ("people_simulated_there_at_once", most),
        ("institutions", written.institutions as u64),
        ("people_with_real_sockets", told.people),
        ("real_institutions", written.real_institutions as u64),
        ("real_sockets_most", told.most_open),
        ("real_arrivals", told.arrivals),
        ("conversations", told.threads),
        ("messages_due", told.due),
        ("messages_stored", told.stored),
        ("messages_nobody_was_there_to_write", told.unwritten),
        ("refused", told.refused),
        ("failed_attempts", told.failed),
        ("resyncs", told.resyncs),
        ("learned_from_pages", told.learned_from_pages),
        ("left_with_close_frame", told.left_with_close_frame),
        ("left_half_open", told.left_half_open),
        ("left_by_reset", told.left_by_reset),
        ("repeated", told.repeated),
        ("answers_before_their_question", told.before_question),
        ("reads", told.reads),
        ("not_caught_up_in_the_evening", told.not_caught_up),
    ] {
        count(outcome, name, float(value));
    }
    for (name, all) in [
        ("recipients_per_message", told.recipients),
        ("open_recipients_per_message", told.told_to_others),
    ] {
        count(outcome, name, rounded(per(float(all), float(told.stored))));
    }
    count(outcome, "speed", plan.hours.speed);
    count(outcome, "messages_per_second_at_the_peak", messages_per_second.round());
    for (name, place) in [
        ("messages_per_second", 0),
        ("deliveries_per_second", 1),
        ("sockets_open", 2),
    ] {
        let counts = told
            .by_second
            .iter()
            .map(|(second, counts)| (*second, counts[place]))
            .collect();
        outcome.series.insert(name.to_owned(), Pairs::per_second(&counts));
    }
    let most = outcome.series.get("deliveries_per_second");
    let most = most.and_then(|series| series.0.iter().map(|point| point.1).max_by(f64::total_cmp));
    count(outcome, "deliveries_per_second_most", most.unwrap_or_default());
    bottleneck(outcome);
    note(outcome);
    Ok(())
}

/// What a reader of the figures has to know.
fn note(outcome: &mut Outcome) {
    outcome.note(
        "a message is for all members of its conversation but its author, most of whom are away or have no connection at \
         all; open recipients are those who had one and had caught up",
    );
    outcome.note(
        "every message of the whole nation goes through the people with real sockets; the others are drawn and counted, \
         and have no connection",
    );
    outcome.note(
        "whoever was there comes once more in the evening and catches up; lost is what was stored and not shown then, and \
         what only a page of history showed is counted apart",
    );
    outcome.note(
        "whoever came back may be told some of what they missed again, and in the journal's order; a device sorts by id, so \
         twice and out of order are judged by those who had caught up",
    );
    outcome.note("a latency is from when a message was due to when it was shown to someone who was there (open loop)");
}

/// What holds the rest up, by the measured shares of processor time.
fn bottleneck(outcome: &mut Outcome) {
    let shares = outcome
        .counts
        .iter()
        .filter_map(|(name, share)| Some((name.strip_prefix("cpu_share_")?, *share)));
    let shares: Vec<(String, f64)> = shares.map(|(name, share)| (name.replace('_', " "), share)).collect();
    let all: f64 = shares.iter().map(|(_, share)| share).sum();
    if let Some((name, share)) = shares.iter().max_by(|a, b| a.1.total_cmp(&b.1)) {
        let (share, all) = (share * 100.0, all * 100.0);
        let verdict = if all > 85.0 {
            "the machine is full, and what takes most of it is"
        } else {
            "the machine is not full; what takes most of it is"
        };
        outcome.note(format!(
            "{verdict} {name}, with {share:.0} % of all cores; all that was measured takes {all:.0} %"
        ));
    }
}

/// Everyone's day, drawn and counted: how many came, and how many were there at once.
fn simulate(plan: &Plan) -> (u64, u64) {
    let mut draw = Draw::new(plan.nation.seed, 1 << 41);
    let mut there: BTreeMap<u64, u64> = BTreeMap::new();
    let mut came = 0;
    for institution in plan.nation.draw() {
        for member in institution
            .people
            .iter()
            .filter(|member| member.uses_it && member.username.is_some())
        {
            let day = visits(&mut draw, member.role);
            came += u64::from(!day.is_empty());
            for (from, to) in day {
                for slot in whole(from / COUNTED_EVERY)..=whole(to / COUNTED_EVERY) {
                    *there.entry(slot).or_default() += 1;
                }
            }
        }
    }
    (came, there.values().copied().max().unwrap_or_default())
}

fn count(outcome: &mut Outcome, name: &str, value: f64) {
    outcome.counts.insert(name.to_owned(), value);
}
