//! Idle sessions: what each adds to the memory of its server and of the kernel, and what pinging them costs. Beyond what
//! one process has descriptors for, several servers have them, each by itself.

use std::time::Duration;

use anyhow::{Result, ensure};

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
/// Portions in which the sessions of a run with one server are opened, for the curve of memory over their number.
const PORTIONS: usize = 4;
/// Memory that has to be left for everyone else before more sessions are opened.
const LEFT_KIB: u64 = 3 * 1024 * 1024;
/// How often a line says how the sessions are while nothing happens.
const TELL: Duration = Duration::from_secs(10);
/// Threads between two lines of progress.
const TOLD_THREADS: usize = 20;

/// What the sessions of one server added while they were opened.
struct Added {
    sessions: usize,
    /// `None` of a server that is not ours.
    user_kib: Option<f64>,
    kernel_kib: f64,
    /// How long it took to open them, without the pauses between portions.
    seconds: f64,
    /// By how many sessions of the run were open, what each had added to its server.
    curve: Vec<(f64, f64)>,
}

/// Measures it. Everyone is in `threads` threads.
pub fn run(plan: &Plan, threads: usize) -> Result<Outcome> {
    plan.check(MOST)?;
    let mut outcome = Outcome::new("idle", plan.sessions, plan.time.as_secs());
    let mut servers = Servers::first(plan, threads)?;
    // Of many servers each is a repeat by itself, and one that is not ours can not be started fresh.
    let repeats = if plan.sessions > PER_SERVER || plan.server.is_some() {
        1
    } else {
        plan.repeats as usize
    };
    let (mut added, mut bare, mut closed) = (Vec::new(), Vec::new(), 0);
    let mut fleet = loop {
        if plan.tls {
            bare.push(bare_kib(plan.sessions.min(PER_SERVER))?);
        }
        let mut fleet = Fleet::start(plan.sessions)?;
        open_all(plan, &mut servers, &mut fleet, &mut added)?;
        if added.len() >= repeats {
            break fleet;
        }
        progress(&format!("repeat {} of {repeats} is done", added.len()));
        closed += fleet.look()?.closed;
        // The sessions first: the server is not to say good-bye to each.
        drop(fleet);
        servers.stop()?;
    };
    describe(&mut outcome, &servers, &added, bare, threads);
    watch(plan, &servers.all, &mut fleet, &mut outcome)?;
    // A round without messages: it only asks who is still there.
    fleet.begin(Kind::Session, 0)?;
    outcome.figures.closed = Some(closed + fleet.finish(Kind::Session, 0)?.closed);
    Ok(outcome)
}

/// Opens all sessions, on one server or on as many as they need and there is room for.
fn open_all(plan: &Plan, servers: &mut Servers, fleet: &mut Fleet, added: &mut Vec<Added>) -> Result<()> {
    let mut opened = 0;
    while opened < plan.sessions && servers.has_room(opened)? {
        let count = (plan.sessions - opened).min(PER_SERVER);
        let portions = if plan.sessions > PER_SERVER { 1 } else { PORTIONS };
        let (server, sender) = servers.next(plan, opened)?;
        added.push(open(server, fleet, opened, count, portions)?);
        servers.senders.push(sender);
        opened += count;
    }
    ensure!(opened > 0, "there is no memory left for any session");
    Ok(())
}

/// What a connection costs a fresh server that only holds it, in KiB.
fn bare_kib(count: usize) -> Result<f64> {
    progress(&format!("{count} connections to a bare TLS server"));
    let server = BareTls::start()?;
    let mut fleet = Fleet::start(count)?;
    let before = server.resident_kib()?;
    fleet.open(&server.target, count)?;
    clock::wait(SETTLE);
    let grown = server.resident_kib()?.saturating_sub(before);
    Ok(per(float(grown), float(count as u64)))
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
    fn next(&mut self, plan: &Plan, opened: usize) -> Result<(&Server, Sender)> {
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
        // Among many each would wait for the pings of the others to leave it the processor.
        if plan.sessions <= PER_SERVER {
            server.rest()?;
        }
        Ok((server, sender))
    }

    /// Stops all, so that the next one stands fresh on the school of the first.
    fn stop(&mut self) -> Result<()> {
        self.senders.clear();
        self.all.drain(..).try_for_each(|server| server.stop().map(drop))
    }
}

/// Opens sessions of a server in some portions, beside those that are open on others, and sees what they add.
fn open(server: &Server, fleet: &mut Fleet, before: usize, count: usize, portions: usize) -> Result<Added> {
    let (first, kernel) = (server.resident_kib()?, KernelMemory::now()?);
    let mut added = Added {
        sessions: count,
        user_kib: None,
        kernel_kib: 0.0,
        seconds: 0.0,
        curve: Vec::new(),
    };
    let mut opened = 0;
    for portion in 1..=portions {
        let more = count * portion / portions - opened;
        if more == 0 {
            continue;
        }
        opened += more;
        let since = clock::now();
        fleet.open(&server.target, more)?;
        added.seconds += float(clock::now() - since) / 1e9;
        clock::wait(SETTLE);
        added.user_kib = grown(first, server.resident_kib()?);
        let each = added.user_kib.map(|kib| per(kib, float(opened as u64)));
        let open = before + opened;
        added.curve.extend(each.map(|each| (float(open as u64), each)));
        progress(&format!(
            "{open} sessions are open; {} MiB of memory are left",
            available_kib()? / 1024
        ));
    }
    added.kernel_kib = float(KernelMemory::now()?.kib().saturating_sub(kernel.kib()));
    Ok(added)
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

fn describe(outcome: &mut Outcome, servers: &Servers, added: &[Added], bare: Vec<f64>, threads: usize) {
    // Of several servers, or the last repeat.
    let open = &added[added.len() - servers.all.len()..];
    outcome.sessions = open.iter().map(|one| one.sessions).sum();
    let each = |of: fn(&Added) -> Option<f64>| -> Vec<f64> {
        let per_session = |one: &Added| Some(per(of(one)?, float(one.sessions as u64)));
        added.iter().filter_map(per_session).collect()
    };
    let user = each(|one| one.user_kib);
    let median = outcome.repeated("user_kib_per_session", user.clone());
    // Of several servers what counts is the growth of all over all sessions.
    let total: Option<f64> = open.iter().map(|one| one.user_kib).sum();
    let total = total.map(|kib| rounded(per(kib, float(outcome.sessions as u64))));
    let own = if open.len() > 1 { total } else { median };
    outcome.figures.user_kib_per_session = own;
    let own = if open.len() > 1 { Vec::from_iter(total) } else { user };
    let over = own.iter().zip(&bare).map(|(own, bare)| own - bare).collect();
    outcome.figures.user_kib_over_bare_tls = outcome.repeated("user_kib_over_bare_tls", over);
    outcome.figures.bare_tls_kib_per_connection = outcome.repeated("bare_tls_kib_per_connection", bare);
    let kernel = each(|one| Some(one.kernel_kib));
    outcome.figures.kernel_kib_per_session = outcome.repeated("kernel_kib_per_session", kernel);
    let rates = added.iter().map(|one| per(float(one.sessions as u64), one.seconds));
    outcome.figures.sessions_opened_per_second = outcome.repeated("sessions_opened_per_second", rates.collect());
    let curve = open.iter().flat_map(|one| one.curve.iter().copied()).collect();
    outcome.series.insert("user_kib_per_session".to_owned(), Pairs(curve));
    outcome.figures.servers = Some(servers.all.len());
    outcome.note(format!(
        "everyone is in {} spaces and {threads} threads; pinged every 25 s",
        servers.spaces
    ));
    outcome.note(
        "user memory is resident memory (VmRSS) with the server's own allocator, all sessions over all of its growth",
    );
    outcome.note(
        "kernel memory is that of both ends: slab and socket buffers of the whole machine; what expires meanwhile of the \
         sockets that were closed before, a quarter of a KiB each, is missing in it",
    );
    if servers.all.len() == 1 && added.len() > 1 {
        let in_turns = if outcome.figures.user_kib_over_bare_tls.is_some() {
            ", in turns with a fresh bare TLS server"
        } else {
            ""
        };
        outcome.note(format!(
            "each repeat of memory is all sessions on a server started fresh on the same school{in_turns}; the curve and the \
             CPU are of the last one"
        ));
    }
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
