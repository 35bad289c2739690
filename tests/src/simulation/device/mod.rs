//! A client of someone: it behaves as the documents tell clients to, with a bad connection and little patience, and
//! writes down what it asked, what it was told and what it showed.

mod acts;
mod errands;
mod frames;
mod screen;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use samtale_protocol::frames::Hello;
use samtale_protocol::{ByteString, ClientFrame, DeviceId, Encoding, Language, ThreadId, Timestamp};
use tokio::sync::Notify;

use crate::checker::{Note, Noted};
use crate::simulation::device::errands::Errand;
use crate::simulation::device::screen::Screen;
use crate::simulation::node::Node;
use crate::simulation::people::{People, Someone};
use crate::simulation::randomness::Seeded;
use crate::simulation::wire::{ClientEnd, Received};
use crate::simulation::world::World;

/// How often, in milliseconds, a device that only waits for answers looks around.
const LOOKS_MS: u64 = 1_000;

/// How far a history is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// People talk, and things go wrong.
    Living,
    /// Nothing goes wrong any more; what was begun is ended.
    Finishing,
    /// Everyone loads what they have, to compare.
    Comparing,
    /// It is over, also for those who still wait.
    Over,
}

/// How far a history is, and who waits for it to go on. Not a watch channel: that wakes in random order.
#[derive(Debug)]
pub struct Stages {
    now: Cell<Stage>,
    goes_on: Notify,
}

impl Default for Stages {
    fn default() -> Self {
        Self {
            now: Cell::new(Stage::Living),
            goes_on: Notify::new(),
        }
    }
}

impl Stages {
    /// The next stage begins.
    pub fn begin(&self, stage: Stage) {
        self.now.set(stage);
        self.goes_on.notify_waiters();
    }

    /// Waits until it is another than `known`.
    async fn other_than(&self, known: Stage) {
        while self.now.get() == known {
            self.goes_on.notified().await;
        }
    }
}

/// What all devices of a history share.
#[derive(Clone)]
pub struct Shared {
    /// Time and trace.
    pub world: World,
    /// The nodes; a dead one's place is empty.
    pub nodes: Rc<RefCell<Vec<Option<Node>>>>,
    /// Everyone.
    pub people: Rc<People>,
    /// Every thread that anyone knows of.
    pub threads: Rc<RefCell<Vec<ThreadId>>>,
    /// What was written down.
    pub notes: Rc<RefCell<Vec<Noted>>>,
    /// How far the history is.
    pub stage: Rc<Stages>,
    /// How many devices have nothing left to do in this stage.
    pub settled: Rc<RefCell<std::collections::BTreeSet<u32>>>,
}

impl Shared {
    /// Writes down what a device asked, was told or showed.
    pub fn note(&self, device: u32, note: Note) {
        let noted = Noted {
            moment: self.world.moment(),
            at_ms: self.world.elapsed_ms(),
            device,
            note,
        };
        self.world.trace(format_args!("device {device}: {:?}", noted.note));
        self.notes.borrow_mut().push(noted);
    }
}

/// A client.
pub struct Device {
    shared: Shared,
    random: Seeded,
    number: u32,
    me: Someone,
    encoding: Encoding,
    /// The stage that the device knows of.
    stage: Stage,
    clock: Rc<dyn Fn() -> u64>,
    /// The server's time less our own, as learned in the last welcome.
    learned: i64,
    /// The newest cursor, and when it came.
    cursor: Option<(ByteString, u64)>,
    screen: Screen,
    errands: Vec<Errand>,
    /// What was sent before: it may be sent again, as after a restart of the client.
    sent_before: Vec<errands::Want>,
    next_request: u32,
    last_node: usize,
    /// Whether this connection has got a cursor: it has caught up.
    has_caught_up: bool,
    /// Whether to come back through another node at once.
    hurries_away: bool,
}

impl Device {
    /// A client of `me`.
    pub fn new(shared: Shared, number: u32, me: Someone, mut random: Seeded) -> Self {
        let world = shared.world.clone();
        // A device's own clock is days off and runs a little fast or slow: only the server's time counts.
        let (offset, drift) = (random.below(200_000_000), random.below(100));
        let clock = Rc::new(move || {
            let elapsed = world.elapsed_ms();
            1_600_000_000_000 + offset + elapsed + elapsed * drift / 1_000_000
        });
        let encoding = if random.chance(250) {
            Encoding::Json
        } else {
            Encoding::MessagePack
        };
        let device = Self {
            shared,
            random,
            number,
            me,
            encoding,
            stage: Stage::Living,
            clock,
            learned: 0,
            cursor: None,
            screen: Screen::default(),
            errands: Vec::new(),
            sent_before: Vec::new(),
            next_request: 0,
            last_node: 0,
            has_caught_up: false,
            hurries_away: false,
        };
        device.note(Note::Began { profile: me.profile });
        device
    }

    /// Lives until the history is over.
    pub async fn live(mut self) {
        loop {
            if self.stage == Stage::Over {
                return self.give_up();
            }
            if self.stage == Stage::Comparing && self.has_compared() {
                return;
            }
            match self.connect() {
                Some(end) => self.session(end).await,
                None => self.shared.world.pass(Duration::from_millis(300)).await,
            }
            self.errands.iter_mut().for_each(Errand::was_cut_off);
            self.shared.settled.borrow_mut().remove(&self.number);
            self.stay_away().await;
        }
    }

    fn connect(&mut self) -> Option<ClientEnd> {
        let nodes = Rc::clone(&self.shared.nodes);
        let nodes = nodes.borrow();
        let mut alive: Vec<usize> = (0..nodes.len()).filter(|place| nodes[*place].is_some()).collect();
        if self.hurries_away && alive.len() > 1 {
            alive.retain(|place| *place != self.last_node);
        }
        self.hurries_away = false;
        self.last_node = *self.random.pick(&alive)?;
        let room = 512 << self.random.below(7);
        let room = usize::try_from(room).unwrap_or(512);
        nodes[self.last_node].as_ref()?.connect(self.encoding, room)
    }

    async fn session(&mut self, mut end: ClientEnd) {
        self.has_caught_up = false;
        self.trace("connects");
        let hello = Hello {
            version: samtale_protocol::VERSION,
            access_token: self.me.person.to_string(),
            device: DeviceId::from_bytes([u8::try_from(self.number).unwrap_or(0); 16]),
            client: "simulation".to_owned(),
            language: Language::English,
            cursor: self.cursor.as_ref().map(|(cursor, _)| cursor.clone()),
        };
        if hello.cursor.is_none() {
            self.load_everything();
        }
        self.send_frame(&end, &ClientFrame::Hello(hello));
        let stays_ms = if self.random.chance(300) { 3_000 } else { 120_000 };
        let until = self.shared.world.elapsed_ms() + self.random.between(200, stays_ms);
        let is_slow = self.random.chance(120);
        let mut stalls_at = self
            .random
            .chance(100)
            .then(|| self.shared.world.elapsed_ms() + self.random.below(20_000));
        let mut acts_at = self.shared.world.elapsed_ms() + self.random.between(50, 3_000);
        loop {
            self.flush(&end);
            self.tell_settled();
            let now = self.shared.world.elapsed_ms();
            let lives_at = if self.is_living() {
                acts_at.min(until)
            } else {
                now + LOOKS_MS
            };
            let wakes_at = self.wakes_at().min(lives_at).max(now + 1);
            let (world, stages) = (self.shared.world.clone(), Rc::clone(&self.shared.stage));
            tokio::select! {
                biased;
                received = end.receive() => match received {
                    Some(Received::Message(bytes)) => {
                        self.on_message(&bytes);
                        if is_slow && self.is_living() {
                            world.pass(Duration::from_millis(self.random.below(400))).await;
                        }
                    }
                    Some(Received::Ping) => end.pong(),
                    Some(Received::Close(code)) => return self.trace(&format!("was closed with {code}")),
                    None => return,
                },
                () = stages.other_than(self.stage) => self.on_stage(),
                () = world.pass(Duration::from_millis(wakes_at - now)) => {}
            }
            let now = self.shared.world.elapsed_ms();
            if self.stage == Stage::Over || self.stage == Stage::Comparing && self.has_compared() {
                return;
            }
            if !self.is_living() {
                continue;
            }
            if now >= acts_at {
                self.act();
                acts_at = now + self.random.between(100, 5_000);
            }
            if stalls_at.is_some_and(|at| now >= at) {
                stalls_at = None;
                // Whoever sleeps has not settled, whatever it had before: it wakes to what it missed.
                self.shared.settled.borrow_mut().remove(&self.number);
                world
                    .pass(Duration::from_millis(self.random.between(5_000, 70_000)))
                    .await;
            }
            if now >= until || self.hurries_away {
                end.end(self.random.chance(300));
                return;
            }
        }
    }

    /// Stays away: mostly for a moment, at times for minutes. Comes back at once when the history ends.
    async fn stay_away(&mut self) {
        let millis = match self.random.below(100) {
            _ if !self.is_living() => self.random.between(50, 500),
            _ if self.hurries_away => 1,
            0..60 => self.random.between(50, 3_000),
            60..90 => self.random.between(3_000, 30_000),
            _ => self.random.between(30_000, 240_000),
        };
        let (world, stages) = (self.shared.world.clone(), Rc::clone(&self.shared.stage));
        tokio::select! {
            biased;
            () = stages.other_than(self.stage) => self.on_stage(),
            () = world.pass(Duration::from_millis(millis)) => {}
        }
    }

    fn is_living(&self) -> bool {
        self.stage == Stage::Living
    }

    fn on_stage(&mut self) {
        self.stage = self.shared.stage.now.get();
        if self.stage == Stage::Comparing {
            self.compare();
        }
    }

    fn tell_settled(&self) {
        if self.has_caught_up && self.errands.is_empty() {
            self.shared.settled.borrow_mut().insert(self.number);
        } else {
            self.shared.settled.borrow_mut().remove(&self.number);
        }
    }

    /// The server's time, as far as this device knows it.
    fn server_time(&self) -> Timestamp {
        Timestamp::saturating((self.clock)().saturating_add_signed(self.learned))
    }

    fn note(&self, note: Note) {
        self.shared.note(self.number, note);
    }

    fn trace(&self, what: &str) {
        self.shared
            .world
            .trace(format_args!("device {} {what} (node {})", self.number, self.last_node));
    }

    fn send_frame(&self, end: &ClientEnd, frame: &ClientFrame) {
        if let Ok(bytes) = self.encoding.encode(frame) {
            end.send(&bytes, self.encoding.is_binary());
        }
    }

    fn give_up(&self) {
        let what = format!("{:?}, caught up: {}", self.errands, self.has_caught_up);
        self.note(Note::Stuck { what });
    }
}
