//! The embedded engine: fjall in the data folder, one writer thread that syncs once for all who wait.
//!
//! A row is seen by readers, and its writer answered, only after a sync that began after it was written.

mod cell;
mod export;
pub(crate) mod folder;
mod group;
mod place;
mod torn;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use fjall::{CompressionType, Database, KeyspaceCreateOptions, Readable};
use samtale_protocol::time::Clock;
use tokio::sync::{Semaphore, mpsc, oneshot};

pub(crate) use self::export::{Importer, Snapshot, StoredRow};
pub use self::folder::FORMAT;
pub use self::group::Swept;

use self::folder::{Folder, sync_tree};
use self::group::{Group, Tables, decode, embedded};
use self::torn::Cut;
use self::writer::{Job, Task};
use crate::engine::{Batch, Change, Compared, Engine, Page, Range, Row, StorageError};
use crate::key::{Key, KeyValue};
use crate::schema::Table;

/// Blocks of tables kept in memory.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// What a table holds in memory before it is written out.
const MEMTABLE_BYTES: u64 = 16 * 1024 * 1024;
/// Logs on the disk that are not yet in tables.
const JOURNALING_BYTES: u64 = 192 * 1024 * 1024;
/// Files the store keeps open.
const OPEN_FILES: usize = 256;
/// Reads at a time: beyond it they wait, so that a storm of reads does not become a storm of threads.
const READERS: usize = 32;
/// Below this many free bytes, writes are refused. Room for what the store rewrites in the background.
const RESERVE_BYTES: u64 = 256 * 1024 * 1024;
/// How long a write waits for its sync.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// What is called when writes can no longer be made durable. It should end the process.
pub type OnFatal = Arc<dyn Fn(&StorageError) + Send + Sync>;

/// How the embedded engine is run.
#[derive(Clone)]
pub struct EmbeddedOptions {
    /// Free bytes below which writes are refused.
    pub reserve_bytes: u64,
    /// Bytes of memory for blocks of tables.
    pub cache_bytes: u64,
    /// Bytes of rows kept in memory before they are written out as a table.
    pub memtable_bytes: u64,
    /// How long a write waits before it returns [`StorageError::Timeout`].
    pub write_timeout: Duration,
    /// What is called when writes can no longer be made durable.
    pub on_fatal: OnFatal,
    /// Breaks the promise on purpose, so that the power-loss test can be seen to catch it.
    #[doc(hidden)]
    pub acknowledge_before_sync: bool,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            reserve_bytes: RESERVE_BYTES,
            cache_bytes: CACHE_BYTES,
            memtable_bytes: MEMTABLE_BYTES,
            write_timeout: WRITE_TIMEOUT,
            on_fatal: Arc::new(abort),
            acknowledge_before_sync: false,
        }
    }
}

/// Ends the process at once: after a failed sync nothing that is in memory may be trusted to reach the disk, and what
/// runs at an orderly end could acknowledge more.
fn abort(error: &StorageError) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "the embedded store can not go on: stopping"
    );
    std::process::abort();
}

struct Inner {
    // Before the folder, so that the store is closed when the folder is let go.
    tables: Tables,
    folder: Folder,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    reserve_bytes: u64,
    on_fatal: OnFatal,
    acknowledge_before_sync: bool,
}

impl Inner {
    fn row(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        let place = place::row_place(table, &key.partition, &key.clustering);
        let now = self.clock.now();
        let cell = self.tables.cell(table, &place)?.filter(|cell| cell.is_live(now));
        Ok(cell.map(|cell| Row {
            clustering: key.clustering.clone(),
            body: cell.body.unwrap_or_default(),
            timestamp: cell.timestamp,
        }))
    }
}

/// Keeps every table in a data folder of this machine.
pub struct EmbeddedEngine {
    inner: Arc<Inner>,
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
    readers: Arc<Semaphore>,
    write_timeout: Duration,
}

impl EmbeddedEngine {
    /// Opens the store in the folder `path`, or creates it there. Blocks while it reads the log of the last run.
    ///
    /// # Errors
    ///
    /// [`StorageError::Unavailable`] when another process uses the folder, [`StorageError::NewerFormat`] when its data
    /// is newer than this program, and what the file system or the store says.
    pub fn open(path: &Path, options: EmbeddedOptions, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        let folder = Folder::take(path)?;
        let tables = open_tables(&folder, &options)?;
        let inner = Arc::new(Inner {
            tables,
            folder,
            path: path.to_owned(),
            clock,
            reserve_bytes: options.reserve_bytes,
            on_fatal: options.on_fatal,
            acknowledge_before_sync: options.acknowledge_before_sync,
        });
        let (queue, jobs) = mpsc::channel(writer::QUEUE);
        let shared = Arc::clone(&inner);
        let writer = std::thread::Builder::new()
            .name("storage-writer".to_owned())
            .spawn(move || writer::run(&shared, jobs))
            .map_err(crate::files::failed("start the writer of", path))?;
        Ok(Self {
            inner,
            queue: Some(queue),
            writer: Some(writer),
            readers: Arc::new(Semaphore::new(READERS)),
            write_timeout: options.write_timeout,
        })
    }

    /// Takes away rows that are expired or deleted for at least a day, `limit` entries at most: call it now and then,
    /// and again while there are more.
    ///
    /// # Errors
    ///
    /// As for a write.
    pub async fn sweep(&self, limit: usize) -> Result<Swept, StorageError> {
        // It frees room, so it goes on while there is little.
        self.submit("sweep", "all tables", 0, false, move |group| group.sweep(limit))
            .await
    }

    /// Reads one row on this thread, which waits when the row is not in memory.
    ///
    /// # Errors
    ///
    /// As for [`Engine::get`].
    pub fn get_blocking(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        self.inner.row(table, key)
    }

    /// Free bytes on the disk of the data folder.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn free_bytes(&self) -> Result<u64, StorageError> {
        let read = self.inner.folder.free_bytes();
        read.map_err(crate::files::failed("ask for the free space of", &self.inner.path))
    }

    async fn submit<T: Send + 'static>(
        &self,
        operation: &'static str,
        table: &'static str,
        bytes: usize,
        needs_room: bool,
        work: impl FnOnce(&mut Group<'_>) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let gone = || StorageError::Unavailable {
            reason: "the embedded store has stopped".to_owned(),
        };
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Task {
            work: Some(work),
            result: None,
            reply,
            bytes,
            needs_room,
        });
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        let waited = tokio::time::timeout(self.write_timeout, async {
            queue.send(job).await.map_err(|_| gone())?;
            // A writer that is gone has left this undone, or has stopped in the middle of it.
            answer.await.unwrap_or(Err(StorageError::Timeout { operation, table }))
        });
        waited.await.unwrap_or(Err(StorageError::Timeout { operation, table }))
    }

    async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        table: &'static Table,
        work: impl FnOnce(&Inner) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let stopped = |_| StorageError::Unavailable {
            reason: format!(
                "the runtime stopped while storage was asked to {operation} {}",
                table.name
            ),
        };
        // The permit goes along, so that a read whose caller is gone still counts.
        let permit = Arc::clone(&self.readers).acquire_owned().await;
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&inner)
        })
        .await
        .map_err(stopped)?
    }
}

impl Drop for EmbeddedEngine {
    fn drop(&mut self) {
        // The writer ends when the queue does, after what waits in it; the folder is free when this returns.
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

#[async_trait]
impl Engine for EmbeddedEngine {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        let key = key.clone();
        self.read("read", table, move |inner| inner.row(table, &key)).await
    }

    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError> {
        let Some(bounds) = place::bounds(table, partition, range) else {
            return Ok(Page {
                rows: Vec::new(),
                more: false,
            });
        };
        let (limit, descending) = (range.limit, range.descending);
        let skip = place::row_prefix(table, partition).len();
        self.read("scan", table, move |inner| {
            let now = inner.clock.now();
            // A snapshot, so that a batch is seen whole or not at all.
            let mut entries = inner
                .tables
                .database
                .snapshot()
                .range(&inner.tables.rows, bounds.0.as_slice()..bounds.1.as_slice());
            let mut page = Page {
                rows: Vec::new(),
                more: false,
            };
            while let Some(entry) = if descending {
                entries.next_back()
            } else {
                entries.next()
            } {
                let (place, bytes) = entry.into_inner().map_err(embedded("read a range"))?;
                let cell = decode(table.name, &bytes)?;
                if !cell.is_live(now) {
                    continue;
                }
                if page.rows.len() == limit {
                    page.more = true;
                    break;
                }
                let clustering = place
                    .get(skip..)
                    .and_then(|rest| place::columns(table.clustering, rest));
                let (clustering, _) = clustering.ok_or_else(|| StorageError::Unreadable {
                    table: table.name,
                    reason: "its key in the embedded store is damaged".to_owned(),
                })?;
                page.rows.push(Row {
                    clustering,
                    body: cell.body.unwrap_or_default(),
                    timestamp: cell.timestamp,
                });
            }
            Ok(page)
        })
        .await
    }

    async fn write(&self, batch: Batch) -> Result<(), StorageError> {
        let table = batch.table.name;
        let bytes = batch.rows.iter().map(|row| size(&row.change)).sum();
        self.submit("write", table, bytes, true, move |group| group.write(batch))
            .await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<u64>,
        body: Option<Vec<u8>>,
    ) -> Result<Compared, StorageError> {
        let key = key.clone();
        let bytes = body.as_ref().map_or(0, Vec::len);
        self.submit("compare and set", table.name, bytes, true, move |group| {
            group.compare_and_set(table, &key, expected, body)
        })
        .await
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        // Through the writer's queue, behind every write that was begun before.
        let key = key.clone();
        self.submit("read", table.name, 0, false, move |group| group.read(table, &key))
            .await
    }
}

fn size(change: &Change) -> usize {
    match change {
        Change::Put { body, .. } => body.len(),
        Change::Delete => 0,
    }
}

fn open_tables(folder: &Folder, options: &EmbeddedOptions) -> Result<Tables, StorageError> {
    let store = folder.store();
    let table = || KeyspaceCreateOptions::default().max_memtable_size(options.memtable_bytes);
    let open = || {
        let database = Database::builder(&store)
            .cache_size(options.cache_bytes)
            .max_journaling_size(JOURNALING_BYTES)
            .max_cached_files(Some(OPEN_FILES))
            // Bodies are encrypted: there is nothing to compress.
            .journal_compression(CompressionType::None)
            .worker_threads(2)
            .open()?;
        let rows = database.keyspace("rows", table)?;
        let due = database.keyspace("due", table)?;
        Ok(Tables { database, rows, due })
    };
    let tables = open().or_else(|error| open_without_torn_group(&store, error, open))?;
    sync_tree(&store)?;
    Ok(tables)
}

/// Opens the store again without the last group, if it was that which kept it from opening.
fn open_without_torn_group(
    store: &Path,
    error: fjall::Error,
    open: impl FnOnce() -> Result<Tables, fjall::Error>,
) -> Result<Tables, StorageError> {
    let failed = || crate::files::failed("cut a torn group off the log in", store);
    let cut = if torn::is_torn(&error) {
        Cut::last_group(store).map_err(failed())?
    } else {
        None
    };
    let Some(cut) = cut else {
        return Err(embedded("open its files")(error));
    };
    match open() {
        Ok(tables) => {
            tracing::warn!(kept = %cut.beside().display(), "the last group of writes was torn, as by a power loss, and left out");
            Ok(tables)
        }
        Err(_) => {
            cut.undo().map_err(failed())?;
            Err(embedded("open its files")(error))
        }
    }
}
