//! The scripts that Redis runs, each one atomic, and what they answer.

use redis::{Script, Value};

use super::encoding::read_epoch;
use crate::log::Position;

/// Every script of a space's log begins with this.
const EPOCH: &str = include_str!("scripts/epoch.lua");

/// The scripts.
pub struct Scripts {
    pub append: Script,
    pub read: Script,
    pub heads: Script,
    pub renew: Script,
    pub online: Script,
}

impl Scripts {
    pub fn new() -> Self {
        let script = |text: &str| Script::new(&format!("{EPOCH}\n{text}"));
        Self {
            append: script(include_str!("scripts/append.lua")),
            read: script(include_str!("scripts/read.lua")),
            heads: script(include_str!("scripts/heads.lua")),
            renew: Script::new(include_str!("scripts/renew.lua")),
            online: Script::new(include_str!("scripts/online.lua")),
        }
    }
}

/// Epoch and offset, as a script answers them.
pub fn position(answer: &[Value]) -> Option<Position> {
    let [Value::BulkString(epoch), Value::Int(offset), ..] = answer else {
        return None;
    };
    let (epoch, offset) = (read_epoch(epoch)?, u64::try_from(*offset).ok()?);
    Some(Position { epoch, offset })
}

/// What a read gave.
pub struct Read<'a> {
    pub head: Position,
    /// If the log does not reach back to the asked place: up to where it is trimmed.
    pub trimmed: Option<u64>,
    /// Offset and body of each entry.
    pub entries: Vec<(u64, &'a [u8])>,
}

impl<'a> Read<'a> {
    pub fn of(answer: &'a [Value]) -> Option<Self> {
        let head = position(answer)?;
        let [_, _, Value::Int(trimmed), rest @ ..] = answer else {
            return None;
        };
        let entry = |pair: &'a [Value]| match pair {
            [Value::Int(offset), Value::BulkString(body)] => Some((u64::try_from(*offset).ok()?, body.as_slice())),
            _ => None,
        };
        let entries = rest.chunks(2).map(entry).collect::<Option<_>>()?;
        Some(Self {
            head,
            trimmed: u64::try_from(*trimmed).ok(),
            entries,
        })
    }
}
