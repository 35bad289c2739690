//! One loop per node: follows the logs of the spaces that have listeners, finds and fills gaps, and hands each entry
//! once to the node's sessions. What must wait runs beside the loop and comes back to it.

mod beside;
mod bridging;

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use samtale_protocol::time::Clock;
use samtale_protocol::{EventId, ServerFrame, SpaceId, ThreadId, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use self::beside::{Done, FILL};
use crate::delivery::{Delivery, Recipients, Safe, Sent, SharedFrame, Sink};
use crate::log::{AddressedSignal, Epoch, Log, LogEntry, Position, Published, Slice};
use crate::metered;
use crate::rights::Rights;
use crate::space::{Followed, Step};

/// Requests to the loop that may wait.
const CONTROLS: usize = 1_024;

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
    Tell {
        space: SpaceId,
        entry: Arc<LogEntry>,
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
                peeked: FxHashMap::default(),
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

    /// Tells the sessions of this node alone of an entry that can not get into its log now. It will get there later, and
    /// they are told again then, which is harmless. Never waits: what does not fit is told then only.
    pub fn tell(&self, space: SpaceId, entry: &Arc<LogEntry>) {
        let entry = Arc::clone(entry);
        let _ = self.control.try_send(Control::Tell { space, entry });
    }

    /// Follows a space no longer, once all who joined have left.
    pub async fn leave(&self, space: SpaceId) {
        let _ = self.control.send(Control::Leave { space }).await;
    }
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
    /// What was told from a journal while its log was away: it is read again and again, and told once.
    peeked: FxHashMap<EventId, Timestamp>,
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
                    // A log that is away keeps nobody out: once it is back, it is in another epoch than this one.
                    let head = self.log.subscribe(space).await.unwrap_or(Position::UNKNOWN);
                    self.spaces.insert(space, Followed::new(head, self.clock.now()));
                    self.rights.followed(space);
                }
                if let Some(followed) = self.spaces.get_mut(&space) {
                    followed.listeners += 1;
                    let _ = joined.send(followed.safe());
                }
            }
            Control::Tell { space, entry } => {
                if self.spaces.contains_key(&space) {
                    self.jobs.spawn(beside::tell(Arc::clone(&self.rights), space, entry));
                }
            }
            Control::Leave { space } => {
                let Some(followed) = self.spaces.get_mut(&space) else {
                    return;
                };
                followed.listeners = followed.listeners.saturating_sub(1);
                if followed.listeners == 0 {
                    self.spaces.remove(&space);
                    self.rights.unfollowed(space);
                    self.log.unsubscribe(space).await;
                }
            }
        }
    }

    async fn on_published(&mut self, published: Published) {
        match published {
            Published::Entry { space, position, entry } => {
                let Some(followed) = self.spaces.get_mut(&space) else {
                    return;
                };
                if followed.filling {
                    followed.missed = true;
                    return;
                }
                match followed.step(position) {
                    Step::HandOn => self.take(space, position.offset, entry).await,
                    Step::Fill if self.options.broken_ignore_gaps => self.take(space, position.offset, entry).await,
                    Step::Bridge => self.begin_bridge(space).await,
                    Step::Fill => self.fill(space),
                    Step::Ignore => {}
                }
            }
            Published::Signal { space, signal } => self.on_signal(space, signal).await,
            Published::Doubtful { spaces } => {
                self.jobs.spawn(beside::heads(Arc::clone(&self.log), spaces));
            }
        }
    }

    async fn on_signal(&mut self, space: SpaceId, signal: Arc<AddressedSignal>) {
        if let Some(recipients) = self.rights.recipients_in_memory(space, &signal.audience) {
            self.pass(space, signal, recipients).await;
            return;
        }
        self.jobs
            .spawn(beside::address(Arc::clone(&self.rights), space, signal));
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
            // The space was left and joined again meanwhile, and its log began anew: the offsets are those of another log.
            Done::Filled { space, after, .. } if self.epoch_of(space) != Some(after.epoch) => {}
            Done::Filled {
                space,
                slice: Slice::Entries(entries),
                ..
            } => {
                self.set_filling(space, false);
                let full = entries.len() == FILL;
                let missed = self.spaces.get_mut(&space).is_some_and(Followed::take_missed);
                for (offset, entry) in entries {
                    self.take(space, offset, entry).await;
                }
                let is_free = self.spaces.get(&space).is_some_and(|followed| !followed.filling);
                if is_free && (full || missed) {
                    self.fill(space);
                }
            }
            Done::Filled {
                space,
                slice: Slice::Gone { .. },
                ..
            } => {
                self.set_filling(space, false);
                self.begin_bridge(space).await;
            }
            Done::Bridged(bridged) => self.on_bridged(bridged).await,
            Done::Loaded {
                space,
                thread,
                offset,
                recipients,
            } => self.on_loaded(space, thread, offset, recipients).await,
            Done::Signal {
                space,
                signal,
                recipients,
            } => self.pass(space, signal, recipients).await,
            Done::Heads { heads, away } => {
                self.on_heads(heads).await;
                if away.contains(&SpaceId::SYSTEM) && self.spaces.contains_key(&SpaceId::SYSTEM) {
                    self.peek();
                }
            }
            Done::Told {
                space,
                entry,
                recipients,
            } => {
                self.deliver(space, None, entry, recipients).await;
            }
            Done::Peeked { space, entries } => self.on_peeked(space, entries).await,
            Done::Nothing => {}
        }
    }

    async fn on_heads(&mut self, heads: Vec<(SpaceId, Position)>) {
        for (space, head) in heads {
            let Some(followed) = self.spaces.get(&space).filter(|followed| !followed.filling) else {
                continue;
            };
            match followed.step(head) {
                Step::HandOn | Step::Fill => self.fill(space),
                Step::Bridge => self.begin_bridge(space).await,
                Step::Ignore => {}
            }
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
        if followed.is_overfull() {
            // Nothing more is taken until the journal was read: it has this entry too.
            if !followed.filling {
                self.begin_bridge(space).await;
            }
            return;
        }
        self.rights.observe(space, &entry);
        let before = followed.time;
        followed.advance(offset, &entry, now);
        let thread = entry.audience.thread.map(|audience| audience.thread);
        if let Some(thread) = thread.filter(|thread| followed.is_waiting(*thread)) {
            followed.hold(thread, offset, entry, before);
            return;
        }
        // Asked once: the list may be gone from memory a moment later.
        match (self.rights.recipients_in_memory(space, &entry.audience), thread) {
            (Some(recipients), _) => {
                followed.told.add(entry.id, now);
                self.deliver(space, Some(offset), entry, recipients).await;
            }
            (None, Some(thread)) => {
                followed.hold(thread, offset, Arc::clone(&entry), before);
                self.load(space, thread, offset, entry);
            }
            // Only a thread's members are ever loaded; an audience without one names its people itself.
            (None, None) => {}
        }
    }

    /// Hands an entry over: of the log, with its offset, or told another way.
    async fn deliver(&self, space: SpaceId, offset: Option<u64>, entry: Arc<LogEntry>, recipients: Recipients) {
        let Some(followed) = self.spaces.get(&space) else {
            return;
        };
        let frame = SharedFrame::of_entry(space, &entry).map(Arc::new);
        let epoch = followed.seen.epoch;
        let position = offset.map(|offset| Position { epoch, offset });
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
    fn load(&mut self, space: SpaceId, thread: ThreadId, offset: u64, entry: Arc<LogEntry>) {
        let rights = Arc::clone(&self.rights);
        self.jobs.spawn(beside::load(rights, space, thread, offset, entry));
    }

    async fn on_loaded(&mut self, space: SpaceId, thread: ThreadId, loaded: u64, recipients: Recipients) {
        let mut known = Some(recipients);
        let now = self.clock.now();
        while let Some(followed) = self.spaces.get_mut(&space) {
            let Some((offset, entry)) = followed.first_waiting(thread).cloned() else {
                return;
            };
            // What was loaded is for one entry only: the space may have been left and joined again meanwhile.
            let recipients = known
                .take()
                .filter(|_| offset == loaded)
                .or_else(|| self.rights.recipients_in_memory(space, &entry.audience));
            let Some(recipients) = recipients else {
                self.load(space, thread, offset, entry);
                return;
            };
            followed.release(thread);
            followed.told.add(entry.id, now);
            self.deliver(space, Some(offset), entry, recipients).await;
        }
    }

    fn epoch_of(&self, space: SpaceId) -> Option<Epoch> {
        self.spaces.get(&space).map(|followed| followed.seen.epoch)
    }

    fn set_filling(&mut self, space: SpaceId, filling: bool) {
        if let Some(followed) = self.spaces.get_mut(&space) {
            followed.filling = filling;
        }
    }

    /// Reads what was missed from the log, beside the loop.
    fn fill(&mut self, space: SpaceId) {
        let Some(followed) = self.spaces.get_mut(&space) else {
            return;
        };
        metered::count_gap();
        followed.filling = true;
        let seen = followed.seen;
        self.jobs.spawn(beside::fill(Arc::clone(&self.log), space, seen));
    }

    fn on_tick(&mut self) {
        self.ticks += 1;
        if self.options.broken_ignore_gaps {
            return;
        }
        if self.spaces.get(&SpaceId::SYSTEM).is_some_and(|system| system.filling) {
            self.peek();
        }
        let all = self.ticks.is_multiple_of(10);
        let now = self.clock.now();
        if all {
            self.spaces.values_mut().for_each(|followed| followed.told.forget(now));
        }
        let is_busy = |followed: &Followed| now.since(followed.busy_at) < self.options.busy_for;
        let due = |(space, followed): &(&SpaceId, &Followed)| {
            !followed.filling && (all || is_busy(followed) || **space == SpaceId::SYSTEM)
        };
        let due = self.spaces.iter().filter(due);
        let (unheard, heard): (Vec<_>, Vec<_>) = due.partition(|(_, followed)| !followed.seen.is_known());
        let ids = |spaces: Vec<(&SpaceId, &Followed)>| spaces.into_iter().map(|(space, _)| *space).collect();
        let (unheard, heard): (Vec<SpaceId>, Vec<SpaceId>) = (ids(unheard), ids(heard));
        if !unheard.is_empty() {
            self.jobs.spawn(beside::subscribe(Arc::clone(&self.log), unheard));
        }
        if !heard.is_empty() {
            self.jobs.spawn(beside::heads(Arc::clone(&self.log), heard));
        }
    }
}

#[cfg(test)]
mod tests;
