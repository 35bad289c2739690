//! The command line of `samtale-loadtest`. Results on standard output, progress on standard error.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::day::Hours;
use crate::nation::{self, Nation};
use crate::outcome::Outcome;
use crate::scenarios::{Plan, day, fanout, floor, idle, login, peers, populate, stall, storm};
use crate::written::Written;
use crate::{bare_tls, budgets, readers, sockets};

const EXAMPLES: &str = "\
Examples:
  samtale-loadtest floor --sessions 2000 --json floor.json
  samtale-loadtest fanout --sessions 12000 --seconds 60 --json fanout.json
  samtale-loadtest fanout --sessions 6000 --cluster cluster/cluster.json
  samtale-loadtest idle --sessions 4000 --seconds 30 --json idle.json
  samtale-loadtest idle --sessions 200000 --seconds 120
  samtale-loadtest login --sessions 16
  samtale-loadtest storm --sessions 12000 --tls
  samtale-loadtest stall --sessions 12000 --stalled 100
  samtale-loadtest populate --people 200000
  samtale-loadtest report floor.json fanout.json idle.json

Without --server, a run makes a school in a folder of its own, starts `samtale serve` on it (the program beside this
one, or where SAMTALE_BIN says), and removes both when it ends. A server that runs already needs people with tokens:
  samtale populate --data DIR --people 2001 --tokens people.txt --set login.access_token_lifetime=2h
  samtale-loadtest fanout --server http://127.0.0.1:8080 --people people.txt --json fanout.json";

/// Measures a Samtale server beside a floor of raw sockets. All load stays on this machine, in 127.0.0.0/8.
#[derive(Parser)]
#[command(name = "samtale-loadtest", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// The machine's own price of a delivery: the same frames through raw sockets
    Floor(Run),
    /// Messages to all sessions of one thread, in turns with the floor
    Fanout(Fanout),
    /// Sessions that are only pinged: their memory and their CPU
    Idle(Idle),
    /// Logins with a password
    Login(Login),
    /// The same messages and idle sessions on other servers, in turns; scripts/peers gets them
    Peers(Run),
    /// A school day of a nation, with real sockets for some of its people
    Day(Day),
    /// A nation is loaded: people per second
    Populate(Populate),
    /// Draw a nation from a seed, and write it for `samtale populate --nation`
    Nation(NationFile),
    /// All sessions are cut at once and come back with their cursors
    Storm(Storm),
    /// Some sessions stop reading among others that do not
    Stall(Stall),
    /// Print the figures of earlier runs beside their budgets
    Report(Report),
    /// Hold TLS connections and do nothing else, for a run that starts this
    #[command(hide = true)]
    BareTls(bare_tls::Files),
    /// Hold the clients' ends of sockets, for a run that starts this
    #[command(hide = true)]
    Readers,
    /// Hold the clients' ends of one server's connections, for a run that starts this
    #[command(hide = true)]
    Listen,
    /// Play a part of a day, for a run that starts this
    #[command(hide = true)]
    Play {
        /// The file of the part
        part: PathBuf,
    },
}

#[derive(Args)]
struct Run {
    /// How many sessions
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    sessions: usize,
    /// How long to measure, all repeats together; opening and closing comes on top
    #[arg(long, value_name = "N", default_value_t = 30)]
    seconds: u64,
    /// How often to measure; the figures are medians
    #[arg(long, value_name = "N", default_value_t = 5)]
    repeats: u32,
    /// A server that runs already, as http://127.0.0.1:PORT; its CPU and memory are not measured
    #[arg(long, value_name = "URL", requires = "people")]
    server: Option<String>,
    /// The people of that server, written by `samtale populate`
    #[arg(long, value_name = "FILE", requires = "server")]
    people: Option<PathBuf>,
    /// Sessions over TLS, with a certificate made for the run; the floor has none
    #[arg(long, conflicts_with = "server")]
    tls: bool,
    #[command(flatten)]
    written: Written,
}

#[derive(Args)]
struct Login {
    /// How many log in at once
    #[arg(long, value_name = "N", default_value_t = 16)]
    sessions: usize,
    /// How long to measure, all repeats together
    #[arg(long, value_name = "N", default_value_t = 30)]
    seconds: u64,
    /// How often to measure; the figures are medians
    #[arg(long, value_name = "N", default_value_t = 5)]
    repeats: u32,
    #[command(flatten)]
    written: Written,
}

#[derive(Args)]
struct Fanout {
    #[command(flatten)]
    run: Run,
    /// The file of a cluster that runs, as `make cluster` writes it: its gateways share the sessions
    #[arg(long, value_name = "FILE", conflicts_with_all = ["server", "tls"])]
    cluster: Option<PathBuf>,
}

#[derive(Args)]
struct Idle {
    #[command(flatten)]
    run: Run,
    /// How many threads everyone is in
    #[arg(long, value_name = "N", default_value_t = 100)]
    threads: usize,
}

#[derive(Args)]
struct Day {
    /// How many people the nation has, children included
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    people: usize,
    /// How many of them have real sockets, as they come and go; whole institutions do
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    sockets: usize,
    /// Seconds of the day in a second of the clock
    #[arg(long, value_name = "N", default_value_t = 60.0)]
    speed: f64,
    /// The part of the day that is played: from this hour
    #[arg(long, value_name = "HOUR", default_value_t = 7.25)]
    from: f64,
    /// To this hour
    #[arg(long, value_name = "HOUR", default_value_t = 8.0)]
    to: f64,
    /// How many times Aula's busiest minute, for as many people
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    times_aula: f64,
    /// What everything is drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The file of a cluster that runs, as `make cluster` writes it; without it one server is started
    #[arg(long, value_name = "FILE")]
    cluster: Option<PathBuf>,
    #[command(flatten)]
    written: Written,
}

#[derive(Args)]
struct Populate {
    /// How many people the nation has, children included
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    people: usize,
    /// What everything is drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many of them get a login; whole institutions do
    #[arg(long, value_name = "N", default_value_t = 0)]
    logins: usize,
    /// The file of a cluster that runs, as `make cluster` writes it; without it a data folder of the run's own is filled
    #[arg(long, value_name = "FILE")]
    cluster: Option<PathBuf>,
    #[command(flatten)]
    written: Written,
}

#[derive(Args)]
struct NationFile {
    /// How many people, children included
    #[arg(long, value_name = "N", default_value_t = nation::PEOPLE)]
    people: usize,
    /// What everything is drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many of them get a login; whole institutions do
    #[arg(long, value_name = "N", default_value_t = 0)]
    logins: usize,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

#[derive(Args)]
struct Storm {
    #[command(flatten)]
    run: Run,
    /// How many sessions may be coming back at any moment
    #[arg(long, value_name = "N", default_value_t = 256)]
    at_once: usize,
}

#[derive(Args)]
struct Stall {
    #[command(flatten)]
    run: Run,
    /// How many sessions stop reading
    #[arg(long, value_name = "K", default_value_t = 100)]
    stalled: usize,
}

#[derive(Args)]
struct Report {
    /// Files that runs wrote with --json; without any, the budgets are listed with what measures them
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    match run(Cli::parse().scenario) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("samtale-loadtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(scenario: Scenario) -> Result<()> {
    sockets::raise_descriptor_limit();
    match scenario {
        Scenario::Floor(run) => run.finish(floor::run(&run.plan())?),
        Scenario::Fanout(Fanout { run, cluster }) => {
            let plan = Plan { cluster, ..run.plan() };
            run.finish(fanout::run(&plan)?)
        }
        Scenario::Idle(Idle { run, threads }) => run.finish(idle::run(&run.plan(), threads)?),
        Scenario::Storm(Storm { run, at_once }) => run.finish(storm::run(&run.plan(), at_once)?),
        Scenario::Stall(Stall { run, stalled }) => run.finish(stall::run(&run.plan(), stalled)?),
        Scenario::Report(report) => {
            let outcomes: Result<Vec<Outcome>> = report.files.iter().map(|file| Outcome::read(file)).collect();
            print!("{}", budgets::report(&outcomes?));
            Ok(())
        }
        Scenario::Login(login) => login.written.write(&login::run(&login.plan())?),
        Scenario::Peers(run) => run.finish(peers::run(&run.plan())?),
        Scenario::Day(day) => day.run(),
        Scenario::Play { part } => crate::day::play(&part),
        Scenario::Populate(populate) => populate.run(),
        Scenario::Nation(file) => file.write(),
        Scenario::Listen => crate::peers::listen(),
        Scenario::BareTls(files) => bare_tls::run(&files),
        Scenario::Readers => readers::run(),
    }
}

impl Day {
    fn run(&self) -> Result<()> {
        const HOUR: f64 = 3600.0;
        let plan = day::Plan {
            nation: Nation {
                people: self.people,
                seed: self.seed,
            },
            sockets: self.sockets,
            hours: Hours {
                from: self.from * HOUR,
                to: self.to * HOUR,
                speed: self.speed.clamp(0.1, 3600.0),
            },
            times_aula: self.times_aula,
            cluster: self.cluster.clone(),
        };
        self.written.write(&day::run(&plan)?)
    }
}

impl Populate {
    fn run(&self) -> Result<()> {
        let plan = populate::Plan {
            nation: Nation {
                people: self.people,
                seed: self.seed,
            },
            logins: self.logins,
            cluster: self.cluster.clone(),
        };
        self.written.write(&populate::run(&plan)?)
    }
}

impl NationFile {
    fn write(&self) -> Result<()> {
        let nation = Nation {
            people: self.people,
            seed: self.seed,
        };
        let written = nation::write(nation, self.logins, &self.to)?;
        println!(
            "{} people in {} institutions and {} classes: {} children, {} staff; {} get a login",
            written.people, written.institutions, written.groups, written.children, written.staff, written.logins
        );
        Ok(())
    }
}

impl Login {
    fn plan(&self) -> login::Plan {
        login::Plan {
            at_once: self.sessions,
            time: Duration::from_secs(self.seconds.clamp(1, 3600)),
            repeats: self.repeats.clamp(1, 100),
        }
    }
}

impl Run {
    fn plan(&self) -> Plan {
        Plan {
            sessions: self.sessions,
            time: Duration::from_secs(self.seconds.clamp(1, 3600)),
            repeats: self.repeats.clamp(1, 100),
            server: self.server.clone(),
            people: self.people.clone(),
            cluster: None,
            tls: self.tls,
        }
    }

    fn finish(&self, mut outcome: Outcome) -> Result<()> {
        outcome.tls = self.tls;
        self.written.write(&outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_of_scripts_is_understood() {
        let line = "samtale-loadtest fanout --sessions 20 --seconds 2 --json out.json";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        assert!(matches!(cli.scenario, Scenario::Fanout(fanout) if fanout.run.plan().sessions == 20));
        assert!(Cli::try_parse_from(["samtale-loadtest", "fanout", "--server", "http://127.0.0.1:1"]).is_err());
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
