//! A delivery allocates nothing: a message has its price once, however many get it. Alone in its program, because everything
//! that the process allocates is counted.

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

const PEOPLE: usize = 41;
/// Sessions of a small audience, and of a large one: someone may have twenty.
const FEW: usize = 40;
const MANY: usize = 640;
/// Messages of one count. They wait in the sockets until it is over, so that reading them is not counted.
const MESSAGES: usize = 30;
/// What goes on beside it, pings above all, may allocate: less than once in so many deliveries.
const BESIDE: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_allocates_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Running::start(folder.path(), PEOPLE, |_| {}).await;
    let mut sender = Sender::start(&server).await;
    let mut listeners = Vec::new();
    let mut counts = Vec::new();
    for audience in [FEW, MANY] {
        while listeners.len() < audience {
            listeners.push(server.session(1 + listeners.len() % (PEOPLE - 1)).await);
        }
        // What the first message to so many makes room for stays.
        sender.write(&mut listeners).await;
        counts.push(sender.write(&mut listeners).await);
    }
    let more = counts[1].saturating_sub(counts[0]);
    let deliveries = (MANY - FEW) * MESSAGES;
    println!(
        "{MESSAGES} messages: {counts:?} allocations for {FEW} and {MANY} sessions, {more} for {deliveries} deliveries"
    );
    assert!(
        more < deliveries / BESIDE,
        "{more} allocations for {deliveries} deliveries"
    );
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
        let about = json!({"op": "start_thread", "space": server.space, "to": to, "subject": "Tur"});
        let sent = sender.ask(about).await;
        sender.thread = sent["thread"].clone();
        assert!(sender.thread.is_string(), "{sent}");
        sender
    }

    /// Writes some messages, and counts what is allocated until the last listener has the last of them.
    async fn write(&mut self, listeners: &mut [Raw<TcpStream>]) -> usize {
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
        change.allocations + change.reallocations
    }

    /// Sends a request with one's next message, and returns the reply.
    async fn ask(&mut self, mut request: Value) -> Value {
        self.written += 1;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
        request["client_id"] = json!(format!("019fea41-ab00-7444-8444-{:012}", self.written));
        request["sent_at"] = json!(u64::try_from(since.as_millis()).expect("a time"));
        request["parts"] = json!([{"kind": "text", "text": marker(self.written)}]);
        let frame = json!({"t": "request", "id": self.written, "request": request});
        self.socket.send(0x81, frame.to_string().as_bytes()).await;
        self.socket.answered(self.written as u32).await["reply"].clone()
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
