//! Faults of gateways.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::plan::{Kind, Step};
use super::stage::{Stage, outage};
use crate::cluster::Gateway;
use crate::cluster::gateway::START_PATIENCE;

/// The longest that a gateway hangs or is away: clients notice silence only after two pings.
const LONGEST_OUTAGE: Duration = Duration::from_secs(5);
/// Before a gateway that ended while it started is started again, as a supervisor does.
const SUPERVISOR_PAUSE: Duration = Duration::from_millis(500);

impl Stage {
    pub(super) async fn hurt_gateways(&self, step: Step) -> Result<()> {
        let number = self.next_to_hurt(step)?;
        let length = step.outage.min(LONGEST_OUTAGE);
        match step.kind {
            Kind::RollingRestart => return self.restart_in_turn().await,
            Kind::GatewayHang => {
                let gateway = self.cluster.gateways[number].lock().await;
                gateway.pause()?;
                outage(length).await;
                gateway.resume()?;
            }
            _ => {
                let mut gateway = self.cluster.gateways[number].lock().await;
                gateway.kill()?;
                outage(length).await;
                start_again(&mut gateway).await?;
            }
        }
        Ok(())
    }

    /// Any gateway but the one that was hurt last, if there is another. By chance nobody may be on one; not on two.
    fn next_to_hurt(&self, step: Step) -> Result<usize> {
        let count = self.cluster.gateways.len();
        let others = u64::try_from(count)?.saturating_sub(1).max(1);
        let next = 1 + usize::try_from(step.choice % others)?;
        let number = (self.hurt_last.load(Ordering::Relaxed) + next) % count;
        self.hurt_last.store(number, Ordering::Relaxed);
        Ok(number)
    }

    /// Each gateway goes in good order and comes back, and whoever has to leave one goes to one that was restarted
    /// already, as a balancer that knows of the restart has it: so everybody is cut once.
    async fn restart_in_turn(&self) -> Result<()> {
        let mut fresh = Vec::new();
        for (gateway, address) in self.cluster.gateways.iter().zip(&self.cluster.addresses) {
            let mut gateway = gateway.lock().await;
            fresh.push(*address);
            for line in self.crowd.lines() {
                line.retarget(fresh.clone());
            }
            gateway.drain().await?;
            start_again(&mut gateway).await?;
        }
        Ok(())
    }
}

/// Starts a gateway until it is ready. One whose database is away may end; then it is started again.
async fn start_again(gateway: &mut Gateway) -> Result<()> {
    let deadline = Instant::now() + START_PATIENCE;
    loop {
        gateway.start()?;
        match gateway.ready().await {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => {
                gateway.kill()?;
                // tidy: waits because a supervisor does so too
                tokio::time::sleep(SUPERVISOR_PAUSE).await;
            }
        }
    }
}
