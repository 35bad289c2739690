//! Someone's list of threads, as a client asks for it.
#![expect(clippy::expect_used, reason = "a test that can not go on has failed")]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use samtale_protocol::frames::Hello;
use samtale_protocol::threads::{Inbox, InboxPage};
use samtale_protocol::{ClientFrame, DeviceId, Encoding, Language, Reply, Request, ServerFrame};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// The bound on the answer; machines that run tests are busy.
const SOON: Duration = Duration::from_secs(120);

/// Someone's list of threads, over the socket.
pub async fn inbox(address: &str, access_token: String) -> InboxPage {
    let url = format!("ws://{address}/v1/ws");
    let mut request = url.into_client_request().expect("a request");
    let encoding = "samtale.v1.json".parse().expect("a header");
    request.headers_mut().insert("Sec-WebSocket-Protocol", encoding);
    let stream = TcpStream::connect(address).await.expect("it listens");
    let (mut socket, _) = client_async(request, stream).await.expect("a socket");
    let hello = ClientFrame::Hello(Hello {
        version: samtale_protocol::VERSION,
        access_token,
        device: DeviceId::from_bytes([3; 16]),
        client: "test".to_owned(),
        language: Language::English,
        cursor: None,
    });
    let request = Request::Inbox(Inbox {
        space: None,
        before: None,
        search: None,
        limit: 100,
    });
    for frame in [hello, ClientFrame::Request { id: 1, request }] {
        let text = serde_json::to_string(&frame).expect("JSON");
        socket.send(Message::text(text)).await.expect("it reads");
    }
    let answer = async {
        while let Some(Ok(message)) = socket.next().await {
            let frame = ServerFrame::decode(Encoding::Json, &message.into_data());
            if let Ok(ServerFrame::Reply {
                reply: Reply::Inbox(page),
                ..
            }) = frame
            {
                return Some(page);
            }
        }
        None
    };
    tokio::time::timeout(SOON, answer)
        .await
        .expect("it answers")
        .expect("an inbox")
}
