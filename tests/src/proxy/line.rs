//! One connection, both ways.

use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::cql_requests::{CqlRequests, Parted};
use super::faults::{Faults, LateRequests, LineFaults};
use super::push_messages::PushMessages;
use super::{Counts, Shared};

/// The most that is read at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// The chunks that may be on their way. With latency more wait in the sockets, as on a long line.
const CHUNKS_ON_THE_WAY: usize = 64;
/// The least time that a limited line waits for, so that it does not wake for every byte.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    ToClient,
}

impl Way {
    fn of(self, faults: &Faults) -> LineFaults {
        match self {
            Self::ToServer => faults.to_server.clone(),
            Self::ToClient => faults.to_client.clone(),
        }
    }
}

/// How a direction ended.
enum End {
    /// The sender closed in good order, and that was passed on.
    Closed,
    /// It broke, or swallowed bytes that are missing now.
    Broken,
}

/// Bytes with when they are due.
struct Chunk {
    due: Instant,
    bytes: Vec<u8>,
}

/// Carries a connection to its end: closed by both in good order, broken, or reset.
pub(super) async fn carry(
    shared: Arc<Shared>,
    client: TcpStream,
    server: TcpStream,
    mut resets: watch::Receiver<u64>,
    mut random: ChaCha8Rng,
) {
    // What is handed on at once must not wait in the operating system either.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (for_server, for_client) = (random.next_u64(), random.next_u64());
    let is_whole = {
        let up = pass(&shared, Way::ToServer, &mut from_client, &mut to_server, for_server);
        let down = pass(&shared, Way::ToClient, &mut from_server, &mut to_client, for_client);
        let both = async {
            tokio::pin!(up, down);
            // Broken on one side is broken on both, at once; closed on one may still answer on the other.
            tokio::select! {
                end = &mut up => matches!(end, End::Closed) && matches!(down.await, End::Closed),
                end = &mut down => matches!(end, End::Closed) && matches!(up.await, End::Closed),
            }
        };
        tokio::select! {
            is_whole = both => is_whole,
            _ = resets.changed() => false,
        }
    };
    if !is_whole {
        // An error means that it is closed already. Dropped as it is, a half would first say goodbye in good order.
        let _ = (
            to_client.as_ref().set_zero_linger(),
            to_server.as_ref().set_zero_linger(),
        );
        to_client.forget();
        to_server.forget();
    }
}

/// One direction to its end.
async fn pass(shared: &Shared, way: Way, from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, seed: u64) -> End {
    let (on_the_way, arriving) = mpsc::channel(CHUNKS_ON_THE_WAY);
    let reading = read(shared, way, from, on_the_way, seed);
    let writing = write(shared.faults.subscribe(), way, to, arriving);
    tokio::pin!(reading, writing);
    tokio::select! {
        end = &mut reading => match end {
            // What is on its way still arrives.
            End::Closed => writing.await,
            End::Broken => End::Broken,
        },
        end = &mut writing => end,
    }
}

/// Reads until the sender ends.
async fn read(shared: &Shared, way: Way, from: &mut OwnedReadHalf, on_the_way: mpsc::Sender<Chunk>, seed: u64) -> End {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut faults = shared.faults.subscribe();
    let mut messages = (way == Way::ToClient && shared.options.speaks_redis).then(PushMessages::default);
    let mut requests = (way == Way::ToServer && shared.options.speaks_cql).then(CqlRequests::default);
    let mut last_due = Instant::now();
    let mut has_swallowed = false;
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let arrived = tokio::select! {
            arrived = from.read(&mut buffer) => arrived,
            changed = faults.changed() => {
                let is_over = changed.is_err() || !way.of(&faults.borrow_and_update()).is_swallowed;
                if has_swallowed && is_over {
                    return End::Broken;
                }
                continue;
            }
        };
        let holds = way.of(&faults.borrow());
        let length = match arrived {
            Ok(0) if holds.is_swallowed => return swallow_the_end(&mut faults, way).await,
            Ok(0) => return End::Closed,
            Ok(length) => length,
            Err(_) => return End::Broken,
        };
        if holds.is_swallowed {
            has_swallowed = true;
            Counts::add(&shared.counts.swallowed, length);
            continue;
        }
        let bytes = match (&mut messages, &mut requests) {
            (Some(messages), _) => messages.filter(&buffer[..length], |_| is_lost(&holds, &mut random), &shared.counts),
            (None, Some(requests)) => part(requests, &buffer[..length], &holds, &on_the_way, &shared.counts),
            (None, None) => buffer[..length].to_vec(),
        };
        last_due = last_due.max(Instant::now() + holds.latency + up_to(holds.jitter, &mut random));
        let chunk = Chunk { due: last_due, bytes };
        if !chunk.bytes.is_empty() && on_the_way.send(chunk).await.is_err() {
            return End::Broken;
        }
    }
}

/// What of these bytes goes on at once. The requests that are late come by themselves, whole, between others.
fn part(
    requests: &mut CqlRequests,
    bytes: &[u8],
    holds: &LineFaults,
    on_the_way: &mpsc::Sender<Chunk>,
    counts: &Counts,
) -> Vec<u8> {
    let late = holds.late_requests.as_ref();
    let Parted { passed, held } = requests.part(bytes, late.map(|late| late.key.as_slice()));
    Counts::add(&counts.held, held.len());
    let by = late.map_or(Duration::ZERO, |LateRequests { by, .. }| *by);
    let due = Instant::now() + by;
    for bytes in held {
        let on_the_way = on_the_way.clone();
        tokio::spawn(async move {
            // tidy: waits because a slow partition is what is made
            tokio::time::sleep_until(due).await;
            // An error means that the connection is over.
            let _ = on_the_way.send(Chunk { due, bytes }).await;
        });
    }
    passed
}

/// A vanished sender's farewell goes nowhere either; once bytes pass again, the connection is known to be dead.
async fn swallow_the_end(faults: &mut watch::Receiver<Faults>, way: Way) -> End {
    // An error means that the proxy is gone.
    let _ = faults.wait_for(|faults| !way.of(faults).is_swallowed).await;
    End::Broken
}

fn is_lost(holds: &LineFaults, random: &mut ChaCha8Rng) -> bool {
    holds
        .one_message_lost_of
        .is_some_and(|of| random.random_range(0..of.max(1)) == 0)
}

fn up_to(most: Duration, random: &mut ChaCha8Rng) -> Duration {
    most.mul_f64(random.random_range(0.0..=1.0))
}

/// Writes each chunk when it is due, until there are no more; then closes.
async fn write(
    faults: watch::Receiver<Faults>,
    way: Way,
    to: &mut OwnedWriteHalf,
    mut arriving: mpsc::Receiver<Chunk>,
) -> End {
    while let Some(Chunk { due, bytes }) = arriving.recv().await {
        // tidy: waits because a long line is what is made
        tokio::time::sleep_until(due).await;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let holds = way.of(&faults.borrow());
            let length = portion(&holds, rest.len());
            if to.write_all(&rest[..length]).await.is_err() {
                return End::Broken;
            }
            rest = &rest[length..];
            if let Some(limit) = holds.bytes_per_second {
                let seconds = f64::from(u32::try_from(length).unwrap_or(u32::MAX)) / limit.max(1) as f64;
                // tidy: waits because a narrow line is what is made
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            } else if holds.is_sliced {
                // Lets the other end read what there is so far.
                tokio::task::yield_now().await;
            }
        }
    }
    match to.shutdown().await {
        Ok(()) => End::Closed,
        Err(_) => End::Broken,
    }
}

/// How much of `length` is written at once.
fn portion(holds: &LineFaults, length: usize) -> usize {
    if holds.is_sliced {
        return 1;
    }
    let of_a_pause = holds.bytes_per_second.map(|limit| {
        let bytes = limit as f64 * SHORTEST_PAUSE.as_secs_f64();
        (bytes as usize).max(1)
    });
    of_a_pause.unwrap_or(length).min(length)
}
