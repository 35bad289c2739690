//! The floor: the same frames through raw sockets, written by one thread with `send`, read by the same readers. What it
//! costs is the machine's own price of a delivery, which no server goes below.

use std::net::TcpListener;
use std::os::fd::OwnedFd;

use anyhow::{Context, Result, anyhow, ensure};
use rustix::net::{SendFlags, send};

use super::rounds::{Summary, while_telling};
use super::{Plan, SETTLE, progress};
use crate::clock;
use crate::figure::{float, per};
use crate::messages::{self, Label};
use crate::outcome::Outcome;
use crate::readers::{Fleet, Kind, Seen, Target};
use crate::schedule::Schedule;
use crate::sockets;

/// The most sockets: their near ends are all in this process.
pub const MOST: usize = 19_000;

/// The near ends of the sockets.
pub struct Floor {
    sockets: Vec<OwnedFd>,
    next_number: u32,
}

/// A round of the floor.
pub struct FloorRound {
    /// CPU of the writing thread per frame and socket, in microseconds.
    pub cpu_us_per_delivery: f64,
    /// Frames that came per second.
    pub deliveries_per_second: f64,
    /// What the readers saw.
    pub seen: Seen,
}

impl Floor {
    /// Opens this many sockets to the readers.
    pub fn open(fleet: &mut Fleet, count: usize) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let target = Target {
            kind: Kind::Floor,
            servers: vec![listener.local_addr()?],
            people: None,
            certificate: None,
        };
        let accepting = sockets::accept(listener, count);
        fleet.open(&target, count)?;
        let sockets = accepting.join().map_err(|_| anyhow!("the accepting thread ended"))?;
        Ok(Self {
            sockets: sockets.context("not all sockets could be accepted")?,
            next_number: 0,
        })
    }

    /// Writes a round, each frame to all sockets when it is due.
    pub fn send_round(&mut self, fleet: &mut Fleet, schedule: Schedule) -> Result<FloorRound> {
        let first = self.next_number;
        self.next_number = first + schedule.messages;
        let since = clock::now();
        fleet.begin(Kind::Floor, first)?;
        let sockets = &self.sockets;
        // The thread that writes does nothing else, so its clock counts nothing else.
        let cpu = while_telling(|| write(sockets, schedule, first), || fleet.look_at(Kind::Floor))?;
        let seen = fleet.finish(Kind::Floor, self.next_number)?;
        let time = float(clock::now() - since) / 1e9;
        ensure!(
            (seen.lost, seen.duplicated, seen.reordered, seen.closed) == (0, 0, 0, 0),
            "raw sockets lose nothing, so this run measured nothing: {seen:?}"
        );
        let deliveries = float(u64::from(schedule.messages) * self.sockets.len() as u64);
        Ok(FloorRound {
            cpu_us_per_delivery: per(float(cpu) / 1000.0, deliveries),
            deliveries_per_second: per(float(seen.deliveries), time),
            seen,
        })
    }
}

/// Returns the CPU time that it took, in nanoseconds.
fn write(sockets: &[OwnedFd], schedule: Schedule, first: u32) -> Result<u64> {
    let start = clock::now() + clock::in_nanoseconds(schedule.interval);
    let before = clock::thread_cpu();
    for place in 0..schedule.messages {
        let due = schedule.due(start, place);
        clock::wait_until(due);
        let frame = messages::framed(Label {
            number: first + place,
            due,
        })?;
        for socket in sockets {
            let sent =
                send(socket, &frame, SendFlags::NOSIGNAL).context("the readers do not keep up with the floor")?;
            ensure!(sent == frame.len(), "the readers do not keep up with the floor");
        }
    }
    Ok(clock::thread_cpu() - before)
}

/// Measures the floor alone.
pub fn run(plan: &Plan) -> Result<Outcome> {
    plan.check(MOST)?;
    let mut outcome = Outcome::new("floor", plan.sessions, plan.time.as_secs());
    progress(&format!("opening {} raw sockets", plan.sessions));
    let mut fleet = Fleet::start(plan.sessions)?;
    let mut floor = Floor::open(&mut fleet, plan.sessions)?;
    clock::wait(SETTLE);
    let schedule = Schedule::new(plan.sessions, plan.share(plan.repeats));
    let (mut costs, mut rates) = (Vec::new(), Vec::new());
    let mut all = Seen::default();
    for repeat in 1..=plan.repeats {
        let round = floor.send_round(&mut fleet, schedule)?;
        let summary = Summary::of(plan.sessions, round.deliveries_per_second, &round.seen)?;
        progress(&format!(
            "round {repeat} of {}: {summary}; {:.2} us of CPU per delivery",
            plan.repeats, round.cpu_us_per_delivery
        ));
        rates.push(round.deliveries_per_second);
        costs.push(round.cpu_us_per_delivery);
        all.add(round.seen);
    }
    // The readers first: they would tell of every socket that ends under them.
    drop(fleet);
    outcome.figures.floor_cpu_us_per_delivery = outcome.repeated("floor_cpu_us_per_delivery", costs);
    outcome.figures.deliveries_per_second = outcome.repeated("deliveries_per_second", rates);
    super::fanout::describe(&mut outcome, &all, schedule)?;
    Ok(outcome)
}
