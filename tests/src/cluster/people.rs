//! The people of a cluster, made by the commands that operators have.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use samtale_client::{Client, ClientOptions, Credentials, FileCursor, Secret, Updates};
use samtale_protocol::{ProfileId, SpaceId};
use serde_json::Value;

use crate::cluster::Gateway;
use crate::town::PASSWORD;

/// Someone who can log in. All are staff of one school.
#[derive(Clone, Debug)]
pub struct Member {
    /// What they log in as.
    pub username: String,
    /// Their profile.
    pub profile: ProfileId,
}

/// A school with people who can log in.
#[derive(Clone, Debug)]
pub struct School {
    /// The school.
    pub space: SpaceId,
    /// Its people.
    pub people: Vec<Member>,
}

impl Member {
    /// A client of theirs that comes to the server at `url`.
    pub fn connect(&self, url: &str) -> Result<(Client, Updates)> {
        Ok(Client::connect(self.options(url)?))
    }

    /// The same, with a cursor that is kept in a file.
    pub fn connect_with_cursor(&self, url: &str, file: &Path) -> Result<(Client, Updates)> {
        let mut options = self.options(url)?;
        options.cursor = Some(Box::new(FileCursor::at(file)));
        Ok(Client::connect(options))
    }

    fn options(&self, url: &str) -> Result<ClientOptions> {
        let credentials = Credentials::Password {
            username: self.username.clone(),
            password: Secret::new(PASSWORD),
        };
        Ok(ClientOptions::new(url, credentials)?)
    }
}

/// Makes a school of so many people through a running gateway.
pub async fn found(gateway: &Gateway, people: usize, tokens: PathBuf) -> Result<School> {
    let count = people.to_string();
    let file = tokens.to_str().context("the folder's name is no text")?;
    gateway
        .run(&["populate", "--people", &count, "--tokens", file], "")
        .await?;
    let written = std::fs::read_to_string(&tokens)?;
    // Whoever has it is logged in as all of them.
    std::fs::remove_file(&tokens)?;
    let mut lines = written.lines();
    let head: Value = serde_json::from_str(lines.next().context("no first line")?)?;
    let space: SpaceId = serde_json::from_value(head["spaces"][0].clone())?;
    let listed: Value = serde_json::from_str(&gateway.run(&["people", "list", "--json"], "").await?)?;
    let mut school = School {
        space,
        people: Vec::new(),
    };
    for line in lines {
        let person: Value = serde_json::from_str(line)?;
        let listed = listed["people"].as_array().into_iter().flatten();
        let mut found = listed.filter(|entry| entry["person"] == person["person"]);
        let username = found.next().and_then(|entry| entry["username"].as_str());
        school.people.push(Member {
            username: username.context("a person without a user name")?.to_owned(),
            profile: serde_json::from_value(person["profile"].clone())?,
        });
    }
    ensure!(
        school.people.len() == people,
        "{} people of {people}",
        school.people.len()
    );
    for member in &school.people {
        gateway
            .run(&["people", "set-password", &member.username], PASSWORD)
            .await?;
    }
    Ok(school)
}
