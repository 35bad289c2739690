//! A space's directory, from memory or storage.

use std::sync::Arc;

use samtale_protocol::{ErrorCode, Refusal, SpaceId};
use samtale_storage::StorageError;
use samtale_storage::directory::{DirectoryVersionRecord, directory_version_key};

use crate::directory::Directory;
use crate::errors::refuse_storage;
use crate::school::{DIRECTORY_TURNS, School};

impl School {
    /// A space's directory, at least as new as the node has heard of.
    pub async fn directory(&self, space: SpaceId) -> Result<Arc<Directory>, Refusal> {
        self.load_directory(space)
            .await
            .map_err(|error| refuse_storage(&error))?
            .ok_or(ErrorCode::NotFound.into())
    }

    /// The directory of a space. When a whole school comes back at once, one loads it and the others wait for that: each by
    /// itself, they would load it thousands of times beside each other, and none in time.
    pub(crate) async fn load_directory(&self, space: SpaceId) -> Result<Option<Arc<Directory>>, StorageError> {
        if let Some(directory) = self.directory_in_memory(space) {
            return Ok(Some(directory));
        }
        if self.memory().following(space).is_none() {
            return self.directory_as_stored(space).await;
        }
        let _turn = self.turn(space).await;
        match self.directory_in_memory(space) {
            Some(directory) => Ok(Some(directory)),
            None => self.read_directory(space).await,
        }
    }

    /// The directory as storage has it at this moment, whatever the node has heard. Who brings threads in line with it begins
    /// with this: by an old one, someone would be let in again who has gone since.
    pub(crate) async fn directory_as_stored(&self, space: SpaceId) -> Result<Option<Arc<Directory>>, StorageError> {
        let _turn = self.turn(space).await;
        let known = self.known_directory(space);
        let Some(known) = known else {
            return self.read_directory(space).await;
        };
        let key = directory_version_key(space);
        let stored = self.store.get_serial::<DirectoryVersionRecord>(&key).await?;
        if stored.map_or(0, |stored| stored.timestamp) == known.version {
            return Ok(Some(known));
        }
        self.read_directory(space).await
    }

    pub(crate) fn directory_in_memory(&self, space: SpaceId) -> Option<Arc<Directory>> {
        let memory = self.memory();
        let directory = memory.directories.get(&space)?;
        let newest = memory.directory_versions.get(&space).copied().unwrap_or_default();
        (directory.version >= newest).then(|| Arc::clone(directory))
    }

    async fn read_directory(&self, space: SpaceId) -> Result<Option<Arc<Directory>>, StorageError> {
        let since = self.memory().following(space);
        let Some(directory) = Directory::load(&self.store, space).await? else {
            return Ok(None);
        };
        let directory = Arc::new(directory);
        let mut memory = self.memory();
        let newest = memory.directory_versions.entry(space).or_default();
        *newest = (*newest).max(directory.version);
        if memory.keeps(space, since) {
            memory.directories.insert(space, Arc::clone(&directory));
        } else {
            memory.passing_directory = Some(Arc::clone(&directory));
        }
        Ok(Some(directory))
    }

    /// One that may be old.
    fn known_directory(&self, space: SpaceId) -> Option<Arc<Directory>> {
        let memory = self.memory();
        let passing = memory.passing_directory.as_ref();
        let passing = passing.filter(|directory| directory.space == space);
        memory.directories.get(&space).or(passing).cloned()
    }

    async fn turn(&self, space: SpaceId) -> tokio::sync::MutexGuard<'_, ()> {
        let chosen = space.as_bytes().iter().fold(0, |sum, byte| sum ^ usize::from(*byte)) % DIRECTORY_TURNS;
        self.directory_turns[chosen].lock().await
    }
}
