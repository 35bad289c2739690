//! Points in time: whole milliseconds since 1970-01-01 UTC, within 53 bits so that every language can hold them.

use std::fmt;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest integer that a double holds exactly (RFC 8259, section 6): no number on the wire is above it.
pub const LARGEST_INTEGER: u64 = (1 << 53) - 1;

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The time `millis` after 1970, or the largest that fits the wire.
    pub const fn saturating(millis: u64) -> Self {
        // UUID version 7 has room for 48 bits of milliseconds, until the year 10889.
        let largest = (1 << 48) - 1;
        Self(if millis > largest { largest } else { millis })
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Microseconds since 1970: the unit of storage's write timestamps.
    pub const fn as_micros(self) -> u64 {
        self.0 * 1000
    }

    /// How much later this is than `earlier`; zero if it is not later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This time and `duration` more.
    pub fn plus(self, duration: Duration) -> Self {
        Self::saturating(
            self.0
                .saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// This time less `duration`, not before 1970.
    pub fn minus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}ms", self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let millis = u64::deserialize(deserializer)?;
        if millis >= 1 << 48 {
            return Err(D::Error::custom("a time is milliseconds since 1970, below 2^48"));
        }
        Ok(Self(millis))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "integer", "minimum": 0, "maximum": (1_u64 << 48) - 1,
            "description": "Milliseconds since 1970-01-01 UTC"})
    }
}

/// Where the time comes from: the system in a server, a simulated clock in a test.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}
