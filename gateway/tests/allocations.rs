//! Over a plain socket that takes what is written, a delivery allocates nothing: a message has its price once, however many
//! people and sessions get it. Alone in its program, because everything that the process allocates is counted.

#![expect(clippy::expect_used, reason = "a test that can not go on has failed")]

mod support;

use std::alloc::System;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use support::{Raw, Running, SOON};
use tokio::net::TcpStream;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Who listens: with both ends of their sockets, and the one who writes, in less than 1,024 descriptors.
const LISTENERS: usize = 400;
/// Who of them is there at first.
const FEW: usize = 20;
/// Messages of one count. They wait in the sockets until it is over, so that reading them is not counted.
const MESSAGES: usize = 30;
/// Counts of each audience, of which the smallest is taken: what goes on beside it, pings above all, comes and goes.
const COUNTS: usize = 3;
/// What still goes on beside the smallest: less than one allocation in so many deliveries.
const BESIDE: u64 = 20;
/// A list of the people, made for each message, would take as many bytes for each of them.
const BYTES: u64 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_allocates_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path(), LISTENERS + 1, |options| {
        options.limits.requests_per_second = 1_000
    })
    .await;
    let mut sender = Sender::start(&server).await;
    let mut listeners = Vec::new();
    let mut counted = Vec::new();
    for audience in [FEW, LISTENERS] {
        while listeners.len() < audience {
            listeners.push(server.session(1 + listeners.len()).await);
        }
        // What the first messages to so many make room for stays.
        sender.write(&mut listeners).await;
        counted.push(sender.least(&mut listeners).await);
    }
    let deliveries = ((LISTENERS - FEW) * MESSAGES) as u64;
    let [few, many] = [counted[0], counted[1]];
    println!("{MESSAGES} messages to {FEW}: {few:?}, to {LISTENERS}: {many:?}; {deliveries} deliveries more");
    assert!(
        many.allocations < few.allocations + deliveries / BESIDE,
        "{few:?} for {FEW}, {many:?} for {LISTENERS}"
    );
    assert!(
        many.bytes < few.bytes + deliveries * BYTES,
        "{few:?} for {FEW}, {many:?} for {LISTENERS}"
    );
}

/// What was allocated.
#[derive(Clone, Copy, Debug)]
struct Allocated {
    allocations: u64,
    bytes: u64,
}

/// Who writes, in a thread with everyone else.
struct Sender {
    socket: Raw<TcpStream>,
    thread: Value,
    written: usize,
}

impl Sender {
    async fn start(server: &Running) -> Self {
        let mut sender = Self {
            socket: server.session(0).await,
            thread: Value::Null,
            written: 0,
        };
        let to = json!([{"kind": "group", "group": server.groups[0]}]);
        let start = json!({"op": "start_thread", "space": server.space, "to": to, "subject": "Tur"});
        let sent = sender.ask(start).await;
        sender.thread = sent["thread"].clone();
        assert!(sender.thread.is_string(), "{sent}");
        sender
    }

    /// The least that was allocated in some counts.
    async fn least(&mut self, listeners: &mut [Raw<TcpStream>]) -> Allocated {
        let mut least = self.write(listeners).await;
        for _ in 1..COUNTS {
            let another = self.write(listeners).await;
            least.allocations = least.allocations.min(another.allocations);
            least.bytes = least.bytes.min(another.bytes);
        }
        least
    }

    /// Writes some messages, and counts what is allocated until the last listener has the last of them.
    async fn write(&mut self, listeners: &mut [Raw<TcpStream>]) -> Allocated {
        let counted = Region::new(ALLOCATOR);
        for _ in 0..MESSAGES {
            let message = json!({"op": "send_message", "thread": self.thread});
            let sent = self.ask(message).await;
            assert_eq!(sent["kind"], "sent", "{sent}");
        }
        let last = marker(self.written);
        for listener in listeners {
            wait_for(&mut listener.stream, last.as_bytes()).await;
        }
        let change = counted.change();
        Allocated {
            allocations: (change.allocations + change.reallocations) as u64,
            bytes: change.bytes_allocated as u64,
        }
    }

    /// Sends a request with one's next message, and returns the reply.
    async fn ask(&mut self, mut request: Value) -> Value {
        self.written += 1;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
        request["client_id"] = json!(format!("019fea41-ab00-7444-8444-{:012}", self.written));
        request["sent_at"] = json!(u64::try_from(since.as_millis()).expect("a time"));
        request["parts"] = json!([{"kind": "text", "text": marker(self.written)}]);
        let id = u32::try_from(self.written).expect("a number");
        let frame = json!({"t": "request", "id": id, "request": request});
        self.socket.send(0x81, frame.to_string().as_bytes()).await;
        self.socket.answered(id).await["reply"].clone()
    }
}

fn marker(number: usize) -> String {
    format!("besked {number:06}.")
}

/// Reads until `wanted` has come, and allocates nothing.
async fn wait_for(stream: &mut TcpStream, wanted: &[u8]) {
    let mut buffer = [0; 32 * 1024];
    let mut filled = 0;
    let reading = async {
        while !buffer[..filled].windows(wanted.len()).any(|window| window == wanted) {
            stream.readable().await.expect("it is open");
            match stream.try_read(&mut buffer[filled..]) {
                Ok(0) => unreachable!("the connection ended, or the buffer is too small"),
                Ok(more) => filled += more,
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}"),
            }
        }
    };
    tokio::time::timeout(SOON, reading).await.expect("it comes");
}
