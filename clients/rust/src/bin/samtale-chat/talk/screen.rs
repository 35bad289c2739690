//! Standard output: lines, times, and nothing that a sender could use to take over the terminal.

use std::io::{self, IsTerminal, Write};

use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;
use samtale_protocol::Timestamp;

use crate::failure::Failure;

/// The time zone of the schools.
const ZONE: &str = "Europe/Copenhagen";

/// Where lines are shown.
pub struct Screen {
    zone: TimeZone,
    terminal: bool,
}

impl Screen {
    /// Standard output.
    pub fn new() -> Self {
        let zone = TimeZone::get(ZONE).unwrap_or_else(|_| TimeZone::system());
        Self {
            zone,
            terminal: io::stdout().is_terminal(),
        }
    }

    /// Shows a text; what could control the terminal is replaced.
    pub fn say(&self, text: &str) -> Result<(), Failure> {
        let mut output = io::stdout().lock();
        // A prompt may stand there: back to the beginning of the line, and away with it.
        let start = if self.terminal { "\r\x1b[K" } else { "" };
        let written = writeln!(output, "{start}{}", harmless(text)).and_then(|()| output.flush());
        written.map_err(|error| Failure::output(&error))
    }

    /// Shows where to type, if someone types.
    pub fn prompt(&self, text: &str) -> Result<(), Failure> {
        if !self.terminal {
            return Ok(());
        }
        let mut output = io::stdout().lock();
        let written = write!(output, "\r\x1b[K{}> ", harmless(text)).and_then(|()| output.flush());
        written.map_err(|error| Failure::output(&error))
    }

    /// A time as a person reads it: today's without the date.
    pub fn time(&self, time: Timestamp) -> String {
        let now = Timestamp::saturating(u64::try_from(Instant::now().as_millisecond()).unwrap_or_default());
        self.time_at(time, now)
    }

    fn time_at(&self, time: Timestamp, now: Timestamp) -> String {
        let local = |time: Timestamp| {
            let millis = i64::try_from(time.as_millis()).ok()?;
            Some(Instant::from_millisecond(millis).ok()?.to_zoned(self.zone.clone()))
        };
        let (Some(time), Some(now)) = (local(time), local(now)) else {
            return "?".to_owned();
        };
        let format = match (time.date() == now.date(), time.year() == now.year()) {
            (true, _) => "%H:%M",
            (false, true) => "%-d/%-m %H:%M",
            (false, false) => "%-d/%-m-%Y %H:%M",
        };
        time.strftime(format).to_string()
    }
}

/// The text without control characters, line breaks aside, and without those that turn the direction of writing.
fn harmless(text: &str) -> String {
    let replaced = |c: char| match c {
        '\n' => '\n',
        '\t' => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(replaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_control_the_terminal_is_replaced_and_the_rest_is_not() {
        assert_eq!(
            harmless("æøå 👩‍👩‍👧 \x1b[2J\u{9b}\u{202e}x\ny\tz"),
            "æøå 👩‍👩‍👧 \u{fffd}[2J\u{fffd}\u{fffd}x\ny z"
        );
    }

    #[test]
    fn times_are_those_of_copenhagen() {
        let screen = Screen::new();
        let at = |text: &str| {
            let instant: Instant = text.parse().unwrap();
            Timestamp::saturating(instant.as_millisecond().try_into().unwrap())
        };
        let now = at("2026-07-02T12:00:00Z");
        assert_eq!(screen.time_at(at("2026-07-02T06:05:00Z"), now), "08:05");
        assert_eq!(screen.time_at(at("2026-07-01T22:30:00Z"), now), "00:30");
        assert_eq!(screen.time_at(at("2026-01-09T12:00:00Z"), now), "9/1 13:00");
        assert_eq!(screen.time_at(at("2025-12-24T20:00:00Z"), now), "24/12-2025 21:00");
    }
}
