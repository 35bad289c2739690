//! Commands carried out on the parts of a server: by the server itself, or by a process that opened the data folder.

use std::sync::Arc;

use async_trait::async_trait;
use samtale_school::import::ImportOptions;
use samtale_storage::backup::backup;
use samtale_storage::engine::chain;
use serde_json::{Value, json};

use super::nation::populate_nation;
use super::populate::populate;
use super::{Command, CommandError, Commands, PeopleCommands, Progress, import};
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
            Command::Import {
                path,
                dry_run,
                strict,
                force,
            } => {
                let options = ImportOptions { dry_run, strict, force };
                import::run(&self.office, path, options, progress).await
            }
            Command::Backup { to } => {
                let Some(embedded) = &self.office.opened.embedded else {
                    return Err(CommandError::refused(
                        "the rows are in a database: back it up by its own means, `nodetool snapshot` on each of its nodes, \
                         and the key folder apart from it (docs/operations.md)",
                    ));
                };
                progress.report("writing the backup");
                let written = backup(embedded, &to).await;
                let report = written.map_err(|error| CommandError::failed(chain(&error)))?;
                Ok(json!({ "path": report.path, "rows": report.rows, "bytes": report.bytes, "tables": report.tables }))
            }
            Command::PopulateNation { file } => {
                let populated = populate_nation(&self.office, &file, progress).await?;
                serde_json::to_value(populated).map_err(|error| CommandError::failed(error.to_string()))
            }
            Command::Populate { people } => {
                let populated = populate(&self.office, people, progress).await?;
                serde_json::to_value(populated).map_err(|error| CommandError::failed(error.to_string()))
            }
        }
    }
}
