//! A server in the test: it speaks the login pages and the WebSocket, and does what the test tells it.
#![allow(dead_code, reason = "each test program uses its part")]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use samtale_client::{Client, ClientOptions, Credentials, Secret, Update, Updates};
use samtale_protocol::frames::{Hello, Welcome};
use samtale_protocol::messages::{SendMessage, Sent};
use samtale_protocol::people::OwnProfile;
use samtale_protocol::{
    ClientFrame, CloseCode, Encoding, MessageId, PersonId, Reply, Request, ServerFrame, SessionId, Timestamp,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request as Upgrade, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// The bound of every wait.
pub const BOUND: Duration = Duration::from_secs(20);
/// The server's time in every `welcome`, unless the test says otherwise.
pub const NOON: Timestamp = Timestamp::saturating(1_800_000_000_000);

pub struct Server {
    pub url: String,
    sockets: mpsc::Receiver<Socket>,
    logins: mpsc::Receiver<String>,
}

pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    pub encoding: Encoding,
}

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (found, sockets) = mpsc::channel(16);
        let (login, logins) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, found.clone(), login.clone()));
            }
        });
        Self { url, sockets, logins }
    }

    /// The next WebSocket that a client opens.
    pub async fn socket(&mut self) -> Socket {
        timeout(BOUND, self.sockets.recv())
            .await
            .expect("a socket in time")
            .unwrap()
    }

    /// The next WebSocket that a client opens, whenever that is.
    pub async fn next_socket(&mut self) -> Option<Socket> {
        self.sockets.recv().await
    }

    /// The next login page that a client asked for, with the name or token it showed.
    pub async fn login(&mut self) -> String {
        timeout(BOUND, self.logins.recv())
            .await
            .expect("a login in time")
            .unwrap()
    }

    /// A socket whose `hello` was answered.
    pub async fn live(&mut self) -> (Socket, Hello) {
        let mut socket = self.socket().await;
        let hello = socket.hello().await;
        socket.welcome(NOON).await;
        (socket, hello)
    }

    pub fn options(&self) -> ClientOptions {
        let credentials = Credentials::Password {
            username: "mette".to_owned(),
            password: Secret::new("hemmelig"),
        };
        ClientOptions::new(&self.url, credentials).unwrap()
    }

    pub fn client(&self) -> (Client, Updates) {
        Client::connect(self.options())
    }
}

impl Socket {
    pub async fn frame(&mut self) -> ClientFrame {
        let frame = timeout(BOUND, self.next()).await.expect("a frame in time");
        frame.expect("a frame before the end")
    }

    /// The next frame; `None` when the client is gone.
    pub async fn next(&mut self) -> Option<ClientFrame> {
        loop {
            match self.stream.next().await?.ok()? {
                Message::Binary(bytes) => return Some(self.encoding.decode(&bytes).unwrap()),
                Message::Text(text) => return Some(self.encoding.decode(text.as_bytes()).unwrap()),
                _ => {}
            }
        }
    }

    pub async fn hello(&mut self) -> Hello {
        match self.frame().await {
            ClientFrame::Hello(hello) => hello,
            frame => panic!("hello, not {frame:?}"),
        }
    }

    pub async fn request(&mut self) -> (u32, Request) {
        match self.frame().await {
            ClientFrame::Request { id, request } => (id, request),
            frame => panic!("a request, not {frame:?}"),
        }
    }

    pub async fn send_message(&mut self) -> (u32, SendMessage) {
        match self.request().await {
            (id, Request::SendMessage(send)) => (id, send),
            (_, request) => panic!("a send, not {request:?}"),
        }
    }

    pub async fn tell(&mut self, frame: ServerFrame) {
        let bytes = self.encoding.encode(&frame).unwrap();
        let message = match self.encoding {
            Encoding::MessagePack => Message::binary(bytes),
            Encoding::Json => Message::text(String::from_utf8(bytes).unwrap()),
        };
        // The client may be gone; the test sees that elsewhere.
        let _ = self.stream.send(message).await;
    }

    pub async fn welcome(&mut self, server_time: Timestamp) {
        self.welcome_with(server_time, Vec::new()).await;
    }

    pub async fn welcome_with(&mut self, server_time: Timestamp, profiles: Vec<OwnProfile>) {
        let welcome = Welcome {
            server_time,
            person: PersonId::from_bytes([1; 16]),
            session: SessionId::from_bytes([2; 16]),
            profiles,
            expires_at: server_time.plus(Duration::from_secs(600)),
            ping_interval_ms: 25_000,
            presence_hidden: false,
        };
        self.tell(ServerFrame::Welcome(welcome)).await;
    }

    pub async fn acknowledge(&mut self, id: u32, send: &SendMessage) {
        let message = MessageId::first_at(send.sent_at);
        let sent = Sent {
            thread: send.thread,
            message,
            client_id: send.client_id,
        };
        self.tell(ServerFrame::Reply {
            id,
            reply: Reply::Sent(sent),
        })
        .await;
    }

    pub async fn close(mut self, code: CloseCode, wait: Option<Duration>) {
        let frame = CloseFrame {
            code: code.number().into(),
            reason: code.reason(wait).into(),
        };
        self.stream.close(Some(frame)).await.unwrap();
        // The closing handshake, so that the code is not lost to a reset.
        while let Ok(Some(Ok(_))) = timeout(BOUND, self.stream.next()).await {}
    }
}

/// The first update for which `pick` has an answer.
pub async fn wait_for<T>(updates: &mut Updates, mut pick: impl FnMut(Update) -> Option<T>) -> T {
    let picked = async {
        loop {
            let update = updates.next().await.expect("the update before the end");
            if let Some(picked) = pick(update) {
                return picked;
            }
        }
    };
    timeout(BOUND, picked).await.expect("the update in time")
}

pub async fn connected(updates: &mut Updates) {
    wait_for(updates, |update| matches!(update, Update::Connected(_)).then_some(())).await;
}

async fn serve(mut stream: TcpStream, found: mpsc::Sender<Socket>, logins: mpsc::Sender<String>) {
    let mut method = [0; 4];
    while stream.peek(&mut method).await.unwrap() < 4 {}
    if &method == b"POST" {
        return answer_login(&mut stream, logins).await;
    }
    let mut encoding = None;
    #[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
    let choose = |upgrade: &Upgrade, mut response: Response| -> Result<Response, ErrorResponse> {
        assert_eq!(upgrade.uri().path(), "/v1/ws");
        let offers = upgrade.headers()["sec-websocket-protocol"].to_str().unwrap();
        let chosen = Encoding::choose(offers).unwrap();
        encoding = Some(chosen);
        response
            .headers_mut()
            .insert("sec-websocket-protocol", chosen.subprotocol().parse().unwrap());
        Ok(response)
    };
    if let Ok(stream) = tokio_tungstenite::accept_hdr_async(stream, choose).await {
        let _ = found
            .send(Socket {
                stream,
                encoding: encoding.unwrap(),
            })
            .await;
    }
}

async fn answer_login(stream: &mut TcpStream, logins: mpsc::Sender<String>) {
    let mut request = Vec::new();
    let (path, body) = loop {
        assert!(stream.read_buf(&mut request).await.unwrap() > 0);
        let text = String::from_utf8(request.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str::<serde_json::Value>(body)
        {
            break (head.split(' ').nth(1).unwrap().to_owned(), body);
        }
    };
    let shown = body["username"].as_str().or(body["refresh_token"].as_str()).unwrap();
    let (status, answer) = if shown == "nobody" {
        let error = samtale_protocol::Refusal::new(samtale_protocol::ErrorCode::WrongCredentials);
        ("401 Unauthorized", serde_json::json!({"error": error}))
    } else {
        let tokens = serde_json::json!({
            "access_token": format!("access for {shown}"), "refresh_token": format!("{shown}+"),
            "expires_in": 600, "profiles": [],
        });
        ("200 OK", tokens)
    };
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
    // A test that looks at logins looks at the first ones.
    let _ = logins.try_send(format!("{path} {shown}"));
}
