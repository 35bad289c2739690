//! The encrypting wrapper: bodies are encrypted before any engine sees them.
//!
//! A body is: format (1 byte), key id (4), nonce (24), ciphertext with its tag (16). Format, key id, table and row key
//! are authenticated with it, so a row that is moved or swapped can not be read. Keys of rows stay as they are.

use std::sync::Arc;

use async_trait::async_trait;
use samtale_protocol::SpaceId;

use crate::engine::{Batch, Change, Compared, Engine, Page, Range, Row, RowChange, StorageError, chain};
use crate::envelope;
use crate::key::{self, Key, KeyValue};
use crate::keyring::{Keyring, SpaceKeys};
use crate::schema::Table;

/// The only format so far.
const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 5;

/// Encrypts what goes into an engine and decrypts what comes out.
pub struct EncryptedEngine {
    engine: Arc<dyn Engine>,
    keyring: Arc<Keyring>,
}

impl EncryptedEngine {
    /// Encrypts what goes into `engine` with the keys of `keyring`.
    pub fn new(engine: Arc<dyn Engine>, keyring: Arc<Keyring>) -> Self {
        Self { engine, keyring }
    }

    async fn decrypt_row(
        &self,
        table: &'static Table,
        key: &Key,
        row: Option<Row>,
    ) -> Result<Option<Row>, StorageError> {
        let Some(mut row) = row else { return Ok(None) };
        let keys = self
            .keys_for_reading(table, &key.partition, [row.body.as_slice()])
            .await?;
        row.body = decrypt(table, &keys, &key.partition, &row.clustering, &row.body)?;
        Ok(Some(row))
    }

    /// The keys to read these bodies with. A body under a key that is not known may be of another process, which has
    /// rotated the keys since ours were read.
    async fn keys_for_reading<'a>(
        &self,
        table: &'static Table,
        partition: &[KeyValue],
        bodies: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Arc<SpaceKeys>, StorageError> {
        let space = space_of(table, partition)?;
        let mut keys = self.keyring.keys_for_reading(space).await?;
        let is_unknown =
            |body| key_id(body).is_some_and(|id| keys.as_ref().is_some_and(|keys| keys.data_key(id).is_none()));
        if bodies.into_iter().any(is_unknown) {
            keys = self.keyring.keys_read_again(space).await?;
        }
        keys.ok_or_else(|| unreadable(table, "the keyring has no keys of its space"))
    }

    async fn keys_for_writing(
        &self,
        table: &'static Table,
        partition: &[KeyValue],
    ) -> Result<Arc<SpaceKeys>, StorageError> {
        self.keyring.keys_for_writing(space_of(table, partition)?).await
    }
}

#[async_trait]
impl Engine for EncryptedEngine {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        let row = self.engine.get(table, key).await?;
        self.decrypt_row(table, key, row).await
    }

    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError> {
        let mut page = self.engine.scan(table, partition, range).await?;
        if page.rows.is_empty() {
            return Ok(page);
        }
        let bodies = page.rows.iter().map(|row| row.body.as_slice());
        let keys = self.keys_for_reading(table, partition, bodies).await?;
        for row in &mut page.rows {
            // One damaged row must not hide the others of its page.
            row.body = match decrypt(table, &keys, partition, &row.clustering, &row.body) {
                Ok(body) => body,
                Err(error) => {
                    tracing::error!(error = %chain(&error), "a row of a range can not be read");
                    Vec::new()
                }
            };
        }
        Ok(page)
    }

    async fn write(&self, mut batch: Batch) -> Result<(), StorageError> {
        let keys = self.keys_for_writing(batch.table, &batch.partition).await?;
        for RowChange { clustering, change, .. } in &mut batch.rows {
            if let Change::Put { body, .. } = change {
                *body = encrypt(batch.table, &keys, &batch.partition, clustering, body)?;
            }
        }
        self.engine.write(batch).await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<u64>,
        body: Option<Vec<u8>>,
    ) -> Result<Compared, StorageError> {
        let keys = self.keys_for_writing(table, &key.partition).await?;
        let body = body
            .map(|body| encrypt(table, &keys, &key.partition, &key.clustering, &body))
            .transpose()?;
        self.engine.compare_and_set(table, key, expected, body).await
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        let row = self.engine.get_serial(table, key).await?;
        self.decrypt_row(table, key, row).await
    }
}

fn encrypt(
    table: &'static Table,
    keys: &SpaceKeys,
    partition: &[KeyValue],
    clustering: &[KeyValue],
    body: &[u8],
) -> Result<Vec<u8>, StorageError> {
    let (id, data_key) = keys.current();
    let mut bytes = Vec::with_capacity(HEADER_BYTES + 40 + body.len());
    bytes.push(FORMAT);
    bytes.extend_from_slice(&id.to_be_bytes());
    let associated = associated(table, partition, clustering, &bytes);
    envelope::seal(data_key, &associated, body, &mut bytes).map_err(|error| StorageError::KeysUnavailable {
        reason: error.to_string(),
    })?;
    Ok(bytes)
}

fn decrypt(
    table: &'static Table,
    keys: &SpaceKeys,
    partition: &[KeyValue],
    clustering: &[KeyValue],
    bytes: &[u8],
) -> Result<Vec<u8>, StorageError> {
    let (header, sealed) = bytes
        .split_first_chunk::<HEADER_BYTES>()
        .filter(|(header, _)| header[0] == FORMAT)
        .ok_or_else(|| unreadable(table, "it is not encrypted as this program does"))?;
    let data_key = key_id(bytes).and_then(|id| keys.data_key(id));
    let data_key = data_key.ok_or_else(|| unreadable(table, "the keyring does not have its key"))?;
    envelope::open(data_key, &associated(table, partition, clustering, header), sealed)
        .ok_or_else(|| unreadable(table, "it is damaged, or was moved here from elsewhere"))
}

/// The id of the key that a body is encrypted with; `None` if it is not encrypted as this program does.
fn key_id(bytes: &[u8]) -> Option<u32> {
    let header = bytes
        .first_chunk::<HEADER_BYTES>()
        .filter(|header| header[0] == FORMAT)?;
    Some(u32::from_be_bytes([header[1], header[2], header[3], header[4]]))
}

/// What is authenticated beside the body. Columns have the widths that the table gives them, so nothing is ambiguous.
fn associated(table: &Table, partition: &[KeyValue], clustering: &[KeyValue], header: &[u8]) -> Vec<u8> {
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(table.name.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&key::encode(partition));
    bytes.extend_from_slice(&key::encode(clustering));
    bytes
}

fn space_of(table: &'static Table, partition: &[KeyValue]) -> Result<SpaceId, StorageError> {
    match partition.first() {
        Some(KeyValue::Id(id)) => Ok(SpaceId::from_bytes(*id)),
        _ => Err(unreadable(table, "its key does not begin with a space")),
    }
}

fn unreadable(table: &'static Table, reason: &str) -> StorageError {
    StorageError::Unreadable {
        table: table.name,
        reason: reason.to_owned(),
    }
}
