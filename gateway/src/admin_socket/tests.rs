//! Both ends in one process, in a folder of their own.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::commands::{Command, CommandErrorKind, Commands, PeopleCommand, Progress, Selection};

#[derive(Default)]
struct Echo(AtomicUsize);

#[async_trait]
impl Commands for Echo {
    async fn run(&self, command: Command, progress: &dyn Progress) -> Result<Value, CommandError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        if let Command::Backup { .. } = command {
            return Err(CommandError::refused("not today").report(json!({ "problems": 3 })));
        }
        progress.report("half-way");
        tokio::task::yield_now().await;
        Ok(serde_json::to_value(&command).unwrap())
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn report(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

struct Running {
    commands: Arc<Echo>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

fn start(data: &Path) -> Running {
    let (commands, shutdown) = (Arc::<Echo>::default(), CancellationToken::new());
    let task = tokio::spawn(
        AdminSocket::bind(data)
            .unwrap()
            .serve(commands.clone(), shutdown.clone()),
    );
    Running {
        commands,
        shutdown,
        task,
    }
}

fn list() -> Command {
    Command::People(PeopleCommand::List {
        of: Selection {
            class: Some("3.A".to_owned()),
            space: None,
        },
    })
}

async fn never() -> Result<Arc<dyn Commands>, CommandError> {
    panic!("the store was opened although a server runs")
}

#[tokio::test]
async fn a_command_reaches_the_server_and_its_progress_comes_back() {
    let data = tempfile::tempdir().unwrap();
    let running = start(data.path());
    let heard = Heard::default();
    let answer = run_command(data.path(), list(), &heard, never).await.unwrap();
    assert_eq!(
        answer,
        json!({ "people": { "list": { "of": { "class": "3.A", "space": null } } } })
    );
    assert_eq!(*heard.0.lock().unwrap(), ["half-way"]);
    let refused = run_command(data.path(), Command::Backup { to: "b".into() }, &heard, never)
        .await
        .unwrap_err();
    assert_eq!((refused.kind, refused.exit_code()), (CommandErrorKind::Refused, 2));
    assert_eq!(
        (refused.message.as_str(), refused.report),
        ("not today", Some(json!({ "problems": 3 })))
    );
    assert_eq!(running.commands.0.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn without_a_server_the_store_is_opened() {
    let data = tempfile::tempdir().unwrap();
    let opened = Arc::<Echo>::default();
    let open = async || Ok(opened.clone() as Arc<dyn Commands>);
    run_command(data.path(), list(), &Heard::default(), open).await.unwrap();
    // What a server that was killed leaves behind is taken for what it is.
    drop(AdminSocket::bind(data.path()).unwrap());
    assert!(data.path().join(FILE_NAME).exists());
    run_command(data.path(), list(), &Heard::default(), open).await.unwrap();
    assert_eq!(opened.0.load(Ordering::SeqCst), 2);
    let running = start(data.path());
    run_command(data.path(), list(), &Heard::default(), never)
        .await
        .unwrap();
    running.shutdown.cancel();
    running.task.await.unwrap();
    assert!(!data.path().join(FILE_NAME).exists());
}

#[tokio::test]
async fn a_server_that_is_just_starting_is_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let locked = AtomicUsize::new(0);
    let running = Mutex::new(None);
    let open = async || {
        if locked.fetch_add(1, Ordering::SeqCst) == 1 {
            *running.lock().unwrap() = Some(start(data.path()));
        }
        Err(CommandError::failed("another process uses the data folder"))
    };
    run_command(data.path(), list(), &Heard::default(), open).await.unwrap();
    let missing = data.path().join("missing");
    let open = async || Err(CommandError::failed("no such folder"));
    let error = run_command(&missing, list(), &Heard::default(), open)
        .await
        .unwrap_err();
    assert_eq!(error.message, "no such folder");
}

#[tokio::test]
async fn only_the_owner_may_open_the_socket_and_nonsense_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let _running = start(data.path());
    let path = data.path().join(FILE_NAME);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for nonsense in ["hej\n", "{\"people\":{\"dance\":{}}}\n", "{\"backup\":{\"to\":1}}\n"] {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(nonsense.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("{\"error\":{\"kind\":\"refused\""), "{answer}");
    }
}

#[tokio::test]
async fn a_folder_with_a_long_name_has_a_socket_too() {
    let data = tempfile::tempdir().unwrap();
    let long = data.path().join("x".repeat(120));
    std::fs::create_dir(&long).unwrap();
    let _running = start(&long);
    assert!(long.join(FILE_NAME).exists());
    run_command(&long, list(), &Heard::default(), never).await.unwrap();
}
