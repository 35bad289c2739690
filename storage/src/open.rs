//! Puts together what a server opens: the embedded engine in the data folder, the key file, the keyring, the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::SpaceId;
use samtale_protocol::time::Clock;

use crate::custodian::KeyFile;
use crate::embedded::{EmbeddedEngine, EmbeddedOptions, folder};
use crate::encrypted::EncryptedEngine;
use crate::engine::{Engine, StorageError, chain};
use crate::keyring::{Keyring, ring_folder};
use crate::metered::MeteredEngine;
use crate::store::Store;

const MASTER_KEY_FILE: &str = "master.key";
/// How often rows that are due are swept away.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// What a step of the sweeper looks at: a few milliseconds of the writer's time.
const SWEEP_LIMIT: usize = 500;

/// What to open.
#[derive(Clone)]
pub struct OpenOptions {
    /// The data folder.
    pub data: PathBuf,
    /// The key folder, apart from it: never in the same backup.
    pub keys: PathBuf,
    /// How the engine is run.
    pub embedded: EmbeddedOptions,
}

impl OpenOptions {
    /// The defaults for these two folders.
    pub fn new(data: impl Into<PathBuf>, keys: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            keys: keys.into(),
            embedded: EmbeddedOptions::default(),
        }
    }
}

/// An opened store.
pub struct Opened {
    /// Reads and writes records, encrypted.
    pub store: Store,
    /// The same, as an engine.
    pub engine: Arc<dyn Engine>,
    /// The engine below the encryption: for sweeping, backups, free space.
    pub embedded: Arc<EmbeddedEngine>,
    /// The keys: for lookups, rotation, destruction.
    pub keyring: Arc<Keyring>,
}

impl Opened {
    /// Does what must be done beside: renews the lease of the keys, sweeps away what is due. It runs until it is
    /// dropped; without it everything works, but nothing is swept and a lost lease is noticed later.
    pub async fn run(&self) {
        tokio::join!(self.keyring.run_lease(), sweep(&self.embedded));
    }
}

/// Opens the store in a data folder, with the keys in a key folder; creates what is not there.
///
/// # Errors
///
/// [`StorageError::KeysUnavailable`] when the folder holds data and the key folder no master key, or one that others
/// can read; [`StorageError::Unavailable`] when another process uses the data folder; [`StorageError::NewerFormat`]
/// when the data is of a newer program; and what the file system says.
pub async fn open(options: OpenOptions, clock: Arc<dyn Clock>) -> Result<Opened, StorageError> {
    let OpenOptions { data, keys, embedded } = options;
    let ring = ring_folder(&keys);
    let (engine, custodian) = blocking(move || {
        // The folder first: it is locked from here on, and refuses data of a newer program.
        let has_data = folder::format_of(&data)?.is_some();
        let custodian = open_key_file(&keys, &data, has_data)?;
        let engine = EmbeddedEngine::open(&data, embedded, clock)?;
        Ok((engine, custodian))
    })
    .await?;
    let embedded = Arc::new(engine);
    let keyring = Arc::new(Keyring::open(&ring, Arc::new(custodian)).await?);
    // Every store has people. With these keys there, a key folder that is not the data's is noticed before any write.
    keyring.keys_for_writing(SpaceId::SYSTEM).await?;
    let encrypted = EncryptedEngine::new(embedded.clone(), Arc::clone(&keyring));
    let engine: Arc<dyn Engine> = Arc::new(MeteredEngine::new(Arc::new(encrypted)));
    Ok(Opened {
        store: Store::new(Arc::clone(&engine)),
        engine,
        embedded,
        keyring,
    })
}

fn open_key_file(keys: &Path, data: &Path, has_data: bool) -> Result<KeyFile, StorageError> {
    let path = keys.join(MASTER_KEY_FILE);
    // A new master key beside old data would only hide that the old one is missing.
    if has_data && !path.exists() {
        return Err(StorageError::KeysUnavailable {
            reason: format!(
                "there is data in {} but no master key at {}: put the key folder of this data there",
                data.display(),
                path.display()
            ),
        });
    }
    KeyFile::open_or_create(&path).map_err(|error| StorageError::KeysUnavailable { reason: chain(&error) })
}

async fn sweep(engine: &EmbeddedEngine) {
    loop {
        match engine.sweep(SWEEP_LIMIT).await {
            Ok(swept) if swept.more => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "expired rows were not swept"),
        }
        tokio::time::sleep(SWEEP_INTERVAL).await;
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(StorageError::Unavailable {
            reason: "the runtime is stopping".to_owned(),
        })
    })
}
