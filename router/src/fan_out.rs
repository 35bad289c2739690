//! One loop per node: follows the logs of the spaces that have listeners, finds and fills gaps, and hands each entry
//! once to the node's sessions. What must wait runs beside the loop and comes back to it.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use samtale_protocol::time::Clock;
use samtale_protocol::{ServerFrame, SpaceId, ThreadId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::delivery::{Delivery, Recipients, Safe, Sent, SharedFrame, Sink};
use crate::log::{AddressedSignal, Log, LogEntry, Position, Published, Slice};
use crate::rights::{JOURNAL_MARGIN, JournalPage, JournalPlace, Rights};
use crate::space::{Followed, Step};

/// Requests to the loop that may wait.
const CONTROLS: usize = 1_024;

/// How many entries are read from a log at once.
const FILL: usize = 512;

/// How long to wait after storage or the log failed.
const RETRY: Duration = Duration::from_millis(200);

/// What the loop can be tuned by.
#[derive(Clone, Copy, Debug)]
pub struct RouterOptions {
    /// How often heads are compared while a space is busy; ten times that otherwise.
    pub compare_heads: Duration,
    /// How long a space counts as busy after its last entry.
    pub busy_for: Duration,
    /// Leaves gaps unfilled. For the simulation, which must notice it.
    pub broken_ignore_gaps: bool,
}

impl Default for RouterOptions {
    fn default() -> Self {
        Self {
            compare_heads: Duration::from_secs(1),
            busy_for: Duration::from_secs(30),
            broken_ignore_gaps: false,
        }
    }
}

enum Control {
    Join {
        space: SpaceId,
        joined: oneshot::Sender<Safe>,
    },
    Leave {
        space: SpaceId,
    },
}

/// The node's hold on its router.
#[derive(Clone)]
pub struct Router {
    control: mpsc::Sender<Control>,
}

impl Router {
    /// A router and the loop that must be run for it to work.
    pub fn new(
        log: Arc<dyn Log>,
        feed: mpsc::Receiver<Published>,
        rights: Arc<dyn Rights>,
        sink: Arc<dyn Sink>,
        clock: Arc<dyn Clock>,
        options: RouterOptions,
    ) -> (Self, RouterLoop) {
        let (control, controls) = mpsc::channel(CONTROLS);
        let spaces = FxHashMap::default();
        let jobs = JoinSet::new();
        (
            Self { control },
            RouterLoop {
                log,
                feed,
                controls,
                rights,
                sink,
                clock,
                options,
                spaces,
                jobs,
                ticks: 0,
            },
        )
    }

    /// Follows a space until [`Router::leave`] was called as often. Returns from where on its entries are delivered;
    /// `None` when the router has stopped.
    pub async fn join(&self, space: SpaceId) -> Option<Safe> {
        let (joined, answer) = oneshot::channel();
        self.control.send(Control::Join { space, joined }).await.ok()?;
        answer.await.ok()
    }

    /// Follows a space no longer, once all who joined have left.
    pub async fn leave(&self, space: SpaceId) {
        let _ = self.control.send(Control::Leave { space }).await;
    }
}

/// What ran beside the loop and came back.
enum Done {
    Filled {
        space: SpaceId,
        slice: Slice,
    },
    Bridged {
        space: SpaceId,
        head: Safe,
        page: JournalPage,
        entries: Vec<Arc<LogEntry>>,
    },
    Loaded {
        space: SpaceId,
        thread: ThreadId,
        recipients: Recipients,
    },
    Signal {
        space: SpaceId,
        signal: Arc<AddressedSignal>,
        recipients: Recipients,
    },
    Heads(Vec<(SpaceId, Position)>),
    Nothing,
}

/// The loop of a node's router.
pub struct RouterLoop {
    log: Arc<dyn Log>,
    feed: mpsc::Receiver<Published>,
    controls: mpsc::Receiver<Control>,
    rights: Arc<dyn Rights>,
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    options: RouterOptions,
    spaces: FxHashMap<SpaceId, Followed>,
    jobs: JoinSet<Done>,
    ticks: u64,
}

impl RouterLoop {
    /// Runs until every [`Router`] is dropped or the feed ends.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(self.options.compare_heads);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                control = self.controls.recv() => match control {
                    Some(control) => self.on_control(control).await,
                    None => return,
                },
                Some(done) = self.jobs.join_next() => if let Ok(done) = done { self.on_done(done).await },
                published = self.feed.recv() => match published {
                    Some(published) => self.on_published(published).await,
                    None => return,
                },
                _ = tick.tick() => self.on_tick(),
            }
        }
    }

    async fn on_control(&mut self, control: Control) {
        match control {
            Control::Join { space, joined } => {
                if !self.spaces.contains_key(&space) {
                    let head = loop {
                        match self.log.subscribe(space).await {
                            Ok(head) => break head,
                            Err(_) => tokio::time::sleep(RETRY).await,
                        }
                    };
                    self.spaces.insert(space, Followed::new(head, self.clock.now()));
                }
                if let Some(followed) = self.spaces.get_mut(&space) {
                    followed.listeners += 1;
                    let _ = joined.send(followed.safe());
                }
            }
            Control::Leave { space } => {
                let Some(followed) = self.spaces.get_mut(&space) else {
                    return;
                };
                followed.listeners = followed.listeners.saturating_sub(1);
                if followed.listeners == 0 {
                    self.spaces.remove(&space);
                    self.log.unsubscribe(space).await;
                }
            }
        }
    }

    async fn on_published(&mut self, published: Published) {
        match published {
            Published::Entry { space, position, entry } => {
                let Some(followed) = self.spaces.get(&space).filter(|followed| !followed.filling) else {
                    return;
                };
                match followed.step(position) {
                    Step::HandOn => self.take(space, position.offset, entry).await,
                    Step::Fill if self.options.broken_ignore_gaps => self.take(space, position.offset, entry).await,
                    step => self.catch_up(space, step),
                }
            }
            Published::Signal { space, signal } => self.on_signal(space, signal).await,
        }
    }

    async fn on_signal(&mut self, space: SpaceId, signal: Arc<AddressedSignal>) {
        if let Some(recipients) = self.rights.recipients_in_memory(space, &signal.audience) {
            self.pass(space, signal, recipients).await;
            return;
        }
        let rights = Arc::clone(&self.rights);
        self.jobs.spawn(async move {
            match rights.recipients(space, &signal.audience).await {
                Ok(recipients) => Done::Signal {
                    space,
                    signal,
                    recipients,
                },
                Err(_) => Done::Nothing,
            }
        });
    }

    async fn pass(&self, space: SpaceId, signal: Arc<AddressedSignal>, recipients: Recipients) {
        let frame = Arc::new(SharedFrame::new(ServerFrame::Signal {
            signal: signal.signal.clone(),
        }));
        self.sink
            .take(Sent::Signal {
                space,
                signal,
                recipients,
                frame,
            })
            .await;
    }

    async fn on_done(&mut self, done: Done) {
        match done {
            Done::Filled {
                space,
                slice: Slice::Entries(entries),
            } => {
                self.set_filling(space, false);
                let full = entries.len() == FILL;
                for (offset, entry) in entries {
                    self.take(space, offset, entry).await;
                }
                if full {
                    self.catch_up(space, Step::Fill);
                }
            }
            Done::Filled {
                space,
                slice: Slice::Gone { .. },
            } => {
                self.set_filling(space, false);
                self.catch_up(space, Step::Bridge);
            }
            Done::Bridged {
                space,
                head,
                page,
                entries,
            } => self.on_bridged(space, head, page.next, entries).await,
            Done::Loaded {
                space,
                thread,
                recipients,
            } => self.on_loaded(space, thread, recipients).await,
            Done::Signal {
                space,
                signal,
                recipients,
            } => self.pass(space, signal, recipients).await,
            Done::Heads(heads) => {
                for (space, head) in heads {
                    let Some(followed) = self.spaces.get(&space).filter(|followed| !followed.filling) else {
                        continue;
                    };
                    match followed.step(head) {
                        Step::HandOn | Step::Fill => self.catch_up(space, Step::Fill),
                        Step::Bridge => self.catch_up(space, Step::Bridge),
                        Step::Ignore => {}
                    }
                }
            }
            Done::Nothing => {}
        }
    }

    /// Takes one entry from the log, in order.
    async fn take(&mut self, space: SpaceId, offset: u64, entry: Arc<LogEntry>) {
        let now = self.clock.now();
        let Some(followed) = self.spaces.get_mut(&space) else {
            return;
        };
        if offset <= followed.seen.offset {
            return;
        }
        self.rights.observe(space, &entry);
        let before = followed.time;
        followed.advance(offset, &entry, now);
        if let Some(thread) = entry.audience.thread.map(|audience| audience.thread) {
            if followed.is_waiting(thread) {
                followed.hold(thread, offset, entry, before);
                return;
            }
            if self.rights.recipients_in_memory(space, &entry.audience).is_none() {
                followed.hold(thread, offset, Arc::clone(&entry), before);
                self.load(space, thread, entry);
                return;
            }
        }
        if let Some(recipients) = self.rights.recipients_in_memory(space, &entry.audience) {
            self.deliver(space, offset, entry, recipients).await;
        }
    }

    async fn deliver(&self, space: SpaceId, offset: u64, entry: Arc<LogEntry>, recipients: Recipients) {
        let Some(followed) = self.spaces.get(&space) else {
            return;
        };
        let frame = SharedFrame::of_entry(space, &entry).map(Arc::new);
        let position = Position {
            epoch: followed.seen.epoch,
            offset,
        };
        self.sink
            .take(Sent::Delivery(Delivery {
                space,
                position,
                safe: followed.safe(),
                entry,
                recipients,
                frame,
            }))
            .await;
    }

    /// Loads who is behind an entry's audience, beside the loop; other threads go on meanwhile.
    fn load(&mut self, space: SpaceId, thread: ThreadId, entry: Arc<LogEntry>) {
        let rights = Arc::clone(&self.rights);
        self.jobs.spawn(async move {
            loop {
                match rights.recipients(space, &entry.audience).await {
                    Ok(recipients) => {
                        return Done::Loaded {
                            space,
                            thread,
                            recipients,
                        };
                    }
                    Err(_) => tokio::time::sleep(RETRY).await,
                }
            }
        });
    }

    async fn on_loaded(&mut self, space: SpaceId, thread: ThreadId, recipients: Recipients) {
        let mut known = Some(recipients);
        while let Some(followed) = self.spaces.get_mut(&space) {
            let Some((offset, entry)) = followed.first_waiting(thread).cloned() else {
                return;
            };
            let recipients = known
                .take()
                .or_else(|| self.rights.recipients_in_memory(space, &entry.audience));
            let Some(recipients) = recipients else {
                self.load(space, thread, entry);
                return;
            };
            followed.release(thread);
            self.deliver(space, offset, entry, recipients).await;
        }
    }

    fn set_filling(&mut self, space: SpaceId, filling: bool) {
        if let Some(followed) = self.spaces.get_mut(&space) {
            followed.filling = filling;
        }
    }

    fn catch_up(&mut self, space: SpaceId, step: Step) {
        let Some(followed) = self.spaces.get_mut(&space) else {
            return;
        };
        match step {
            Step::HandOn | Step::Ignore => {}
            Step::Fill => {
                followed.filling = true;
                let (log, seen) = (Arc::clone(&self.log), followed.seen);
                self.jobs.spawn(async move {
                    loop {
                        match log.read(space, seen, FILL).await {
                            Ok(slice) => return Done::Filled { space, slice },
                            Err(_) => tokio::time::sleep(RETRY).await,
                        }
                    }
                });
            }
            Step::Bridge => {
                followed.filling = true;
                let place = JournalPlace {
                    time: followed.safe().time.minus(JOURNAL_MARGIN),
                    after: None,
                };
                self.bridge(space, None, place);
            }
        }
    }

    /// Reads a page of the journal beside the loop. The log's head is read first: what is appended after it is read
    /// from the log, what is up to it was in the journal before.
    fn bridge(&mut self, space: SpaceId, head: Option<Safe>, place: JournalPlace) {
        let (log, rights) = (Arc::clone(&self.log), Arc::clone(&self.rights));
        let clock = Arc::clone(&self.clock);
        self.jobs.spawn(async move {
            loop {
                if let Some(done) = read_journal(&log, &rights, clock.as_ref(), space, head, place).await {
                    return done;
                }
                tokio::time::sleep(RETRY).await;
            }
        });
    }

    async fn on_bridged(
        &mut self,
        space: SpaceId,
        head: Safe,
        next: Option<JournalPlace>,
        entries: Vec<Arc<LogEntry>>,
    ) {
        for entry in entries {
            self.rights.observe(space, &entry);
            // A log that began anew is rare: here a slow thread may hold back the others of its space.
            let recipients = loop {
                match self.rights.recipients(space, &entry.audience).await {
                    Ok(recipients) => break recipients,
                    Err(_) => tokio::time::sleep(RETRY).await,
                }
            };
            let offset = self.spaces.get(&space).map_or(0, |followed| followed.seen.offset);
            self.deliver(space, offset, entry, recipients).await;
        }
        if let Some(place) = next {
            self.bridge(space, Some(head), place);
            return;
        }
        let Some(followed) = self.spaces.get_mut(&space) else {
            return;
        };
        // Its time is when the log stood there, not that of the newest row: what came to the journal's last minute after
        // its page was read is after this place of the log.
        followed.seen = head.position;
        followed.time = followed.time.max(head.time);
        followed.filling = false;
        let safe = followed.safe();
        self.sink.take(Sent::Moved { space, safe }).await;
        self.catch_up(space, Step::Fill);
    }

    fn on_tick(&mut self) {
        self.ticks += 1;
        if self.options.broken_ignore_gaps {
            return;
        }
        let all = self.ticks.is_multiple_of(10);
        let now = self.clock.now();
        let due =
            |followed: &Followed| !followed.filling && (all || now.since(followed.busy_at) < self.options.busy_for);
        let spaces: Vec<SpaceId> = self
            .spaces
            .iter()
            .filter(|(_, followed)| due(followed))
            .map(|(space, _)| *space)
            .collect();
        if spaces.is_empty() {
            return;
        }
        let log = Arc::clone(&self.log);
        self.jobs.spawn(async move {
            match log.heads(&spaces).await {
                Ok(heads) => Done::Heads(spaces.into_iter().zip(heads).collect()),
                Err(_) => Done::Nothing,
            }
        });
    }
}

async fn read_journal(
    log: &Arc<dyn Log>,
    rights: &Arc<dyn Rights>,
    clock: &dyn Clock,
    space: SpaceId,
    head: Option<Safe>,
    place: JournalPlace,
) -> Option<Done> {
    let head = match head {
        Some(head) => head,
        None => {
            let time = clock.now();
            let position = log.heads(&[space]).await.ok()?.pop()?;
            Safe { position, time }
        }
    };
    let page = rights.journal(space, place).await.ok()?;
    let mut entries = Vec::with_capacity(page.rows.len());
    for (id, record) in &page.rows {
        let event = rights.event_of(space, record).await.ok()?;
        let (audience, fact) = (record.audience.clone(), record.fact.clone());
        entries.push(Arc::new(LogEntry {
            id: *id,
            time: record.time,
            audience,
            fact,
            event,
        }));
    }
    Some(Done::Bridged {
        space,
        head,
        page,
        entries,
    })
}
