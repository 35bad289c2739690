//! Fan-out: real messages through school, storage and router to all sessions of one thread, in turns with the floor.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::floor::Floor;
use super::rounds::{Summary, while_telling};
use super::{Plan, SETTLE, progress};
use crate::clock;
use crate::figure::{float, per, rounded};
use crate::outcome::{Latency, Outcome};
use crate::pairs::Pairs;
use crate::population::{GROUP_MEMBERS, Population};
use crate::readers::{Fleet, Kind, Recipients, Seen, histogram, merged};
use crate::schedule::Schedule;
use crate::sender::Sender;
use crate::server::Server;

/// The most sessions: the server keeps some descriptors for itself.
const MOST: usize = 18_500;

/// The most sessions of a cluster, over all its gateways.
const MOST_OF_CLUSTER: usize = 150_000;

/// A round of the server.
struct Round {
    /// CPU of the server per message and session, in microseconds; `None` of a server that is not ours.
    cpu_us_per_delivery: Option<f64>,
    deliveries_per_second: f64,
    seen: Seen,
    /// The CPU of a cluster's processes, in nanoseconds, by what they are.
    cluster_cpu: BTreeMap<&'static str, u64>,
}

/// All rounds of a run.
#[derive(Default)]
struct Rounds {
    floors: Vec<f64>,
    costs: Vec<f64>,
    ratios: Vec<f64>,
    rates: Vec<f64>,
    seen: Seen,
    floor_seen: Seen,
    cluster_cpu: BTreeMap<&'static str, u64>,
}

/// Measures it.
pub fn run(plan: &Plan) -> Result<Outcome> {
    plan.check(if plan.cluster.is_some() { MOST_OF_CLUSTER } else { MOST })?;
    let mut outcome = Outcome::new("fanout", plan.sessions, plan.time.as_secs());
    let server = plan.server(false)?;
    let gateways = server.target.servers.len();
    ensure!(
        plan.sessions <= MOST * gateways,
        "a gateway holds at most {MOST} sessions"
    );
    let people = Population::read(server.people())?;
    let mut fleet = Fleet::start(2 * plan.sessions)?;
    // The first session loads the spaces; thousands at once would load them thousands of times.
    let mut sender = Sender::open(&server.target, &people, plan.sessions)?;
    sender.start_thread(&people)?;
    progress(&format!("opening {} sessions, and as many raw sockets", plan.sessions));
    let (mut floor, idle) = sender.while_reading(|| {
        fleet.open(&server.target, plan.sessions)?;
        let floor = Floor::open(&mut fleet, plan.sessions)?;
        clock::wait(SETTLE);
        Ok((floor, idle_rate(&server)?))
    })?;

    // Half of the time is the floor's.
    let schedule = Schedule::new(plan.sessions, plan.share(2 * plan.repeats));
    let mut rounds = Rounds::default();
    // The first round warms caches and allocators of both; it is checked, and not measured.
    floor.send_round(&mut fleet, schedule)?;
    rounds.seen = server_round(&server, &mut sender, &mut fleet, schedule, idle)?.seen;
    rounds.seen.forget_times();
    for repeat in 1..=plan.repeats {
        let beneath = floor.send_round(&mut fleet, schedule)?;
        let round = server_round(&server, &mut sender, &mut fleet, schedule, idle)?;
        let words = in_words(&round, plan.sessions, beneath.cpu_us_per_delivery)?;
        progress(&format!("round {repeat} of {}: {words}", plan.repeats));
        rounds.add(beneath.cpu_us_per_delivery, round);
        rounds.floor_seen.add(beneath.seen);
    }
    // The readers first: they would tell of every socket that ends under them.
    drop(fleet);
    if plan.cluster.is_some() {
        outcome.counts.insert("gateways".to_owned(), float(gateways as u64));
        let messages = u64::from(plan.repeats) * u64::from(schedule.messages);
        describe_cluster(&mut outcome, &rounds.cluster_cpu, messages);
    }
    rounds.describe(&mut outcome, schedule)?;
    if plan.tls {
        outcome.note("sessions are over TLS 1.3, the floor is not");
    }
    if plan.sessions > GROUP_MEMBERS {
        outcome.note(format!(
            "{GROUP_MEMBERS} people, some with several sessions: a thread takes no more"
        ));
    }
    Ok(outcome)
}

impl Rounds {
    /// Adds a round, and what the floor came to just before it.
    fn add(&mut self, floor: f64, round: Round) {
        self.floors.push(floor);
        self.rates.push(round.deliveries_per_second);
        if let Some(cost) = round.cpu_us_per_delivery {
            self.costs.push(cost);
            self.ratios.push(per(cost, floor));
        }
        for (kind, used) in round.cluster_cpu {
            *self.cluster_cpu.entry(kind).or_default() += used;
        }
        self.seen.add(round.seen);
    }

    fn describe(self, outcome: &mut Outcome, schedule: Schedule) -> Result<()> {
        outcome.figures.floor_cpu_us_per_delivery = outcome.repeated("floor_cpu_us_per_delivery", self.floors);
        outcome.figures.cpu_us_per_delivery = outcome.repeated("cpu_us_per_delivery", self.costs);
        outcome.figures.ratio_to_floor = outcome.repeated("ratio_to_floor", self.ratios);
        outcome.figures.deliveries_per_second = outcome.repeated("deliveries_per_second", self.rates);
        describe(outcome, &self.seen, schedule)?;
        let below = Pairs::of(&merged(&self.floor_seen.latencies_us)?);
        outcome.histograms.insert("floor_latency_us".to_owned(), below);
        Ok(())
    }
}

/// A round, for whoever waits for the others.
fn in_words(round: &Round, sessions: usize, floor: f64) -> Result<String> {
    let summary = Summary::of(sessions, round.deliveries_per_second, &round.seen)?;
    let cost = round.cpu_us_per_delivery.map_or_else(String::new, |cost| {
        format!("; {cost:.2} us of CPU per delivery, floor {floor:.2}")
    });
    Ok(format!("{summary}{cost}"))
}

/// What the server uses when nothing is sent, in CPU nanoseconds per nanosecond.
fn idle_rate(server: &Server) -> Result<f64> {
    let (Some(before), since) = (server.cpu()?, clock::now()) else {
        return Ok(0.0);
    };
    clock::wait(SETTLE);
    let used = server.cpu()?.unwrap_or(before).saturating_sub(before);
    Ok(per(float(used), float(clock::now() - since)))
}

fn server_round(
    server: &Server,
    sender: &mut Sender,
    fleet: &mut Fleet,
    schedule: Schedule,
    idle: f64,
) -> Result<Round> {
    let (before, since) = (server.cpu()?, clock::now());
    let cluster_before = server.cpu_by_kind();
    fleet.begin(Kind::Session, sender.next_number())?;
    let end = while_telling(|| sender.send_round(schedule), || fleet.look())?;
    let seen = fleet.finish(Kind::Session, end)?;
    let (after, time) = (server.cpu()?, float(clock::now() - since));
    let mut cluster_cpu = server.cpu_by_kind();
    for (kind, used) in &mut cluster_cpu {
        *used = used.saturating_sub(cluster_before.get(kind).copied().unwrap_or_default());
    }
    ensure!(seen.deliveries > 0, "no session was shown anything");
    let deliveries = float(seen.deliveries);
    let used = before
        .zip(after)
        .map(|(before, after)| float(after.saturating_sub(before)));
    Ok(Round {
        cpu_us_per_delivery: used.map(|used| per((used - idle * time) / 1000.0, deliveries)),
        deliveries_per_second: per(deliveries, time / 1e9),
        seen,
        cluster_cpu,
    })
}

/// Whose processor time a message takes, where several processes share the work.
fn describe_cluster(outcome: &mut Outcome, used: &BTreeMap<&'static str, u64>, messages: u64) {
    for (kind, nanoseconds) in used {
        let each = rounded(per(float(*nanoseconds) / 1000.0, float(messages)));
        outcome.counts.insert(format!("{kind}_cpu_us_per_message"), each);
    }
    outcome.note("sessions are spread evenly over the gateways of a cluster; the one who sends is on the first");
}

/// What readers saw, and how it was sent.
pub fn describe(outcome: &mut Outcome, all: &Seen, schedule: Schedule) -> Result<()> {
    let latencies = merged(&all.latencies_us)?;
    let figures = &mut outcome.figures;
    figures.latency_ms = Some(Latency::of(&latencies));
    figures.event_bytes = Some(all.event_bytes);
    figures.deliveries = Some(all.deliveries);
    figures.lost = Some(all.lost);
    figures.duplicated = Some(all.duplicated);
    figures.reordered = Some(all.reordered);
    figures.closed = Some(all.closed);
    outcome
        .histograms
        .insert("latency_us".to_owned(), Pairs::of(&latencies));
    outcome
        .series
        .insert("deliveries_per_second".to_owned(), Pairs::per_second(&all.by_second));
    describe_recipients(outcome, &all.recipients)?;
    let (messages, interval) = (schedule.messages, schedule.interval.as_millis());
    outcome.note(format!(
        "{messages} messages per round, one every {interval} ms whatever the answers (open loop); an event is {} bytes \
         and a frame 4 more",
        all.event_bytes
    ));
    outcome.note("sender, server and readers share the cores, so a latency holds the readers' own work too");
    Ok(())
}

/// How long messages took to their first recipient, and how long to their last.
fn describe_recipients(outcome: &mut Outcome, recipients: &BTreeMap<u32, Recipients>) -> Result<()> {
    let (mut first, mut last) = (histogram()?, histogram()?);
    for one in recipients.values() {
        first.saturating_record(one.first_us);
        last.saturating_record(one.last_us);
    }
    outcome.figures.first_recipient_ms = Some(Latency::of(&first));
    outcome.figures.last_recipient_ms = Some(Latency::of(&last));
    for (name, latencies) in [("first_recipient", first), ("last_recipient", last)] {
        let pairs = Pairs::of(&latencies);
        outcome.histograms.insert(format!("{name}_latency_us"), pairs);
    }
    outcome.note(format!(
        "first and last recipient are percentiles over {} messages, each of which has one of either",
        recipients.len()
    ));
    Ok(())
}
