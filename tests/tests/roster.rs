//! From a roster to a conversation, through the programs alone: import, activation codes, first logins, and messages by
//! the rules. On a roster of our own, and on a real one where it is at hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use samtale_tests::process::{ServerProcess, binary, free_port};
use serde_json::Value;

/// A small untidy school: one teacher, one child, her father, and a line that makes no sense.
const ROSTER: [(&str, &str); 4] = [
    (
        "orgs.csv",
        "sourcedId,status,name,type\nskole,active,Bakkeskolen,school\n",
    ),
    (
        "users.csv",
        "SourcedID,status,enabledUser,orgSourcedIds,role,username,givenname,familyName,agentSourcedIds\n\
         u1,active,true,skole,teacher,lærke.ås,Lærke,Ås,\n\
         u2,active,true,skole,student,bo.holm,Bo,Holm,u3\n\
         u3,active,true,skole,parent,åge.holm,Åge,Holm,u2\n\
         u4,active,true,skole,wizard,merlin,Merlin,,\n",
    ),
    (
        "classes.csv",
        "sourcedId,status,title,classType,schoolSourcedId\nk1,active,2.B,homeroom,skole\n",
    ),
    (
        "enrollments.csv",
        "sourcedId,status,classSourcedId,schoolSourcedId,userSourcedId,role\n\
         e1,active,k1,skole,u1,teacher\ne2,active,k1,skole,u2,student\n",
    ),
];

#[test]
fn a_roster_becomes_a_conversation() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let roster = folder.path().join("roster");
    std::fs::create_dir(&roster)?;
    for (name, text) in ROSTER {
        std::fs::write(roster.join(name), text)?;
    }
    let school = School::import(folder.path(), &roster)?;
    ensure!(
        !school.report["problems"].as_array().context("problems")?.is_empty(),
        "the wizard is not reported"
    );
    let people = school.activate()?;
    let (teacher, father, child) = (&people["Lærke Ås"], &people["Åge Holm"], &people["Bo Holm"]);

    let sent = school.chat(
        teacher,
        &[
            "start",
            "--to",
            "Åge Holm",
            "--subject",
            "Cykel 🚲",
            "Bo mangler en lygte",
        ],
    )?;
    let thread = sent[0]["thread"].as_str().context("a thread")?.to_owned();
    school.chat(father, &["send", &thread, "Det ordner vi ✅"])?;
    let history = school.chat(teacher, &["history", &thread])?;
    let texts: Vec<&str> = history
        .iter()
        .filter_map(|line| line["parts"][0]["text"].as_str())
        .collect();
    ensure!(texts == ["Bo mangler en lygte", "Det ordner vi ✅"], "{texts:?}");
    ensure!(
        school
            .chat(father, &["start", "--to", "Bo Holm", "--subject", "Nej", "Nej"])
            .is_err(),
        "by the table"
    );
    ensure!(
        school
            .chat(
                child,
                &["start", "--to", "Lærke Ås", "--subject", "Lygte", "Jeg har den med"]
            )
            .is_ok()
    );

    let again = school.import_again(&roster)?;
    let none = Value::from(0);
    for kind in ["added", "changed", "removed"] {
        let counts = again[kind].as_object().context("counts")?;
        ensure!(
            counts.values().all(|count| *count == none),
            "the same roster twice {kind}: {counts:?}"
        );
    }
    Ok(())
}

#[test]
fn a_real_roster_becomes_a_conversation() -> Result<()> {
    let shared = std::env::var_os("SAMTALE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let roster = shared.join("data/oneroster/full-1.1.zip");
    if !roster.exists() {
        println!("no real roster at hand: this test has nothing to look at");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let school = School::import(folder.path(), &roster)?;
    let problems = school.report["problems"].as_array().context("problems")?;
    ensure!(problems.len() > 5, "an untidy roster has {} problems", problems.len());
    for problem in problems {
        let says = |field: &str| problem[field].as_str().is_some_and(|text| !text.is_empty());
        ensure!(says("file") && says("message") && problem["line"].is_u64(), "{problem}");
    }
    let people = school.activate()?;
    ensure!(people.len() >= 4, "{} people", people.len());
    let (teacher, child) = (&people["John Michael Doe"], &people["Mary Jane Jones"]);
    let sent = school.chat(
        teacher,
        &[
            "start",
            "--to",
            "Mary Jane Jones",
            "--subject",
            "Physics",
            "Lab on Friday",
        ],
    )?;
    let thread = sent[0]["thread"].as_str().context("a thread")?;
    school.chat(child, &["send", thread, "I will be there"])?;
    Ok(())
}

/// Someone who can log in.
struct Pupil {
    username: String,
}

const PASSWORD: &str = "en lang adgangskode";

struct School {
    folder: PathBuf,
    report: Value,
    url: String,
    _server: ServerProcess,
}

impl School {
    /// Starts an empty server and imports a roster through it.
    fn import(folder: &Path, roster: &Path) -> Result<Self> {
        let port = free_port()?;
        let server = ServerProcess::start(folder, port)?;
        wait_for(port)?;
        let mut school = Self {
            folder: folder.to_path_buf(),
            report: Value::Null,
            url: format!("http://127.0.0.1:{port}"),
            _server: server,
        };
        school.report = school.import_again(roster)?;
        Ok(school)
    }

    fn import_again(&self, roster: &Path) -> Result<Value> {
        let path = roster.to_str().context("a path in UTF-8")?;
        let output = self.samtale(&["import", "oneroster", path, "--json"])?;
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Gives everyone an activation code and a password, and returns them by name.
    fn activate(&self) -> Result<BTreeMap<String, Pupil>> {
        let output = self.samtale(&["people", "codes", "--json"])?;
        let codes: Value = serde_json::from_slice(&output.stdout)?;
        let mut people = BTreeMap::new();
        for code in codes["codes"].as_array().context("codes")? {
            let text = |field: &str| code[field].as_str().map(str::to_owned).context("a field");
            let pupil = Pupil {
                username: text("username")?,
            };
            self.chat(&pupil, &["activate", "--code", &text("code")?])?;
            people.insert(text("name")?, pupil);
        }
        Ok(people)
    }

    fn chat(&self, pupil: &Pupil, words: &[&str]) -> Result<Vec<Value>> {
        let output = Command::new(binary()?.with_file_name("samtale-chat"))
            .args([
                "--server",
                &self.url,
                "--username",
                &pupil.username,
                "--password",
                PASSWORD,
                "--json",
            ])
            .args(words)
            .env("HOME", &self.folder)
            .env("XDG_STATE_HOME", &self.folder)
            .output()?;
        done(words, &output)?;
        let lines = String::from_utf8(output.stdout)?;
        lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    fn samtale(&self, words: &[&str]) -> Result<Output> {
        let (data, keys) = (self.folder.join("data"), self.folder.join("keys"));
        let output = Command::new(binary()?)
            .args(words)
            .arg("--data")
            .arg(data)
            .arg("--keys")
            .arg(keys)
            .output()?;
        done(words, &output)?;
        Ok(output)
    }
}

fn done(words: &[&str], output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    bail!(
        "{words:?}: {} {}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Waits until the server listens.
fn wait_for(port: u16) -> Result<()> {
    let deadline = std::time::Instant::now() + samtale_tests::node::PATIENCE;
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(std::time::Instant::now() < deadline, "the server does not listen");
        std::thread::yield_now();
    }
    Ok(())
}
