//! A real server in this process, and clients that write every byte of their WebSocket themselves.
#![allow(dead_code, reason = "each test program uses its part")]
#![expect(clippy::expect_used, reason = "a test that can not go on has failed")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use samtale_gateway::commands::{Command, Commands, NoProgress, OfficeCommands};
use samtale_gateway::server::{Office, Server, ServerOptions, SystemClock};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The bound on every wait; machines that run tests are busy.
pub const SOON: Duration = Duration::from_secs(60);

/// A running server with people who have an access token each.
pub struct Running {
    pub office: Arc<Office>,
    pub address: SocketAddr,
    pub tokens: Vec<String>,
    /// The space that the groups are of.
    pub space: Value,
    /// All but the first of the people are in them.
    pub groups: Value,
    pub shutdown: CancellationToken,
    pub serving: JoinHandle<()>,
}

impl Running {
    /// Starts a server with so many people; `adjust` changes its options.
    pub async fn start(folder: &Path, people: usize, adjust: impl FnOnce(&mut ServerOptions)) -> Self {
        let mut options = ServerOptions::new(folder.join("data"), folder.join("keys"));
        options.shards = 2;
        adjust(&mut options);
        let server = Server::open(options, Arc::new(SystemClock)).await.expect("it opens");
        let office = Arc::clone(&server.office);
        let commands = OfficeCommands::new(Arc::clone(&server.office));
        let populated = commands.run(Command::Populate { people }, &NoProgress).await;
        let populated = populated.expect("people are made");
        let people = populated["people"].as_array().expect("a list");
        let token = |person: &Value| person["access_token"].as_str().expect("a token").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shutdown = CancellationToken::new();
        Self {
            office,
            address,
            tokens: people.iter().map(token).collect(),
            space: populated["spaces"][0].clone(),
            groups: populated["groups"].clone(),
            serving: tokio::spawn(server.serve(listener, shutdown.clone())),
            shutdown,
        }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    /// A socket without a session.
    pub async fn socket(&self) -> Raw<TcpStream> {
        Raw::upgrade(self.connect().await, "").await
    }

    /// A session of the person in this place, once it is live.
    pub async fn session(&self, person: usize) -> Raw<TcpStream> {
        let mut socket = self.socket().await;
        socket.log_in(&self.tokens[person]).await;
        socket
    }
}

/// What came from the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub opcode: u8,
    pub payload: Vec<u8>,
}

/// A WebSocket client of which nothing is right by itself.
pub struct Raw<S> {
    pub stream: S,
    read: Vec<u8>,
}

/// The mask of a client's frame; its value does not matter.
const MASK: [u8; 4] = [0x5a, 0xa7, 0x3c, 0xc3];

/// A frame of a client: `first` is the byte with the final bit, the reserved bits and the opcode.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A request for the list of one's logins.
pub fn list_logins(id: u32) -> String {
    json!({"t": "request", "id": id, "request": {"op": "list_logins"}}).to_string()
}

/// The header of a client's frame that claims this length.
pub fn header(first: u8, length: u64) -> Vec<u8> {
    let mut frame = vec![first];
    match length {
        0..126 => frame.push(0x80 | length.to_be_bytes()[7]),
        126..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&length.to_be_bytes()[6..]);
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&length.to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// Upgrades a connection to a JSON socket.
    pub async fn upgrade(mut stream: S, headers: &str) -> Self {
        let request = format!(
            "GET /v1/ws HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: samtale.v1.json\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut socket = Self {
            stream,
            read: Vec::new(),
        };
        let head = loop {
            if let Some(end) = socket.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break socket.read.drain(..end + 4).collect::<Vec<_>>();
            }
            assert!(socket.fill().await, "the connection ended before an answer");
        };
        let head = String::from_utf8_lossy(&head).into_owned();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        socket
    }

    /// Says hello and waits until the session is live.
    pub async fn log_in(&mut self, token: &str) {
        let hello = json!({
            "t": "hello", "version": 1, "access_token": token, "device": "019fea41-ab00-7ccc-8ccc-000000000003",
            "client": "raw", "language": "en",
        });
        self.send(0x81, hello.to_string().as_bytes()).await;
        self.until(|frame| frame["t"] == "welcome").await;
        self.until(|frame| frame["t"] == "cursor").await;
    }

    /// Sends a whole frame. A server that has closed may not take it.
    pub async fn send(&mut self, first: u8, payload: &[u8]) -> bool {
        self.send_bytes(&masked(first, payload)).await
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) -> bool {
        let written = self.stream.write_all(bytes).await;
        written.is_ok() && self.stream.flush().await.is_ok()
    }

    /// Asks for the list of one's logins, which reads storage.
    pub async fn ask(&mut self, id: u32) {
        self.send(0x81, list_logins(id).as_bytes()).await;
    }

    /// Waits for the answer to it.
    pub async fn answered(&mut self, id: u32) -> Value {
        self.until(|frame| frame["id"] == id).await
    }

    /// The first JSON frame that is wanted.
    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await.expect("the connection ended");
            assert_ne!(frame.opcode, 8, "closed: {}", String::from_utf8_lossy(&frame.payload));
            if frame.opcode == 1 {
                let frame: Value = serde_json::from_slice(&frame.payload).expect("JSON");
                if wanted(&frame) {
                    return frame;
                }
            }
        }
    }

    /// The code and the reason of the close frame; none if the connection ends without one.
    pub async fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            let frame = self.next().await?;
            if frame.opcode == 8 {
                let (code, reason) = frame.payload.split_at_checked(2)?;
                let reason = String::from_utf8(reason.to_vec()).expect("text");
                return Some((u16::from_be_bytes([code[0], code[1]]), reason));
            }
        }
    }

    /// The next frame; none at the end.
    pub async fn next(&mut self) -> Option<Frame> {
        let parsed = async {
            loop {
                if let Some(frame) = self.parse() {
                    return Some(frame);
                }
                if !self.fill().await {
                    return None;
                }
            }
        };
        tokio::time::timeout(SOON, parsed).await.expect("nothing comes")
    }

    async fn fill(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.read).await, Ok(1..))
    }

    fn parse(&mut self) -> Option<Frame> {
        let (first, short) = (*self.read.first()?, *self.read.get(1)?);
        assert_eq!(short & 0x80, 0, "a server masks nothing");
        let number = |bytes: usize| {
            let digits = self.read.get(2..2 + bytes)?;
            Some(digits.iter().fold(0, |number, digit| number << 8 | usize::from(*digit)))
        };
        let (head, length) = match short {
            126 => (4, number(2)?),
            127 => (10, number(8)?),
            short => (2, usize::from(short)),
        };
        if self.read.len() < head + length {
            return None;
        }
        self.read.drain(..head);
        let payload = self.read.drain(..length).collect();
        Some(Frame {
            opcode: first & 0x0f,
            payload,
        })
    }
}
