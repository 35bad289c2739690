//! A server with the made-up school of `samtale demo`, whose people have passwords.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use samtale_client::ServerAddress;
use serde::Deserialize;

use super::{Own, PROGRAM, School, Server, program};
use crate::readers::{Kind, Target};

/// Logins of one person are few, in a school: here they are all there is.
const UNLIMITED: &str = "limits.logins_per_account_per_minute=1000000";

/// Someone who can log in.
#[derive(Clone, Debug, Deserialize)]
pub struct Login {
    /// As whom.
    pub username: String,
    /// With what.
    pub password: String,
}

#[derive(Deserialize)]
struct Ready {
    url: String,
    logins: Vec<Login>,
}

impl Server {
    /// Starts one, and says where it is and who can log in.
    pub fn demo() -> Result<(Self, ServerAddress, Vec<Login>)> {
        let school = School::empty()?;
        let mut demo = Command::new(program()?);
        // The server knows its own settings only, and would refuse this one.
        demo.env_remove(PROGRAM);
        demo.args(["demo", "--json", "--listen", "127.0.0.1:0", "--set", UNLIMITED]);
        demo.arg("--data").arg(school.data());
        let mut child = demo
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let said = child.stdout.take().context("`samtale demo` says nothing")?;
        let own = Own {
            child,
            school,
            cpu: RefCell::default(),
        };
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let ready: Ready = serde_json::from_str(&line).context("`samtale demo` does not say that it is ready")?;
        let address: ServerAddress = ready.url.parse()?;
        let authority = ready.url.trim_start_matches("http://");
        let server = Self {
            target: Target {
                kind: Kind::Session,
                servers: vec![authority.parse()?],
                people: None,
                certificate: None,
            },
            metrics: None,
            own: Some(own),
            cluster: None,
        };
        Ok((server, address, ready.logins))
    }
}
