//! Commands carried out on the parts of a server: by the server itself, or by a process that opened the data folder.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::populate::populate;
use super::{Command, CommandError, Commands, PeopleCommands, Progress};
use crate::server::Office;

/// Carries out every command.
pub struct OfficeCommands {
    office: Arc<Office>,
    people: PeopleCommands,
}

impl OfficeCommands {
    /// Commands on these parts.
    pub fn new(office: Arc<Office>) -> Self {
        let people = PeopleCommands::new(office.opened.store.clone(), Arc::clone(&office.accounts));
        Self { office, people }
    }
}

#[async_trait]
impl Commands for OfficeCommands {
    async fn run(&self, command: Command, progress: &dyn Progress) -> Result<Value, CommandError> {
        match command {
            Command::People(command) => self.people.run(command, progress).await,
            Command::Populate { people } => {
                let populated = populate(&self.office, people, progress).await?;
                serde_json::to_value(populated).map_err(|error| CommandError::failed(error.to_string()))
            }
            Command::Import { .. } | Command::Backup { .. } => {
                let _ = &self.office;
                Err(CommandError::failed("not wired yet"))
            }
        }
    }
}
