//! Nodes: that each of them lives, and what it has not told the others yet. In the space `system`.

use std::fmt;

use samtale_protocol::{SpaceId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::engine::{Range, StorageError};
use crate::key::{Key, KeyValue};
use crate::people::records;
use crate::schema::{self, Table};
use crate::store::{Record, Store};

/// One run of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Uuid);

impl NodeId {
    /// The id with these sixteen bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The id's sixteen bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

/// A node that lives, or did until a short while ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// When it said so last, by its own clock.
    pub renewed_at: Timestamp,
    /// Since when facts that it journalled may not be in the log.
    pub unpublished_since: Option<Timestamp>,
}

records! {
    NodeRecord in NODES;
}

/// Nodes read at once.
const PAGE: usize = 500;

/// The key of a node's row.
pub fn node_key(node: NodeId) -> Key {
    Key::new([SpaceId::SYSTEM.into()], [KeyValue::Id(*node.as_bytes())])
}

/// The rows of all nodes.
///
/// # Errors
///
/// When storage does not answer.
pub async fn nodes_of(store: &Store) -> Result<Vec<(NodeId, NodeRecord)>, StorageError> {
    let rows = store
        .scan_all::<NodeRecord>(&[SpaceId::SYSTEM.into()], Range::all(PAGE))
        .await?;
    let nodes = rows.into_iter().filter_map(|row| match row.clustering.first() {
        Some(KeyValue::Id(id)) => Some((NodeId::from_bytes(*id), row.record)),
        _ => None,
    });
    Ok(nodes.collect())
}
