//! Puts together what a server opens: an engine, which is the embedded one in the data folder or a database that speaks
//! CQL, the key file, the keyring, the store.

use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::SpaceId;
use samtale_protocol::time::Clock;

use crate::coalescing::CoalescingEngine;
use crate::cql::{CqlEngine, CqlOptions};
use crate::custodian::KeyFile;
use crate::embedded::{EmbeddedEngine, EmbeddedOptions, folder};
use crate::encrypted::EncryptedEngine;
use crate::engine::{Engine, Range, StorageError, chain};
use crate::key::Key;
use crate::keyring::{Keyring, ring_folder};
use crate::metered::MeteredEngine;
use crate::schema::SPACES;
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
    /// How the embedded engine is run.
    pub embedded: EmbeddedOptions,
    /// The database, if the rows are there and not in the data folder.
    pub cql: Option<CqlOptions>,
}

impl OpenOptions {
    /// The defaults for these two folders.
    pub fn new(data: impl Into<PathBuf>, keys: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            keys: keys.into(),
            embedded: EmbeddedOptions::default(),
            cql: None,
        }
    }
}

/// An opened store.
pub struct Opened {
    /// Reads and writes records, encrypted.
    pub store: Store,
    /// The same, as an engine.
    pub engine: Arc<dyn Engine>,
    /// The engine below the encryption, if it is the embedded one: for sweeping, backups, free space.
    pub embedded: Option<Arc<EmbeddedEngine>>,
    /// The keys: for lookups, rotation, destruction.
    pub keyring: Arc<Keyring>,
    /// The data folder, held for as long as the store is open; the embedded engine holds it by itself.
    _folder: Option<File>,
}

impl Opened {
    /// Does what must be done beside: renews the lease of the keys, sweeps away what is due. It runs until it is
    /// dropped; without it everything works, but nothing is swept and a lost lease is noticed later.
    pub async fn run(&self) {
        match &self.embedded {
            Some(embedded) => {
                tokio::join!(self.keyring.run_lease(), sweep(embedded));
            }
            // The database sweeps by itself.
            None => self.keyring.run_lease().await,
        }
    }
}

/// Opens the store, with the keys in a key folder; creates what is not there, except the tables of a database.
///
/// # Errors
///
/// [`StorageError::KeysUnavailable`] when there is data and the key folder has no master key, one that others can read,
/// or another one than the data was written with; [`StorageError::Unavailable`] when another process uses the data folder
/// or the database is not reached; [`StorageError::NewerFormat`] when the data is of a newer program;
/// [`StorageError::Schema`] when the tables of the database are not this program's; and what the file system says.
pub async fn open(options: OpenOptions, clock: Arc<dyn Clock>) -> Result<Opened, StorageError> {
    match options.cql.clone() {
        Some(cql) => open_database(options, &cql, clock).await,
        None => open_folder(options, clock).await,
    }
}

async fn open_folder(options: OpenOptions, clock: Arc<dyn Clock>) -> Result<Opened, StorageError> {
    let OpenOptions {
        data, keys, embedded, ..
    } = options;
    let ring = ring_folder(&keys);
    let (engine, custodian) = blocking(move || {
        // The folder first: it is locked from here on, and refuses data of a newer program.
        let has_data = folder::format_of(&data)?.is_some();
        let custodian = open_key_file(&keys, &data.display(), has_data)?;
        let engine = EmbeddedEngine::open(&data, embedded, clock)?;
        Ok((engine, custodian))
    })
    .await?;
    let embedded = Arc::new(engine);
    let keyring = open_keyring(&ring, custodian).await?;
    let encrypted = EncryptedEngine::new(embedded.clone(), Arc::clone(&keyring));
    let engine: Arc<dyn Engine> = Arc::new(MeteredEngine::new(Arc::new(encrypted)));
    Ok(Opened {
        store: Store::new(Arc::clone(&engine)),
        engine,
        embedded: Some(embedded),
        keyring,
        _folder: None,
    })
}

async fn open_database(options: OpenOptions, cql: &CqlOptions, clock: Arc<dyn Clock>) -> Result<Opened, StorageError> {
    let OpenOptions { data, keys, .. } = options;
    let ring = ring_folder(&keys);
    let folder = blocking(move || {
        let folder = folder::hold(&data)?;
        refuse_rows_left_behind(&data)?;
        Ok(folder)
    })
    .await?;
    let database = Arc::new(CqlEngine::open(cql, clock).await?);
    let first = first_space(&*database).await?;
    let (has_data, keyspace) = (first.is_some(), cql.keyspaces.plain.clone());
    let custodian = blocking(move || open_key_file(&keys, &format!("the keyspace {keyspace}"), has_data)).await?;
    let keyring = open_keyring(&ring, custodian).await?;
    let coalescing = Arc::new(CoalescingEngine::new(database.clone()));
    let encrypted = EncryptedEngine::new(coalescing, Arc::clone(&keyring));
    let engine: Arc<dyn Engine> = Arc::new(MeteredEngine::new(Arc::new(encrypted)));
    if let Some(key) = first {
        engine
            .get(&SPACES, &key)
            .await
            .map_err(|error| StorageError::KeysUnavailable {
                reason: format!("the rows in the database are not written with the keys in the key folder: {error}"),
            })?;
    }
    let fingerprint = keyring.lookup(SpaceId::SYSTEM, "key folder", "of all nodes").await?;
    database.claim_keys(&hexadecimal(&fingerprint)).await?;
    Ok(Opened {
        store: Store::new(Arc::clone(&engine)),
        engine,
        embedded: None,
        keyring,
        _folder: Some(folder),
    })
}

/// A school that stands in the data folder would seem to be gone, if the rows were looked for in a database.
fn refuse_rows_left_behind(data: &Path) -> Result<(), StorageError> {
    if folder::format_of(data)?.is_none() {
        return Ok(());
    }
    Err(StorageError::Unavailable {
        reason: format!(
            "the data folder {} holds a school of its own: move it with `samtale copy`, then give this node a new data folder",
            data.display()
        ),
    })
}

/// A row that every school has.
async fn first_space(engine: &dyn Engine) -> Result<Option<Key>, StorageError> {
    let partition = [SpaceId::SYSTEM.into()];
    let page = engine.scan(&SPACES, &partition, &Range::all(1)).await?;
    Ok(page
        .rows
        .into_iter()
        .next()
        .map(|row| Key::new(partition, row.clustering)))
}

async fn open_keyring(ring: &Path, custodian: KeyFile) -> Result<Arc<Keyring>, StorageError> {
    let keyring = Keyring::open(ring, Arc::new(custodian)).await?;
    // Every store has people. With these keys there, a key folder that is not the data's is noticed before any write.
    keyring.keys_for_writing(SpaceId::SYSTEM).await?;
    Ok(Arc::new(keyring))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn open_key_file(keys: &Path, data: &dyn Display, has_data: bool) -> Result<KeyFile, StorageError> {
    let path = keys.join(MASTER_KEY_FILE);
    // A new master key beside old data would only hide that the old one is missing.
    if has_data && !path.exists() {
        return Err(StorageError::KeysUnavailable {
            reason: format!(
                "there is data in {data} but no master key at {}: put the key folder of this data there",
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
