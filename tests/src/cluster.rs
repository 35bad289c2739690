//! A cluster under test: real gateways in processes of their own, a real Redis, a real CQL server, and proxies that
//! inject faults between them. Everything stops when it is dropped; the logs stay in its folder.

pub mod cql_server;
pub mod gateway;
pub mod people;
pub mod redis_server;

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use scylla::client::session_builder::SessionBuilder;
use tokio::sync::Mutex;

use crate::process::{binary, stable_ports};
use crate::proxy::{Proxy, ProxyOptions};

pub use cql_server::{CqlServer, OwnCqlServer, Pausable, given_cql};
pub use gateway::Gateway;
pub use people::Member;
pub use redis_server::RedisServer;

/// The CQL servers that each keep everything.
const REPLICAS: u8 = 3;

/// What a cluster stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Footing {
    /// One gateway with everything in its process: no Redis, no CQL server.
    Alone,
    /// Redis, and the CQL server that is given or, where none is, one of its own. Faults come between them.
    Services,
    /// The same with a CQL server of its own in any case, so that it can be stopped.
    OwnServices,
    /// Redis, and three CQL servers of its own that each keep everything. Faults come between gateways and Redis.
    Replicated,
    /// Redis and a CQL server, and nothing between: to be used, not to be tested.
    ServicesDirectly,
}

/// What a cluster is started with.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Where data and logs go.
    pub folder: PathBuf,
    /// How many gateways.
    pub gateways: usize,
    /// The port of the first gateway, the others behind it; `None` picks free ones.
    pub first_port: Option<u16>,
    /// What they stand on.
    pub footing: Footing,
    /// The keyspace of the cluster.
    pub keyspace: String,
    /// Whether the keyspace goes with the cluster, from a CQL server that is not its own. What people use stays.
    pub drops_keyspace: bool,
    /// More settings, as after `--set`.
    pub settings: Vec<String>,
    /// What the chance of the proxies is made from.
    pub seed: u64,
}

impl ClusterOptions {
    /// Three gateways of a test, with a keyspace of their own.
    pub fn of_test(folder: &Path, footing: Footing, seed: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            gateways: if footing == Footing::Alone { 1 } else { 3 },
            first_port: None,
            footing,
            keyspace: format!("cluster_{}", std::process::id()),
            drops_keyspace: true,
            // Everybody logs in again and again, and in the end reads whole threads.
            settings: vec![
                "limits.logins_per_account_per_minute=1000".to_owned(),
                "limits.requests_per_second=1000".to_owned(),
            ],
            seed,
        }
    }
}

/// The services below the gateways, with the lines to them.
pub struct Services {
    /// The Redis that is in use.
    pub redis: Mutex<RedisServer>,
    /// Where the first one listens.
    pub redis_address: SocketAddr,
    /// The line of each gateway to Redis, if faults can come between.
    pub redis_lines: Vec<Proxy>,
    /// Where it and those that take over from it have their folders.
    redis_folder: PathBuf,
    redis_folders: AtomicUsize,
    /// The CQL server.
    pub cql: CqlServer,
    /// The others that keep the same.
    pub cql_replicas: Vec<OwnCqlServer>,
    /// The line of each gateway to it, if faults can come between.
    pub cql_lines: Vec<Proxy>,
}

/// A running cluster.
pub struct Cluster {
    /// What it was started with.
    pub options: ClusterOptions,
    /// The gateways.
    pub gateways: Vec<Mutex<Gateway>>,
    /// Where they listen.
    pub addresses: Vec<SocketAddr>,
    /// What they stand on, if anything.
    pub services: Option<Services>,
}

/// The Redis that `SAMTALE_REDIS` names.
pub fn given_redis() -> Option<SocketAddr> {
    let url = std::env::var("SAMTALE_REDIS").ok()?;
    let authority = url.trim_start_matches("redis://").trim_end_matches('/');
    authority.to_socket_addrs().ok()?.next()
}

/// What a cluster on real services lacks here, with how to get it; `None` when it can be had.
pub fn missing() -> Result<Option<String>> {
    if redis_server::program().is_none() {
        return Ok(Some(
            "Redis (apt-get install redis-server, then scripts/set-up)".to_owned(),
        ));
    }
    if given_cql()?.is_none() && !cql_server::can_be_had()? {
        return Ok(Some(
            "a CQL server (scripts/set-up, or an address in SAMTALE_CQL)".to_owned(),
        ));
    }
    let mut check = std::process::Command::new(binary()?);
    check.args([
        "check-config",
        "--set",
        "redis.servers=redis://127.0.0.1:1",
        "--set",
        "cql.nodes=127.0.0.1:2",
    ]);
    if !check.output()?.status.success() {
        return Ok(Some(
            "a build of `samtale` that knows redis.servers and cql.nodes".to_owned(),
        ));
    }
    Ok(None)
}

impl Cluster {
    /// Starts the services, makes the tables, and prepares the gateways, which are not started yet.
    pub async fn prepare(options: ClusterOptions) -> Result<Self> {
        std::fs::create_dir_all(&options.folder)?;
        let services = match options.footing {
            Footing::Alone => {
                ensure!(
                    options.gateways == 1,
                    "gateways on their own know nothing of each other"
                );
                None
            }
            _ => Some(Services::start(&options).await?),
        };
        let mut gateways = Vec::new();
        let count = u16::try_from(options.gateways)?;
        let first_port = options.first_port.map_or_else(|| stable_ports(count), Ok)?;
        for number in 0..options.gateways {
            let mut settings = options.settings.clone();
            if let Some(services) = &services {
                settings.extend(services.settings_of(number, &options.keyspace));
            }
            let port = first_port + u16::try_from(number)?;
            let folder = options.folder.join(format!("gateway-{}", number + 1));
            gateways.push(Gateway::new(
                number,
                port,
                folder,
                options.folder.join("keys"),
                settings,
            ));
        }
        if services.is_some() {
            gateways[0].run(&["migrate"], "").await.context("no tables are made")?;
        }
        Ok(Self {
            addresses: gateways.iter().map(|gateway| gateway.address).collect(),
            gateways: gateways.into_iter().map(Mutex::new).collect(),
            options,
            services,
        })
    }

    /// Starts a cluster and waits until it is ready. The first gateway comes first: it makes what all share.
    pub async fn start(options: ClusterOptions) -> Result<Self> {
        let cluster = Self::prepare(options).await?;
        let mut first = cluster.gateways[0].lock().await;
        first.start()?;
        first.ready().await?;
        drop(first);
        cluster.start_others().await?;
        Ok(cluster)
    }

    /// Starts all gateways but the first, and waits until they are ready.
    pub async fn start_others(&self) -> Result<()> {
        for gateway in &self.gateways[1..] {
            gateway.lock().await.start()?;
        }
        for gateway in &self.gateways[1..] {
            gateway.lock().await.ready().await?;
        }
        Ok(())
    }

    /// A door for clients: each connection goes to a gateway by chance, of those that take it.
    pub async fn door(&self, seed: u64) -> Result<Proxy> {
        let options = ProxyOptions {
            seed,
            ..ProxyOptions::default()
        };
        Proxy::start(options, self.addresses.clone()).await
    }

    /// Stops everything in good order.
    pub async fn stop(self) -> Result<()> {
        for gateway in &self.gateways {
            gateway.lock().await.drain().await?;
        }
        if let Some(Services {
            cql: CqlServer::Given(address, _),
            ..
        }) = self.services.as_ref().filter(|_| self.options.drops_keyspace)
        {
            let session = SessionBuilder::new().known_node_addr(*address).build().await;
            let session = session.context("the CQL server is gone")?;
            for keyspace in [
                self.options.keyspace.clone(),
                format!("{}_settled", self.options.keyspace),
            ] {
                let drop = format!("DROP KEYSPACE IF EXISTS {keyspace}");
                // A busy server may take longer than anyone waits. What stays costs room, and says nothing of the run.
                if let Err(error) = session.query_unpaged(drop, ()).await {
                    eprintln!("the keyspace {keyspace} stays: {error}");
                }
            }
        }
        Ok(())
    }
}

impl Services {
    async fn start(options: &ClusterOptions) -> Result<Self> {
        let has_own = matches!(options.footing, Footing::OwnServices | Footing::Replicated);
        let given = given_cql()?.filter(|_| !has_own);
        let cql = match given {
            Some(address) => CqlServer::Given(address, Pausable::given()),
            None => {
                let own = OwnCqlServer::start(&options.folder.join("cql")).await?;
                CqlServer::Own(own.context("no CQL server: scripts/set-up, or an address in SAMTALE_CQL")?)
            }
        };
        let mut cql_replicas = Vec::new();
        if let (Footing::Replicated, Some(first)) = (options.footing, cql.own()) {
            for number in 2..=REPLICAS {
                let folder = options.folder.join(format!("cql-{number}"));
                cql_replicas.push(first.joined_by(&folder, Ipv4Addr::new(127, 0, 0, number)).await?);
            }
        }
        let redis_folder = options.folder.join("redis");
        let redis = RedisServer::start(&redis_folder, None).await?;
        let redis_address = redis.address;
        let (mut redis_lines, mut cql_lines) = (Vec::new(), Vec::new());
        if options.footing != Footing::ServicesDirectly {
            for number in 0..options.gateways {
                let seed = options.seed.wrapping_add(u64::try_from(number)? << 8);
                let line = ProxyOptions {
                    seed,
                    ..ProxyOptions::default()
                };
                let to_redis = ProxyOptions {
                    speaks_redis: true,
                    ..line.clone()
                };
                redis_lines.push(Proxy::start(to_redis, vec![redis_address]).await?);
                // A node of several tells of the others where they are, so nothing can stand between.
                if cql_replicas.is_empty() {
                    let to_cql = ProxyOptions {
                        speaks_cql: true,
                        ..line
                    };
                    cql_lines.push(Proxy::start(to_cql, vec![cql.address()]).await?);
                }
            }
        }
        Ok(Self {
            redis: Mutex::new(redis),
            redis_address,
            redis_folder,
            redis_folders: AtomicUsize::new(1),
            redis_lines,
            cql,
            cql_replicas,
            cql_lines,
        })
    }

    /// A folder for another Redis beside the first.
    pub fn next_redis_folder(&self) -> PathBuf {
        let number = self.redis_folders.fetch_add(1, Ordering::Relaxed);
        self.redis_folder.with_file_name(format!("redis-{number}"))
    }

    /// What a gateway is told of them: its own lines, where there are some.
    fn settings_of(&self, gateway: usize, keyspace: &str) -> Vec<String> {
        let redis = self.redis_lines.get(gateway).map_or(self.redis_address, Proxy::address);
        let cql = self.cql_lines.get(gateway).map_or(self.cql.address(), Proxy::address);
        let replicas = self.cql_replicas.iter().map(|replica| replica.address().to_string());
        let nodes: Vec<String> = std::iter::once(cql.to_string()).chain(replicas).collect();
        vec![
            format!("redis.servers=redis://{redis}"),
            format!("cql.nodes={}", nodes.join(",")),
            format!("cql.keyspace={keyspace}"),
            format!("cql.replicas={}", nodes.len()),
        ]
    }
}
