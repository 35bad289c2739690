//! Where log lines go: standard error, pretty on a terminal and JSON elsewhere.

use std::io::{IsTerminal, stderr};

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

use crate::config::{LogFormat, LogSettings};

/// Starts logging. A second start in one process changes nothing.
pub(super) fn start(settings: &LogSettings) {
    let level = LevelFilter::from_level(Level::from(settings.level));
    let is_pretty = match settings.format {
        LogFormat::Auto => stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = fmt().with_writer(stderr).with_max_level(level);
    let started = if is_pretty {
        lines.with_ansi(stderr().is_terminal()).with_target(false).try_init()
    } else {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init()
    };
    if started.is_err() {
        tracing::debug!("logs go where they went before");
    }
}
