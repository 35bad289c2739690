//! What keys and channels are called. The space stands in braces, as Redis Cluster hashes it: all of a space is together.

use std::sync::Arc;

use samtale_protocol::SpaceId;

/// The names of one installation: several may share a server, each with a prefix of its own.
#[derive(Clone, Debug)]
pub struct Names {
    prefix: Arc<str>,
}

impl Names {
    /// Names that begin with `prefix`.
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: Arc::from(prefix),
        }
    }

    /// The key of the head of a space's log.
    pub fn head(&self, space: SpaceId) -> String {
        format!("{}:{{{space}}}:head", self.prefix)
    }

    /// The key of the entries of a space's log.
    pub fn log(&self, space: SpaceId) -> String {
        format!("{}:{{{space}}}:log", self.prefix)
    }

    /// The channel of a space.
    pub fn channel(&self, space: SpaceId) -> String {
        format!("{}:{{{space}}}:events", self.prefix)
    }

    /// The key of the list of nodes.
    pub fn nodes(&self) -> String {
        format!("{}:nodes", self.prefix)
    }

    /// The key of the people who are online on a node.
    pub fn online(&self, node: &str) -> String {
        format!("{}:online:{node}", self.prefix)
    }

    /// The space of a channel; `None` if it is not one of ours.
    pub fn space_of(&self, channel: &[u8]) -> Option<SpaceId> {
        let rest = channel.strip_prefix(self.prefix.as_bytes())?;
        let space = rest.strip_prefix(b":{")?.strip_suffix(b"}:events")?;
        std::str::from_utf8(space).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_says_which_space_it_is_of() {
        let (names, space) = (Names::new("skole"), SpaceId::from_bytes([9; 16]));
        assert_eq!(names.space_of(names.channel(space).as_bytes()), Some(space));
        assert_eq!(Names::new("skolen").space_of(names.channel(space).as_bytes()), None);
        assert_eq!(names.space_of(names.log(space).as_bytes()), None);
    }
}
