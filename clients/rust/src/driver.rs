//! The client's one task: it waits in one place, gives each thing that happens to the connection, and does what the
//! connection decides.

mod link;

use std::collections::{HashMap, VecDeque};

use samtale_protocol::{ByteString, Reply};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::client::{ClientOptions, Command, Credentials};
use crate::connection::{Action, Connection, Input, Moment, Start, State, Ticket};
use crate::cursor::CursorStore;
use crate::errors::{RequestError, SendError};
use crate::login::LoginService;
use crate::outbox::{Outbox, OutboxError, Record};
use crate::secret::Secret;
use crate::updates::Update;

use link::Link;

/// Runs a client until it stops for good or its last handle is gone.
pub(crate) async fn run(options: ClientOptions, commands: mpsc::Receiver<Command>, updates: mpsc::Sender<Update>) {
    Driver::new(options, updates).run(commands).await;
}

struct Driver {
    started: Instant,
    connection: Connection,
    link: Link,
    outbox: Outbox,
    cursor: Option<Box<dyn CursorStore>>,
    updates: Option<mpsc::Sender<Update>>,
    /// What the application has not taken yet. While there is any, nothing is read from the server, so it never holds
    /// more than one frame and one change of state lead to.
    deliveries: VecDeque<Delivery>,
    callers: HashMap<Ticket, Caller>,
    last_ticket: Ticket,
}

enum Delivery {
    Update(Update),
    Cursor(ByteString),
}

enum Caller {
    Request(oneshot::Sender<Result<Reply, RequestError>>),
    Send(oneshot::Sender<Result<(), SendError>>),
}

/// What the task wakes up for.
enum Wake {
    Command(Option<Command>),
    Link(Input),
    Delivered,
    Time,
}

impl Driver {
    fn new(options: ClientOptions, updates: mpsc::Sender<Update>) -> Self {
        let ClientOptions {
            server,
            credentials,
            device,
            client,
            language,
            encoding,
            ..
        } = options;
        let (mut outbox, mut cursor) = (options.outbox, options.cursor);
        let (password, refresh_token) = match credentials {
            Credentials::Password { username, password } => (Some((username, password)), None),
            Credentials::RefreshToken(token) => (None, Some(token)),
        };
        let connection = Connection::new(Start {
            may_log_in: password.is_some(),
            refresh_token,
            device,
            client: client.clone(),
            language,
            cursor: cursor.as_mut().and_then(|store| store.load()),
            outbox: outbox.take_entries(),
            request_timeout: options.request_timeout,
            // Without randomness from the system the device's id still tells clients apart.
            seed: getrandom::u64().unwrap_or_else(|_| device.0.as_u64_pair().1),
        });
        let login = LoginService::new(server.clone(), client, language);
        Self {
            started: Instant::now(),
            connection,
            link: Link::new(server, encoding, login, password),
            outbox,
            cursor,
            updates: Some(updates),
            deliveries: VecDeque::new(),
            callers: HashMap::new(),
            last_ticket: 0,
        }
    }

    async fn run(&mut self, mut commands: mpsc::Receiver<Command>) {
        self.apply(Input::Tick).await;
        while !self.is_over() {
            match self.wait(&mut commands).await {
                Wake::Command(Some(command)) => {
                    let input = self.input(command);
                    self.apply(input).await;
                }
                // The last handle is gone: nobody is left to stop it, and nobody to ask.
                Wake::Command(None) => break,
                Wake::Link(input) => self.apply(input).await,
                Wake::Delivered => {}
                Wake::Time => {
                    if !self.deliveries.is_empty() {
                        self.apply(Input::Heard).await;
                    }
                    self.apply(Input::Tick).await;
                }
            }
        }
        self.link.close().await;
    }

    fn is_over(&self) -> bool {
        matches!(self.connection.state(), State::Stopped { .. }) && self.deliveries.is_empty()
    }

    fn now(&self) -> Moment {
        self.started.elapsed()
    }

    /// The one place where a client waits.
    async fn wait(&mut self, commands: &mut mpsc::Receiver<Command>) -> Wake {
        let deadline = self.connection.deadline().map(|moment| self.started + moment);
        let behind = !self.deliveries.is_empty();
        let has_room = self.connection.has_room();
        let Self {
            link,
            updates,
            deliveries,
            cursor,
            ..
        } = self;
        tokio::select! {
            biased;
            () = deliver_next(updates, deliveries, cursor), if behind => Wake::Delivered,
            // Before what may come without end.
            () = until(deadline) => Wake::Time,
            command = commands.recv(), if has_room => Wake::Command(command),
            // While the application is behind, nothing is read; an attempt to connect goes on.
            input = link.next(), if !behind || !link.is_open() => Wake::Link(input),
        }
    }

    fn input(&mut self, command: Command) -> Input {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        match command {
            Command::Request { request, answer } => {
                self.callers.insert(ticket, Caller::Request(answer));
                Input::Request { ticket, request }
            }
            Command::Send { outgoing, taken } => {
                self.callers.insert(ticket, Caller::Send(taken));
                Input::Send { ticket, outgoing }
            }
            Command::Stop => Input::Stop,
        }
    }

    /// Gives the connection an input, and does what follows until nothing more does.
    async fn apply(&mut self, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let actions = self.connection.apply(self.now(), input);
            next = self.perform(actions).await;
        }
    }

    /// Does what the connection decided, in order. What goes wrong on the way is the next input.
    async fn perform(&mut self, actions: Vec<Action>) -> Option<Input> {
        let mut records = Vec::new();
        let mut failed = None;
        // One sync covers all records of these actions: it comes before the first frame that they may lead to.
        let promised = actions
            .iter()
            .any(|action| matches!(action, Action::Transmit(_) | Action::Taken { .. }));
        for action in &actions {
            if let Action::Persist(record) = action {
                records.push(record.clone());
            }
        }
        if let Err(error) = self.persist(records, promised).await {
            // Their waiting ends with "stopped", which is what comes next.
            self.callers.clear();
            return Some(Input::OutboxFailed(crate::connection::in_words(&error)));
        }
        for action in actions {
            match action {
                Action::Persist(_) => {}
                Action::LogIn => self.link.log_in(),
                Action::Refresh(token) => self.link.refresh(token),
                Action::Open => self.link.open(),
                Action::Close => self.link.close().await,
                Action::Transmit(frame) => failed = failed.or(self.link.feed(&frame).await.err()),
                Action::Deliver(update) => self.deliveries.push_back(Delivery::Update(update)),
                Action::KeepCursor(cursor) => self.deliveries.push_back(Delivery::Cursor(cursor)),
                Action::Answer { ticket, result } => {
                    if let Some(Caller::Request(answer)) = self.callers.remove(&ticket) {
                        // A caller that is gone needs no answer.
                        let _ = answer.send(*result);
                    }
                }
                Action::Taken { ticket, result } => {
                    if let Some(Caller::Send(taken)) = self.callers.remove(&ticket) {
                        let _ = taken.send(result);
                    }
                }
            }
        }
        failed = failed.or(self.link.flush().await.err());
        failed.map(|reason| Input::Closed { code: None, reason })
    }

    async fn persist(&mut self, records: Vec<Record>, promised: bool) -> Result<(), OutboxError> {
        if records.is_empty() {
            return Ok(());
        }
        // What is done may be forgotten by a crash: sent again, the server recognises it.
        let sync = promised && records.iter().any(|record| !matches!(record, Record::Done { .. }));
        self.outbox.write(records, sync).await?;
        let waiting = self.connection.outbox();
        if self.outbox.wants_compaction(waiting.len()) {
            let waiting = waiting.cloned().collect();
            self.outbox.compact(waiting).await?;
        }
        Ok(())
    }
}

/// Gives the application the next of what waits. Nothing is lost when the future is dropped.
async fn deliver_next(
    updates: &mut Option<mpsc::Sender<Update>>,
    deliveries: &mut VecDeque<Delivery>,
    cursor: &mut Option<Box<dyn CursorStore>>,
) {
    if let (Some(Delivery::Update(_)), Some(sender)) = (deliveries.front(), updates.as_ref()) {
        if let Ok(room) = sender.reserve().await {
            if let Some(Delivery::Update(update)) = deliveries.pop_front() {
                room.send(update);
            }
            return;
        }
        *updates = None;
    }
    if let (Some(Delivery::Cursor(newest)), Some(store)) = (deliveries.pop_front(), cursor) {
        store.keep(&newest);
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

impl Link {
    /// Remembers what is needed to reach the server.
    fn new(
        server: crate::address::ServerAddress,
        encoding: samtale_protocol::Encoding,
        login: LoginService,
        password: Option<(String, Secret)>,
    ) -> Self {
        Self::closed(link::Reach {
            server,
            encoding,
            login,
            password,
        })
    }
}
