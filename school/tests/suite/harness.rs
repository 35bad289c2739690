//! A school that is written into storage record by record, and callers in it. One node: the real rules, router and
//! publisher over the log and the engine in memory; the clock stands until it is set.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use samtale_protocol::messages::{History, HistoryPage, Part, SendMessage, Sent};
use samtale_protocol::people::{Caller, GroupKind, Role};
use samtale_protocol::threads::{AddMembers, Inbox, InboxPage, OpenThread, Recipient, StartThread, ThreadDetails};
use samtale_protocol::time::Clock;
use samtale_protocol::{
    Audience, ClientId, Encoding, ErrorCode, Event, GroupId, MessageId, PersonId, ProfileId, Refusal, Reply, Request,
    ServerFrame, SessionId, SpaceId, ThreadId, Timestamp,
};
use samtale_router::{
    Epoch, Log, MemoryLog, Position, Publisher, Recipients, Replay, ReplayFrom, ReplayPage, Rights, Router,
    RouterOptions, Sent as Handed, Sink,
};
use samtale_school::{Sabotage, School, SchoolParts};
use samtale_storage::directory::{
    DirectoryVersionRecord, ForbiddenPair, GroupMemberRecord, GroupRecord, ProfileRecord, ReadReceipts, RelationRecord,
    SpaceKind, SpaceRecord, directory_version_key, group_key, group_member_key, profile_key, relation_key, space_key,
};
use samtale_storage::journal::Fact;
use samtale_storage::memory::MemoryEngine;
use samtale_storage::people::{PersonProfileRecord, person_profile_key};
use samtale_storage::{Batch, Change, Engine, Record, RowChange, Store, Table};

use crate::counting::CountingEngine;

/// When every school begins.
const BEGIN: u64 = 1_700_000_000_000;

/// How long a test waits for a state before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(BEGIN)))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::saturating(self.0.load(Ordering::SeqCst))
    }
}

/// What the router handed to the node's sessions.
#[derive(Default)]
pub struct Taken(Mutex<Vec<Handed>>);

#[async_trait]
impl Sink for Taken {
    async fn take(&self, sent: Handed) {
        self.0.lock().unwrap().push(sent);
    }
}

/// A profile with its caller.
#[derive(Clone, Copy, Debug)]
pub struct Someone {
    pub profile: ProfileId,
    pub person: PersonId,
}

impl Someone {
    pub fn caller(self) -> Caller {
        Caller {
            person: self.person,
            session: SessionId::from_bytes([9; 16]),
        }
    }

    /// As a recipient.
    pub fn to(self) -> Recipient {
        Recipient::Profile { profile: self.profile }
    }
}

pub struct World {
    pub clock: Arc<TestClock>,
    pub engine: Arc<CountingEngine>,
    pub store: Store,
    pub school: Arc<School>,
    pub replay: Replay,
    pub space: SpaceId,
    pub start: Position,
    municipality: SpaceId,
    taken: Arc<Taken>,
    ids: AtomicU64,
    pub router: Router,
}

/// A relation that holds, with every right.
pub fn guardian_of() -> RelationRecord {
    RelationRecord {
        kind: "mor".to_owned(),
        custody: true,
        contact: true,
        pickup: true,
        from: None,
        to: None,
    }
}

impl World {
    /// An institution without people in a municipality that forbids nothing.
    pub async fn new() -> Self {
        let clock = TestClock::new();
        let engine = MemoryEngine::new(Arc::clone(&clock) as Arc<dyn Clock>);
        Self::over(clock, Arc::new(engine)).await
    }

    /// The same over another engine.
    pub async fn over(clock: Arc<TestClock>, engine: Arc<dyn Engine>) -> Self {
        let engine = Arc::new(CountingEngine::new(engine));
        let store = Store::new(Arc::clone(&engine) as _);
        let (log, feed) = MemoryLog::new(Epoch(7));
        let log: Arc<dyn Log> = Arc::new(log);
        let publisher = Publisher::new(Arc::clone(&log), Arc::clone(&clock) as _);
        let drawn = AtomicU64::new(0);
        let random = move |bytes: &mut [u8]| {
            let number = drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            let start = bytes.len() - 8;
            bytes[start..].copy_from_slice(&number);
        };
        let school = Arc::new(School::new(SchoolParts {
            store: store.clone(),
            clock: Arc::clone(&clock) as _,
            random: Arc::new(random),
            publisher: publisher.clone(),
            sabotage: Sabotage::default(),
        }));
        let rights = Arc::clone(&school) as Arc<dyn Rights>;
        let taken = Arc::new(Taken::default());
        let (router, router_loop) = Router::new(
            Arc::clone(&log),
            feed,
            Arc::clone(&rights),
            Arc::clone(&taken) as _,
            Arc::clone(&clock) as _,
            RouterOptions::default(),
        );
        tokio::spawn(router_loop.run());
        let replay = Replay::new(log, Arc::clone(&rights), Arc::clone(&clock) as _);
        let local = router.clone();
        tokio::spawn(async move { publisher.run(rights, local).await });
        let (space, municipality) = (SpaceId::from_bytes([1; 16]), SpaceId::from_bytes([2; 16]));
        let mut world = Self {
            clock,
            engine,
            store,
            school,
            replay,
            space,
            start: Position::default(),
            municipality,
            taken,
            ids: AtomicU64::new(1),
            router: router.clone(),
        };
        world.set_tables(&[], &[], ReadReceipts::default()).await;
        world.start = router.join(space).await.unwrap().position;
        world
    }

    /// Sets what the municipality and the institution forbid, and who may see what others have read.
    pub async fn set_tables(&self, above: &[(Role, Role)], here: &[(Role, Role)], read_receipts: ReadReceipts) {
        let pairs = |pairs: &[(Role, Role)]| -> Vec<ForbiddenPair> {
            let pairs = pairs.iter();
            pairs.map(|(from, to)| ForbiddenPair { from: *from, to: *to }).collect()
        };
        let above = SpaceRecord {
            kind: SpaceKind::Municipality,
            name: "Kommunen".to_owned(),
            parent: None,
            roster_id: None,
            forbidden: pairs(above),
            read_receipts: ReadReceipts::default(),
        };
        let here = SpaceRecord {
            kind: SpaceKind::Institution,
            name: "Skolen".to_owned(),
            parent: Some(self.municipality),
            forbidden: pairs(here),
            read_receipts,
            ..above.clone()
        };
        for (space, record) in [(self.municipality, above), (self.space, here)] {
            let old = self.store.get::<SpaceRecord>(&space_key(space)).await.unwrap();
            let version = old.map(|old| old.timestamp);
            self.store
                .compare_and_set(&space_key(space), version, &record)
                .await
                .unwrap();
        }
        self.changed().await;
    }

    /// Raises the version of the directory and tells of it, as an import does.
    pub async fn changed(&self) {
        let key = directory_version_key(self.space);
        let old = self.store.get::<DirectoryVersionRecord>(&key).await.unwrap();
        let version = old.map(|old| old.timestamp);
        self.store
            .compare_and_set(&key, version, &DirectoryVersionRecord::default())
            .await
            .unwrap();
        let version = version.unwrap_or_default() + 1;
        let event = Some(Event::Directory { version });
        let told = self
            .school
            .tell(self.space, Fact::Directory { version }, event, Audience::space());
        told.await.unwrap();
    }

    pub fn id(&self) -> [u8; 16] {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        let mut id = [5; 16];
        // Mixed, so that the order of ids is not the order of making.
        id[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        id
    }

    pub async fn put<R: Record>(&self, key: samtale_storage::Key, record: &R) {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        self.store
            .put(key, record, self.now().as_micros() + number)
            .await
            .unwrap();
    }

    /// Writes over a row what nobody can read.
    pub async fn damage(&self, table: &'static Table, key: samtale_storage::Key) {
        let change = Change::Put {
            body: b"\xff damaged".to_vec(),
            expires_at: None,
        };
        let row = RowChange {
            clustering: key.clustering,
            change,
            timestamp: u64::MAX / 2,
        };
        let batch = Batch {
            table,
            partition: key.partition,
            rows: vec![row],
        };
        self.engine.write(batch).await.unwrap();
    }

    /// Someone new in the institution. [`World::changed`] makes it known.
    pub async fn someone(&self, name: &str, role: Role) -> Someone {
        let person = PersonId::from_bytes(self.id());
        self.another_profile(person, name, role).await
    }

    /// Another profile of a person.
    pub async fn another_profile(&self, person: PersonId, name: &str, role: Role) -> Someone {
        let someone = Someone {
            profile: ProfileId::from_bytes(self.id()),
            person,
        };
        self.set_profile(someone, name, role, false, None).await;
        someone
    }

    pub async fn set_profile(
        &self,
        someone: Someone,
        name: &str,
        role: Role,
        name_protected: bool,
        left_at: Option<Timestamp>,
    ) {
        let record = ProfileRecord {
            person: someone.person,
            role,
            given_name: name.to_owned(),
            family_name: "Jensen".to_owned(),
            name_protected,
            roster_id: None,
            left_at,
        };
        self.put(profile_key(self.space, someone.profile), &record).await;
        let key = person_profile_key(someone.person, self.space, someone.profile);
        self.put(key, &PersonProfileRecord { role, left_at }).await;
    }

    pub async fn relate(&self, guardian: Someone, child: Someone, relation: RelationRecord) {
        self.put(relation_key(self.space, guardian.profile, child.profile), &relation)
            .await;
    }

    pub async fn group(&self, name: &str, ended_at: Option<Timestamp>) -> GroupId {
        let group = GroupId::from_bytes(self.id());
        let record = GroupRecord {
            kind: GroupKind::Class,
            name: name.to_owned(),
            roster_id: None,
            ended_at,
        };
        self.put(group_key(self.space, group), &record).await;
        group
    }

    pub async fn join(&self, group: GroupId, who: Someone, from: Option<Timestamp>, to: Option<Timestamp>) {
        let key = group_member_key(self.space, group, who.profile);
        self.put(key, &GroupMemberRecord { from, to }).await;
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap();
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Another node on the same storage, which hears of nothing and takes it for all there is.
    pub fn deaf_node(&self) -> School {
        let node = self.idle_node();
        node.followed(self.space);
        node
    }

    /// Another node on the same storage, which nobody of the space is connected to.
    pub fn idle_node(&self) -> School {
        let (log, _) = MemoryLog::new(Epoch(8));
        School::new(SchoolParts {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock) as _,
            random: Arc::new(|bytes: &mut [u8]| bytes.fill(9)),
            publisher: Publisher::new(Arc::new(log), Arc::clone(&self.clock) as _),
            sabotage: Sabotage::default(),
        })
    }

    pub async fn ask(&self, who: Someone, request: Request) -> Result<Reply, Refusal> {
        self.school.handle(&who.caller(), request).await
    }

    /// A start as a client makes it: with an id of its own, at the time that it is now.
    pub fn a_start(&self, to: Vec<Recipient>, subject: &str, text: &str) -> StartThread {
        self.advance(Duration::from_millis(10));
        StartThread {
            space: self.space,
            client_id: ClientId::from_bytes(self.id()),
            sent_at: self.now(),
            to,
            subject: subject.to_owned(),
            regarding: Vec::new(),
            parts: vec![Part::text(text)],
            as_profile: None,
        }
    }

    pub async fn start(&self, who: Someone, to: Vec<Recipient>, text: &str) -> Result<Sent, ErrorCode> {
        let start = self.a_start(to, "Emne", text);
        sent(self.ask(who, Request::StartThread(start)).await)
    }

    pub fn a_send(&self, thread: ThreadId, text: &str) -> SendMessage {
        self.advance(Duration::from_millis(10));
        SendMessage {
            thread,
            client_id: ClientId::from_bytes(self.id()),
            sent_at: self.now(),
            parts: vec![Part::text(text)],
            reply_to: None,
            membership_version: None,
        }
    }

    pub async fn send(&self, who: Someone, thread: ThreadId, text: &str) -> Result<MessageId, ErrorCode> {
        let send = self.a_send(thread, text);
        sent(self.ask(who, Request::SendMessage(send)).await).map(|sent| sent.message)
    }

    pub async fn history(&self, who: Someone, thread: ThreadId) -> Result<HistoryPage, ErrorCode> {
        let (before, after) = (None, None);
        let request = History {
            thread,
            before,
            after,
            limit: 100,
        };
        match self.ask(who, Request::History(request)).await {
            Ok(Reply::History(page)) => Ok(page),
            other => Err(code(other)),
        }
    }

    /// The texts that someone reads in a thread, oldest first.
    pub async fn texts(&self, who: Someone, thread: ThreadId) -> Vec<String> {
        let page = self.history(who, thread).await.unwrap();
        page.messages
            .iter()
            .map(|message| Part::plain_text(&message.parts))
            .collect()
    }

    pub async fn open(&self, who: Someone, thread: ThreadId) -> Result<ThreadDetails, ErrorCode> {
        match self
            .ask(who, Request::OpenThread(OpenThread { thread, after: None }))
            .await
        {
            Ok(Reply::Thread(details)) => Ok(details),
            other => Err(code(other)),
        }
    }

    pub async fn inbox(&self, who: Someone, before: Option<MessageId>, limit: u32) -> InboxPage {
        let space = Some(self.space);
        match self
            .ask(
                who,
                Request::Inbox(Inbox {
                    space,
                    before,
                    search: None,
                    limit,
                }),
            )
            .await
        {
            Ok(Reply::Inbox(page)) => page,
            other => panic!("no inbox: {other:?}"),
        }
    }

    pub async fn add(&self, who: Someone, thread: ThreadId, to: Vec<Recipient>, all: bool) -> Result<(), ErrorCode> {
        self.advance(Duration::from_millis(10));
        let add = AddMembers {
            thread,
            to,
            from_the_beginning: all,
        };
        match self.ask(who, Request::AddMembers(add)).await {
            Ok(Reply::MembershipChanged(_)) => Ok(()),
            other => Err(code(other)),
        }
    }

    /// Does something that must go well.
    pub async fn must(&self, who: Someone, request: Request) -> Reply {
        self.advance(Duration::from_millis(10));
        self.ask(who, request).await.unwrap()
    }

    /// The events that were delivered to someone, once everything told so far has been delivered.
    pub async fn events_of(&self, who: Someone) -> Vec<Event> {
        self.flush().await;
        let taken = self.taken.0.lock().unwrap();
        let reaches = |recipients: &Recipients| match recipients {
            Recipients::Space => true,
            Recipients::People(people) => people.contains(&who.person),
        };
        let events = taken.iter().filter_map(|handed| match handed {
            Handed::Delivery(delivery) if reaches(&delivery.recipients) => delivery.entry.event.clone(),
            _ => None,
        });
        events.collect()
    }

    /// The texts of messages that were delivered to someone.
    pub async fn told(&self, who: Someone) -> Vec<String> {
        let texts = self.events_of(who).await.into_iter().filter_map(|event| match event {
            Event::Message(message) => Some(Part::plain_text(&message.parts)),
            _ => None,
        });
        texts.collect()
    }

    /// What someone who was away from the beginning on is told when they come back.
    pub async fn replayed(&self, who: Someone) -> Vec<Event> {
        self.replay_from(who, self.start).await
    }

    /// The same for a cursor of an older epoch: out of the journal.
    pub async fn replayed_from_journal(&self, who: Someone) -> Vec<Event> {
        let (epoch, offset) = (Epoch(1), 0);
        self.replay_from(who, Position { epoch, offset }).await
    }

    async fn replay_from(&self, who: Someone, position: Position) -> Vec<Event> {
        self.flush().await;
        let time = Timestamp::saturating(BEGIN);
        let mut from = ReplayFrom::Log { position, time };
        let mut events = Vec::new();
        loop {
            let page = self.replay.page(self.space, who.person, from).await.unwrap();
            let (frames, next) = match page {
                ReplayPage::Events { frames, next } => (frames, Some(next)),
                ReplayPage::Reached { frames, .. } => (frames, None),
                ReplayPage::Resync => panic!("a resync while the log reaches"),
            };
            events.extend(frames.into_iter().filter_map(|frame| match frame {
                ServerFrame::Event { event, .. } => Some(event),
                _ => None,
            }));
            match next {
                Some(next) => from = next,
                None => return events,
            }
        }
    }

    /// Waits until everything told so far has been delivered.
    async fn flush(&self) {
        let mark = ThreadId::from_bytes(self.id());
        let profile = ProfileId::from_bytes([0; 16]);
        let fact = Fact::Draft { thread: mark, profile };
        let told = self.school.tell(self.space, fact.clone(), None, Audience::people([]));
        told.await.unwrap();
        let arrived = async {
            while !self.has_taken(&fact) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.unwrap();
    }

    fn has_taken(&self, fact: &Fact) -> bool {
        let taken = self.taken.0.lock().unwrap();
        let is_it = |handed: &Handed| matches!(handed, Handed::Delivery(delivery) if delivery.entry.fact == *fact);
        taken.iter().rev().any(is_it)
    }
}

pub fn sent(reply: Result<Reply, Refusal>) -> Result<Sent, ErrorCode> {
    match reply {
        Ok(Reply::Sent(sent)) => Ok(sent),
        other => Err(code(other)),
    }
}

pub fn code(reply: Result<Reply, Refusal>) -> ErrorCode {
    match reply {
        Ok(reply) => panic!("not the reply that was expected: {reply:?}"),
        Err(refusal) => refusal.code,
    }
}

/// A reply or an event as text, to look for words in.
pub fn as_text<T: serde::Serialize>(value: &T) -> String {
    String::from_utf8(Encoding::Json.encode(value).unwrap()).unwrap()
}

/// Numbers from a seed, the same on every run (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % limit
    }

    pub fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }
}

/// A class with its people: the parents of Alma live apart, Clara's family is one of two, David's is protected.
pub struct Class {
    pub world: World,
    pub group: GroupId,
    pub teacher: Someone,
    pub colleague: Someone,
    pub anna: Someone,
    pub bo: Someone,
    pub alma: Someone,
    pub carl: Someone,
    pub clara: Someone,
    pub dina: Someone,
    pub david: Someone,
}

impl Class {
    pub async fn new() -> Self {
        Self::of(World::new().await).await
    }

    /// The class in a world.
    pub async fn of(world: World) -> Self {
        let group = world.group("3.A", None).await;
        let class = Self {
            group,
            teacher: world.someone("Tove", Role::Employee).await,
            colleague: world.someone("Karen", Role::Employee).await,
            anna: world.someone("Anna", Role::Guardian).await,
            bo: world.someone("Bo", Role::Guardian).await,
            alma: world.someone("Alma", Role::Child).await,
            carl: world.someone("Carl", Role::Guardian).await,
            clara: world.someone("Clara", Role::Child).await,
            dina: world.someone("Dinacanary", Role::Guardian).await,
            david: world.someone("Davidcanary", Role::Child).await,
            world,
        };
        let world = &class.world;
        world
            .set_profile(class.david, "Davidcanary", Role::Child, true, None)
            .await;
        for (guardian, child) in [
            (class.anna, class.alma),
            (class.bo, class.alma),
            (class.carl, class.clara),
            (class.dina, class.david),
        ] {
            world.relate(guardian, child, guardian_of()).await;
        }
        for who in [class.teacher, class.alma, class.clara, class.david] {
            world.join(group, who, None, None).await;
        }
        world.changed().await;
        class
    }

    /// To the guardians of the class.
    pub fn guardians(&self) -> Recipient {
        Recipient::Guardians { group: self.group }
    }
}
