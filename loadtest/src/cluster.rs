//! The gateways of `make cluster`, and whose processor time a run on them takes.

use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::server::CpuTime;
use crate::sockets::is_local;

/// What the gateways' processes are called among the others.
pub const GATEWAYS: &str = "gateways";

/// What `cluster.json` says of a cluster that runs.
#[derive(Debug, Deserialize)]
pub struct Cluster {
    gateways: Vec<Gateway>,
    #[serde(default)]
    redis: Option<String>,
    #[serde(default)]
    cql: Option<String>,
    #[serde(skip)]
    folder: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Gateway {
    url: String,
    #[serde(default)]
    pid: Option<u32>,
}

impl Cluster {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| {
            format!(
                "{} can not be read: `make cluster` writes it while it runs",
                path.display()
            )
        })?;
        let mut cluster: Self = serde_json::from_str(&text).context("the file names no gateways")?;
        cluster.folder = path.canonicalize()?.parent().unwrap_or(Path::new(".")).to_path_buf();
        Ok(cluster)
    }

    /// Where the gateways listen.
    pub fn servers(&self) -> Result<Vec<SocketAddr>> {
        let all = self.gateways.iter().map(|gateway| {
            let url = &gateway.url;
            let authority = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
            let mut addresses = authority.to_socket_addrs()?;
            let address = addresses.find(|address| is_local(*address));
            address.with_context(|| format!("{url} is not in 127.0.0.0/8: load stays on this machine"))
        });
        all.collect()
    }

    /// The folders of the first gateway's data and of the keys, for `samtale populate`.
    pub fn folders(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("gateway-1").join("data"), self.folder.join("keys"))
    }

    /// Its processes, as far as they are on this machine.
    pub fn processes(&self) -> Processes {
        let mut processes = Processes::default();
        for gateway in &self.gateways {
            processes.add(GATEWAYS, gateway.pid);
        }
        let port = |address: &Option<String>| Some(address.as_ref()?.rsplit(':').next()?.to_owned());
        if let Some(port) = port(&self.redis) {
            processes.add(
                "redis",
                running("redis-server", &port).or_else(|| running("valkey-server", &port)),
            );
        }
        if port(&self.cql).is_some() {
            processes.add("cql_server", running("CassandraDaemon", ""));
        }
        processes
    }
}

/// Processes by what they are.
#[derive(Debug, Default)]
pub struct Processes(BTreeMap<&'static str, Vec<(u32, CpuTime)>>);

impl Processes {
    /// Adds one, if there is one.
    pub fn add(&mut self, what: &'static str, process: Option<u32>) {
        let times = process.map(|process| (process, CpuTime::default()));
        self.0.entry(what).or_default().extend(times);
    }

    /// The CPU that each kind has used, in nanoseconds.
    pub fn cpu(&mut self) -> BTreeMap<&'static str, u64> {
        let used = |(what, processes): (&&'static str, &mut Vec<(u32, CpuTime)>)| {
            // One that is gone has nothing more to tell.
            let all = processes
                .iter_mut()
                .filter_map(|(process, time)| time.of(*process).ok());
            (*what, all.sum())
        };
        self.0.iter_mut().map(used).collect()
    }
}

/// The process of this machine whose command line holds both words.
fn running(name: &str, also: &str) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").ok()?;
    let mut numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    numbers.find(|process| {
        let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains(name) && line.contains(also)
    })
}
