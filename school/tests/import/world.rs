//! A school whose storage counts its writes and stops when told to, with accounts in a map.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use samtale_protocol::people::{Caller, Role};
use samtale_protocol::time::Clock;
use samtale_protocol::{ErrorCode, GroupId, PersonId, ProfileId, Refusal, SessionId, SpaceId, Timestamp};
use samtale_router::{Epoch, MemoryLog, Publisher};
use samtale_school::directory::Directory;
use samtale_school::import::{AccountState, ImportError, ImportOptions, PersonRegister, Report};
use samtale_school::roster::{Reading, Roster};
use samtale_school::{Sabotage, School, SchoolParts};
use samtale_storage::directory::{SpaceKind, SpaceRecord};
use samtale_storage::memory::MemoryEngine;
use samtale_storage::people::{PersonProfileRecord, person_partition};
use samtale_storage::schema::Table;
use samtale_storage::threads::{MemberRecord, thread_partition};
use samtale_storage::{Batch, Compared, Engine, Key, KeyValue, Page, Range, Row, StorageError, Store};

/// 2026-03-02, a Monday in term.
pub const NOW: u64 = 1_772_440_000_000;

pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn advance(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::saturating(self.0.load(Ordering::SeqCst))
    }
}

/// Counts writes; after `left` of them nothing works any more, as in a process that is dead.
pub struct Power {
    pub writes: AtomicU64,
    left: AtomicI64,
}

impl Power {
    pub fn fails_after(&self, writes: i64) {
        self.left.store(writes, Ordering::SeqCst);
    }

    fn write(&self) -> bool {
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return false;
        }
        self.writes.fetch_add(1, Ordering::SeqCst);
        true
    }

    fn check(&self) -> Result<(), StorageError> {
        let reason = "the power is gone".to_owned();
        if self.write() {
            Ok(())
        } else {
            Err(StorageError::Unavailable { reason })
        }
    }
}

struct Faulty {
    engine: MemoryEngine,
    power: Arc<Power>,
}

#[async_trait]
impl Engine for Faulty {
    async fn get(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        self.engine.get(table, key).await
    }

    async fn scan(&self, table: &'static Table, partition: &[KeyValue], range: &Range) -> Result<Page, StorageError> {
        self.engine.scan(table, partition, range).await
    }

    async fn write(&self, batch: Batch) -> Result<(), StorageError> {
        self.power.check()?;
        self.engine.write(batch).await
    }

    async fn compare_and_set(
        &self,
        table: &'static Table,
        key: &Key,
        expected: Option<u64>,
        body: Option<Vec<u8>>,
    ) -> Result<Compared, StorageError> {
        self.power.check()?;
        self.engine.compare_and_set(table, key, expected, body).await
    }

    async fn get_serial(&self, table: &'static Table, key: &Key) -> Result<Option<Row>, StorageError> {
        self.engine.get_serial(table, key).await
    }
}

/// Accounts in a map.
pub struct Accounts {
    pub rows: Mutex<BTreeMap<PersonId, (String, AccountState)>>,
    power: Arc<Power>,
}

#[async_trait]
impl PersonRegister for Accounts {
    async fn account(&self, person: PersonId) -> Result<Option<AccountState>, Refusal> {
        Ok(self.rows.lock().unwrap().get(&person).map(|(_, state)| *state))
    }

    async fn create(&self, person: PersonId, username: &str) -> Result<(), Refusal> {
        self.power.check().map_err(|_| ErrorCode::StorageUnavailable)?;
        let mut rows = self.rows.lock().unwrap();
        let taken: BTreeSet<String> = rows.values().map(|(name, _)| name.clone()).collect();
        let names = std::iter::once(username.to_owned()).chain((2..).map(|number| format!("{username}{number}")));
        let name = names.into_iter().find(|name| !taken.contains(name)).unwrap();
        rows.entry(person).or_insert((name, AccountState::Open));
        Ok(())
    }

    async fn set_enabled(&self, person: PersonId, enabled: bool) -> Result<(), Refusal> {
        self.power.check().map_err(|_| ErrorCode::StorageUnavailable)?;
        let state = if enabled {
            AccountState::Open
        } else {
            AccountState::ClosedByRoster
        };
        self.rows.lock().unwrap().get_mut(&person).unwrap().1 = state;
        Ok(())
    }
}

pub struct World {
    pub clock: Arc<TestClock>,
    pub power: Arc<Power>,
    pub accounts: Arc<Accounts>,
    pub store: Store,
    pub school: School,
}

impl World {
    pub fn new() -> Self {
        let clock = Arc::new(TestClock(AtomicU64::new(NOW)));
        let power = Arc::new(Power {
            writes: AtomicU64::new(0),
            left: AtomicI64::new(i64::MAX),
        });
        let engine = MemoryEngine::new(clock.clone());
        let store = Store::new(Arc::new(Faulty {
            engine,
            power: power.clone(),
        }));
        let accounts = Arc::new(Accounts {
            rows: Mutex::default(),
            power: power.clone(),
        });
        let school = school(&store, &clock);
        Self {
            clock,
            power,
            accounts,
            store,
            school,
        }
    }

    /// A node that has just started: nothing in memory, and the power is back.
    pub fn restart(&mut self) {
        self.power.fails_after(i64::MAX);
        self.school = school(&self.store, &self.clock);
    }

    pub async fn import(&self, roster: &Roster) -> Report {
        self.import_with(&reading(roster), ImportOptions::default())
            .await
            .unwrap()
    }

    pub async fn force(&self, roster: &Roster) -> Report {
        let options = ImportOptions {
            force: true,
            ..ImportOptions::default()
        };
        self.import_with(&reading(roster), options).await.unwrap()
    }

    pub async fn import_with(&self, reading: &Reading, options: ImportOptions) -> Result<Report, ImportError> {
        let register: &dyn PersonRegister = &*self.accounts;
        // As a task of a server: it has to be one that can move between threads.
        let importing: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(self.school.import(reading, options, register, &|_| {}));
        importing.await
    }

    pub fn writes(&self) -> u64 {
        self.power.writes.load(Ordering::SeqCst)
    }

    pub async fn spaces(&self) -> Vec<(SpaceId, SpaceRecord)> {
        let rows = self
            .store
            .scan_all::<SpaceRecord>(&[SpaceId::SYSTEM.into()], Range::all(100))
            .await
            .unwrap();
        rows.into_iter()
            .map(|row| (SpaceId::from_bytes(id(&row.clustering, 0)), row.record))
            .collect()
    }

    /// The one institution.
    pub async fn institution(&self) -> Directory {
        let spaces = self.spaces().await;
        let (space, _) = spaces
            .into_iter()
            .find(|(_, record)| record.kind == SpaceKind::Institution)
            .unwrap();
        Directory::load(&self.store, space).await.unwrap().unwrap()
    }

    /// Everything that counts, in words that hold no id: two worlds with the same words are in the same state.
    pub async fn state(&self, threads: &[samtale_protocol::ThreadId]) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        let spaces: BTreeMap<SpaceId, SpaceRecord> = self.spaces().await.into_iter().collect();
        for (space, record) in &spaces {
            let parent = record.parent.map(|parent| &spaces[&parent].name);
            lines.insert(format!(
                "space {} {:?} in {parent:?} {:?}",
                record.name, record.kind, record.forbidden
            ));
            let directory = Directory::load(&self.store, *space).await.unwrap().unwrap();
            let who = |profile: &ProfileId| {
                let record = &directory.profiles[profile];
                format!("{:?} {:?}", record.roster_id, record.role)
            };
            for (profile, record) in &directory.profiles {
                let account = self.accounts.rows.lock().unwrap().get(&record.person).cloned();
                let (name, left) = (samtale_school::directory::full_name(record), record.left_at);
                lines.insert(format!(
                    "profile {} {name} {} {left:?} {account:?} in {:?}",
                    who(profile),
                    record.name_protected,
                    spaces[space].name
                ));
                let own = person_partition(record.person);
                let listed = self.store.scan_all::<PersonProfileRecord>(&own, Range::all(9));
                for row in listed.await.unwrap() {
                    let home = SpaceId::from_bytes(id(&row.clustering, 0));
                    let listed = ProfileId::from_bytes(id(&row.clustering, 1));
                    let known = if home == *space {
                        who(&listed)
                    } else {
                        "elsewhere".to_owned()
                    };
                    lines.insert(format!(
                        "listed {} as {known} {:?} {:?}",
                        who(profile),
                        row.record,
                        spaces[&home].name
                    ));
                }
            }
            for (group, record) in &directory.groups {
                lines.insert(format!(
                    "group {} {:?} {:?}",
                    record.name, record.roster_id, record.ended_at
                ));
                for (member, row) in directory.members_of.get(group).into_iter().flatten() {
                    lines.insert(format!("member {:?} {} {row:?}", record.roster_id, who(member)));
                }
            }
            for (child, guardians) in &directory.guardians_of {
                for (guardian, row) in guardians {
                    lines.insert(format!("relation {} of {} {row:?}", who(guardian), who(child)));
                }
            }
            for (number, thread) in threads.iter().enumerate() {
                let partition = thread_partition(*space, *thread);
                for row in self
                    .store
                    .scan_all::<MemberRecord>(&partition, Range::all(100))
                    .await
                    .unwrap()
                {
                    let profile = ProfileId::from_bytes(id(&row.clustering, 0));
                    lines.insert(format!(
                        "thread {number} {} left {}",
                        who(&profile),
                        row.record.left_at.is_some()
                    ));
                }
            }
        }
        lines
    }
}

/// Also after a restart no id comes twice.
static RANDOM: AtomicU64 = AtomicU64::new(1);

fn school(store: &Store, clock: &Arc<TestClock>) -> School {
    let (log, feed) = MemoryLog::new(Epoch(1));
    // Nobody listens: the log's feed is bounded, and a full one is a lost publish.
    drop(feed);
    School::new(SchoolParts {
        store: store.clone(),
        clock: clock.clone(),
        random: Arc::new(|bytes: &mut [u8]| {
            let number = RANDOM
                .fetch_add(1, Ordering::SeqCst)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for (place, byte) in bytes.iter_mut().enumerate() {
                *byte = number.rotate_left(u32::try_from(place).unwrap() * 7).to_be_bytes()[place % 8];
            }
        }),
        publisher: Publisher::new(Arc::new(log), clock.clone()),
        sabotage: Sabotage::default(),
    })
}

/// A roster as if it had been read without a problem.
pub fn reading(roster: &Roster) -> Reading {
    Reading {
        roster: roster.clone(),
        problems: Vec::new(),
        problems_left_out: 0,
        errors: 0,
    }
}

pub fn id(clustering: &[KeyValue], column: usize) -> [u8; 16] {
    samtale_school::directory::id_at(clustering, column)
}

/// The profile of someone in a role.
pub fn profile(directory: &Directory, roster_id: &str, role: Role) -> ProfileId {
    let mut profiles = directory.profiles.iter();
    let found = profiles.find(|(_, record)| record.roster_id.as_deref() == Some(roster_id) && record.role == role);
    *found.unwrap_or_else(|| panic!("{roster_id} is no {role:?}")).0
}

pub fn group(directory: &Directory, name: &str) -> GroupId {
    *directory
        .groups
        .iter()
        .find(|(_, record)| record.name == name)
        .unwrap()
        .0
}

pub fn caller(directory: &Directory, profile: ProfileId) -> Caller {
    let person = directory.profiles[&profile].person;
    Caller {
        person,
        session: SessionId::from_bytes([1; 16]),
    }
}
