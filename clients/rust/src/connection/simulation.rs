//! The connection and its outbox against a model of the server that loses, delays, refuses and forgets, with processes
//! that die: what was taken into the outbox is stored once, in order, and "sent" is never said before.
//!
//! A seed that fails replays.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use samtale_protocol::frames::Welcome;
use samtale_protocol::login::LoginReply;
use samtale_protocol::messages::{Part, SendMessage, Sent};
use samtale_protocol::{
    ClientFrame, ClientId, ErrorCode, MessageId, PersonId, ProfileId, Refusal, Request, ServerFrame, SessionId,
    ThreadId, Timestamp, limits,
};

use super::*;
use crate::outbox::{Outgoing, Record};

const NOON: Timestamp = Timestamp::saturating(1_800_000_000_000);
const ME: ProfileId = ProfileId::from_bytes([1; 16]);
const SEEDS: u64 = 400;
const STEPS: u32 = 250;

#[test]
fn what_is_taken_is_stored_once_and_in_order_whatever_dies() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.come_to_rest();
        world.check();
    }
}

struct World {
    seed: u64,
    random: Jitter,
    now: Moment,
    started: Moment,
    connection: Connection,
    /// What is on the disk.
    records: Vec<Record>,
    /// What is on its way to the client.
    coming: VecDeque<Input>,
    server: Server,
    faults: bool,
    next_client_id: u32,
    taken: HashMap<ThreadId, Vec<ClientId>>,
    pending: HashMap<Ticket, (ThreadId, ClientId)>,
    said_sent: Vec<Sent>,
}

/// What the nodes store. Which node one talks to, and so whose clock counts, changes with each connection.
#[derive(Default)]
struct Server {
    stored: BTreeMap<(ThreadId, MessageId), ClientId>,
    void: HashSet<MessageId>,
    skew_ms: u64,
}

enum Answer {
    Frame(Box<ServerFrame>),
    Nothing,
    Break,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            random: Jitter::seeded(seed),
            now: Moment::ZERO,
            started: Moment::ZERO,
            connection: process(seed, Vec::new()),
            records: Vec::new(),
            coming: VecDeque::new(),
            server: Server::default(),
            faults: true,
            next_client_id: 0,
            taken: HashMap::new(),
            pending: HashMap::new(),
            said_sent: Vec::new(),
        }
    }

    fn step(&mut self) {
        match self.below(100) {
            0..35 => self.pass_up_to(400),
            35..38 => self.pass_up_to(20_000),
            38..75 => self.hear(),
            75..95 => self.write(),
            95..98 if self.faults => self.give(Input::Closed {
                code: None,
                reason: String::new(),
            }),
            98.. if self.faults => self.die(),
            _ => self.hear(),
        }
    }

    /// No more faults, and enough time for every wait.
    fn come_to_rest(&mut self) {
        self.faults = false;
        for _ in 0..2000 {
            while !self.coming.is_empty() {
                self.hear();
            }
            if self.connection.outbox().len() == 0 {
                return;
            }
            self.pass(Duration::from_millis(500));
        }
        panic!(
            "seed {}: {} messages were never stored",
            self.seed,
            self.connection.outbox().len()
        );
    }

    fn check(&self) {
        let seed = self.seed;
        for (thread, taken) in &self.taken {
            let of_thread = self.server.stored.iter().filter(|((of, _), _)| of == thread);
            let stored: Vec<ClientId> = of_thread.map(|(_, client_id)| *client_id).collect();
            assert_eq!(&stored, taken, "seed {seed}: stored, and taken");
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.give(Input::Tick);
    }

    fn pass_up_to(&mut self, millis: u64) {
        let time = Duration::from_millis(self.below(millis));
        self.pass(time);
    }

    fn hear(&mut self) {
        if let Some(input) = self.coming.pop_front() {
            self.give(input);
        }
    }

    fn write(&mut self) {
        self.next_client_id += 1;
        let thread = ThreadId::from_bytes([u8::try_from(self.below(3)).unwrap(); 16]);
        let client_id = ClientId::from_bytes(u128::from(self.next_client_id).to_be_bytes());
        let outgoing = Outgoing::SendMessage(SendMessage {
            thread,
            client_id,
            sent_at: Timestamp::default(),
            parts: vec![Part::text("x")],
            reply_to: None,
            membership_version: None,
        });
        let ticket = self.next_client_id.into();
        self.pending.insert(ticket, (thread, client_id));
        self.give(Input::Send { ticket, outgoing });
    }

    /// The process ends; the next one reads the disk. Records that nothing waited for may be lost.
    fn die(&mut self) {
        while matches!(self.records.last(), Some(Record::Done { .. })) && self.below(2) == 0 {
            self.records.pop();
        }
        // A process forgets what it saw of a thread; longer than nodes are apart, so that its own order stays.
        self.now += Duration::from_secs(3);
        self.started = self.now;
        self.coming.clear();
        let mut entries = Vec::new();
        self.records
            .iter()
            .cloned()
            .for_each(|record| record.apply_to(&mut entries));
        self.connection = process(self.below(1 << 40), entries);
    }

    fn give(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for action in self.connection.apply(self.now - self.started, input) {
                inputs.extend(self.perform(action));
            }
        }
    }

    fn perform(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::LogIn | Action::Refresh(_) => return Some(tokens()),
            Action::Open if self.faults && self.below(5) == 0 => {
                return Some(Input::OpenFailed {
                    reason: String::new(),
                    told_wait: None,
                });
            }
            Action::Open => {
                self.server.skew_ms = self.below(1000);
                return Some(Input::Opened);
            }
            Action::Transmit(frame) => self.serve(*frame),
            Action::Close => self.coming.clear(),
            Action::Persist(record) => self.records.push(record),
            Action::Taken { ticket, result } => {
                let (thread, client_id) = self.pending.remove(&ticket).unwrap();
                result.unwrap();
                self.taken.entry(thread).or_default().push(client_id);
            }
            Action::Deliver(Update::Sent(sent)) => {
                let stored = self.server.stored.get(&(sent.thread, sent.message));
                assert_eq!(stored, Some(&sent.client_id), "seed {}: said too early", self.seed);
                self.said_sent.push(sent);
            }
            Action::Deliver(Update::SendFailed { refusal, .. }) => panic!("seed {}: {refusal:?}", self.seed),
            _ => {}
        }
        None
    }

    fn serve(&mut self, frame: ClientFrame) {
        let node_now = NOON.plus(self.now + Duration::from_millis(self.server.skew_ms));
        match frame {
            ClientFrame::Hello(_) => self.coming.push_back(welcome(node_now)),
            ClientFrame::Request {
                id,
                request: Request::SendMessage(send),
            } => {
                let fault = if self.faults { self.below(10) } else { 9 };
                match self.server.store(id, &send, node_now, fault) {
                    Answer::Frame(frame) => self.coming.push_back(Input::Frame(frame)),
                    Answer::Nothing => {}
                    Answer::Break => {
                        let closed = Input::Closed {
                            code: Some(4005),
                            reason: String::new(),
                        };
                        self.coming.push_back(closed);
                    }
                }
            }
            ClientFrame::Request { .. } => {}
        }
    }

    fn below(&mut self, most: u64) -> u64 {
        u64::try_from(self.random.below(Duration::from_micros(most - 1)).as_micros()).unwrap()
    }
}

impl Server {
    /// As the design says it: what is fresh is written, what is old is looked up and made void.
    fn store(&mut self, id: u32, send: &SendMessage, node_now: Timestamp, fault: u64) -> Answer {
        let refuse = |code: ErrorCode| {
            Answer::Frame(Box::new(ServerFrame::Error {
                id: Some(id),
                error: Refusal::new(code),
            }))
        };
        if send.sent_at > node_now.plus(limits::SENT_AT_AHEAD) {
            return refuse(ErrorCode::ClockAhead);
        }
        match fault {
            0 => return Answer::Break,
            1 => return refuse(ErrorCode::Overloaded),
            _ => {}
        }
        let message = MessageId::derive(send.thread, ME, send.client_id, send.sent_at);
        let stored = self.stored.contains_key(&(send.thread, message));
        if !stored && (self.void.contains(&message) || node_now.since(send.sent_at) > limits::SENT_AT_FRESH) {
            self.void.insert(message);
            return refuse(ErrorCode::Restamp);
        }
        self.stored.insert((send.thread, message), send.client_id);
        let sent = Sent {
            thread: send.thread,
            message,
            client_id: send.client_id,
        };
        match fault {
            2 => Answer::Break,
            3 => refuse(ErrorCode::StorageUnavailable),
            4 => Answer::Nothing,
            _ => Answer::Frame(Box::new(ServerFrame::Reply {
                id,
                reply: Reply::Sent(sent),
            })),
        }
    }
}

fn process(seed: u64, outbox: Vec<Entry>) -> Connection {
    Connection::new(Start {
        may_log_in: true,
        refresh_token: None,
        device: DeviceId::from_bytes([1; 16]),
        client: "simulation".to_owned(),
        language: Language::Danish,
        cursor: None,
        outbox,
        request_timeout: Duration::from_secs(30),
        seed,
    })
}

fn tokens() -> Input {
    Input::LoggedIn(LoginReply {
        access_token: "access".to_owned(),
        refresh_token: "refresh".to_owned(),
        expires_in: 600,
        profiles: Vec::new(),
    })
}

fn welcome(server_time: Timestamp) -> Input {
    Input::Frame(Box::new(ServerFrame::Welcome(Welcome {
        server_time,
        person: PersonId::from_bytes([2; 16]),
        session: SessionId::from_bytes([3; 16]),
        profiles: Vec::new(),
        expires_at: server_time.plus(Duration::from_secs(600)),
        ping_interval_ms: 25_000,
        presence_hidden: false,
    })))
}
