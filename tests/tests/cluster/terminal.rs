//! The terminal client as it is, in two processes on two gateways, as two people who talk.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use samtale_protocol::ThreadId;
use samtale_tests::checker::Note;
use samtale_tests::cluster::people::{Member, School};
use samtale_tests::cluster::{Cluster, Gateway};
use samtale_tests::node::PATIENCE;
use samtale_tests::process::binary;
use samtale_tests::town::PASSWORD;
use samtale_tests::witness::Notebook;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The first of the school on the first gateway, the second on the last, as they type.
pub async fn talk_in_terminals(cluster: &Cluster, school: &School, notebook: &Notebook) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (first, last) = (&cluster.gateways[0], cluster.gateways.last().context("no gateway")?);
    let (anne, mette) = (&school.people[0], &school.people[1]);
    let anne_types = command(&*first.lock().await, anne, folder.path())?;
    let mette_types = command(&*last.lock().await, mette, folder.path())?;
    let (mut anne_talks, mut mette_talks) = (Talk::begin(anne_types).await?, Talk::begin(mette_types).await?);

    let began = Instant::now();
    let start = format!("/ny {} | Fra terminalen | Hej Mette, æøå 👋", mette.profile);
    anne_talks.write(&start).await?;
    let told = mette_talks.read("Hej Mette, æøå 👋").await?;
    println!("a first message was on the other screen after {:?}", began.elapsed());
    // "* Ny besked i 7 «Fra terminalen» fra …"
    let number = told.split(' ').nth(4).context("a thread without a number")?;
    mette_talks.write(&format!("/åbn {number}")).await?;
    mette_talks.read("── Fra terminalen ──").await?;
    let began = Instant::now();
    mette_talks.write("Hej Anne 🎉").await?;
    anne_talks.read("Hej Anne 🎉").await?;
    println!("an answer was on the other screen after {:?}", began.elapsed());
    anne_talks.write("Så ses vi kl. 8").await?;
    mette_talks.read("Så ses vi kl. 8").await?;

    let newest = script(&*last.lock().await, mette, folder.path(), &["threads", "--limit", "1"]).await?;
    let thread: ThreadId = serde_json::from_value(newest[0]["thread"]["thread"].clone())?;
    // Later gateways may tell the two of it again.
    let members = vec![anne.profile, mette.profile];
    notebook.note(notebook.devices(1), Note::Given { thread, members });
    for (gateway, person) in [(first, anne), (last, mette)] {
        let words = ["history", &thread.to_string()];
        let history = script(&*gateway.lock().await, person, folder.path(), &words).await?;
        let texts = history.iter().filter_map(|line| line["parts"][0]["text"].as_str());
        let texts: Vec<&str> = texts.collect();
        ensure!(
            texts == ["Hej Mette, æøå 👋", "Hej Anne 🎉", "Så ses vi kl. 8"],
            "{texts:?}"
        );
    }
    anne_talks.leave().await?;
    mette_talks.leave().await
}

/// A talk of someone in a terminal, through pipes.
struct Talk {
    process: Child,
    types: ChildStdin,
    sees: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    async fn begin(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let types = process.stdin.take().context("no input")?;
        let sees = BufReader::new(process.stdout.take().context("no output")?).lines();
        let mut talk = Self { process, types, sees };
        talk.read("Velkommen").await?;
        // Their threads are listed before this is answered: what comes from here on is no entry of the list.
        talk.write("/hjælp").await?;
        talk.read("/slut").await?;
        Ok(talk)
    }

    async fn write(&mut self, line: &str) -> Result<()> {
        Ok(self.types.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// The first line from here on with this in it.
    async fn read(&mut self, text: &str) -> Result<String> {
        let reading = async {
            loop {
                let line = self.sees.next_line().await?.context("the program ended")?;
                if line.contains(text) {
                    return anyhow::Ok(line);
                }
            }
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        read.map_err(anyhow::Error::from)
            .flatten()
            .with_context(|| format!("{text:?} is not shown"))
    }

    async fn leave(mut self) -> Result<()> {
        self.write("/slut").await?;
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        let ended = ended.context("the program does not end")??;
        ensure!(ended.success(), "the program ended with {ended}");
        Ok(())
    }
}

/// The terminal client as someone starts it, with nothing that a cluster would need beyond one server.
fn command(gateway: &Gateway, person: &Member, folder: &Path) -> Result<Command> {
    let mut command = Command::new(binary()?.with_file_name("samtale-chat"));
    command
        .args(["--server", &gateway.url(), "--username", &person.username])
        .env("SAMTALE_STATE", folder)
        .env("SAMTALE_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

/// Runs a form for scripts to its end; the lines that it prints.
async fn script(gateway: &Gateway, person: &Member, folder: &Path, words: &[&str]) -> Result<Vec<Value>> {
    let output = command(gateway, person, folder)?.arg("--json").args(words).output();
    let output = tokio::time::timeout(PATIENCE, output)
        .await
        .context("the program does not end")??;
    let (text, errors) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "{words:?}: {text}{errors}");
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
