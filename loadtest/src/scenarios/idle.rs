//! Idle sessions: what each adds to the memory of its server and of the kernel, and what pinging them costs. Beyond what
//! one process has descriptors for, several servers have them, each by itself.

use std::time::Duration;

use anyhow::Result;

use super::{Plan, SETTLE, progress};
use crate::bare_tls::BareTls;
use crate::clock;
use crate::figure::{float, per, rounded};
use crate::memory::{KernelMemory, available_kib};
use crate::outcome::Outcome;
use crate::pairs::Pairs;
use crate::population::{GROUP_MEMBERS, Population};
use crate::readers::{Fleet, Kind};
use crate::sender::Sender;
use crate::server::{Features, School, Server};

/// Sessions of one server: it keeps some descriptors for itself.
const PER_SERVER: usize = 18_000;
/// The most sessions: the numbers of source addresses and processes have room for no more.
const MOST: usize = 2_000_000;
/// Connections to the bare TLS server beside it.
const BARE: usize = 12_000;
/// Memory that has to be left for everyone else before more sessions are opened.
const LEFT_KIB: u64 = 3 * 1024 * 1024;
/// How often a line says how the sessions are while nothing happens.
const TELL: Duration = Duration::from_secs(10);
/// Threads between two lines of progress.
const TOLD_THREADS: usize = 20;

/// What portions of sessions added, while they were opened.
#[derive(Default)]
struct Added {
    sessions: usize,
    user_kib: Vec<f64>,
    kernel_kib: Vec<f64>,
    rates: Vec<f64>,
    /// By how many sessions were open, what each had added.
    curve: Vec<(f64, f64)>,
    /// User memory that all sessions together added, over all servers.
    all_user_kib: Option<f64>,
}

/// Measures it. Everyone is in `threads` threads.
pub fn run(plan: &Plan, threads: usize) -> Result<Outcome> {
    plan.check(MOST)?;
    let mut outcome = Outcome::new("idle", plan.sessions, plan.time.as_secs());
    let mut servers = Servers::first(plan, threads)?;
    let mut fleet = Fleet::start(plan.sessions)?;
    let mut added = Added::default();
    while added.sessions < plan.sessions && servers.has_room(added.sessions)? {
        let count = (plan.sessions - added.sessions).min(PER_SERVER);
        let (server, sender) = servers.next(plan, added.sessions)?;
        let portions = if plan.sessions > PER_SERVER {
            1
        } else {
            plan.repeats as usize
        };
        open(server, &mut fleet, count, portions, &mut added)?;
        servers.senders.extend(sender);
    }
    outcome.sessions = added.sessions;
    let bare = plan.tls.then(|| bare(added.sessions.min(BARE))).transpose()?;
    watch(plan, &servers.all, &mut fleet, &mut outcome)?;
    // A round without messages: it only asks who is still there.
    fleet.begin(Kind::Session, 0)?;
    outcome.figures.closed = Some(fleet.finish(Kind::Session, 0)?.closed);
    describe(&mut outcome, &servers, added, threads);
    if let Some(bare) = bare {
        let own = outcome.figures.user_kib_per_session;
        outcome.figures.user_kib_over_bare_tls = own.map(|own| rounded(own - bare));
        outcome.figures.bare_tls_kib_per_connection = Some(rounded(bare));
    }
    Ok(outcome)
}

/// What a connection costs a server that only holds it, in KiB.
fn bare(count: usize) -> Result<f64> {
    progress(&format!("{count} connections to a bare TLS server"));
    let server = BareTls::start()?;
    let mut fleet = Fleet::start(count)?;
    let before = server.resident_kib()?;
    fleet.open(&server.target, count)?;
    clock::wait(SETTLE);
    Ok(per(
        float(server.resident_kib()?.saturating_sub(before)),
        float(count as u64),
    ))
}

/// Servers of the run; all but the first stand on copies of its school.
struct Servers {
    all: Vec<Server>,
    school: Option<School>,
    features: Features,
    /// The session of each that had its spaces loaded: they are there once and not per session.
    senders: Vec<Sender>,
    spaces: usize,
}

impl Servers {
    fn first(plan: &Plan, threads: usize) -> Result<Self> {
        let features = Features {
            tls: plan.tls,
            counts: false,
        };
        let (server, school) = match plan.server {
            Some(_) => (plan.server(false)?, None),
            None => {
                let school = plan.school(plan.sessions.min(PER_SERVER))?;
                (Server::start(school.clone(), features)?, Some(school))
            }
        };
        let people = Population::read(server.people())?;
        let mut sender = Sender::open(&server.target, &people, plan.sessions)?;
        for started in 0..threads {
            if started % TOLD_THREADS == 0 {
                progress(&format!("{started} of {threads} threads are started"));
            }
            sender.start_thread(&people)?;
        }
        drop(sender);
        let spaces = people.school.spaces.len();
        // Started anew, it holds what a server holds and not what starting threads left behind.
        let all = match school {
            Some(_) => server.stop().map(|_| Vec::new())?,
            None => vec![server],
        };
        Ok(Self {
            all,
            school,
            features,
            senders: Vec::new(),
            spaces,
        })
    }

    fn has_room(&self, opened: usize) -> Result<bool> {
        let has_room = available_kib()? > LEFT_KIB && (self.school.is_some() || opened == 0);
        if !has_room {
            progress(&format!("no room for more than {opened} sessions"));
        }
        Ok(has_room)
    }

    /// One more server, which has loaded its spaces.
    fn next(&mut self, plan: &Plan, opened: usize) -> Result<(&Server, Option<Sender>)> {
        if let Some(school) = &self.school {
            let school = if plan.sessions > PER_SERVER {
                school.copy()?
            } else {
                school.clone()
            };
            self.all.push(Server::start(school, self.features)?);
        }
        let server = &self.all[self.all.len() - 1];
        progress(&format!("server {} for sessions from {opened} on", self.all.len()));
        let people = Population::read(server.people())?;
        let sender = Sender::open(&server.target, &people, plan.sessions + self.all.len())?;
        clock::wait(SETTLE);
        Ok((server, Some(sender)))
    }
}

/// Opens sessions of a server in some portions, and sees what each adds.
fn open(server: &Server, fleet: &mut Fleet, count: usize, portions: usize, added: &mut Added) -> Result<()> {
    let first = server.resident_kib()?;
    let (mut opened, mut last, mut kernel) = (0, first, KernelMemory::now()?);
    for portion in 1..=portions {
        let more = count * portion / portions - opened;
        if more == 0 {
            continue;
        }
        opened += more;
        let since = clock::now();
        fleet.open(&server.target, more)?;
        added
            .rates
            .push(per(float(more as u64), float(clock::now() - since) / 1e9));
        clock::wait(SETTLE);
        let (now, kernel_now) = (server.resident_kib()?, KernelMemory::now()?);
        added
            .user_kib
            .extend(grown(last, now).map(|kib| per(kib, float(more as u64))));
        let kernel_grown = float(kernel_now.kib().saturating_sub(kernel.kib()));
        added.kernel_kib.push(per(kernel_grown, float(more as u64)));
        (last, kernel) = (now, kernel_now);
        added.sessions += more;
        if let Some(kib) = grown(first, now) {
            added
                .curve
                .push((float(added.sessions as u64), per(kib, float(opened as u64))));
        }
        progress(&format!(
            "{} sessions are open; {} MiB of memory are left",
            added.sessions,
            available_kib()? / 1024
        ));
    }
    if let Some(kib) = grown(first, last) {
        added.all_user_kib = Some(added.all_user_kib.unwrap_or_default() + kib);
    }
    Ok(())
}

/// Watches the servers while nothing happens but pings.
fn watch(plan: &Plan, servers: &[Server], fleet: &mut Fleet, outcome: &mut Outcome) -> Result<()> {
    let mut costs = Vec::new();
    progress(&format!("watching for {} s", plan.time.as_secs()));
    for _ in 0..plan.repeats {
        let (before, since) = (cpu(servers)?, clock::now());
        let end = since + clock::in_nanoseconds(plan.share(plan.repeats));
        while clock::now() < end {
            clock::wait_until(end.min(clock::now() + clock::in_nanoseconds(TELL)));
            let now = fleet.look()?;
            progress(&format!("{} sessions are open, {} have ended", now.open, now.closed));
        }
        let (after, time) = (cpu(servers)?, float(clock::now() - since) / 1e9);
        let used = before
            .zip(after)
            .map(|(before, after)| float(after.saturating_sub(before)) / 1000.0);
        costs.extend(used.map(|used| per(used, time * float(outcome.sessions as u64))));
    }
    outcome.figures.idle_cpu_us_per_session_second = outcome.repeated("idle_cpu_us_per_session_second", costs);
    Ok(())
}

fn describe(outcome: &mut Outcome, servers: &Servers, added: Added, threads: usize) {
    let sessions = float(added.sessions as u64);
    outcome
        .series
        .insert("user_kib_per_session".to_owned(), Pairs(added.curve));
    outcome.repeated("user_kib_per_session", added.user_kib);
    outcome.figures.user_kib_per_session = added.all_user_kib.map(|kib| rounded(per(kib, sessions)));
    outcome.figures.kernel_kib_per_session = outcome.repeated("kernel_kib_per_session", added.kernel_kib);
    outcome.figures.sessions_opened_per_second = outcome.repeated("sessions_opened_per_second", added.rates);
    outcome.figures.servers = Some(servers.all.len());
    outcome.note(format!(
        "everyone is in {} spaces and {threads} threads; pinged every 25 s",
        servers.spaces
    ));
    outcome.note(
        "user memory is resident memory (VmRSS) with the server's own allocator, all sessions over all of its growth",
    );
    outcome.note("kernel memory is that of both ends: slab and socket buffers of the whole machine");
    if outcome.sessions > GROUP_MEMBERS {
        outcome.note(format!("{GROUP_MEMBERS} people per server, some with several sessions"));
    }
    if servers.all.len() > 1 {
        outcome.note("the servers know nothing of each other: each has a copy of one school");
    }
}

/// The CPU of all servers.
fn cpu(servers: &[Server]) -> Result<Option<u64>> {
    let all: Result<Vec<Option<u64>>> = servers.iter().map(Server::cpu).collect();
    Ok(all?.into_iter().sum())
}

/// Memory that was added; an allocator that gave some back in between added nothing.
fn grown(before: Option<u64>, after: Option<u64>) -> Option<f64> {
    let (before, after) = before.zip(after)?;
    Some(float(after.saturating_sub(before)))
}
