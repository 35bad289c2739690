//! Where faults happen: each is done, lasts, and is undone again.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::time::timeout;

use super::ChaosOptions;
use super::comeback::Comeback;
use super::crowd::Crowd;
use super::plan::{Kind, Lane, Step};
use crate::cluster::{Cluster, Footing, Services};
use crate::proxy::Proxy;

/// How long a fault may take beside its outage: a server that starts again, a database that reads its log.
const UNDO_PATIENCE: Duration = Duration::from_secs(240);

/// The length of messages from which on a subscriber that does not read fills what lies between it and Redis.
const LOUD_BYTES: usize = 12 * 1024;

/// A cluster with its crowd, and what may be done to them.
pub struct Stage {
    pub(super) cluster: Arc<Cluster>,
    pub(super) crowd: Arc<Crowd>,
    pub(super) one_message_lost_of: u32,
    is_loud: bool,
    began: Instant,
    /// The gateway that was hurt last.
    pub(super) hurt_last: AtomicUsize,
    /// When Redis was last there again.
    pub(super) comeback: Mutex<Option<Comeback>>,
}

impl Stage {
    /// Prepares one.
    pub fn new(cluster: Arc<Cluster>, crowd: Arc<Crowd>, options: &ChaosOptions) -> Self {
        // Short runs publish little: one in a thousand would be none.
        let one_message_lost_of = if options.length < Duration::from_secs(60) {
            20
        } else {
            1_000
        };
        // Whom the first fault spares is left to chance too.
        let gateways = u64::try_from(cluster.gateways.len()).unwrap_or(1);
        let spared = usize::try_from(options.seed % gateways).unwrap_or_default();
        Self {
            cluster,
            crowd,
            one_message_lost_of,
            is_loud: options.crowd.text_bytes >= LOUD_BYTES,
            began: Instant::now(),
            hurt_last: AtomicUsize::new(spared),
            comeback: Mutex::default(),
        }
    }

    /// Whether this can happen on what the cluster stands on.
    pub fn can(&self, kind: Kind) -> bool {
        let footing = self.cluster.options.footing;
        let has_lines = matches!(footing, Footing::Services | Footing::OwnServices | Footing::Replicated);
        let services = self.cluster.services.as_ref();
        match (kind, kind.lane()) {
            (Kind::ClientsMissTheLog, _) => has_lines,
            (Kind::RedisCutsSlowSubscriber, _) => has_lines && self.is_loud,
            (_, Lane::Gateways | Lane::Clients) => true,
            (Kind::CqlStop, _) => services.is_some_and(|services| services.cql.own().is_some()),
            (Kind::CqlHang, _) => services.is_some_and(|services| services.cql.pausable().is_some()),
            (Kind::CqlReplicaStop, _) => services.is_some_and(|services| !services.cql_replicas.is_empty()),
            (Kind::CqlUnreachable | Kind::CqlSlow | Kind::CqlPartitionSlow, _) => {
                services.is_some_and(|services| !services.cql_lines.is_empty())
            }
            (_, Lane::Services | Lane::Lines) => has_lines,
        }
    }

    /// Does it, waits, and undoes it.
    async fn act(&self, step: Step) -> Result<()> {
        match step.kind.lane() {
            Lane::Gateways => self.hurt_gateways(step).await,
            Lane::Services => self.hurt_services(step).await,
            Lane::Lines => self.hurt_lines(step).await,
            Lane::Clients => self.hurt_clients(step).await,
        }
    }

    async fn hurt_clients(&self, step: Step) -> Result<()> {
        let line = chosen(self.crowd.lines(), step.choice);
        match step.kind {
            Kind::ClientOffline => {
                line.cut();
                outage(step.outage).await;
                line.heal();
            }
            Kind::ClientsMissTheLog => {
                let first = usize::from(step.choice % 2 == 1);
                let lines = || self.crowd.lines().iter().skip(first).step_by(2);
                lines().for_each(Proxy::cut);
                outage(step.outage).await;
                self.services()?.redis.lock().await.command("FLUSHALL").await?;
                lines().for_each(Proxy::heal);
            }
            _ => line.reset(),
        }
        Ok(())
    }

    /// The services, which a fault of theirs has.
    pub(super) fn services(&self) -> Result<&Services> {
        self.cluster.services.as_ref().context("there are no services to hurt")
    }

    /// Ends whatever faults there may be, and waits until every gateway is ready.
    pub async fn heal(&self) -> Result<()> {
        for line in self.crowd.lines() {
            line.heal();
        }
        if let Some(services) = &self.cluster.services {
            for line in services.redis_lines.iter().chain(&services.cql_lines) {
                line.heal();
            }
            services.redis.lock().await.command("PING").await?;
        }
        for gateway in &self.cluster.gateways {
            let mut gateway = gateway.lock().await;
            ensure!(
                gateway.is_running(),
                "gateway {} ended by itself:\n{}",
                gateway.number,
                gateway.last_of_log()
            );
            gateway.ready().await?;
        }
        Ok(())
    }

    /// When Redis was last there again after it was killed, if it was.
    pub fn comeback(&self) -> Option<Comeback> {
        self.comeback.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says on standard error what happens.
    pub(super) fn say(&self, what: &str) {
        let connected = self.crowd.connected();
        eprintln!(
            "{:>7.1} s  {connected:>3} connected  {what}",
            self.began.elapsed().as_secs_f64()
        );
    }
}

/// Performs the steps of a lane until the run is over.
pub(super) async fn perform(
    stage: Arc<Stage>,
    steps: impl Iterator<Item = Step> + Send,
    length: Duration,
) -> Result<()> {
    let end = stage.began + length;
    let remaining = || end.saturating_duration_since(Instant::now());
    for mut step in steps {
        if remaining() <= step.pause {
            break;
        }
        // tidy: waits because nothing happens for a while, as the schedule says
        tokio::time::sleep(step.pause).await;
        step.outage = step.outage.min(remaining());
        stage.say(&format!("{}, {:.1} s", step.kind.name(), step.outage.as_secs_f64()));
        let acting = timeout(step.outage + UNDO_PATIENCE, stage.act(step));
        let acted = acting
            .await
            .with_context(|| format!("{} is not over in time", step.kind.name()))?;
        acted.with_context(|| format!("{} can not be made", step.kind.name()))?;
    }
    Ok(())
}

/// One of these lines.
pub(super) fn chosen(lines: &[Proxy], choice: u64) -> &Proxy {
    let count = u64::try_from(lines.len()).unwrap_or(1);
    let index = usize::try_from(choice % count).unwrap_or_default();
    &lines[index]
}

/// Lets a fault last.
pub(super) async fn outage(length: Duration) {
    // tidy: waits because the outage has this length
    tokio::time::sleep(length).await;
}
