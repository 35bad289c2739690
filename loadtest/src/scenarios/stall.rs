//! Readers that stop reading among readers that do not: what the server keeps for them, how soon it lets them go, what the
//! others notice, and that they miss nothing when they come back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use samtale_protocol::ThreadId;
use samtale_protocol::limits::RECIPIENTS;
use samtale_protocol::threads::Recipient;

use super::rounds::{Summary, Telling, tell};
use super::{Plan, SETTLE, progress};
use crate::client::TlsMode;
use crate::clock;
use crate::figure::{float, per};
use crate::memory::KernelMemory;
use crate::outcome::{Latency, Outcome};
use crate::pairs::Pairs;
use crate::population::{GROUP_MEMBERS, Population};
use crate::readers::{Fleet, Kind, Seen, Whose, merged};
use crate::schedule::Schedule;
use crate::sender::Sender;
use crate::server::Server;

/// The most sessions: the server keeps some descriptors for itself.
const MOST: usize = 18_000;
/// Senders of long messages to those that stall: a socket takes megabytes before the server has to keep anything.
const LONG_SENDERS: usize = 3;
/// How long the server may take to let stalled sessions go.
const CLOSED_WITHIN: Duration = Duration::from_secs(90);
/// Between two looks at the server.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The run.
struct Run<'a> {
    plan: &'a Plan,
    /// Before the server, as they are dropped in this order: readers would tell of every session that ends under them.
    fleet: Fleet,
    server: Server,
    people: Population,
    sender: Sender,
    /// The thread of those that stall.
    long: ThreadId,
    /// The first so many people stall.
    people_stalled: usize,
    /// What the server's memory grew by in the last round without stalled sessions, in KiB per second: what is sent is also
    /// kept in its log and on its way to the disk.
    growth_kib_per_second: f64,
}

/// What the stalled sessions of a round came to.
struct Stalled {
    count: u64,
    user_kib: f64,
    kernel_kib: f64,
    seconds: f64,
}

/// Measures it, with about `stalled` sessions that stop.
pub fn run(plan: &Plan, stalled: usize) -> Result<Outcome> {
    plan.check(MOST)?;
    ensure!(
        (1..=plan.sessions / 2).contains(&stalled),
        "between 1 and half of the sessions can stop reading"
    );
    let mut outcome = Outcome::new("stall", plan.sessions, plan.time.as_secs());
    let mut run = Run::prepare(plan, stalled)?;
    // The first round of each kind warms what is empty at first.
    run.round(false)?;
    let (mut with, mut without) = (Seen::default(), Seen::default());
    let (mut ratios, mut all) = (Vec::new(), Vec::new());
    for repeat in 1..=plan.repeats {
        let (quiet, _) = run.round(false)?;
        let (loud, stalled) = run.round(true)?;
        let ratio = per(p99(&loud)?, p99(&quiet)?);
        ratios.push(ratio);
        progress(&format!(
            "round {repeat} of {}: the others' p99 is {ratio:.2} of what it is without stalled sessions",
            plan.repeats
        ));
        without.add(quiet);
        with.add(loud);
        all.extend(stalled);
        with.add(run.come_back(&mut outcome)?);
    }
    drop(run);
    describe(&mut outcome, &with, &without, &all)?;
    outcome.figures.p99_ratio_to_without_stalled = outcome.repeated("p99_ratio_to_without_stalled", ratios);
    Ok(outcome)
}

impl<'a> Run<'a> {
    fn prepare(plan: &'a Plan, stalled: usize) -> Result<Self> {
        let server = plan.server(true)?;
        let people = Population::read(server.people())?;
        let mut fleet = Fleet::start(plan.sessions)?;
        let sessions_each = plan.sessions.div_ceil(plan.sessions.min(GROUP_MEMBERS));
        let people_stalled = stalled.div_ceil(sessions_each).min(RECIPIENTS);
        let mut sender = Sender::open(&server.target, &people, plan.sessions)?;
        let long = sender.start_thread_with(&people, recipients(&people, people_stalled))?;
        sender.start_thread(&people)?;
        progress(&format!("opening {} sessions", plan.sessions));
        sender.while_reading(|| fleet.open(&server.target, plan.sessions))?;
        clock::wait(SETTLE);
        Ok(Self {
            plan,
            server,
            fleet,
            people,
            sender,
            long,
            people_stalled,
            growth_kib_per_second: 0.0,
        })
    }

    /// Sends a round to all, and long messages to those that stall or, without stalled sessions, read them.
    fn round(&mut self, stalls: bool) -> Result<(Seen, Option<Stalled>)> {
        let schedule = Schedule::new(self.plan.sessions, self.plan.share(2 * self.plan.repeats));
        self.fleet.begin(Kind::Session, self.sender.next_number())?;
        // New sessions each time: between the rounds nobody reads for them, and they would be closed for it.
        let mut long_senders = self.long_senders()?;
        let (before, since) = (self.server.resident_kib()?.unwrap_or_default(), clock::now());
        let (is_sent, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        let (server, fleet, sender) = (&self.server, &mut self.fleet, &mut self.sender);
        let (sent, stalled) = std::thread::scope(|scope| {
            let (is_sent, is_over) = (&is_sent, &is_over);
            let long: Vec<_> = long_senders
                .iter_mut()
                .map(|sender| scope.spawn(move || sender.send_long_until(is_over)))
                .collect();
            let sending = scope.spawn(move || {
                let end = sender.send_round(schedule);
                is_sent.store(true, Ordering::Relaxed);
                sender.read_until(is_over)?;
                end
            });
            let stalled = if stalls {
                stall(server, fleet, self.people_stalled).map(Some)
            } else {
                Ok(None)
            };
            let waited = tell_until(fleet, || is_sent.load(Ordering::Relaxed) || sending.is_finished());
            is_over.store(true, Ordering::Relaxed);
            let ended = || anyhow!("a sending thread ended");
            let long = long
                .into_iter()
                .try_for_each(|thread| thread.join().map_err(|_| ended())?);
            let sent = long.and_then(|()| sending.join().map_err(|_| ended())?);
            (waited.and(sent), stalled)
        });
        let mut stalled = stalled?;
        match &mut stalled {
            None => {
                let grown = self.server.resident_kib()?.unwrap_or_default().saturating_sub(before);
                self.growth_kib_per_second = per(float(grown), float(clock::now() - since) / 1e9);
            }
            Some(stalled) => {
                let anyway = self.growth_kib_per_second * stalled.seconds;
                stalled.user_kib = (stalled.user_kib - per(anyway, float(stalled.count))).max(0.0);
            }
        }
        let seen = self.fleet.finish(Kind::Session, sent?)?;
        let rate = per(float(seen.deliveries), float(clock::now() - since) / 1e9);
        let summary = Summary::of(self.plan.sessions, rate, &seen)?;
        let who = if stalls { "some stop reading" } else { "all read" };
        progress(&format!("{who}: {summary}"));
        Ok((seen, stalled))
    }

    fn long_senders(&self) -> Result<Vec<Sender>> {
        let numbers = self.plan.sessions + 1..=self.plan.sessions + LONG_SENDERS;
        numbers
            .map(|number| {
                let mut sender = Sender::open(&self.server.target, &self.people, number)?;
                sender.turn_to(self.long);
                Ok(sender)
            })
            .collect()
    }

    /// Those that stalled come back, and are told all that they missed.
    fn come_back(&mut self, outcome: &mut Outcome) -> Result<Seen> {
        let schedule = Schedule::gentle(self.plan.sessions, Duration::ZERO);
        let first = self.sender.next_number();
        self.fleet.begin(Kind::Session, first)?;
        let (fleet, at_once) = (&mut self.fleet, self.plan.sessions);
        let back = self
            .sender
            .while_reading(|| fleet.storm(Whose::Stalled, TlsMode::Whole, at_once))?;
        let resyncs = outcome.figures.resyncs.unwrap_or_default() + back.resyncs;
        outcome.figures.resyncs = Some(resyncs);
        let end = self.sender.send_round(schedule)?;
        let mut seen = self.fleet.finish(Kind::Session, end)?;
        // How long they were away is no latency of the server's.
        seen.forget_times();
        Ok(seen)
    }
}

/// Waits until a round is sent, and tells how far it is.
fn tell_until(fleet: &mut Fleet, is_sent: impl Fn() -> bool) -> Result<()> {
    let mut telling = Telling::begin();
    while !is_sent() {
        clock::wait(LOOK_AGAIN);
        if telling.is_due() {
            tell(fleet.look()?);
        }
    }
    Ok(())
}

fn recipients(people: &Population, count: usize) -> Vec<Recipient> {
    let readers = people.people.iter().skip(1).take(count);
    readers
        .map(|person| Recipient::Profile {
            profile: person.profile,
        })
        .collect()
}

/// Lets sessions stall, and watches the server until it has closed all of them.
fn stall(server: &Server, fleet: &mut Fleet, people: usize) -> Result<Stalled> {
    let closed_before = closed(server)?;
    let (user, kernel) = (server.resident_kib()?.unwrap_or_default(), KernelMemory::now()?.kib());
    let since = clock::now();
    fleet.stall(people)?;
    let count = fleet.look()?.stalled;
    ensure!(count > 0, "no session could stop reading");
    let deadline = since + clock::in_nanoseconds(CLOSED_WITHIN);
    let (mut most_user, mut most_kernel) = (user, kernel);
    let mut telling = Telling::begin();
    loop {
        clock::wait(LOOK_AGAIN);
        most_user = most_user.max(server.resident_kib()?.unwrap_or_default());
        most_kernel = most_kernel.max(KernelMemory::now()?.kib());
        let closed = closed(server)? - closed_before;
        if closed >= float(count) {
            break;
        }
        ensure!(
            clock::now() < deadline,
            "of {count} stalled sessions the server has closed only {closed}"
        );
        if telling.is_due() {
            let deliveries = fleet.look()?.deliveries;
            progress(&format!(
                "{closed} of {count} stalled sessions are closed; {deliveries} deliveries so far"
            ));
        }
    }
    let stalled = Stalled {
        count,
        user_kib: per(float(most_user - user), float(count)),
        kernel_kib: per(float(most_kernel - kernel), float(count)),
        seconds: float(clock::now() - since) / 1e9,
    };
    progress(&format!(
        "{count} sessions stopped reading; closed after {:.1} s, when user memory had grown by {:.1} KiB and that of the \
         kernel by {:.0} KiB for each",
        stalled.seconds, stalled.user_kib, stalled.kernel_kib
    ));
    Ok(stalled)
}

/// Sessions that the server closed because they did not read, or did not answer its pings.
fn closed(server: &Server) -> Result<f64> {
    let Some(counts) = server.counts()? else { return Ok(0.0) };
    let codes = ["code=\"slow_reader\"", "code=\"no_pong\""];
    Ok(codes
        .iter()
        .map(|code| counts.sum("samtale_closes_total", &[code]))
        .sum())
}

fn p99(seen: &Seen) -> Result<f64> {
    Ok(latency(seen)?.p99)
}

fn latency(seen: &Seen) -> Result<Latency> {
    Ok(Latency::of(&merged(&seen.latencies_us)?))
}

fn describe(outcome: &mut Outcome, with: &Seen, without: &Seen, all: &[Stalled]) -> Result<()> {
    let of = |figure: fn(&Stalled) -> f64| all.iter().map(figure).collect::<Vec<f64>>();
    outcome.figures.user_kib_per_stalled = outcome.repeated("user_kib_per_stalled", of(|stalled| stalled.user_kib));
    outcome.figures.kernel_kib_per_stalled =
        outcome.repeated("kernel_kib_per_stalled", of(|stalled| stalled.kernel_kib));
    outcome.figures.stalled_closed_seconds = outcome.repeated("stalled_closed_seconds", of(|stalled| stalled.seconds));
    let names = ["latency_us", "without_stalled_latency_us"];
    for (name, seen) in names.into_iter().zip([with, without]) {
        let latencies = Pairs::of(&merged(&seen.latencies_us)?);
        outcome.histograms.insert(name.to_owned(), latencies);
    }
    let mut by_second = with.by_second.clone();
    for (second, count) in &without.by_second {
        *by_second.entry(*second).or_default() += count;
    }
    let rates = Pairs::per_second(&by_second);
    outcome.series.insert("deliveries_per_second".to_owned(), rates);
    let figures = &mut outcome.figures;
    figures.stalled = all.iter().map(|stalled| stalled.count).max();
    figures.latency_ms = Some(latency(with)?);
    figures.latency_without_stalled_ms = Some(latency(without)?);
    figures.deliveries = Some(with.deliveries + without.deliveries);
    figures.lost = Some(with.lost + without.lost);
    figures.duplicated = Some(with.duplicated + without.duplicated);
    figures.reordered = Some(with.reordered + without.reordered);
    figures.repeated = Some(with.repeated + without.repeated);
    figures.closed = Some(with.closed + without.closed);
    outcome.note(
        "long messages go to those that stall, in both kinds of rounds; the latencies are of the messages to all",
    );
    outcome.note(
        "memory is the most that was seen between the last read and the close, over what it was before; of user memory \
         what the server grew by in as long a time of the round without stalled sessions is taken off",
    );
    Ok(())
}
