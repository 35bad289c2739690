//! The clients of a run: each writes into several threads and listens to them, over a line of its own to whatever
//! gateway takes it; and one lets people in and out while messages fly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use samtale_client::{Client, Update, Updates};
use samtale_protocol::messages::Part;
use samtale_protocol::threads::Recipient;
use samtale_protocol::{ClientId, MessageId, ProfileId, SpaceId, ThreadId};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::ChaosOptions;
use super::comeback::Comeback;
use crate::checker::{Note, Noted, View};
use crate::cluster::Cluster;
use crate::cluster::people::School;
use crate::node::until;
use crate::proxy::Proxy;
use crate::witness::{Notebook, Witness, wait_until};

/// The sends that one client lets wait; then it writes nothing more until it is answered.
const MOST_WAITING: usize = 50;
/// Between two changes of members, and after one that was refused or not answered.
const CHANGE_PAUSE_MS: std::ops::Range<u64> = 300..2_000;

/// Who the clients are and how much they say.
#[derive(Clone, Debug)]
pub struct CrowdOptions {
    /// Clients, one per person. The first begins the threads and changes their members.
    pub clients: usize,
    /// Threads.
    pub threads: usize,
    /// How many of the clients come and go.
    pub movers: usize,
    /// How long a client is silent between two messages, in milliseconds.
    pub silence_ms: std::ops::Range<u64>,
    /// How long each message is at least, in bytes.
    pub text_bytes: usize,
}

impl Default for CrowdOptions {
    fn default() -> Self {
        Self {
            clients: 12,
            threads: 3,
            movers: 3,
            silence_ms: 200..1_500,
            text_bytes: 0,
        }
    }
}

/// The clients, and the lines that they come over.
pub struct Crowd {
    witnesses: Vec<Arc<Witness>>,
    lines: Vec<Proxy>,
    threads: Vec<ThreadId>,
    /// The first of those who come and go; they are the last.
    first_mover: usize,
    notebook: Arc<Notebook>,
    /// The number of the first client.
    first_device: u32,
    /// What was written down before this moment is of crowds before it.
    began: u64,
}

/// What the crowd does until it is told to stop.
pub struct Talking {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<Result<()>>>,
}

impl Talking {
    /// Nobody begins anything more; what was written still goes out.
    pub async fn stop(self) -> Result<()> {
        self.stop.cancel();
        for task in self.tasks {
            task.await??;
        }
        Ok(())
    }
}

impl Crowd {
    /// Connects everybody and begins the threads.
    pub async fn gather(
        cluster: &Cluster,
        school: &School,
        notebook: &Arc<Notebook>,
        options: &ChaosOptions,
    ) -> Result<Self> {
        let CrowdOptions {
            clients,
            threads,
            movers,
            ..
        } = options.crowd;
        ensure!(
            clients >= movers + 2 && school.people.len() >= clients,
            "too few people for this crowd"
        );
        let first_mover = clients - movers;
        let first_device = notebook.devices(u32::try_from(clients)?);
        let began = notebook.now();
        let mut lines = Vec::new();
        let mut connected = Vec::new();
        for (number, member) in (0_u64..).zip(&school.people[..clients]) {
            let line = cluster.door(options.seed.wrapping_add(1_000 + number)).await?;
            let (client, mut updates) = member.connect(&format!("http://{}", line.address()))?;
            until(&mut updates, |update| {
                matches!(update, Update::Connected(_)).then_some(())
            })
            .await?;
            lines.push(line);
            connected.push((client, updates));
        }
        let profiles: Vec<ProfileId> = school.people[..clients].iter().map(|member| member.profile).collect();
        // The last of the movers comes later, so somebody always has something that is not for them.
        let members = &profiles[..clients - usize::from(movers > 0)];
        let (first, hears) = connected.first_mut().context("nobody is there")?;
        let threads = begin_threads(first, hears, school.space, &members[1..], threads).await?;
        let mut witnesses = Vec::new();
        for ((device, profile), (client, updates)) in (first_device..).zip(&profiles).zip(connected) {
            let blemish = options.blemish.filter(|_| device == first_device + 1);
            let notebook = Arc::clone(notebook);
            let witness = Witness::with_blemish(device, *profile, client, updates, notebook, blemish);
            witnesses.push(Arc::new(witness));
        }
        for thread in &threads {
            let given = Note::Given {
                thread: *thread,
                members: members.to_vec(),
            };
            notebook.note(first_device, given);
        }
        Ok(Self {
            witnesses,
            lines,
            threads,
            first_mover,
            notebook: Arc::clone(notebook),
            first_device,
            began,
        })
    }

    /// Everybody begins to write.
    pub fn talk(self: &Arc<Self>, options: &ChaosOptions) -> Talking {
        let stop = CancellationToken::new();
        // Crowds of one seed follow each other, and a send is named once.
        let mut random = ChaCha8Rng::seed_from_u64(options.seed);
        random.set_stream(u64::from(self.first_device));
        let mut tasks = Vec::new();
        for witness in &self.witnesses {
            let choices = ChaCha8Rng::seed_from_u64(random.next_u64());
            let (crowd, witness) = (Arc::clone(self), Arc::clone(witness));
            let manner = options.crowd.clone();
            tasks.push(tokio::spawn(keep_writing(
                crowd,
                witness,
                choices,
                manner,
                stop.clone(),
            )));
        }
        for thread in 0..self.threads.len() {
            let choices = ChaCha8Rng::seed_from_u64(random.next_u64());
            tasks.push(tokio::spawn(keep_changing(
                Arc::clone(self),
                thread,
                choices,
                stop.clone(),
            )));
        }
        Talking { stop, tasks }
    }

    /// The lines that the clients come over.
    pub fn lines(&self) -> &[Proxy] {
        &self.lines
    }

    /// Whether, within this time, everybody is answered and everybody who is in a thread all the time has all of it.
    pub async fn is_quiet_within(&self, patience: Duration) -> bool {
        let began = Instant::now();
        let is_answered = || self.witnesses.iter().all(|witness| witness.waiting() == 0);
        if !wait_until(patience, is_answered).await {
            return false;
        }
        let (earlier, notes) = self.notes();
        let (view, told) = (View::after(&earlier, &notes), told(&notes));
        let mut awaited = Vec::new();
        for witness in &self.witnesses {
            let threads = self
                .threads
                .iter()
                .filter(|thread| view.is_constant(**thread, witness.profile));
            awaited.extend(threads.map(|thread| (witness, *thread, told.get(thread).cloned().unwrap_or_default())));
        }
        let has = |(witness, thread, told): &(&Arc<Witness>, ThreadId, _)| witness.is_quiet_with(*thread, told);
        let everything = || awaited.iter().all(has);
        wait_until(patience.saturating_sub(began.elapsed()), everything).await
    }

    /// Writes down what everybody has in the end.
    pub async fn conclude(&self) -> Result<()> {
        let mut concluding = JoinSet::new();
        for witness in &self.witnesses {
            let (witness, threads) = (Arc::clone(witness), self.threads.clone());
            concluding.spawn(async move { (witness.conclude(&threads).await, witness) });
        }
        while let Some(concluded) = concluding.join_next().await {
            let (concluded, witness) = concluded?;
            concluded.with_context(|| format!("device {}: {}", witness.device, self.stuck(&witness)))?;
        }
        Ok(())
    }

    /// What a client said that it is stuck with.
    fn stuck(&self, witness: &Witness) -> String {
        let notes = self
            .notes()
            .1
            .into_iter()
            .filter(|noted| noted.device == witness.device);
        let stuck = notes.filter_map(|noted| match noted.note {
            Note::Stuck { what } => Some(format!("{what}, at {} ms", noted.at_ms)),
            _ => None,
        });
        stuck.collect::<Vec<_>>().join("; ")
    }

    /// Everybody leaves, so that nobody of this crowd is there beside the next one.
    pub async fn leave(&self) {
        for witness in &self.witnesses {
            witness.client.stop().await;
        }
    }

    /// What was written down: by crowds before this one, and since it gathered.
    pub fn notes(&self) -> (Vec<Noted>, Vec<Noted>) {
        let mut earlier = self.notebook.notes();
        let own = earlier.split_off(earlier.partition_point(|noted| noted.moment < self.began));
        (earlier, own)
    }

    /// How often the live connection of each client ended.
    pub fn cuts(&self) -> Vec<usize> {
        self.witnesses.iter().map(|witness| witness.cuts()).collect()
    }

    /// The threads that are written into.
    pub fn threads(&self) -> &[ThreadId] {
        &self.threads
    }

    /// Redis answers again, now.
    pub fn comeback(&self) -> Comeback {
        let connected = self.witnesses.iter().filter(|witness| witness.is_connected());
        Comeback {
            at_ms: self.notebook.at_ms(),
            connected: connected.map(|witness| witness.device).collect(),
        }
    }

    /// How many clients are connected.
    pub fn connected(&self) -> usize {
        self.witnesses.iter().filter(|witness| witness.is_connected()).count()
    }
}

/// The messages of each thread that somebody was told are stored.
fn told(notes: &[Noted]) -> BTreeMap<ThreadId, BTreeSet<MessageId>> {
    let mut told: BTreeMap<ThreadId, BTreeSet<MessageId>> = BTreeMap::new();
    for noted in notes {
        if let Note::Told { thread, message, .. } = noted.note {
            told.entry(thread).or_default().insert(message);
        }
    }
    told
}

async fn begin_threads(
    client: &Client,
    hears: &mut Updates,
    space: SpaceId,
    members: &[ProfileId],
    count: usize,
) -> Result<Vec<ThreadId>> {
    let mut threads = Vec::new();
    for number in 0..count {
        let to = members
            .iter()
            .map(|profile| Recipient::Profile { profile: *profile })
            .collect();
        let parts = vec![Part::text("Godmorgen!")];
        client
            .start_thread(space, to, format!("Samtale {number}"), parts)
            .await?;
        let started = until(hears, |update| match update {
            Update::Sent(sent) => Some(Ok(sent.thread)),
            Update::SendFailed { refusal, .. } => Some(Err(refusal)),
            _ => None,
        });
        let started = started.await?;
        threads.push(started.map_err(|refusal| anyhow::anyhow!("no thread is begun: {refusal:?}"))?);
    }
    Ok(threads)
}

async fn keep_writing(
    crowd: Arc<Crowd>,
    witness: Arc<Witness>,
    mut random: ChaCha8Rng,
    manner: CrowdOptions,
    stop: CancellationToken,
) -> Result<()> {
    while !is_over(&stop, random.random_range(manner.silence_ms.clone())).await {
        if witness.waiting() < MOST_WAITING {
            let thread = crowd.threads[random.random_range(0..crowd.threads.len())];
            let mut id = [0; 16];
            random.fill_bytes(&mut id);
            let text = ["Er der nogen? 🙋", "Husk gymnastiktøj", "Tak!"][random.random_range(0..3)];
            let text = format!("{text:<length$}", length = manner.text_bytes);
            witness.send(thread, ClientId::from_bytes(id), &text).await?;
        }
    }
    Ok(())
}

/// Lets the movers of one thread in and out: one goes once and for good, one comes once, the others go and come again.
async fn keep_changing(
    crowd: Arc<Crowd>,
    thread: usize,
    mut random: ChaCha8Rng,
    stop: CancellationToken,
) -> Result<()> {
    let (opener, thread) = (&crowd.witnesses[0], crowd.threads[thread]);
    let movers: Vec<ProfileId> = crowd.witnesses[crowd.first_mover..]
        .iter()
        .map(|mover| mover.profile)
        .collect();
    let last = movers.len().saturating_sub(1);
    let mut is_in: Vec<bool> = (0..movers.len()).map(|mover| mover < last).collect();
    let mut is_settled = vec![false; movers.len()];
    while !movers.is_empty() && !is_over(&stop, random.random_range(CHANGE_PAUSE_MS)).await {
        let mover = random.random_range(0..movers.len());
        if is_settled[mover] {
            continue;
        }
        let from_the_beginning = random.random_bool(0.3);
        loop {
            let changed = if is_in[mover] {
                opener.remove(thread, movers[mover]).await
            } else {
                opener.add(thread, movers[mover], from_the_beginning).await
            };
            match changed {
                Ok(()) => break,
                Err(error) if !error.is_retryable() => return Err(error).context("members can not be changed"),
                // Whether it was done is not known: the same again, until it is.
                Err(_) => {
                    let pause = Duration::from_millis(random.random_range(CHANGE_PAUSE_MS));
                    // tidy: waits because the server is asked again, until it answers
                    tokio::time::sleep(pause).await;
                }
            }
        }
        is_in[mover] = !is_in[mover];
        is_settled[mover] = mover == 0 || mover == last;
    }
    Ok(())
}

/// Waits for a while; says whether everything was stopped meanwhile.
async fn is_over(stop: &CancellationToken, pause_ms: u64) -> bool {
    tokio::time::timeout(Duration::from_millis(pause_ms), stop.cancelled())
        .await
        .is_ok()
}
