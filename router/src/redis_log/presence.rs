//! Who is online, told over Redis: per node the set of its people, which ends by itself soon after the node, and the list of
//! nodes. Nothing of it says since when, and nothing of it is kept.

use std::time::Duration;

use async_trait::async_trait;
use samtale_protocol::{PersonId, SpaceId};
use tracing::debug;

use super::{RedisLog, odd};
use crate::log::LogError;
use crate::presence::{Presence, SharedPresence};

/// How long a node's people stay online after it was heard of last.
const LEASE: Duration = Duration::from_secs(12);

/// How often a node says that it is there.
const RENEWAL: Duration = Duration::from_secs(3);

/// At every so many renewals all is told again: one who came and one who went unheard would make the same count.
const TOLD_ANEW: u64 = 5;

/// How soon it tries again when Redis is away.
const RETRY: Duration = Duration::from_millis(200);

/// How many people are told of or asked for in one command.
const PEOPLE: usize = 500;

impl RedisLog {
    /// Keeps what this node told of its people alive, for as long as it is polled; and tells it all again when Redis has
    /// lost it.
    pub async fn run_presence(&self, presence: &Presence) {
        for turn in 0_u64.. {
            let renewed = self.renew(presence, turn.is_multiple_of(TOLD_ANEW)).await;
            if let Err(error) = &renewed {
                debug!(%error, "who is online can not be told now");
            }
            tokio::time::sleep(if renewed.is_ok() { RENEWAL } else { RETRY }).await;
        }
    }

    async fn renew(&self, presence: &Presence, is_told_anew: bool) -> Result<(), LogError> {
        let server = self.server(SpaceId::SYSTEM);
        let live = server.live()?;
        let mut call = self.scripts.renew.prepare_invoke();
        call.key(self.names.nodes()).key(self.names.online(&self.node));
        call.arg(&self.node).arg(LEASE.as_secs());
        let told: usize = server.invoke(&live, &call).await?;
        let here = presence.all_here();
        if told == here.len() && !is_told_anew {
            return Ok(());
        }
        let key = self.names.online(&self.node);
        let mut commands = redis::pipe();
        commands.atomic().del(&key).ignore();
        for people in here.chunks(PEOPLE) {
            let people: Vec<&[u8]> = people.iter().map(|person| person.as_bytes().as_slice()).collect();
            commands.sadd(&key, people).ignore();
        }
        commands.cmd("EXPIRE").arg(&key).arg(LEASE.as_secs()).ignore();
        server.query(&live, &commands).await
    }
}

#[async_trait]
impl SharedPresence for RedisLog {
    async fn tell(&self, person: PersonId, online: bool) -> Result<(), LogError> {
        let server = self.server(SpaceId::SYSTEM);
        let key = self.names.online(&self.node);
        let mut commands = redis::pipe();
        let command = commands.cmd(if online { "SADD" } else { "SREM" });
        command.arg(&key).arg(person.as_bytes().as_slice()).ignore();
        commands.cmd("EXPIRE").arg(&key).arg(LEASE.as_secs()).ignore();
        server.query(&server.live()?, &commands).await
    }

    async fn online(&self, persons: &[PersonId]) -> Result<Vec<bool>, LogError> {
        let server = self.server(SpaceId::SYSTEM);
        let live = server.live()?;
        let mut online = Vec::with_capacity(persons.len());
        for persons in persons.chunks(PEOPLE) {
            let mut call = self.scripts.online.prepare_invoke();
            call.key(self.names.nodes())
                .arg(LEASE.as_secs())
                .arg(self.names.online(""));
            for person in persons {
                call.arg(person.as_bytes().as_slice());
            }
            let found: Vec<u8> = server.invoke(&live, &call).await?;
            if found.len() != persons.len() {
                return Err(odd());
            }
            online.extend(found.into_iter().map(|found| found == 1));
        }
        Ok(online)
    }
}
