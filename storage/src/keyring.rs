//! The keyring: each space's data keys, wrapped by the custodian, in a folder outside the database and its backups.
//!
//! Destroying a space's file here erases the space everywhere, backups included. What is unwrapped is kept in memory
//! under a lease of the custodian, and dropped with it.
//!
//! Several processes may share the folder: of two that make keys for a space one does, and what one rotates or destroys
//! the others notice when they next renew their lease.

mod files;
mod space_keys;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use samtale_protocol::SpaceId;
use tokio::time::Instant;

use self::files::{Found, RingFolder};
pub(crate) use self::space_keys::SpaceKeys;
use crate::custodian::{Custodian, CustodianError};
use crate::engine::{StorageError, chain};

/// How often the lease is renewed.
pub const LEASE_INTERVAL: Duration = Duration::from_secs(20);
/// For how long keys are used after the last renewal.
pub const LEASE_LENGTH: Duration = Duration::from_secs(60);
/// How often a lost lease is asked for again.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// How often, at most, those who need keys ask for a lost lease themselves.
const DEMAND_INTERVAL: Duration = Duration::from_secs(1);

/// The data keys of spaces.
pub struct Keyring {
    folder: RingFolder,
    custodian: Arc<dyn Custodian>,
    state: Mutex<State>,
    /// One file is read or written at a time; two who need a new space get the same keys.
    files: tokio::sync::Mutex<()>,
    /// One renewal at a time.
    renewal: tokio::sync::Mutex<()>,
}

struct State {
    lease: Lease,
    asked: Instant,
    keys: HashMap<SpaceId, Arc<SpaceKeys>>,
    /// What the folder said when these keys were read.
    generation: Vec<u8>,
    /// How often the keys were dropped: what was read from a file before that does not count after it.
    dropped: u64,
}

impl State {
    fn drop_keys(&mut self) {
        self.keys.clear();
        self.dropped += 1;
    }
}

enum Lease {
    /// Keys may be used until then.
    Held { until: Instant },
    /// The custodian refused; why.
    Lost { reason: String },
}

impl Keyring {
    /// Opens the keyring in `folder`, creating the folder if it is not there.
    ///
    /// # Errors
    ///
    /// [`StorageError::KeysUnavailable`] when the custodian does not give a lease.
    pub async fn open(folder: &Path, custodian: Arc<dyn Custodian>) -> Result<Self, StorageError> {
        let folder = RingFolder::open(folder.to_owned()).await?;
        let asked = Instant::now();
        custodian.renew_lease().await.map_err(|error| unavailable(&error))?;
        let generation = folder.generation().await?;
        Ok(Self {
            folder,
            custodian,
            state: Mutex::new(State {
                lease: Lease::Held {
                    until: asked + LEASE_LENGTH,
                },
                asked,
                keys: HashMap::new(),
                generation,
                dropped: 0,
            }),
            files: tokio::sync::Mutex::default(),
            renewal: tokio::sync::Mutex::default(),
        })
    }

    /// The folder of the keyring.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What a text is looked up by in this space: an HMAC under the space's key, so that the database does not hold the
    /// text. `purpose` keeps user names apart from codes. The caller lowercases and trims.
    ///
    /// # Errors
    ///
    /// [`StorageError::KeysUnavailable`] when the custodian does not give the keys, or they are destroyed.
    pub async fn lookup(&self, space: SpaceId, purpose: &str, text: &str) -> Result<[u8; 16], StorageError> {
        Ok(self.keys_for_writing(space).await?.lookup(purpose, text))
    }

    /// Gives the space a new data key, which new writes use; old rows are still read with the old ones. Returns its id.
    ///
    /// # Errors
    ///
    /// As for [`Keyring::lookup`], and when the file can not be written.
    pub async fn rotate(&self, space: SpaceId) -> Result<u32, StorageError> {
        self.keys_for_writing(space).await?;
        let _files = self.files.lock().await;
        let _others = self.folder.lock().await?;
        let Found::Keys(wrapped) = self.folder.read(space).await? else {
            return Err(destroyed(space));
        };
        let rotated = self
            .unwrap(space, &wrapped)
            .await?
            .rotated()
            .map_err(|error| unavailable(&error))?;
        let wrapped = self.wrap(space, &rotated).await?;
        self.folder.replace(space, wrapped).await?;
        self.folder.tell_others().await?;
        let id = rotated.current_id();
        self.state().keys.insert(space, Arc::new(rotated));
        Ok(id)
    }

    /// Destroys the space's keys: everything of the space is unreadable from now on, in the database and in every
    /// backup of it. There is no way back, except through a copy of the keyring folder.
    ///
    /// # Errors
    ///
    /// When the file can not be removed.
    pub async fn destroy(&self, space: SpaceId) -> Result<(), StorageError> {
        let _files = self.files.lock().await;
        let _others = self.folder.lock().await?;
        self.state().keys.remove(&space);
        self.folder.destroy(space).await?;
        self.folder.tell_others().await
    }

    /// Renews the lease for as long as it runs: the owner stops it by dropping it. When the custodian refuses, the keys
    /// are dropped and every read and write says why, until it gives them again.
    pub async fn run_lease(&self) {
        loop {
            let held = {
                let _renewal = self.renewal.lock().await;
                self.renew().await.is_ok()
            };
            tokio::time::sleep(if held { LEASE_INTERVAL } else { RETRY_INTERVAL }).await;
        }
    }

    /// The keys to read rows of this space with; `None` when it has none and never had.
    pub(crate) async fn keys_for_reading(&self, space: SpaceId) -> Result<Option<Arc<SpaceKeys>>, StorageError> {
        self.ensure_lease().await?;
        if let Some(keys) = self.cached(space) {
            return Ok(Some(keys));
        }
        let _files = self.files.lock().await;
        self.load(space).await
    }

    /// The keys of this space as the folder has them now: another process may have rotated them.
    pub(crate) async fn keys_read_again(&self, space: SpaceId) -> Result<Option<Arc<SpaceKeys>>, StorageError> {
        self.ensure_lease().await?;
        let _files = self.files.lock().await;
        self.state().keys.remove(&space);
        self.load(space).await
    }

    /// The keys to write rows of this space with; a space that has none gets some.
    pub(crate) async fn keys_for_writing(&self, space: SpaceId) -> Result<Arc<SpaceKeys>, StorageError> {
        self.ensure_lease().await?;
        if let Some(keys) = self.cached(space) {
            return Ok(keys);
        }
        let _files = self.files.lock().await;
        if let Some(keys) = self.load(space).await? {
            return Ok(keys);
        }
        let fresh = SpaceKeys::new().map_err(|error| unavailable(&error))?;
        let wrapped = self.wrap(space, &fresh).await?;
        self.folder.create(space, wrapped).await?;
        // What counts is what is in the file: another process may have been first.
        self.load(space).await?.ok_or_else(|| destroyed(space))
    }

    async fn load(&self, space: SpaceId) -> Result<Option<Arc<SpaceKeys>>, StorageError> {
        if let Some(keys) = self.cached(space) {
            return Ok(Some(keys));
        }
        let dropped = self.state().dropped;
        let wrapped = match self.folder.read(space).await? {
            Found::Keys(wrapped) => wrapped,
            Found::Nothing => return Ok(None),
            Found::Destroyed => return Err(destroyed(space)),
        };
        let keys = Arc::new(self.unwrap(space, &wrapped).await?);
        let mut state = self.state();
        if state.dropped == dropped {
            state.keys.insert(space, Arc::clone(&keys));
        }
        Ok(Some(keys))
    }

    async fn wrap(&self, space: SpaceId, keys: &SpaceKeys) -> Result<Vec<u8>, StorageError> {
        let wrapped = self.custodian.wrap(space, &keys.encode()).await;
        wrapped.map_err(|error| unavailable(&error))
    }

    async fn unwrap(&self, space: SpaceId, wrapped: &[u8]) -> Result<SpaceKeys, StorageError> {
        let secret = self.custodian.unwrap(space, wrapped).await;
        let secret = secret.map_err(|error| unavailable(&error))?;
        SpaceKeys::decode(&secret).ok_or_else(|| unavailable(&CustodianError::Damaged))
    }

    fn cached(&self, space: SpaceId) -> Option<Arc<SpaceKeys>> {
        self.state().keys.get(&space).cloned()
    }

    async fn ensure_lease(&self) -> Result<(), StorageError> {
        {
            let state = self.state();
            match &state.lease {
                Lease::Held { until } if Instant::now() < *until => return Ok(()),
                Lease::Lost { reason } if state.asked.elapsed() < DEMAND_INTERVAL => {
                    return Err(StorageError::KeysUnavailable { reason: reason.clone() });
                }
                _ => {}
            }
        }
        // Nobody renews it, or it was lost: ask now, but not all at once.
        let Ok(_renewal) = self.renewal.try_lock() else {
            return Err(StorageError::KeysUnavailable {
                reason: "the custodian is being asked for the keys".to_owned(),
            });
        };
        self.renew().await
    }

    async fn renew(&self) -> Result<(), StorageError> {
        let asked = Instant::now();
        let renewed = self.ask().await;
        let mut state = self.state();
        state.asked = asked;
        let was_held = matches!(state.lease, Lease::Held { .. });
        match renewed {
            Ok(generation) => {
                if state.generation != generation {
                    state.drop_keys();
                    state.generation = generation;
                }
                if !was_held {
                    tracing::info!("the custodian gives the keys again");
                }
                state.lease = Lease::Held {
                    until: asked + LEASE_LENGTH,
                };
                Ok(())
            }
            Err(reason) => {
                state.drop_keys();
                if was_held {
                    tracing::error!(
                        reason,
                        "the custodian no longer gives the keys: nothing can be read or written"
                    );
                }
                state.lease = Lease::Lost { reason: reason.clone() };
                Err(StorageError::KeysUnavailable { reason })
            }
        }
    }

    /// Asks the custodian for the lease, and the folder whether keys were changed.
    async fn ask(&self) -> Result<Vec<u8>, String> {
        self.custodian.renew_lease().await.map_err(|error| chain(&error))?;
        self.folder.generation().await.map_err(|error| chain(&error))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the keyring stands in a key folder.
pub(crate) fn ring_folder(keys: &Path) -> PathBuf {
    keys.join("ring")
}

fn unavailable(error: &dyn std::error::Error) -> StorageError {
    StorageError::KeysUnavailable { reason: chain(error) }
}

fn destroyed(space: SpaceId) -> StorageError {
    StorageError::KeysUnavailable {
        reason: format!("the keys of the space {space} are destroyed"),
    }
}
