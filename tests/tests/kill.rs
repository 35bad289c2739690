//! The server is killed with SIGKILL at random moments under clients that keep sending: nothing is lost, nothing is
//! there twice, one order, and no `resync`.
//!
//! `SAMTALE_SEED=N` replays a run's choices; `SAMTALE_SOAK=1` kills two hundred times.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use samtale_client::{Client, ClientOptions, Credentials, Secret, Update};
use samtale_protocol::messages::Part;
use samtale_protocol::threads::Recipient;
use samtale_protocol::{ClientId, ThreadId};
use samtale_tests::checker::{self, Note};
use samtale_tests::node::{Node, PATIENCE, until};
use samtale_tests::process::{ServerProcess, free_port};
use samtale_tests::town::{Inhabitant, PASSWORD, Town};
use samtale_tests::witness::{Notebook, Witness, wait_until};

/// Guardians and the teacher: with one client each they are the twenty.
const CLIENTS: usize = 20;
const THREADS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_nothing_that_it_acknowledged() -> Result<()> {
    let seed = std::env::var("SAMTALE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(rand::random::<u32>);
    let kills = if std::env::var_os("SAMTALE_SOAK").is_some() {
        200
    } else {
        20
    };
    println!("seed {seed}: SAMTALE_SEED={seed} cargo test -p samtale-tests --test kill");
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(seed));

    let folder = tempfile::tempdir()?;
    let (town, threads) = found(folder.path()).await?;
    let port = free_port()?;
    let mut server = ServerProcess::start(folder.path(), port)?;
    let notebook = Arc::new(Notebook::default());
    let witnesses = summon(&town, &threads, port, &notebook).await?;

    let stop = Arc::new(AtomicBool::new(false));
    let mut senders = Vec::new();
    for witness in &witnesses {
        let choices = ChaCha8Rng::seed_from_u64(random.next_u64());
        senders.push(tokio::spawn(keep_sending(
            Arc::clone(witness),
            threads.clone(),
            choices,
            Arc::clone(&stop),
        )));
    }
    for kill in 0..kills {
        let before = notebook.len();
        // tidy: waits because a kill at a random moment is what is tested
        tokio::time::sleep(Duration::from_millis(random.random_range(100..1_500))).await;
        server.kill()?;
        server = ServerProcess::start(folder.path(), port)?;
        // Some kills come before anyone is back; every fourth waits until something was told again.
        if kill % 4 == 3 {
            let told = || {
                notebook.notes()[before..]
                    .iter()
                    .any(|noted| matches!(noted.note, Note::Told { .. }))
            };
            ensure!(
                wait_until(PATIENCE, told).await,
                "nobody came back after kill {kill}, seed {seed}"
            );
        }
    }
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await??;
    }
    ensure!(server.is_running()?, "the server ended by itself");

    let waiting: usize = witnesses.iter().map(|witness| witness.waiting()).sum();
    let told = notebook
        .notes()
        .iter()
        .filter(|noted| matches!(noted.note, Note::Told { .. }))
        .count();
    let sent = told + waiting;
    let everything = || {
        witnesses.iter().all(|witness| {
            witness.waiting() == 0 && threads.iter().map(|thread| witness.shown(*thread)).sum::<usize>() >= sent
        })
    };
    // What is missing after this is for the checker to name.
    wait_until(PATIENCE, everything).await;
    for witness in &witnesses {
        witness.conclude(&threads).await?;
    }
    let resyncs = notebook
        .notes()
        .iter()
        .filter(|noted| matches!(noted.note, Note::Resync { .. }))
        .count();
    ensure!(
        resyncs == 0,
        "{resyncs} resyncs while the journal reaches back, seed {seed}"
    );
    let violations = checker::check(&notebook.notes());
    println!(
        "{sent} messages, {kills} kills, {} notes, seed {seed}",
        notebook.notes().len()
    );
    if !violations.is_empty() {
        let all: Vec<String> = violations.iter().take(20).map(ToString::to_string).collect();
        bail!(
            "{} broken promises with seed {seed}:\n{}",
            violations.len(),
            all.join("\n")
        );
    }
    Ok(())
}

/// A school with threads, made before anything is killed.
async fn found(folder: &Path) -> Result<(Town, Vec<ThreadId>)> {
    let node = Node::start(folder).await?;
    let town = Town::found(&node.office, CLIENTS - 1).await?;
    let (teacher, mut hears) = node.client(town.teacher()).await?;
    let mut threads = Vec::new();
    for number in 0..THREADS {
        let to = vec![Recipient::Guardians { group: town.class }];
        teacher
            .start_thread(
                town.space,
                to,
                format!("Samtale {number}"),
                vec![Part::text("Godmorgen!")],
            )
            .await?;
        let sent = until(&mut hears, |update| match update {
            Update::Sent(sent) => Some(sent.thread),
            _ => None,
        });
        threads.push(sent.await?);
    }
    drop(teacher);
    node.stop().await?;
    Ok((town, threads))
}

/// A client for the teacher and each guardian, all connected.
async fn summon(town: &Town, threads: &[ThreadId], port: u16, notebook: &Arc<Notebook>) -> Result<Vec<Arc<Witness>>> {
    let everyone: Vec<&Inhabitant> = std::iter::once(town.teacher())
        .chain((0..CLIENTS - 1).map(|family| town.guardian(family)))
        .collect();
    let mut witnesses = Vec::new();
    for (device, inhabitant) in (0_u32..).zip(&everyone) {
        let credentials = Credentials::Password {
            username: inhabitant.username.clone(),
            password: Secret::new(PASSWORD),
        };
        let options = ClientOptions::new(&format!("http://127.0.0.1:{port}"), credentials)?;
        let (client, mut updates) = Client::connect(options);
        until(&mut updates, |update| {
            matches!(update, Update::Connected(_)).then_some(())
        })
        .await
        .context("no start")?;
        witnesses.push(Arc::new(Witness::new(
            device,
            inhabitant.profile,
            client,
            updates,
            Arc::clone(notebook),
        )));
    }
    for thread in threads {
        let members = everyone.iter().map(|inhabitant| inhabitant.profile).collect();
        notebook.note(
            0,
            Note::Given {
                thread: *thread,
                members,
            },
        );
    }
    Ok(witnesses)
}

async fn keep_sending(
    witness: Arc<Witness>,
    threads: Vec<ThreadId>,
    mut random: ChaCha8Rng,
    stop: Arc<AtomicBool>,
) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        if witness.waiting() < 20 {
            let thread = threads[random.random_range(0..threads.len())];
            let mut id = [0; 16];
            random.fill_bytes(&mut id);
            witness
                .send(thread, ClientId::from_bytes(id), "Er der nogen? 🙋")
                .await?;
        }
        // tidy: waits because people do not write without a pause
        tokio::time::sleep(Duration::from_millis(random.random_range(50..400))).await;
    }
    Ok(())
}
