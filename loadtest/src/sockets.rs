//! Sockets of a load run, to and from 127.0.0.0/8 and nowhere else.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, listen, socket_with};
use rustix::process::{Resource, getrlimit, setrlimit};

/// Connections from one source address: with many more, the kernel's search for a free port takes all the CPU.
const PER_ADDRESS: usize = 500;
/// Values of an octet that are used.
const PER_OCTET: usize = 250;
/// Connections that the addresses with one second octet are for. Whoever counts connections from nought, beside others who
/// do, begins at another multiple of it: so no address has those of both.
pub const PER_COUNT: usize = PER_ADDRESS * PER_OCTET * PER_OCTET;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;

/// How long each step of a connection that blocks may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a client's socket takes while nobody reads it; the kernel doubles it. Left alone, it grows to megabytes for who
/// reads fast, and a client that stops reading would not be noticed for as long as those last.
const RECEIVE_BYTES: usize = 64 * 1024;

/// Begins a connection that does not block, from the address that those around `number` have and not too many others.
/// Says whether it is there at once, as it mostly is on one machine; if not, the socket can be written to when it is.
pub fn begin(server: SocketAddr, number: usize) -> std::io::Result<(TcpStream, bool)> {
    if !is_local(server) {
        let outside = format!("{server} is not in 127.0.0.0/8: load stays on this machine");
        return Err(std::io::Error::other(outside));
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    set_socket_recv_buffer_size(&socket, RECEIVE_BYTES)?;
    bind(&socket, &SocketAddr::from((source(number), 0)))?;
    let is_connected = match connect(&socket, &server) {
        Ok(()) => true,
        Err(Errno::INPROGRESS) => false,
        Err(error) => return Err(error.into()),
    };
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    Ok((stream, is_connected))
}

/// Opens a connection that blocks, for those who talk to a server step by step.
pub fn open(server: SocketAddr, number: usize) -> Result<TcpStream> {
    let (stream, is_connected) = begin(server, number).with_context(|| format!("no connection to {server}"))?;
    if !is_connected {
        let mut waited = [PollFd::new(&stream, PollFlags::OUT)];
        poll(&mut waited, Some(&Timespec::try_from(PATIENCE)?))?;
        if let Some(error) = stream.take_error()? {
            return Err(error).with_context(|| format!("no connection to {server}"));
        }
    }
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Takes `count` connections, in a thread of its own, while they are being opened. If none comes for too long, it says how
/// many did.
pub fn accept(listener: TcpListener, count: usize) -> std::thread::JoinHandle<Result<Vec<OwnedFd>>> {
    std::thread::spawn(move || {
        // The 128 of the standard library overflow while others have the cores, and who opens a raw socket does not hear
        // that it was dropped: it never sends anything.
        listen(&listener, BACKLOG)?;
        let mut accepted = Vec::with_capacity(count);
        while accepted.len() < count {
            let mut waited = [PollFd::new(&listener, PollFlags::IN)];
            let is_coming = poll(&mut waited, Some(&Timespec::try_from(PATIENCE)?))? > 0;
            ensure!(is_coming, "{} of {count} raw sockets came, and no more", accepted.len());
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            accepted.push(stream.into());
        }
        Ok(accepted)
    })
}

/// As many descriptors as this process is allowed to have.
pub fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it is refused, the limit that there is holds, and a run that needs more says so.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Whether an address is one of this machine alone.
pub fn is_local(address: SocketAddr) -> bool {
    matches!(address.ip(), IpAddr::V4(address) if address.is_loopback())
}

fn source(number: usize) -> Ipv4Addr {
    let address = number / PER_ADDRESS;
    let octet = |value: usize| u8::try_from(value % PER_OCTET).unwrap_or_default();
    // Not 127.0.0.1, which the servers listen on.
    Ipv4Addr::new(
        127,
        1 + octet(number / PER_COUNT),
        octet(address / PER_OCTET),
        1 + octet(address),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_address_has_five_hundred_connections() {
        assert_eq!(source(499), Ipv4Addr::new(127, 1, 0, 1));
        assert_eq!(source(500), Ipv4Addr::new(127, 1, 0, 2));
        assert_eq!(source(250 * 500), Ipv4Addr::new(127, 1, 1, 1));
    }

    #[test]
    fn two_who_count_their_connections_share_no_address() {
        assert_eq!(source(PER_COUNT - 1), Ipv4Addr::new(127, 1, 249, 250));
        assert_eq!(source(PER_COUNT), Ipv4Addr::new(127, 2, 0, 1));
        assert_eq!(source(3 * PER_COUNT + 500), Ipv4Addr::new(127, 4, 0, 2));
    }

    #[test]
    fn load_does_not_leave_the_machine() {
        assert!(begin("192.0.2.1:80".parse().unwrap(), 0).is_err());
    }
}
