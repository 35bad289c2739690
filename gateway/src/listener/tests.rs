//! The port from outside: real connections on port 0, accounts in memory, and whoever takes the sockets made up.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use samtale_protocol::{Encoding, PersonId};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::*;
use crate::accounts::testing::School;
use crate::http::{Health, NotReady};
use crate::limits::AddressRates;
use crate::origin::{Origins, Proxies};
use crate::socket::Socket;
use crate::upgrade::{Accepted, Sockets};

const PASSWORD: &str = "en lang adgangskode";
/// The bound on every wait.
const SOON: Duration = Duration::from_secs(20);

/// Keeps the sockets it is given, so that a test can use them.
#[derive(Default)]
struct KeptSockets(Mutex<Vec<Accepted>>, AtomicUsize);

impl Sockets for KeptSockets {
    fn accept(&self, accepted: Accepted) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.lock().unwrap().push(accepted);
    }

    fn sessions(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

#[derive(Default)]
struct Draining(AtomicBool);

#[async_trait]
impl Health for Draining {
    async fn ready(&self) -> Result<(), NotReady> {
        if self.0.load(Ordering::SeqCst) {
            Err(NotReady("the node is draining".to_owned()))
        } else {
            Ok(())
        }
    }
}

struct Node {
    address: SocketAddr,
    school: School,
    anne: PersonId,
    sockets: Arc<KeptSockets>,
    draining: Arc<Draining>,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl Node {
    async fn start() -> Self {
        Self::start_with(usize::MAX, 100, None).await
    }

    async fn start_with(most_connections: usize, max_sessions: usize, web: Option<&Path>) -> Self {
        let school = School::new();
        let anne = school.person("anne", PASSWORD).await;
        let (sockets, draining, shutdown) = (Arc::<KeptSockets>::default(), Arc::default(), CancellationToken::new());
        let parts = HttpParts {
            accounts: school.accounts.clone(),
            sockets: sockets.clone(),
            health: Arc::<Draining>::clone(&draining),
            origins: Origins::new(["https://app.example"]).unwrap(),
            proxies: Proxies::default(),
            addresses: Arc::new(AddressLimits::new(AddressRates::default())),
            tls: None,
            max_sessions,
            web: web.map(Path::to_owned),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let running = tokio::spawn(run(listener, parts, most_connections, shutdown.clone()));
        Self {
            address,
            school,
            anne,
            sockets,
            draining,
            shutdown,
            running,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn get(&self, path: &str, headers: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n{headers}\r\n");
        exchange(self.connect().await, &request).await
    }

    async fn post(&self, path: &str, body: &Value, headers: &str) -> Answer {
        let body = body.to_string();
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        exchange(self.connect().await, &request).await
    }

    async fn upgrade(&self, headers: &str) -> Answer {
        let request = format!("GET /v1/ws HTTP/1.1\r\nHost: chat.example\r\n{headers}\r\n");
        exchange(self.connect().await, &request).await
    }

    async fn websocket(&self, subprotocols: &str) -> Result<(WebSocketStream<TcpStream>, String), Error> {
        let mut request = format!("ws://{}/v1/ws", self.address).into_client_request().unwrap();
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", subprotocols.parse().unwrap());
        let (socket, response) = client_async(request, self.connect().await).await?;
        let agreed = response.headers()["Sec-WebSocket-Protocol"]
            .to_str()
            .unwrap()
            .to_owned();
        Ok((socket, agreed))
    }

    async fn accepted(&self) -> Accepted {
        within(async {
            loop {
                if let Some(accepted) = self.sockets.0.lock().unwrap().pop() {
                    return accepted;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.expect("it takes too long")
}

/// Sends a request and reads until the server closes.
async fn exchange(mut stream: TcpStream, request: &str) -> Answer {
    within(async {
        // A server that has answered already may not take the rest.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            bytes.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let answer = Answer {
                    status: head[9..12].parse().unwrap(),
                    head: head.to_owned(),
                    body: body.to_owned(),
                };
                let length = answer
                    .header("content-length")
                    .map_or(0, |length| length.parse().unwrap());
                if answer.body.len() >= length {
                    return answer;
                }
            }
        }
        panic!("no whole answer: {}", String::from_utf8_lossy(&bytes));
    })
    .await
}

#[tokio::test]
async fn login_refresh_and_logout_over_http() {
    let node = Node::start().await;
    let reply = node
        .post("/v1/login", &json!({"username": "Anne", "password": PASSWORD}), "")
        .await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let reply = reply.json();
    assert_eq!(reply["expires_in"], 900);
    assert_eq!(reply["profiles"][0]["role"], "employee");
    let token = reply["access_token"].as_str().unwrap();
    let claims = node
        .school
        .accounts
        .access_tokens()
        .verify(token, node.school.clock.now())
        .unwrap();
    assert_eq!(claims.person, node.anne);

    let reply = node
        .post("/v1/refresh", &json!({"refresh_token": reply["refresh_token"]}), "")
        .await;
    assert_eq!(reply.status, 200);
    let refresh_token = reply.json()["refresh_token"].clone();
    assert_eq!(
        node.post("/v1/logout", &json!({"refresh_token": refresh_token}), "")
            .await
            .status,
        200
    );
    assert_eq!(node.school.revoked(), [(node.anne, Some(claims.session))]);
    let reply = node
        .post("/v1/refresh", &json!({"refresh_token": refresh_token}), "")
        .await;
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].clone()),
        (401, json!("invalid_token"))
    );
}

#[tokio::test]
async fn a_browser_keeps_its_login_in_a_cookie_that_works_once_and_is_forgotten() {
    let node = Node::start().await;
    let origin = "Origin: https://chat.example\r\n";
    let body = json!({"username": "Anne", "password": PASSWORD, "cookie": "device"});
    let refused = node.post("/v1/login", &body, "").await;
    assert_eq!(refused.status, 403, "no browser says no origin");
    let reply = node.post("/v1/login", &body, origin).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.json().get("refresh_token").is_none(), "not for scripts");
    let cookie_of = |reply: &Answer| reply.header("set-cookie").unwrap().to_owned();
    let first = cookie_of(&reply);
    assert!(
        first.starts_with("__Host-samtale=d.") && first.contains("HttpOnly; SameSite=Strict; Secure; Max-Age="),
        "{first}"
    );

    let with = |cookie: &str| format!("{origin}Cookie: {}\r\n", cookie.split(';').next().unwrap());
    let by_cookie = json!({"cookie": true});
    let reply = node.post("/v1/refresh", &by_cookie, &with(&first)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let second = cookie_of(&reply);
    assert!(second.starts_with("__Host-samtale=d.") && second != first, "{second}");
    assert_eq!(node.post("/v1/refresh", &by_cookie, origin).await.status, 401);
    let evil = with(&second).replace("chat.example", "evil.example");
    assert_eq!(node.post("/v1/refresh", &by_cookie, &evil).await.status, 403);

    let reply = node.post("/v1/logout", &by_cookie, &with(&second)).await;
    assert_eq!(reply.status, 200);
    assert!(cookie_of(&reply).contains("Max-Age=0"));
    assert_eq!(node.post("/v1/refresh", &by_cookie, &with(&second)).await.status, 401);
    let neither = node.post("/v1/refresh", &json!({}), origin).await;
    assert_eq!(neither.status, 400, "{}", neither.body);
}

#[tokio::test]
async fn the_web_app_is_served_beside_the_api_under_a_strict_policy() {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("web");
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for (name, text) in [
        ("index.html", "<!doctype html>app"),
        ("assets/app-1a2b.js", "plain"),
        ("assets/app-1a2b.js.br", "packed"),
        ("../outside.txt", "outside"),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let node = Node::start_with(usize::MAX, 100, Some(&folder)).await;
    for path in [
        "/",
        "/threads/019fea41",
        "/settings",
        "/assets/gone-3c4d.js",
        "/../outside.txt",
    ] {
        let page = node.get(path, "").await;
        assert_eq!((page.status, page.body.as_str()), (200, "<!doctype html>app"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-cache"), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
    let script = node.get("/assets/app-1a2b.js", "").await;
    assert_eq!((script.status, script.body.as_str()), (200, "plain"));
    assert!(script.header("cache-control").unwrap().contains("immutable"));
    assert!(script.header("content-type").unwrap().contains("javascript"));
    let packed = node.get("/assets/app-1a2b.js", "Accept-Encoding: br\r\n").await;
    assert_eq!(
        (packed.header("content-encoding"), packed.body.as_str()),
        (Some("br"), "packed")
    );
    assert_eq!(node.get("/v1/nothing", "").await.status, 404);
    assert_eq!(node.get("/healthz", "").await.body, "alive\n");
}

#[tokio::test]
async fn activation_over_http() {
    let node = Node::start().await;
    let code = node.school.accounts.issue_code(node.anne).await.unwrap().code;
    let weak = json!({"username": "anne", "code": code, "password": "kort"});
    let reply = node.post("/v1/activate", &weak, "Accept-Language: en\r\n").await;
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].clone()),
        (422, json!("weak_password"))
    );
    let good = json!({"username": "anne", "code": code, "password": "et bedre kodeord"});
    assert_eq!(node.post("/v1/activate", &good, "").await.status, 200);
}

#[tokio::test]
async fn refusals_have_a_status_a_language_and_a_wait() {
    let node = Node::start().await;
    let wrong = json!({"username": "anne", "password": "noget andet"});
    let reply = node.post("/v1/login", &wrong, "Accept-Language: en-GB\r\n").await;
    assert_eq!(reply.status, 401);
    assert_eq!(
        reply.json()["error"]["message"],
        "The user name or the password is wrong."
    );
    let reply = node.post("/v1/login", &wrong, "Accept-Language: da\r\n").await;
    assert_eq!(
        reply.json()["error"]["message"],
        "Brugernavn eller adgangskode er forkert."
    );
    let reply = loop {
        let reply = node.post("/v1/login", &wrong, "").await;
        if reply.status != 401 {
            break reply;
        }
    };
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("1")));

    assert_eq!(
        node.post("/v1/login", &json!({"username": "anne"}), "").await.status,
        400
    );
    assert_eq!(
        node.post("/v1/login", &json!({"password": "x".repeat(20_000)}), "")
            .await
            .status,
        413
    );
    assert_eq!(node.post("/v1/nothing", &json!({}), "").await.status, 404);
    assert_eq!(node.get("/v1/login", "").await.status, 405);
    let reply = node.post("/v1/login", &wrong, "Origin: https://evil.example\r\n").await;
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].clone()),
        (403, json!("not_permitted"))
    );
}

#[tokio::test]
async fn alive_ready_and_about() {
    let node = Node::start().await;
    assert_eq!(node.get("/healthz", "").await.status, 200);
    assert_eq!(node.get("/readyz", "").await.status, 200);
    assert!(node.get("/", "").await.body.starts_with("Samtale "));
    node.draining.0.store(true, Ordering::SeqCst);
    let reply = node.get("/readyz", "").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    assert!(reply.body.contains("draining"));
    assert_eq!(node.get("/healthz", "").await.status, 200);
}

#[tokio::test]
async fn a_websocket_is_handed_over_with_the_servers_favourite_encoding() {
    let node = Node::start().await;
    for (offered, agreed) in [
        ("samtale.v1.json, samtale.v1.msgpack", Encoding::MessagePack),
        ("other, samtale.v1.json", Encoding::Json),
    ] {
        let (mut client, subprotocol) = node.websocket(offered).await.unwrap();
        assert_eq!(subprotocol, agreed.subprotocol());
        let accepted = node.accepted().await;
        assert_eq!(accepted.encoding, agreed);
        assert_eq!(accepted.peer, client.get_ref().local_addr().unwrap());
        assert!(matches!(&accepted.stream, Socket::Plain(stream) if stream.nodelay().unwrap()));
        let mut server =
            WebSocketStream::from_partially_read(accepted.stream, accepted.read.to_vec(), Role::Server, None).await;
        client.send(Message::text("hej")).await.unwrap();
        assert_eq!(within(server.next()).await.unwrap().unwrap(), Message::text("hej"));
        server.send(Message::text("hej igen")).await.unwrap();
        assert_eq!(within(client.next()).await.unwrap().unwrap(), Message::text("hej igen"));
    }
}

#[tokio::test]
async fn what_a_client_sends_right_behind_its_request_is_not_lost() {
    let node = Node::start().await;
    let mut stream = node.connect().await;
    let request = "GET /v1/ws HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                   Sec-WebSocket-Protocol: samtale.v1.json\r\n\r\nright behind";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut accepted = node.accepted().await;
    let mut received = accepted.read.to_vec();
    while received.len() < "right behind".len() {
        assert!(within(accepted.stream.read_buf(&mut received)).await.unwrap() > 0);
    }
    assert_eq!(received, b"right behind");
    let mut answer = vec![0; 4096];
    let read = within(stream.read(&mut answer)).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).to_lowercase();
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    // The example of RFC 6455, section 1.3.
    assert!(
        answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{answer}"
    );
}

#[tokio::test]
async fn a_wrong_upgrade_is_refused_with_help() {
    let node = Node::start().await;
    let all = [
        "Upgrade: websocket\r\n",
        "Connection: Upgrade\r\n",
        "Sec-WebSocket-Version: 13\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Protocol: samtale.v1.json\r\n",
    ];
    for (missing, status) in [(0, 426), (1, 400), (2, 426), (3, 400), (4, 400)] {
        let headers: String = all
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != missing)
            .map(|(_, header)| *header)
            .collect();
        let reply = node.upgrade(&headers).await;
        assert_eq!(reply.status, status, "without {}", all[missing]);
        assert_eq!(
            reply.json()["subprotocols"],
            json!(["samtale.v1.msgpack", "samtale.v1.json"])
        );
        assert!(reply.json()["error"]["detail"].is_string());
    }
    let reply = node
        .upgrade(&all.concat().replace("samtale.v1.json", "samtale.v2.json"))
        .await;
    assert_eq!(reply.status, 400);
    let reply = node
        .upgrade(&all.concat().replace("dGhlIHNhbXBsZSBub25jZQ==", "short"))
        .await;
    assert_eq!(reply.status, 400);
    let reply = node.upgrade(&all.concat().replace(": 13", ": 8")).await;
    assert_eq!((reply.status, reply.header("sec-websocket-version")), (426, Some("13")));
    let reply = node
        .upgrade(&format!("{}Origin: https://evil.example\r\n", all.concat()))
        .await;
    assert_eq!(reply.status, 403);
    for origin in ["https://app.example", "https://chat.example"] {
        let mut stream = node.connect().await;
        let request = format!(
            "GET /v1/ws HTTP/1.1\r\nHost: chat.example\r\nOrigin: {origin}\r\n{}\r\n",
            all.concat()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        node.accepted().await;
    }
}

#[tokio::test]
async fn a_full_node_says_when_to_come_back() {
    let node = Node::start_with(usize::MAX, 1, None).await;
    node.websocket("samtale.v1.json").await.unwrap();
    node.accepted().await;
    match node.websocket("samtale.v1.json").await {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 503);
            assert_eq!(response.headers()["Retry-After"], "15");
        }
        other => panic!("{:?}", other.map(|(_, subprotocol)| subprotocol)),
    }
}

#[tokio::test]
async fn connections_beyond_the_bound_are_refused_until_one_ends() {
    let node = Node::start_with(1, 100, None).await;
    let held = node.connect().await;
    let refused = within(async {
        loop {
            // The first connection may not have been accepted before the second one.
            let reply = node.get("/healthz", "").await;
            if reply.status == 503 {
                return reply;
            }
        }
    })
    .await;
    assert_eq!(refused.header("retry-after"), Some("15"));
    drop(held);
    within(async { while node.get("/healthz", "").await.status != 200 {} }).await;
}

#[tokio::test]
async fn stopping_lets_requests_finish_and_ends_idle_connections() {
    let node = Node::start().await;
    let mut idle = node.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: chat.example\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 4096];
    assert!(within(idle.read(&mut answer)).await.unwrap() > 0);
    let mut under_way = node.connect().await;
    let body = json!({"username": "anne", "password": PASSWORD}).to_string();
    let head = format!(
        "POST /v1/login HTTP/1.1\r\nHost: chat.example\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    under_way.write_all(head.as_bytes()).await.unwrap();
    under_way.write_all(&body.as_bytes()[..1]).await.unwrap();
    // The server has the head once it has answered a request that came later.
    assert_eq!(node.get("/healthz", "").await.status, 200);

    node.shutdown.cancel();
    assert_eq!(within(idle.read(&mut answer)).await.unwrap(), 0);
    let reply = exchange(under_way, &body[1..]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    within(node.running).await.unwrap();
    assert!(TcpStream::connect(node.address).await.is_err());
}
