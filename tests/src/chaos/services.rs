//! Faults of Redis and of the CQL server.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::plan::{Kind, Step};
use super::stage::{Stage, chosen, outage};
use crate::cluster::{RedisServer, Services};
use crate::proxy::faults::{Door, LateRequests};
use crate::proxy::{Proxy, ProxyOptions};

/// How much an append-only file loses that is synced every second.
const FORGOTTEN: Duration = Duration::from_secs(1);
/// How slow a database is that is overloaded: within its clients' timeouts of one to two seconds, and beyond.
const SLOWEST_MS: u64 = 2_500;
/// How long a replica may take to have everything.
const REPLICA_PATIENCE: Duration = Duration::from_secs(20);

/// How long a loud crowd may need to fill what a subscriber does not read.
const SLOWNESS_PATIENCE: Duration = Duration::from_secs(40);
/// Sets how much Redis keeps for a slow client before it cuts it.
const OUTPUT_LIMIT: &str = "CONFIG SET client-output-buffer-limit";

impl Stage {
    pub(super) async fn hurt_services(&self, step: Step) -> Result<()> {
        let services = self.services()?;
        match step.kind {
            Kind::CqlStop | Kind::CqlReplicaStop | Kind::CqlHang | Kind::CqlUnreachable | Kind::CqlSlow => {
                hurt_cql(services, step).await
            }
            Kind::CqlPartitionSlow => self.slow_a_thread(services, step).await,
            Kind::RedisPromotion => promote(services, step).await,
            Kind::RedisCutsSlowSubscriber => self.be_too_slow(services, step).await,
            Kind::RedisKill => {
                hurt_redis(services, step).await?;
                let comeback = self.crowd.comeback();
                *self.comeback.lock().unwrap_or_else(PoisonError::into_inner) = Some(comeback);
                Ok(())
            }
            _ => hurt_redis(services, step).await,
        }
    }

    /// What is asked for one of the threads arrives late, whichever gateway asks; the rest does not wait for it.
    async fn slow_a_thread(&self, services: &Services, step: Step) -> Result<()> {
        let threads = self.crowd.threads();
        let thread = threads[usize::try_from(step.choice % u64::try_from(threads.len())?)?];
        let by = Duration::from_millis((step.choice >> 32) % SLOWEST_MS);
        let held = || {
            services
                .cql_lines
                .iter()
                .map(|line| line.counts().held.load(Ordering::Relaxed))
                .sum::<u64>()
        };
        let held_before = held();
        let late = LateRequests {
            key: thread.as_bytes().to_vec(),
            by,
        };
        for line in &services.cql_lines {
            line.change(|faults| faults.to_server.late_requests = Some(late.clone()));
        }
        outage(step.outage).await;
        for line in &services.cql_lines {
            line.change(|faults| faults.to_server.late_requests = None);
        }
        self.say(&format!(
            "{} requests for one thread were {by:?} late",
            held() - held_before
        ));
        Ok(())
    }

    /// A gateway hangs, and what lies between it and Redis takes next to nothing, until Redis has cut it.
    async fn be_too_slow(&self, services: &Services, step: Step) -> Result<()> {
        let redis = services.redis.lock().await;
        let number = usize::try_from(step.choice % u64::try_from(self.cluster.gateways.len())?)?;
        let (gateway, line) = (
            self.cluster.gateways[number].lock().await,
            &services.redis_lines[number],
        );
        let cut_before = redis.cut_for_slowness()?;
        redis.command(&format!("{OUTPUT_LIMIT} \"pubsub 1mb 256kb 1\"")).await?;
        line.change(|faults| faults.to_client.bytes_per_second = Some(1));
        gateway.pause()?;
        let cutting = async {
            while redis.cut_for_slowness()? == cut_before {
                // tidy: waits because Redis' log is looked at again and again, within a bound
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok(())
        };
        let is_cut = tokio::time::timeout(SLOWNESS_PATIENCE, cutting).await;
        gateway.resume()?;
        line.change(|faults| faults.to_client.bytes_per_second = None);
        redis.command(&format!("{OUTPUT_LIMIT} \"pubsub 32mb 8mb 60\"")).await?;
        is_cut.context("Redis cuts nobody")?
    }
}

async fn hurt_redis(services: &Services, step: Step) -> Result<()> {
    let mut redis = services.redis.lock().await;
    match step.kind {
        Kind::RedisKill => {
            redis.kill()?;
            outage(step.outage).await;
            redis.return_to_work().await
        }
        Kind::RedisHang => {
            redis.pause()?;
            outage(step.outage).await;
            redis.resume()
        }
        Kind::RedisForgets => {
            let remembered = redis.remembered()?;
            outage(FORGOTTEN).await;
            redis.kill_and_forget(remembered)?;
            redis.return_to_work().await
        }
        Kind::RedisFlush => redis.command("FLUSHALL").await.map(drop),
        _ => redis.command("CLIENT KILL TYPE pubsub").await.map(drop),
    }
}

/// A replica follows, falls behind because its line goes nowhere, and is promoted when the primary is gone.
async fn promote(services: &Services, step: Step) -> Result<()> {
    let mut redis = services.redis.lock().await;
    let replication = Proxy::start(ProxyOptions::default(), vec![redis.address]).await?;
    let folder = services.next_redis_folder();
    let replica = RedisServer::start_replica(&folder, replication.address()).await?;
    let deadline = tokio::time::Instant::now() + REPLICA_PATIENCE;
    while replica.info("replication", "master_link_status").await? != "up" {
        ensure!(tokio::time::Instant::now() < deadline, "the replica does not follow");
        // tidy: waits because the replica is asked again and again, within a bound
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    replication.change(|faults| faults.to_client.is_swallowed = true);
    outage(step.outage).await;
    redis.kill()?;
    *redis = replica.promoted().await?;
    for line in &services.redis_lines {
        line.retarget(vec![redis.address]);
    }
    Ok(())
}

async fn hurt_cql(services: &Services, step: Step) -> Result<()> {
    let own = || services.cql.own().context("the CQL server is somebody else's");
    match step.kind {
        Kind::CqlStop => {
            own()?.stop().await?;
            outage(step.outage).await;
            own()?.return_to_work().await?;
        }
        Kind::CqlReplicaStop => {
            let nodes: Vec<_> = services.cql.own().into_iter().chain(&services.cql_replicas).collect();
            let node = nodes[usize::try_from(step.choice % u64::try_from(nodes.len())?)?];
            node.stop().await?;
            outage(step.outage).await;
            node.return_to_work().await?;
        }
        Kind::CqlHang => {
            let process = services.cql.pausable().context("the CQL server is somebody else's")?;
            process.pause()?;
            outage(step.outage).await;
            process.resume()?;
        }
        Kind::CqlUnreachable => {
            for line in &services.cql_lines {
                line.cut();
            }
            outage(step.outage).await;
            for line in &services.cql_lines {
                line.change(|faults| faults.door = Door::Open);
            }
        }
        _ => {
            let line = chosen(&services.cql_lines, step.choice);
            let latency = Duration::from_millis((step.choice >> 32) % SLOWEST_MS / 2);
            line.change(|faults| faults.both_ways(|way| (way.latency, way.jitter) = (latency, latency / 4)));
            outage(step.outage).await;
            line.change(|faults| faults.both_ways(|way| (way.latency, way.jitter) = Default::default()));
        }
    }
    Ok(())
}
