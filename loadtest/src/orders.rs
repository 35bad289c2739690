//! Orders to a process of a run, as lines of JSON on its standard input, which it reads between what it has to do.

use anyhow::{Context, Result};
use rustix::io::read;
use serde::de::DeserializeOwned;

/// What came so far.
#[derive(Debug, Default)]
pub struct Orders {
    bytes: Vec<u8>,
    is_over: bool,
}

impl Orders {
    /// Reads what there is; to be called when there is something.
    pub fn read(&mut self) -> Result<()> {
        let mut bytes = [0; 4096];
        let count = read(std::io::stdin(), &mut bytes)?;
        self.bytes.extend_from_slice(&bytes[..count]);
        self.is_over = count == 0;
        Ok(())
    }

    /// The next order that has come whole.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') else {
            return Ok(None);
        };
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        serde_json::from_slice(&line)
            .map(Some)
            .context("an order can not be read")
    }

    /// Whether there will be no more: whoever gave them is gone.
    pub fn is_over(&self) -> bool {
        self.is_over
    }
}
