//! A real database for tests: the one whose address is in `SAMTALE_CQL`.

use std::sync::Arc;
use std::time::Duration;

use samtale_storage::cql::{CqlEngine, CqlOptions, Keyspaces, Migrator};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;

use crate::rig::{TestClock, skip};

/// Keyspaces of a test's own, which are dropped at its end.
pub struct Database {
    pub options: CqlOptions,
}

pub fn options(address: &str, name: &str) -> CqlOptions {
    CqlOptions {
        nodes: vec![address.to_owned()],
        keyspaces: Keyspaces::named(name).unwrap(),
        replicas: 1,
        // A shared machine is slow at times; what is tested is what is answered.
        request_timeout: Duration::from_secs(20),
        credentials: None,
    }
}

impl Database {
    /// Names of keyspaces that are not there yet.
    pub fn empty(purpose: &str) -> Option<Self> {
        let Ok(address) = std::env::var("SAMTALE_CQL") else {
            skip("storage on CQL: scripts/test starts a server where it can; or give one's address in SAMTALE_CQL");
            return None;
        };
        let name = format!("test_{purpose}_{}", std::process::id());
        Some(Self {
            options: options(&address, &name),
        })
    }

    /// Keyspaces with every table.
    pub async fn new(purpose: &str) -> Option<Self> {
        let database = Self::empty(purpose)?;
        database.migrator().await.migrate(&|_| {}).await.unwrap();
        Some(database)
    }

    pub async fn migrator(&self) -> Migrator {
        Migrator::connect(&self.options).await.unwrap()
    }

    pub async fn engine(&self) -> Arc<CqlEngine> {
        Arc::new(CqlEngine::open(&self.options, TestClock::new()).await.unwrap())
    }

    /// A session beside the engine's, for what only an operator does.
    pub async fn session(&self) -> Session {
        let nodes = &self.options.nodes;
        SessionBuilder::new().known_nodes(nodes).build().await.unwrap()
    }

    pub async fn drop_tables(self) {
        let session = self.session().await;
        for keyspace in [&self.options.keyspaces.plain, &self.options.keyspaces.settled] {
            let statement = format!("DROP KEYSPACE IF EXISTS {keyspace}");
            session.query_unpaged(statement, ()).await.unwrap();
        }
    }
}
