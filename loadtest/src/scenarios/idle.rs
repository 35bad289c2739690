//! Idle sessions: what each adds to the server's memory, and what pinging them costs.

use anyhow::Result;

use super::{Plan, REPEATS, SETTLE, progress};
use crate::clock;
use crate::figure::{float, per, rounded};
use crate::outcome::Outcome;
use crate::pairs::Pairs;
use crate::population::{GROUP_MEMBERS, Population};
use crate::readers::{Fleet, Kind};
use crate::sender::Sender;
use crate::server::Server;

/// The most sessions: the server keeps some descriptors for itself.
const MOST: usize = 18_500;

/// Measures it. Everyone is in `threads` threads.
pub fn run(plan: &Plan, threads: usize) -> Result<Outcome> {
    plan.check(MOST)?;
    let mut outcome = Outcome::new("idle", plan.sessions, plan.time.as_secs());
    let server = plan.server()?;
    let people = Population::read(&server.people)?;
    let mut fleet = Fleet::start(plan.sessions)?;
    // The first session loads the spaces and the threads, which are there once and not per session.
    let mut sender = Sender::open(server.address, &people, plan.sessions)?;
    progress(&format!("starting {threads} threads"));
    for _ in 0..threads {
        sender.start_thread(&people)?;
    }
    clock::wait(SETTLE);
    open(plan, &server, &mut fleet, &mut outcome)?;
    watch(plan, &server, &mut outcome)?;
    // A round without messages: it only asks who is still there.
    fleet.begin(Kind::Session, 0)?;
    outcome.figures.closed = Some(fleet.finish(Kind::Session, 0)?.closed);
    drop(sender);
    outcome.note(format!(
        "everyone is in {} spaces and {threads} threads; pinged every 25 s",
        people.school.spaces.len()
    ));
    outcome
        .note("memory is resident memory (VmRSS) with the C library's allocator, all sessions over all of its growth");
    if plan.sessions > GROUP_MEMBERS {
        outcome.note(format!("{GROUP_MEMBERS} people, some with several sessions"));
    }
    Ok(outcome)
}

/// Opens the sessions in some portions, and sees what each adds.
fn open(plan: &Plan, server: &Server, fleet: &mut Fleet, outcome: &mut Outcome) -> Result<()> {
    let first = server.resident_kib()?;
    let (mut opened, mut last) = (0, first);
    let (mut portions, mut rates, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for portion in 1..=REPEATS as usize {
        let count = plan.sessions * portion / REPEATS as usize - opened;
        opened += count;
        let since = clock::now();
        fleet.open(Kind::Session, server.address, Some(&server.people), count)?;
        rates.push(per(float(count as u64), float(clock::now() - since) / 1e9));
        clock::wait(SETTLE);
        let now = server.resident_kib()?;
        portions.extend(grown(last, now).map(|kib| per(kib, float(count as u64))));
        last = now;
        if let Some(kib) = grown(first, now) {
            memory.push((float(opened as u64), per(kib, float(opened as u64))));
        }
        progress(&format!("{opened} of {} sessions are open", plan.sessions));
    }
    let all = grown(first, last).map(|kib| rounded(per(kib, float(plan.sessions as u64))));
    outcome.repeated("user_kib_per_session", portions);
    outcome.series.insert("user_kib_per_session".to_owned(), Pairs(memory));
    outcome.figures.user_kib_per_session = all;
    outcome.figures.sessions_opened_per_second = outcome.repeated("sessions_opened_per_second", rates);
    Ok(())
}

/// Watches the server while nothing happens but pings.
fn watch(plan: &Plan, server: &Server, outcome: &mut Outcome) -> Result<()> {
    let mut costs = Vec::new();
    progress(&format!("watching for {} s", plan.time.as_secs()));
    for _ in 0..REPEATS {
        let (before, since) = (server.cpu()?, clock::now());
        clock::wait(plan.share(REPEATS));
        let (after, time) = (server.cpu()?, float(clock::now() - since) / 1e9);
        let used = before
            .zip(after)
            .map(|(before, after)| float(after.saturating_sub(before)) / 1000.0);
        costs.extend(used.map(|used| per(used, time * float(plan.sessions as u64))));
    }
    outcome.figures.idle_cpu_us_per_session_second = outcome.repeated("idle_cpu_us_per_session_second", costs);
    Ok(())
}

/// Memory that was added; an allocator that gave some back in between added nothing.
fn grown(before: Option<u64>, after: Option<u64>) -> Option<f64> {
    let (before, after) = before.zip(after)?;
    Some(float(after.saturating_sub(before)))
}
