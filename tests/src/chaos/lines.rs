//! Faults of the lines between gateways and services.

use std::time::Duration;

use anyhow::Result;

use super::plan::{Kind, Step};
use super::stage::{Stage, chosen, outage};
use crate::proxy::Proxy;

/// Resets of one step.
const RESETS: u32 = 5;
/// How late a long line is each way, at most: a satellite's half second and as much again, which a telephone at the edge
/// of its network reaches.
const LONGEST_LATENCY_MS: u64 = 1_000;

impl Stage {
    pub(super) async fn hurt_lines(&self, step: Step) -> Result<()> {
        let services = self.services()?;
        if step.kind == Kind::PublishDrops {
            for line in &services.redis_lines {
                line.change(|faults| faults.to_client.one_message_lost_of = Some(self.one_message_lost_of));
            }
            outage(step.outage).await;
            for line in &services.redis_lines {
                line.change(|faults| faults.to_client.one_message_lost_of = None);
            }
            return Ok(());
        }
        // Redis' lines twice as often: what goes over them is what is designed to break.
        let lines: &[Proxy] = match (step.choice >> 32) % 3 {
            // Of a slow CQL server there is a fault of its own.
            0 if step.kind == Kind::Latency => self.crowd.lines(),
            0 if !services.cql_lines.is_empty() => &services.cql_lines,
            _ => &services.redis_lines,
        };
        let line = chosen(lines, step.choice);
        match step.kind {
            Kind::Latency => {
                let latency = Duration::from_millis((step.choice >> 40) % LONGEST_LATENCY_MS);
                self.say(&format!("a line is {latency:?} late each way"));
                line.change(|faults| faults.both_ways(|way| (way.latency, way.jitter) = (latency, latency / 4)));
                outage(step.outage).await;
                line.change(|faults| faults.both_ways(|way| (way.latency, way.jitter) = Default::default()));
            }
            Kind::Slicing => {
                line.change(|faults| faults.both_ways(|way| way.is_sliced = true));
                outage(step.outage).await;
                line.change(|faults| faults.both_ways(|way| way.is_sliced = false));
            }
            Kind::HalfOpen => {
                line.change(|faults| faults.both_ways(|way| way.is_swallowed = true));
                outage(step.outage).await;
                line.change(|faults| faults.both_ways(|way| way.is_swallowed = false));
            }
            _ => {
                for _ in 0..RESETS {
                    line.reset();
                    outage((step.outage / RESETS).min(Duration::from_secs(1))).await;
                }
            }
        }
        Ok(())
    }
}
