//! One history: a school is drawn, people talk while things go wrong, everything is healed, and what they have is
//! compared.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use samtale_protocol::people::Caller;
use samtale_protocol::threads::{Recipient, StartThread};
use samtale_protocol::time::Clock;
use samtale_protocol::{ClientId, Reply, Request, SessionId, Timestamp};
use samtale_router::{Epoch, MemoryLog};
use samtale_storage::StorageError;
use samtale_storage::memory::MemoryEngine;

use crate::checker::{Note, Noted};
use crate::simulation::Broken;
use crate::simulation::device::{Device, Shared, Stage};
use crate::simulation::faults::{Faults, Rates};
use crate::simulation::node::{Ground, Node};
use crate::simulation::office::{OFFICE, Office};
use crate::simulation::people::{People, Someone};
use crate::simulation::randomness::Seeded;
use crate::simulation::world::{SimulatedClock, World};

/// A quarter of a year ends here: some histories begin just before, since messages are kept by quarters.
const QUARTER_END: u64 = 224 * 91 * 24 * 60 * 60 * 1000;

/// The furthest that a node's clock is off: two nodes are never more than a second apart, or one is not ready.
const CLOCK_OFF_MS: u64 = 450;

/// After how long a dead node's lease ends, and another one republishes what it may have left unpublished.
const LEASE_MS: u64 = 8_000;

/// How long everyone may take to end what they began, once nothing goes wrong any more.
const SETTLING: Duration = Duration::from_secs(600);

type Played = (Vec<Noted>, u64);

/// What makes things go wrong.
struct Fate {
    ground: Ground,
    random: Seeded,
    shared: Shared,
    log: MemoryLog,
    office: Office,
    clocks: Vec<Arc<SimulatedClock>>,
    lives: u64,
    epoch: u64,
    /// Since when the log may lack something, and when the lease ends after which that is put right.
    unpublished: Option<(Timestamp, u64)>,
    /// When which dead node starts again.
    restarts: Vec<(u64, usize)>,
    /// When the log is back.
    log_back_at: Option<u64>,
}

/// Plays the history of a seed.
pub async fn play(seed: u64, broken: Broken, is_told: bool) -> Result<Played, Box<dyn std::error::Error>> {
    let mut random = Seeded::new(seed, 0);
    let began_at = if random.chance(100) {
        QUARTER_END - 90_000
    } else {
        QUARTER_END + random.below(5_000_000_000)
    };
    let world = World::new(began_at, is_told);
    let engine = Arc::new(MemoryEngine::new(world.clock(0)));
    let people = Rc::new(People::draw(&mut random, &engine).await?);
    let (faults, rates) = (Faults::default(), Rates::of(&mut random));
    let ground = Ground {
        world: world.clone(),
        engine,
        faults,
        sabotage: broken.sabotage,
        ignore_gaps: broken.ignore_gaps,
        seed,
    };
    let shared = Shared {
        world: world.clone(),
        nodes: Rc::default(),
        people: Rc::clone(&people),
        threads: Rc::default(),
        notes: Rc::default(),
        stage: Rc::default(),
        settled: Rc::new(RefCell::new(BTreeSet::new())),
    };
    let mut fate = Fate::new(ground, shared.clone(), random);
    fate.start_threads().await?;
    world.trace(format_args!("{rates:?}"));
    fate.ground.faults.set(rates);
    let devices = fate.start_devices();

    fate.live().await?;
    fate.heal();
    shared.stage.begin(Stage::Finishing);
    fate.settle(devices.len()).await;
    shared.stage.begin(Stage::Comparing);
    shared.settled.borrow_mut().clear();
    let compared = async {
        for device in devices {
            let _ = device.await;
        }
    };
    let over = async {
        world.pass(SETTLING).await;
        shared.stage.begin(Stage::Over);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        () = compared => {}
        () = over => {}
    }
    let notes = shared.notes.take();
    Ok((notes, world.trace_hash()))
}

impl Fate {
    fn new(ground: Ground, shared: Shared, mut random: Seeded) -> Self {
        let count = random.between(1, 3);
        let clocks: Vec<_> = (0..count)
            .map(|_| ground.world.clock(drawn_offset(&mut random)))
            .collect();
        let (log, _) = MemoryLog::new(Epoch(1));
        if random.chance(400) {
            log.keep(usize::try_from(random.between(3, 60)).unwrap_or(60));
        }
        let nodes = clocks.iter().map(|_| None).collect();
        *shared.nodes.borrow_mut() = nodes;
        let office = Office::new(shared.clone(), &ground.engine, Arc::clone(&clocks[0]));
        let mut fate = Self {
            ground,
            random,
            shared,
            log,
            office,
            clocks,
            lives: 0,
            epoch: 1,
            unpublished: None,
            restarts: Vec::new(),
            log_back_at: None,
        };
        for place in 0..fate.clocks.len() {
            fate.start(place);
        }
        fate
    }

    fn start(&mut self, place: usize) {
        self.ground.world.trace(format_args!("node {place} starts"));
        self.lives += 1;
        let node = Node::start(
            &self.ground,
            self.log.another_node(),
            self.lives,
            Arc::clone(&self.clocks[place]),
        );
        self.shared.nodes.borrow_mut()[place] = Some(node);
    }

    /// Threads among all kinds of people, some also to all guardians of the class, started by staff through the rules while
    /// nothing goes wrong yet.
    async fn start_threads(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let people = Rc::clone(&self.shared.people);
        let staff = people.staff();
        for _ in 0..self.random.between(1, 3) {
            let starter = self.random.pick(&staff).copied().ok_or("there is no staff")?;
            let mut members: Vec<Someone> = people.all.iter().copied().filter(|_| self.random.chance(600)).collect();
            members.retain(|someone| someone.profile != starter.profile);
            members.extend(
                people
                    .all
                    .iter()
                    .copied()
                    .filter(|someone| someone.profile != starter.profile)
                    .take(1),
            );
            let is_followed = self.random.chance(400);
            let school = self.shared.nodes.borrow()[0]
                .as_ref()
                .map(|node| Arc::clone(&node.school));
            let school = school.ok_or("the first node is dead")?;
            let request = StartThread {
                as_profile: None,
                space: people.space,
                client_id: ClientId::from_bytes(self.random.id()),
                sent_at: self.clocks[0].now(),
                to: members
                    .iter()
                    .map(|someone| Recipient::Profile {
                        profile: someone.profile,
                    })
                    .chain(is_followed.then_some(Recipient::Guardians { group: people.group }))
                    .collect(),
                subject: "What we talk about".to_owned(),
                regarding: Vec::new(),
                parts: vec![samtale_protocol::messages::Part::text("Hello")],
            };
            let session = SessionId::from_bytes([0; 16]);
            let caller = Caller {
                person: starter.person,
                session,
            };
            let reply = school.handle(&caller, Request::StartThread(request)).await;
            let Ok(Reply::Sent(sent)) = reply else {
                return Err("a thread could not be started".into());
            };
            let thread = sent.thread;
            let mut members: Vec<_> = members
                .iter()
                .chain([&starter])
                .map(|someone| someone.profile)
                .collect();
            if is_followed {
                members.extend(self.office.guardians());
                self.office.follows(thread);
            }
            self.shared.threads.borrow_mut().push(thread);
            self.shared.note(OFFICE, Note::Given { thread, members });
            self.ground.world.pass(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    fn start_devices(&mut self) -> Vec<tokio::task::JoinHandle<()>> {
        let people = Rc::clone(&self.shared.people);
        let count = self.random.between(3, 8);
        let mut owners: Vec<Someone> = people.staff().into_iter().take(2).collect();
        while owners.len() < usize::try_from(count).unwrap_or(3) {
            owners.extend(self.random.pick(&people.all).copied());
        }
        (0_u32..)
            .zip(owners)
            .map(|(number, owner)| {
                let random = Seeded::new(self.ground.seed, 100 + u64::from(number));
                tokio::task::spawn_local(Device::new(self.shared.clone(), number, owner, random).live())
            })
            .collect()
    }

    /// Things go wrong for some minutes.
    async fn live(&mut self) -> Result<(), StorageError> {
        let until = self.ground.world.elapsed_ms() + self.random.between(30_000, 150_000);
        let restless = self.random.below(4);
        while self.ground.world.elapsed_ms() < until {
            let wait = self.random.between(300, 3_000);
            self.ground.world.pass(Duration::from_millis(wait)).await;
            self.keep_up();
            if restless > 0 && self.random.chance(restless * 25) {
                self.strike();
            }
            if self.random.chance(40) {
                self.office.move_a_child(&mut self.random).await?;
            }
        }
        Ok(())
    }

    /// Something goes wrong.
    fn strike(&mut self) {
        let now = self.ground.world.elapsed_ms();
        match self.random.below(100) {
            0..45 => {
                let place = usize::try_from(self.random.below(self.clocks.len() as u64)).unwrap_or(0);
                self.kill(place);
            }
            45..60 => {
                self.ground.world.trace(format_args!("the log is away"));
                self.ground.faults.set_log_away(true);
                self.log_back_at = Some(now + self.random.between(500, 15_000));
            }
            60..70 => self.lose_the_log(),
            70..80 => {
                let place = usize::try_from(self.random.below(self.clocks.len() as u64)).unwrap_or(0);
                let offset = drawn_offset(&mut self.random);
                self.ground
                    .world
                    .trace(format_args!("the clock of node {place} is set to {offset}"));
                self.clocks[place].step(offset);
            }
            80..90 => self
                .log
                .keep(usize::try_from(self.random.between(2, 100)).unwrap_or(100)),
            _ => {
                let rates = Rates::of(&mut self.random);
                self.ground.world.trace(format_args!("{rates:?}"));
                self.ground.faults.set(rates);
            }
        }
    }

    fn kill(&mut self, place: usize) {
        let Some(node) = self.shared.nodes.borrow_mut()[place].take() else {
            return;
        };
        let now = self.ground.world.elapsed_ms();
        self.ground.world.trace(format_args!("node {place} dies"));
        // Its last sign of life was a little before; what was journalled since may be in no log, nor what it said then.
        let unpublished = node.publisher.unpublished_since();
        let since = node.clock.now().minus(Duration::from_secs(5));
        let since = unpublished.map_or(since, |earlier| earlier.min(since));
        node.kill();
        let earlier = self.unpublished.map_or(since, |(earlier, _)| earlier.min(since));
        self.unpublished = Some((earlier, now + LEASE_MS));
        self.restarts.push((now + self.random.between(100, 20_000), place));
        if self.clocks.len() == 1 {
            // One process: its log dies with it.
            self.lose_the_log();
        }
    }

    fn lose_the_log(&mut self) {
        self.ground.world.trace(format_args!("the log is lost"));
        self.epoch += 1;
        self.log.lose(Epoch(self.epoch));
    }

    /// Restarts what is due, brings back the log, and puts right what dead nodes left.
    fn keep_up(&mut self) {
        let now = self.ground.world.elapsed_ms();
        if self.log_back_at.is_some_and(|at| at <= now) {
            self.log_back_at = None;
            self.ground.faults.set_log_away(false);
        }
        let due: Vec<usize> = self
            .restarts
            .iter()
            .filter(|(at, _)| *at <= now)
            .map(|(_, place)| *place)
            .collect();
        self.restarts.retain(|(at, _)| *at > now);
        for place in due {
            self.start(place);
        }
        if let Some((since, lease_ends)) = self.unpublished {
            let nodes = Rc::clone(&self.shared.nodes);
            let nodes = nodes.borrow();
            if let Some(survivor) = nodes.iter().flatten().next().filter(|_| lease_ends <= now) {
                self.ground
                    .world
                    .trace(format_args!("a survivor republishes since {since}"));
                survivor.publisher.republish(self.shared.people.space, since);
                self.unpublished = None;
            }
        }
    }

    /// Nothing goes wrong any more.
    fn heal(&mut self) {
        self.ground.world.trace(format_args!("everything is healed"));
        self.ground.faults.set(Rates::default());
        self.ground.faults.set_log_away(false);
        self.restarts.iter_mut().for_each(|(at, _)| *at = 0);
        self.keep_up();
    }

    /// Waits until all devices and the office have ended what they began, and what still hangs has landed.
    async fn settle(&mut self, devices: usize) {
        let until = self.ground.world.elapsed_ms() + u64::try_from(SETTLING.as_millis()).unwrap_or(0);
        let mut quiet = 0;
        while self.ground.world.elapsed_ms() < until && quiet < 45 {
            self.ground.world.pass(Duration::from_secs(1)).await;
            self.keep_up();
            let is_quiet = self.shared.settled.borrow().len() == devices && !self.office.is_busy();
            quiet = if is_quiet { quiet + 1 } else { 0 };
        }
    }
}

fn drawn_offset(random: &mut Seeded) -> i64 {
    i64::try_from(random.below(2 * CLOCK_OFF_MS)).unwrap_or(0) - i64::try_from(CLOCK_OFF_MS).unwrap_or(0)
}
