//! A space's directory, from memory or storage.

use std::sync::Arc;

use samtale_protocol::{ErrorCode, Refusal, SpaceId};
use samtale_storage::StorageError;
use samtale_storage::directory::{DirectoryVersionRecord, directory_version_key};

use crate::directory::Directory;
use crate::errors::refuse_storage;
use crate::school::School;

/// Directories of spaces that are not followed, at most; more of them are read anew.
const PASSING: usize = 32;

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
        let _turn = self.directory_turns.of(space).await;
        match self.directory_in_memory(space) {
            Some(directory) => Ok(Some(directory)),
            None => self.read_directory(space).await,
        }
    }

    /// The directory as storage has it at this moment, whatever the node has heard. Who brings threads in line with it begins
    /// with this: by an old one, someone would be let in again who has gone since.
    pub(crate) async fn directory_as_stored(&self, space: SpaceId) -> Result<Option<Arc<Directory>>, StorageError> {
        let _turn = self.directory_turns.of(space).await;
        self.read_directory(space).await
    }

    pub(crate) fn directory_in_memory(&self, space: SpaceId) -> Option<Arc<Directory>> {
        let memory = self.memory();
        let directory = memory.directories.get(&space)?;
        let newest = memory.directory_versions.get(&space).copied().unwrap_or_default();
        (directory.version >= newest).then(|| Arc::clone(directory))
    }

    /// The version of a directory as storage has it at this moment.
    pub(crate) async fn directory_version(&self, space: SpaceId) -> Result<u64, StorageError> {
        let key = directory_version_key(space);
        let stored = self.store.get_serial::<DirectoryVersionRecord>(&key).await?;
        Ok(stored.map_or(0, |stored| stored.timestamp))
    }

    /// Reads a directory, unless the one that was read before still is the newest.
    async fn read_directory(&self, space: SpaceId) -> Result<Option<Arc<Directory>>, StorageError> {
        let (known, since) = {
            let memory = self.memory();
            let known = memory.directories.get(&space);
            let known = known.or_else(|| memory.passing_directories.get(&space));
            (known.cloned(), memory.following(space))
        };
        let directory = match known {
            Some(known) if self.directory_version(space).await? == known.version => known,
            _ => match Directory::load(&self.store, space).await? {
                Some(directory) => Arc::new(directory),
                None => return Ok(None),
            },
        };
        let mut memory = self.memory();
        let newest = memory.directory_versions.entry(space).or_default();
        *newest = (*newest).max(directory.version);
        if memory.keeps(space, since) {
            memory.passing_directories.remove(&space);
            memory.directories.insert(space, Arc::clone(&directory));
        } else {
            if memory.passing_directories.len() >= PASSING {
                memory.passing_directories.clear();
            }
            memory.passing_directories.insert(space, Arc::clone(&directory));
        }
        Ok(Some(directory))
    }
}
