//! Commands carried out in an office: the opened store with its rules and accounts, beside a listener or without one.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::{Command, CommandError, Commands, PeopleCommands, Progress};
use crate::server::Office;

/// See the module.
pub struct OfficeCommands {
    people: PeopleCommands,
}

impl OfficeCommands {
    /// Commands on this office.
    pub fn new(office: &Arc<Office>) -> Self {
        Self {
            people: PeopleCommands::new(office.opened.store.clone(), Arc::clone(&office.accounts)),
        }
    }
}

#[async_trait]
impl Commands for OfficeCommands {
    async fn run(&self, command: Command, progress: &dyn Progress) -> Result<Value, CommandError> {
        match command {
            Command::People(command) => self.people.run(command, progress).await,
            Command::Import { .. } => Err(CommandError::failed("`import` is not wired yet")),
            Command::Backup { .. } => Err(CommandError::failed("`backup` is not wired yet")),
        }
    }
}
