//! The people whose sessions a run opens: the file that `samtale populate` writes.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use samtale_protocol::frames::Hello;
use samtale_protocol::{DeviceId, GroupId, Language, ProfileId, SpaceId, limits};
use serde::Deserialize;

/// The most people of one group; with the sender, a thread takes no more. Beyond, people have several devices.
pub const GROUP_MEMBERS: usize = limits::MEMBERS - 1;

/// A school of people who are logged in.
#[derive(Clone, Debug)]
pub struct Population {
    /// Its spaces and groups.
    pub school: School,
    /// Its people. The first may write to the groups and is in none.
    pub people: Vec<LoggedIn>,
}

/// The first line of the file.
#[derive(Clone, Debug, Deserialize)]
pub struct School {
    /// The spaces that everyone is in.
    pub spaces: Vec<SpaceId>,
    /// The groups of the first space.
    pub groups: Vec<GroupId>,
}

/// A line of the file: someone who is logged in.
#[derive(Clone, Debug, Deserialize)]
pub struct LoggedIn {
    /// Their profile in the first space.
    pub profile: ProfileId,
    /// What their sessions show.
    pub access_token: String,
}

impl Population {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("{} can not be read", path.display()))?;
        let mut lines = BufReader::new(file).lines();
        let school = lines.next().context("the file of people is empty")??;
        let school: School = serde_json::from_str(&school).context("its first line names no spaces and groups")?;
        let people: Result<Vec<LoggedIn>> = lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect();
        let people = people.context("a line of it is no person")?;
        ensure!(people.len() > 1, "there are fewer than two people in it");
        Ok(Self { school, people })
    }

    /// The person who sends.
    pub fn sender(&self) -> &LoggedIn {
        &self.people[0]
    }

    /// The place of a session's person among the readers.
    pub fn place_of(&self, session: usize) -> usize {
        session % (self.people.len() - 1).min(GROUP_MEMBERS)
    }

    /// The person behind the session with this number, of those in the first group: everyone has one session before
    /// anyone has two.
    pub fn reader(&self, session: usize) -> &LoggedIn {
        &self.people[1 + self.place_of(session)]
    }
}

impl LoggedIn {
    /// The first frame of one of their sessions, the `number`th of the run.
    pub fn hello(&self, number: usize) -> Hello {
        let mut device = [0; 16];
        device[8..].copy_from_slice(&(number as u64).to_be_bytes());
        Hello {
            version: samtale_protocol::VERSION,
            access_token: self.access_token.clone(),
            device: DeviceId::from_bytes(device),
            client: "samtale-loadtest".to_owned(),
            language: Language::default(),
            cursor: None,
        }
    }
}
