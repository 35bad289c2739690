//! Samtale beside other servers: the same messages to as many listeners of each, in turns, and the floor with them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use samtale_protocol::ThreadId;

use super::floor::Floor;
use super::rounds::{Summary, while_telling};
use super::{Plan, SETTLE, progress};
use crate::clock;
use crate::figure::{Figure, float, per};
use crate::outcome::{Compared, Latency, Outcome};
use crate::pairs::Pairs;
use crate::peers::{Heard, Listeners, Peer, Publisher, Running, Speaks, resident_kib};
use crate::population::{GROUP_MEMBERS, Population};
use crate::readers::{Fleet, Target};
use crate::schedule::Schedule;
use crate::sender::Sender;
use crate::server::{CpuTime, Server};

/// The most sessions of each server: with more, messages come so seldom that a round says little.
const MOST: usize = 18_500;
/// Portions in which sessions are opened, to see what each adds.
const PORTIONS: usize = 5;
/// What ours is called.
const OURS: &str = "Samtale";

/// A server under test.
struct Contender {
    name: &'static str,
    what: &'static str,
    process: u32,
    cpu: CpuTime,
    server: std::net::SocketAddr,
    speaks: Speaks,
    sends: Sends,
    listeners: Listeners,
    /// Figures by name, a value per repeat.
    measured: BTreeMap<&'static str, Vec<f64>>,
    latencies: Vec<(f64, f64)>,
    total: Heard,
    /// Held as long as it is to run.
    _running: Option<Running>,
}

enum Sends {
    Ours(Box<Ours>),
    Theirs(Box<Publisher>),
}

/// Our own sender, who comes when the rounds begin: before that nobody would answer the server's pings.
struct Ours {
    target: Target,
    people: Population,
    thread: ThreadId,
    number: usize,
    sender: Option<Sender>,
}

impl Sends {
    /// The number that the next message gets.
    fn next_number(&mut self) -> Result<u32> {
        match self {
            Self::Ours(ours) => Ok(ours.sender()?.next_number()),
            Self::Theirs(publisher) => Ok(publisher.next_number()),
        }
    }

    /// Sends a round. Returns the number after its last message.
    fn send_round(&mut self, schedule: Schedule) -> Result<u32> {
        match self {
            Self::Ours(ours) => ours.sender()?.send_round(schedule),
            Self::Theirs(publisher) => publisher.send_round(schedule),
        }
    }
}

impl Ours {
    fn sender(&mut self) -> Result<&mut Sender> {
        if self.sender.is_none() {
            let mut sender = Sender::open(&self.target, &self.people, self.number)?;
            sender.turn_to(self.thread);
            self.sender = Some(sender);
        }
        self.sender.as_mut().context("the sender is gone")
    }
}

/// Measures all of them.
pub fn run(plan: &Plan) -> Result<Outcome> {
    plan.check(MOST)?;
    let mut outcome = Outcome::new("peers", plan.sessions, plan.time.as_secs());
    let server = plan.server(false)?;
    let mut contenders = vec![ours(&server, plan.sessions)?];
    for peer in Peer::ALL {
        match theirs(peer, plan.sessions) {
            Ok(contender) => contenders.push(contender),
            Err(why) => skip(&mut outcome, peer, &why),
        }
    }
    for contender in &mut contenders {
        contender.open(plan.sessions)?;
    }
    watch(&mut contenders, plan)?;
    let floors = rounds(&mut contenders, plan)?;
    draw(&mut outcome, &contenders);
    outcome.figures.floor_cpu_us_per_delivery = outcome.repeated("floor_cpu_us_per_delivery", floors);
    conclude(&mut outcome, &contenders);
    if plan.sessions > GROUP_MEMBERS {
        outcome.note(format!("of Samtale {GROUP_MEMBERS} people, some with several sessions"));
    }
    outcome.note(
        "the other servers ask no rights and store nothing; a delivery of Samtale follows a message that is synced to disk",
    );
    outcome
        .note("all servers, the listeners and the sender share the cores; the servers that are not at turn are idle");
    Ok(outcome)
}

fn skip(outcome: &mut Outcome, peer: Peer, why: &anyhow::Error) {
    progress(&format!("{} is skipped: {why:#}", peer.name()));
    outcome.compared.push(Compared {
        name: peer.name().to_owned(),
        what: peer.what().to_owned(),
        skipped: Some(format!("{why:#}")),
        ..Compared::default()
    });
}

fn ours(server: &Server, sessions: usize) -> Result<Contender> {
    let people = Population::read(server.people())?;
    let mut sender = Sender::open(&server.target, &people, sessions)?;
    // The first session loads the spaces and the thread, which are there once and not per session.
    let thread = sender.start_thread(&people)?;
    drop(sender);
    let process = server
        .process()
        .context("a server that is not ours can not be compared")?;
    let ours = Ours {
        target: server.target.clone(),
        people,
        thread,
        number: sessions,
        sender: None,
    };
    let speaks = Speaks::Samtale(PathBuf::from(server.people()));
    Contender::new(
        (OURS, ""),
        process,
        server.target.server(0),
        speaks,
        Sends::Ours(Box::new(ours)),
    )
}

fn theirs(peer: Peer, sessions: usize) -> Result<Contender> {
    let running = Running::start(peer)?;
    let publisher = Publisher::new(running.address, &peer.speaks(), sessions)?;
    let sends = Sends::Theirs(Box::new(publisher));
    let words = (peer.name(), peer.what());
    let mut contender = Contender::new(words, running.process(), running.address, peer.speaks(), sends)?;
    contender._running = Some(running);
    Ok(contender)
}

impl Contender {
    fn new(
        (name, what): (&'static str, &'static str),
        process: u32,
        server: std::net::SocketAddr,
        speaks: Speaks,
        sends: Sends,
    ) -> Result<Self> {
        Ok(Self {
            name,
            what,
            process,
            cpu: CpuTime::default(),
            server,
            speaks,
            sends,
            listeners: Listeners::start()?,
            measured: BTreeMap::new(),
            latencies: Vec::new(),
            total: Heard::default(),
            _running: None,
        })
    }

    fn record(&mut self, name: &'static str, value: f64) {
        self.measured.entry(name).or_default().push(value);
    }

    /// Opens its sessions in portions, and sees what each adds to its memory.
    fn open(&mut self, sessions: usize) -> Result<()> {
        progress(&format!("{}: opening {sessions} sessions", self.name));
        let mut opened = 0;
        for portion in 1..=PORTIONS {
            let count = sessions * portion / PORTIONS - opened;
            let (before, since) = (resident_kib(self.process)?, clock::now());
            self.listeners.open(self.server, &self.speaks, count)?;
            let time = float(clock::now() - since) / 1e9;
            clock::wait(SETTLE / 2);
            let grown = resident_kib(self.process)?.saturating_sub(before);
            self.record("user_kib_per_session", per(float(grown), float(count as u64)));
            self.record("sessions_opened_per_second", per(float(count as u64), time));
            opened += count;
        }
        Ok(())
    }

    /// Sends a round, and records what it cost.
    fn round(&mut self, schedule: Schedule, sessions: usize, is_measured: bool) -> Result<f64> {
        let (before, since) = (self.cpu.of(self.process)?, clock::now());
        let (sends, listeners) = (&mut self.sends, &mut self.listeners);
        listeners.begin(sends.next_number()?)?;
        let end = while_telling(|| sends.send_round(schedule), || listeners.look())?;
        let heard = listeners.finish(end)?;
        let (used, time) = (self.cpu.of(self.process)? - before, float(clock::now() - since));
        let cost = per(float(used) / 1000.0, float(heard.deliveries));
        let rate = per(float(heard.deliveries), time / 1e9);
        let shares = heard.latencies_us.percentiles();
        let summary = Summary {
            sessions,
            deliveries_per_second: rate,
            p50_ms: at(&shares, 0.5),
            p99_ms: at(&shares, 0.99),
            wrong: heard.lost + heard.duplicated + heard.reordered,
            closed: heard.closed,
        };
        progress(&format!("{}: {summary}; {cost:.2} us of CPU per delivery", self.name));
        self.total.lost += heard.lost;
        self.total.duplicated += heard.duplicated;
        self.total.reordered += heard.reordered;
        self.total.closed = heard.closed;
        if is_measured {
            self.total.deliveries += heard.deliveries;
            self.record("cpu_us_per_delivery", cost);
            self.record("deliveries_per_second", rate);
            self.record("latency_p50_ms", summary.p50_ms);
            self.record("latency_p99_ms", summary.p99_ms);
            self.latencies.extend(heard.latencies_us.0);
            for (second, count) in heard.by_second {
                *self.total.by_second.entry(second).or_default() += count;
            }
        }
        Ok(cost)
    }
}

/// What each uses while nothing happens but pings, all at the same time.
fn watch(contenders: &mut [Contender], plan: &Plan) -> Result<()> {
    progress("watching all of them idle");
    for _ in 0..plan.repeats {
        let before: Result<Vec<u64>> = contenders.iter_mut().map(|one| one.cpu.of(one.process)).collect();
        let since = clock::now();
        clock::wait(plan.share(2 * plan.repeats));
        let time = float(clock::now() - since) / 1e9;
        for (contender, before) in contenders.iter_mut().zip(before?) {
            let used = float(contender.cpu.of(contender.process)?.saturating_sub(before)) / 1000.0;
            let each = per(used, time * float(plan.sessions as u64));
            contender.record("idle_cpu_us_per_session_second", each);
        }
    }
    Ok(())
}

/// Rounds in turns, the floor's first. Returns the floor's costs.
fn rounds(contenders: &mut [Contender], plan: &Plan) -> Result<Vec<f64>> {
    let mut fleet = Fleet::start(plan.sessions)?;
    let mut floor = Floor::open(&mut fleet, plan.sessions)?;
    let turns = u32::try_from(contenders.len() + 1)?;
    let schedule = Schedule::new(plan.sessions, plan.share(2 * turns * plan.repeats));
    let mut floors = Vec::new();
    // The first round warms caches and allocators; it is checked, and not measured.
    for repeat in 0..=plan.repeats {
        let below = floor.send_round(&mut fleet, schedule)?.cpu_us_per_delivery;
        if repeat > 0 {
            floors.push(below);
        }
        let mut costs = Vec::new();
        for contender in contenders.iter_mut() {
            let cost = contender.round(schedule, plan.sessions, repeat > 0)?;
            costs.push(format!("{} {cost:.2}", contender.name));
        }
        progress(&format!(
            "round {repeat} of {}, us of CPU per delivery: floor {below:.2}, {}",
            plan.repeats,
            costs.join(", ")
        ));
    }
    Ok(floors)
}

/// The curves of all, over one line of time: they were at turn one after the other.
fn draw(outcome: &mut Outcome, contenders: &[Contender]) {
    let firsts = contenders.iter().filter_map(|one| one.total.by_second.keys().next());
    let first = firsts.min().copied().unwrap_or_default();
    for contender in contenders {
        let before = match contender.name {
            OURS => String::new(),
            name => format!("{name}_"),
        };
        let latencies = merged(&contender.latencies);
        outcome.histograms.insert(format!("{before}latency_us"), latencies);
        let rates = Pairs::per_second_from(first, &contender.total.by_second);
        outcome.series.insert(format!("{before}deliveries_per_second"), rates);
    }
}

/// Ours as the figures of the run, the others beside it as ratios of the same rounds.
fn conclude(outcome: &mut Outcome, contenders: &[Contender]) {
    let Some((own, others)) = contenders.split_first() else {
        return;
    };
    for (name, values) in &own.measured {
        outcome.repeated(name, values.clone());
    }
    let median = |outcome: &Outcome, name: &str| outcome.repeats.get(name).map(|figure| figure.median);
    let floors = outcome
        .repeats
        .get("floor_cpu_us_per_delivery")
        .map(|figure| figure.repeats.clone());
    if let (Some(floors), Some(costs)) = (floors, own.measured.get("cpu_us_per_delivery")) {
        let ratios = costs
            .iter()
            .zip(&floors)
            .map(|(cost, floor)| per(*cost, *floor))
            .collect();
        outcome.figures.ratio_to_floor = outcome.repeated("ratio_to_floor", ratios);
    }
    let figures = &mut outcome.figures.clone();
    figures.cpu_us_per_delivery = median(outcome, "cpu_us_per_delivery");
    figures.deliveries_per_second = median(outcome, "deliveries_per_second");
    figures.user_kib_per_session = median(outcome, "user_kib_per_session");
    figures.idle_cpu_us_per_session_second = median(outcome, "idle_cpu_us_per_session_second");
    figures.sessions_opened_per_second = median(outcome, "sessions_opened_per_second");
    let shares = merged(&own.latencies).percentiles();
    figures.latency_ms = Some(Latency {
        p50: at(&shares, 0.5),
        p99: at(&shares, 0.99),
        max: at(&shares, 1.0),
    });
    let total = &own.total;
    (figures.deliveries, figures.lost) = (Some(total.deliveries), Some(total.lost));
    (figures.duplicated, figures.reordered) = (Some(total.duplicated), Some(total.reordered));
    figures.closed = Some(total.closed);
    outcome.figures = figures.clone();
    for other in others {
        outcome.compared.push(beside(own, other));
        if other.total.lost + other.total.closed > 0 {
            let (lost, closed) = (other.total.lost, other.total.closed);
            outcome.note(format!(
                "{} lost {lost} deliveries and {closed} connections",
                other.name
            ));
        }
    }
}

fn beside(own: &Contender, other: &Contender) -> Compared {
    let mut compared = Compared {
        name: other.name.to_owned(),
        what: other.what.to_owned(),
        ..Compared::default()
    };
    for (name, values) in &other.measured {
        let Some(figure) = Figure::of(values.clone()) else {
            continue;
        };
        let ours = own.measured.get(name).into_iter().flatten();
        let ratios = values
            .iter()
            .zip(ours)
            .filter(|(_, ours)| **ours > 0.0)
            .map(|(value, ours)| value / ours);
        if let Some(ratio) = Figure::of(ratios.collect()) {
            compared.ratios.insert((*name).to_owned(), ratio);
        }
        compared.figures.insert((*name).to_owned(), figure);
    }
    compared
}

/// The latency in milliseconds that a share of all did not exceed.
fn at(shares: &[(f64, f64)], share: f64) -> f64 {
    let reached = shares.iter().find(|(part, _)| *part >= share);
    reached.map_or(0.0, |(_, us)| us / 1000.0)
}

/// Histograms of rounds as one, its values in order.
fn merged(latencies: &[(f64, f64)]) -> Pairs {
    let mut counts = BTreeMap::new();
    for (us, count) in latencies {
        *counts.entry(us.to_bits()).or_insert(0.0) += count;
    }
    // Of numbers that are not negative, the bits lie in their order.
    Pairs(
        counts
            .into_iter()
            .map(|(bits, count)| (f64::from_bits(bits), count))
            .collect(),
    )
}
