//! Signals: the first asks for a graceful stop, the second means at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// When to stop.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// The first signal: take nothing new, finish what is under way, and tell clients when to come back.
    pub gracefully: CancellationToken,
    /// The second: leave it.
    pub at_once: CancellationToken,
}

impl Stop {
    /// Listens for SIGTERM and SIGINT.
    pub fn on_signals() -> std::io::Result<Self> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stop = Self::default();
        let listening = stop.clone();
        tokio::spawn(async move {
            for token in [listening.gracefully, listening.at_once] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                tracing::info!("a signal to stop; another one stops at once");
                token.cancel();
            }
        });
        Ok(stop)
    }
}
