//! The memory that the kernel holds for sockets, and how much is left.

use anyhow::{Context, Result};

use crate::machine::kib_of;

/// Pages are this large on the machines that we know; socket buffers are told in pages.
const PAGE_KIB: u64 = 4;

/// The kernel's memory at one moment, of the whole machine and so of both ends of every connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelMemory {
    /// Objects: sockets, files, waits.
    pub slab_kib: u64,
    /// Buffers of TCP sockets, by the protocol's own account.
    pub buffers_kib: u64,
}

impl KernelMemory {
    /// Now.
    pub fn now() -> Result<Self> {
        let memory = std::fs::read_to_string("/proc/meminfo")?;
        let sockets = std::fs::read_to_string("/proc/net/sockstat")?;
        Ok(Self {
            slab_kib: kib_of("Slab:", &memory).context("the kernel tells nothing of its memory")?,
            buffers_kib: buffer_pages(&sockets).context("the kernel tells nothing of its sockets")? * PAGE_KIB,
        })
    }

    /// All of it.
    pub const fn kib(self) -> u64 {
        self.slab_kib + self.buffers_kib
    }
}

/// What is left for everyone.
pub fn available_kib() -> Result<u64> {
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    kib_of("MemAvailable:", &memory).context("the kernel does not tell how much memory is left")
}

fn buffer_pages(sockets: &str) -> Option<u64> {
    let tcp = sockets.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    tcp.split_whitespace()
        .skip_while(|word| *word != "mem")
        .nth(1)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffers_of_tcp_are_read() {
        let text = "sockets: used 199\nTCP: inuse 167 orphan 0 tw 102 alloc 168 mem 63\nUDP: inuse 0 mem 5\n";
        assert_eq!(buffer_pages(text), Some(63));
        assert!(KernelMemory::now().unwrap().kib() > 0);
        assert!(available_kib().unwrap() > 0);
    }
}
