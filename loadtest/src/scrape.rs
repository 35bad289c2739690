//! What a server counts itself, read from where Prometheus would read it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The calls of storage that read.
const READS: [&str; 3] = ["get", "scan", "get_serial"];

/// What a server had counted at one moment.
#[derive(Clone, Debug, Default)]
pub struct Counts(String);

impl Counts {
    /// Asks a server.
    pub fn read(address: SocketAddr) -> Result<Self> {
        let mut stream = TcpStream::connect(address).context("the server's metrics do not answer")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        ensure!(
            text.starts_with("HTTP/1.1 200"),
            "the server's metrics do not answer as they should"
        );
        Ok(Self(text))
    }

    /// The sum of a metric over all series that have these labels, each as `name="value"`.
    pub fn sum(&self, metric: &str, labels: &[&str]) -> f64 {
        let lines = self.0.lines().filter_map(|line| line.strip_prefix(metric));
        lines
            .filter(|rest| rest.starts_with(['{', ' ']))
            .filter(|rest| labels.iter().all(|label| rest.contains(label)))
            .filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// The calls of storage that read something.
    pub fn storage_reads(&self) -> f64 {
        let calls = READS.iter().map(|call| format!("call=\"{call}\""));
        calls
            .map(|call| self.sum("samtale_storage_calls_total", &[&call]))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_summed_by_their_labels() {
        let counts = Counts(
            "# HELP samtale_storage_calls_total Calls\nsamtale_storage_calls_total{call=\"get\",outcome=\"done\"} 3\n\
             samtale_storage_calls_total{call=\"get\",outcome=\"timeout\"} 1\n\
             samtale_storage_calls_total{call=\"write\",outcome=\"done\"} 9\nsamtale_storage_calls_total_x 7\nsamtale_sessions 5\n"
                .to_owned(),
        );
        assert!((counts.storage_reads() - 4.0).abs() < 1e-9);
        assert!((counts.sum("samtale_storage_calls_total", &[]) - 13.0).abs() < 1e-9);
        assert!((counts.sum("samtale_sessions", &[]) - 5.0).abs() < 1e-9);
    }
}
