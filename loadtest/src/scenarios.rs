//! The scenarios, and what all of them are told.

pub mod day;
pub mod fanout;
pub mod floor;
pub mod idle;
pub mod login;
pub mod peers;
pub mod populate;
mod rounds;
pub mod stall;
pub mod storm;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::population::GROUP_MEMBERS;
use crate::server::{Features, School, Server};

/// How long a server or a machine is left alone after something large, before anything is measured.
pub const SETTLE: Duration = Duration::from_secs(2);

/// What a run is told.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many sessions.
    pub sessions: usize,
    /// How long to measure, all repeats together.
    pub time: Duration,
    /// How often everything is measured: a median and a range tell what one figure does not.
    pub repeats: u32,
    /// A server that is there already, instead of one of our own.
    pub server: Option<String>,
    /// The file of its people.
    pub people: Option<PathBuf>,
    /// The file of a cluster that runs, instead of a server of our own.
    pub cluster: Option<PathBuf>,
    /// Whether sessions are over TLS.
    pub tls: bool,
}

impl Plan {
    /// The server of the run, with people for its sessions.
    fn server(&self, counts: bool) -> Result<Server> {
        if let Some(cluster) = &self.cluster {
            let people = self.sessions.min(GROUP_MEMBERS) + 1;
            progress(&format!("a school of {people} people in the cluster"));
            return Server::of_cluster(cluster, people);
        }
        let Some(url) = &self.server else {
            let features = Features { tls: self.tls, counts };
            return Server::start(self.school(self.sessions)?, features);
        };
        ensure!(
            !self.tls && !counts,
            "this needs a server of its own: leave out --server"
        );
        Server::at(url, self.people.as_deref())
    }

    /// A school for so many sessions.
    fn school(&self, sessions: usize) -> Result<School> {
        // The sender is one more.
        let people = sessions.min(GROUP_MEMBERS) + 1;
        progress(&format!("a school of {people} people"));
        School::populate(people)
    }

    /// How long one repeat may take of those that share the time.
    fn share(&self, of: u32) -> Duration {
        self.time / of
    }

    fn check(&self, most: usize) -> Result<()> {
        ensure!(
            (1..=most).contains(&self.sessions),
            "between 1 and {most} sessions: a process has 20,000 descriptors"
        );
        Ok(())
    }
}

/// Tells whoever waits how far it is.
pub fn progress(line: &str) {
    eprintln!("samtale-loadtest: {line}");
}
