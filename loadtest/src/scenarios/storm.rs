//! A storm: all sessions are cut at once and come back with their cursors. First in silence, which tells what a resume
//! costs; then while messages are sent, which tells whether anything is missed.

use std::time::Duration;

use anyhow::{Result, anyhow, ensure};

use super::{Plan, SETTLE, progress};
use crate::client::TlsMode;
use crate::clock;
use crate::figure::{float, per, rounded};
use crate::outcome::{Latency, Outcome};
use crate::pairs::Pairs;
use crate::population::Population;
use crate::readers::{Fleet, Kind, Opened, Seen, Whose, merged};
use crate::schedule::Schedule;
use crate::sender::Sender;
use crate::server::Server;

/// The most sessions: the server keeps some descriptors for itself, and for those that it has not noticed to be gone.
const MOST: usize = 18_000;

/// The pause between two storms: the server has noticed what it is going to notice.
const PAUSE: Duration = Duration::from_millis(500);

/// What one storm came to.
struct Storm {
    opened: Opened,
    seconds: f64,
    cpu_us_per_resume: f64,
    /// `None` where the server does not tell.
    reads_per_resume: Option<f64>,
}

/// Measures it. At most `at_once` sessions are coming back at any moment.
pub fn run(plan: &Plan, at_once: usize) -> Result<Outcome> {
    plan.check(MOST)?;
    let mut outcome = Outcome::new("storm", plan.sessions, plan.time.as_secs());
    let server = plan.server(true)?;
    let people = Population::read(server.people())?;
    let mut fleet = Fleet::start(plan.sessions)?;
    // Not cut, so that the server never forgets the spaces: how long it takes to load them is not what is measured.
    let mut sender = Sender::open(&server.target, &people, plan.sessions)?;
    sender.start_thread(&people)?;
    let mut all = Opened::default();
    sender.while_reading(|| {
        progress(&format!("opening {} sessions", plan.sessions));
        fleet.open(&server.target, plan.sessions)?;
        clock::wait(SETTLE);
        // The first storm warms what is empty at first; it is not measured.
        storm(&server, &mut fleet, TlsMode::Whole, at_once)?;
        silent(plan, &server, &mut fleet, at_once, &mut outcome, &mut all)
    })?;
    under_load(plan, &server, &mut fleet, &mut sender, at_once, &mut outcome, &mut all)?;
    drop(fleet);
    outcome.figures.failed_attempts = Some(all.failed);
    outcome.figures.resyncs = Some(all.resyncs);
    outcome.note(format!(
        "every connection is reset at the same moment; at most {at_once} are being opened at any moment, as fast as both \
         ends go, without the jitter of real clients"
    ));
    outcome.note("the one who sends stays, so the server has the spaces in memory when the others come back");
    outcome.note("server and clients share the cores: the CPU per resume is the server's alone, the time is of both");
    Ok(outcome)
}

/// Storms while nobody sends.
fn silent(
    plan: &Plan,
    server: &Server,
    fleet: &mut Fleet,
    at_once: usize,
    outcome: &mut Outcome,
    all: &mut Opened,
) -> Result<()> {
    let modes = if plan.tls {
        &[TlsMode::Whole, TlsMode::Tickets][..]
    } else {
        &[TlsMode::Whole]
    };
    for mode in modes {
        let storms: Result<Vec<Storm>> = (0..plan.repeats)
            .map(|_| storm(server, fleet, *mode, at_once))
            .collect();
        let storms = storms?;
        let waits: Vec<_> = storms.iter().flat_map(|storm| storm.opened.waits_us.clone()).collect();
        let figures = |of: fn(&Storm) -> f64| storms.iter().map(of).collect::<Vec<f64>>();
        let per_core = figures(|storm| per(1e6, storm.cpu_us_per_resume));
        if *mode == TlsMode::Tickets {
            let name = "resumes_per_core_second_with_tickets";
            outcome.figures.resumes_per_core_second_with_tickets = outcome.repeated(name, per_core);
            let away = Pairs::of(&merged(&waits)?);
            outcome.histograms.insert("with_tickets_away_us".to_owned(), away);
        } else {
            let away = Pairs::of(&merged(&waits)?);
            outcome.histograms.insert("silent_away_us".to_owned(), away);
            let rates = figures(|storm| per(float(storm.opened.count), storm.seconds));
            outcome.figures.resumes_per_core_second = outcome.repeated("resumes_per_core_second", per_core);
            outcome.figures.back_seconds = outcome.repeated("back_seconds", figures(|storm| storm.seconds));
            outcome.figures.resumes_per_second = outcome.repeated("resumes_per_second", rates);
            let cpu = figures(|storm| storm.cpu_us_per_resume);
            outcome.figures.cpu_us_per_resume = outcome.repeated("cpu_us_per_resume", cpu);
            let reads = storms.iter().filter_map(|storm| storm.reads_per_resume).collect();
            outcome.figures.storage_reads_per_resume = outcome.repeated("storage_reads_per_resume", reads);
        }
        storms.into_iter().for_each(|storm| all.add(storm.opened));
    }
    Ok(())
}

/// Storms while messages are sent, each in the middle of a round that is checked as a whole.
fn under_load(
    plan: &Plan,
    server: &Server,
    fleet: &mut Fleet,
    sender: &mut Sender,
    at_once: usize,
    outcome: &mut Outcome,
    all: &mut Opened,
) -> Result<()> {
    let schedule = Schedule::gentle(plan.sessions, plan.share(plan.repeats));
    let mode = if plan.tls { TlsMode::Tickets } else { TlsMode::Whole };
    let (mut seconds, mut reads, mut seen) = (Vec::new(), Vec::new(), Seen::default());
    let mut waits = Vec::new();
    for _ in 0..plan.repeats {
        fleet.begin(Kind::Session, sender.next_number())?;
        let (storm, end) = std::thread::scope(|scope| {
            let sending = scope.spawn(|| sender.send_round(schedule));
            // The first message is under way, and the others are still to come.
            clock::wait(schedule.interval + schedule.interval / 2);
            let storm = storm(server, fleet, mode, at_once);
            let end = sending.join().map_err(|_| anyhow!("the sending thread ended"));
            (storm, end)
        });
        let storm = storm?;
        seen.add(fleet.finish(Kind::Session, end??)?);
        seconds.push(storm.seconds);
        reads.extend(storm.reads_per_resume);
        waits.extend_from_slice(&storm.opened.waits_us);
        all.add(storm.opened);
    }
    let name = "storage_reads_per_resume_under_load";
    outcome.figures.storage_reads_per_resume_under_load = outcome.repeated(name, reads);
    outcome.figures.back_seconds_under_load = outcome.repeated("back_seconds_under_load", seconds);
    describe(outcome, &seen, &waits)?;
    outcome.note(format!(
        "under load: {} messages per storm, one every {} ms; of {} sessions each was told every one",
        schedule.messages,
        schedule.interval.as_millis(),
        plan.sessions
    ));
    Ok(())
}

/// What was shown while sessions were cut and came back, and how long they were away.
fn describe(outcome: &mut Outcome, seen: &Seen, waits_us: &[(u64, u64)]) -> Result<()> {
    let (latencies, away) = (merged(&seen.latencies_us)?, merged(waits_us)?);
    let figures = &mut outcome.figures;
    (figures.deliveries, figures.lost) = (Some(seen.deliveries), Some(seen.lost));
    (figures.duplicated, figures.reordered) = (Some(seen.duplicated), Some(seen.reordered));
    (figures.repeated, figures.closed) = (Some(seen.repeated), Some(seen.closed));
    figures.latency_ms = Some(Latency::of(&latencies));
    figures.back_ms = Some(Latency::of(&away));
    let histograms = [("latency_us", latencies), ("away_us", away)];
    for (name, histogram) in histograms {
        outcome.histograms.insert(name.to_owned(), Pairs::of(&histogram));
    }
    let rates = Pairs::per_second(&seen.by_second);
    outcome.series.insert("deliveries_per_second".to_owned(), rates);
    outcome.note("a latency is from when a message was due, also for a session that was away then");
    Ok(())
}

fn storm(server: &Server, fleet: &mut Fleet, mode: TlsMode, at_once: usize) -> Result<Storm> {
    let (before, reads_before) = (server.cpu()?, storage_reads(server)?);
    let since = clock::now();
    let opened = fleet.storm(Whose::Everyone, mode, at_once)?;
    let seconds = float(clock::now() - since) / 1e9;
    let (after, reads_after) = (server.cpu()?, storage_reads(server)?);
    ensure!(opened.count > 0, "no session came back");
    let count = float(opened.count);
    let used = after
        .zip(before)
        .map_or(0, |(after, before)| after.saturating_sub(before));
    let storm = Storm {
        seconds: rounded(seconds),
        cpu_us_per_resume: per(float(used) / 1000.0, count),
        reads_per_resume: reads_after
            .zip(reads_before)
            .map(|(after, before)| per(after - before, count)),
        opened,
    };
    let Latency { p50, p99, .. } = Latency::of(&merged(&storm.opened.waits_us)?);
    progress(&format!(
        "{} sessions are back after {seconds:.2} s ({:.0}/s, p50 {p50} ms, p99 {p99} ms), at {:.0} us of the server's CPU \
         each; {} attempts failed",
        storm.opened.count,
        per(count, seconds),
        storm.cpu_us_per_resume,
        storm.opened.failed
    ));
    clock::wait(PAUSE);
    Ok(storm)
}

fn storage_reads(server: &Server) -> Result<Option<f64>> {
    Ok(server.counts()?.map(|counts| counts.storage_reads()))
}
