//! Logins with a password: their price is that of the hash, which is meant to be high, so nothing else is measured with it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use samtale_client::{LoginService, Secret, ServerAddress};
use samtale_protocol::Language;
use tokio::task::JoinSet;

use super::progress;
use crate::figure::{float, per, rounded};
use crate::outcome::{Latency, Outcome};
use crate::pairs::Pairs;
use crate::readers::{counts, histogram, merged};
use crate::server::{Login, Server};

/// The most who log in at once.
const MOST: usize = 64;

/// What a run is told.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many log in at once.
    pub at_once: usize,
    /// How long to measure, all repeats together.
    pub time: Duration,
    /// How often to measure.
    pub repeats: u32,
}

/// What those who logged in saw.
struct Round {
    cpu_us_per_login: f64,
    per_second: f64,
    waits: Histogram<u64>,
    refused: u64,
}

/// Measures it: people log in, again and again.
pub fn run(plan: &Plan) -> Result<Outcome> {
    ensure!(
        (1..=MOST).contains(&plan.at_once),
        "between 1 and {MOST} can log in at once: beyond, a server answers that it is busy"
    );
    let mut outcome = Outcome::new("login", plan.at_once, plan.time.as_secs());
    let (server, address, logins) = Server::demo()?;
    ensure!(!logins.is_empty(), "nobody can log in");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut costs, mut rates, mut all, mut refused) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for repeat in 1..=plan.repeats {
        let work = log_in_for(plan.time / plan.repeats, plan.at_once, &server, &address, &logins);
        let round = runtime.block_on(work)?;
        let Latency { p50, p99, .. } = Latency::of(&round.waits);
        progress(&format!(
            "round {repeat} of {}: {:.1} logins/s, p50 {p50} ms, p99 {p99} ms, {} refused; {:.0} us of CPU each",
            plan.repeats, round.per_second, round.refused, round.cpu_us_per_login
        ));
        costs.push(round.cpu_us_per_login);
        rates.push(round.per_second);
        all.extend(counts(&round.waits));
        refused += round.refused;
    }
    let per_core = costs.iter().map(|cost| per(1e6, *cost)).collect();
    for (name, figures) in [
        ("cpu_us_per_login", costs),
        ("logins_per_second", rates),
        ("logins_per_core_second", per_core),
    ] {
        if let Some(median) = outcome.repeated(name, figures) {
            outcome.counts.insert(name.to_owned(), rounded(median));
        }
    }
    outcome.counts.insert("logins_refused".to_owned(), float(refused));
    let waits = merged(&all)?;
    outcome.figures.latency_ms = Some(Latency::of(&waits));
    outcome.histograms.insert("latency_us".to_owned(), Pairs::of(&waits));
    outcome.note(format!(
        "{} log in at once, and again as soon as they are in (closed loop); each login hashes a password with argon2id over \
         19 MiB",
        plan.at_once
    ));
    Ok(outcome)
}

async fn log_in_for(
    time: Duration,
    at_once: usize,
    server: &Server,
    address: &ServerAddress,
    logins: &[Login],
) -> Result<Round> {
    let (before, since) = (server.cpu()?, Instant::now());
    let mut people = JoinSet::new();
    for login in logins.iter().cycle().take(at_once) {
        let service = LoginService::new(address.clone(), "samtale-loadtest", Language::default());
        people.spawn(again_and_again(login.clone(), service, since + time));
    }
    let (mut waits, mut refused) = (histogram()?, 0);
    while let Some(seen) = people.join_next().await {
        let (own, no) = seen??;
        waits.add(own)?;
        refused += no;
    }
    let (used, seconds) = (server.cpu()?.zip(before), since.elapsed().as_secs_f64());
    let count = float(waits.len());
    let (after, before) = used.context("the server is ours")?;
    Ok(Round {
        cpu_us_per_login: per(float(after.saturating_sub(before)) / 1000.0, count),
        per_second: per(count, seconds),
        waits,
        refused,
    })
}

/// Someone who logs in until it is time to stop: how long each login took, in microseconds, and how many were refused.
async fn again_and_again(login: Login, service: LoginService, end: Instant) -> Result<(Histogram<u64>, u64)> {
    let password = Secret::new(login.password);
    let (mut waits, mut refused) = (histogram()?, 0);
    while Instant::now() < end {
        let began = Instant::now();
        match service.log_in(&login.username, &password).await {
            Ok(_) => waits.saturating_record(u64::try_from(began.elapsed().as_micros())?),
            Err(error) if error.refusal().is_some() => refused += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok((waits, refused))
}
