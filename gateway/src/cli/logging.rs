//! Where log lines go: standard error, pretty on a terminal and JSON elsewhere.

use std::io::{IsTerminal, stderr};

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, LogSettings};

/// Starts logging. A second start in one process changes nothing.
pub(super) fn start(settings: &LogSettings) {
    let level = LevelFilter::from_level(Level::from(settings.level));
    let is_pretty = match settings.format {
        LogFormat::Auto => stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    // What libraries have to say is worth a line when it is a warning, whatever is asked of us.
    let filter = Targets::new()
        .with_target("samtale", level)
        .with_default(level.min(LevelFilter::WARN));
    let registry = tracing_subscriber::registry().with(filter);
    let started = if is_pretty {
        let lines = fmt::layer()
            .with_writer(stderr)
            .with_ansi(stderr().is_terminal())
            .with_target(false);
        registry.with(lines).try_init()
    } else {
        let lines = fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false);
        registry.with(lines.with_writer(stderr)).try_init()
    };
    if started.is_err() {
        tracing::debug!("logs go where they went before");
    }
}
