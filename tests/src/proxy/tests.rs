//! The proxy between real sockets, and one real Redis where there is one.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use super::push_messages::{NoFrame, PushMessages, frame_length};
use super::*;

/// The bound on every wait.
const SOON: Duration = Duration::from_secs(10);

/// A server that says everything back, and a proxy before it.
async fn echoing() -> Proxy {
    Proxy::start(ProxyOptions::default(), vec![echo().await]).await.unwrap()
}

async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.into_split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

async fn said_back(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(text).await?;
    let mut answer = vec![0; text.len()];
    timeout(SOON, stream.read_exact(&mut answer)).await??;
    Ok(answer)
}

/// How a connection ends whose other end says nothing more.
async fn end(stream: &mut TcpStream) -> std::io::Result<usize> {
    timeout(SOON, stream.read(&mut [0; 16])).await.unwrap()
}

#[tokio::test]
async fn without_faults_bytes_pass_and_so_does_the_end() {
    let proxy = echoing().await;
    let mut stream = connect(&proxy).await;
    assert_eq!(said_back(&mut stream, b"hej").await.unwrap(), b"hej");
    stream.shutdown().await.unwrap();
    assert_eq!(end(&mut stream).await.unwrap(), 0);
    assert_eq!(proxy.counts().connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn latency_is_felt_each_way_and_ends_with_the_fault() {
    let proxy = echoing().await;
    let mut stream = connect(&proxy).await;
    proxy.change(|faults| faults.both_ways(|line| line.latency = Duration::from_millis(120)));
    let began = Instant::now();
    said_back(&mut stream, b"langsomt").await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(240), "{:?}", began.elapsed());
    proxy.heal();
    let began = Instant::now();
    said_back(&mut stream, b"hurtigt").await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(120), "{:?}", began.elapsed());
}

#[tokio::test]
async fn sliced_bytes_come_one_by_one_and_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(ProxyOptions::default(), vec![listener.local_addr().unwrap()])
        .await
        .unwrap();
    proxy.change(|faults| {
        faults.to_server.is_sliced = true;
        faults.to_server.bytes_per_second = Some(1_000);
    });
    let mut client = connect(&proxy).await;
    let (mut server, _) = listener.accept().await.unwrap();
    client.write_all(&[7; 40]).await.unwrap();
    let (mut sizes, mut buffer) = (Vec::new(), [0; 64]);
    while sizes.iter().sum::<usize>() < 40 {
        sizes.push(timeout(SOON, server.read(&mut buffer)).await.unwrap().unwrap());
    }
    // A busy machine may read two at once.
    assert!(sizes.len() > 20 && sizes.iter().all(|size| *size < 8), "{sizes:?}");
}

#[tokio::test]
async fn a_narrow_line_takes_its_time() {
    let proxy = echoing().await;
    proxy.change(|faults| faults.to_client.bytes_per_second = Some(50_000));
    let mut stream = connect(&proxy).await;
    let began = Instant::now();
    said_back(&mut stream, &[1; 10_000]).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(190), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_reset_is_a_reset_on_both_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(ProxyOptions::default(), vec![listener.local_addr().unwrap()])
        .await
        .unwrap();
    let mut client = connect(&proxy).await;
    let (mut server, _) = listener.accept().await.unwrap();
    client.write_all(b"x").await.unwrap();
    server.read_exact(&mut [0]).await.unwrap();
    proxy.reset();
    for stream in [&mut client, &mut server] {
        let error = end(stream).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn half_open_swallows_and_resets_once_it_ends() {
    let proxy = echoing().await;
    let mut stream = connect(&proxy).await;
    said_back(&mut stream, b"f\xc3\xb8r").await.unwrap();
    proxy.change(|faults| faults.to_server.is_swallowed = true);
    stream.write_all(b"ingen").await.unwrap();
    let silence = timeout(Duration::from_millis(300), stream.read(&mut [0; 8])).await;
    assert!(silence.is_err(), "the connection stays open and silent: {silence:?}");
    assert_eq!(proxy.counts().swallowed.load(Ordering::Relaxed), 5);
    proxy.heal();
    assert!(end(&mut stream).await.is_err(), "bytes are missing on it");
    said_back(&mut connect(&proxy).await, b"efter").await.unwrap();
}

#[tokio::test]
async fn a_connection_that_was_idle_while_half_open_goes_on() {
    let proxy = echoing().await;
    let mut stream = connect(&proxy).await;
    said_back(&mut stream, b"1").await.unwrap();
    proxy.change(|faults| faults.both_ways(|line| line.is_swallowed = true));
    proxy.heal();
    said_back(&mut stream, b"2").await.unwrap();
}

#[tokio::test]
async fn a_closed_door_refuses_a_silent_one_keeps_waiting_and_both_open_again() {
    let proxy = echoing().await;
    proxy.cut();
    let refused = async { while TcpStream::connect(proxy.address()).await.is_ok() {} };
    timeout(SOON, refused).await.unwrap();
    proxy.change(|faults| faults.door = Door::Silent);
    let connected = async {
        loop {
            if let Ok(stream) = TcpStream::connect(proxy.address()).await {
                return stream;
            }
        }
    };
    let mut stream = timeout(SOON, connected).await.unwrap();
    stream.write_all(b"hallo").await.unwrap();
    assert!(
        timeout(Duration::from_millis(200), stream.read(&mut [0; 8]))
            .await
            .is_err()
    );
    proxy.heal();
    let mut answer = [0; 5];
    timeout(SOON, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"hallo");
}

#[tokio::test]
async fn a_connection_goes_to_a_target_that_lives_and_the_targets_can_change() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxy = Proxy::start(ProxyOptions::default(), vec![gone, echo().await, gone])
        .await
        .unwrap();
    for _ in 0..10 {
        said_back(&mut connect(&proxy).await, b"nogen").await.unwrap();
    }
    proxy.retarget(vec![gone]);
    let mut stream = connect(&proxy).await;
    assert!(!matches!(end(&mut stream).await, Ok(1..)));
}

#[test]
fn frames_of_both_versions_are_measured() {
    let whole = |bytes: &[u8]| frame_length(bytes, 8);
    for frame in [
        &b"+OK\r\n"[..],
        b"$-1\r\n",
        b"*-1\r\n",
        b"_\r\n",
        b"$5\r\na\r\nbc\r\n",
        b"*2\r\n$1\r\na\r\n*1\r\n:7\r\n",
        b"%1\r\n+key\r\n#t\r\n",
        b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n",
        b"*0\r\n",
    ] {
        assert_eq!(whole(frame), Ok(Some(frame.len())), "{frame:?}");
        for cut in 0..frame.len() {
            assert_eq!(whole(&frame[..cut]), Ok(None), "{frame:?} to {cut}");
        }
        assert_eq!(whole(&[frame, b"+more"].concat()), Ok(Some(frame.len())));
    }
    assert_eq!(whole(b"GET / HTTP/1.1\r\n"), Err(NoFrame));
    assert_eq!(whole(b"$x\r\n"), Err(NoFrame));
    assert_eq!(whole("*1\r\n".repeat(9).as_bytes()), Err(NoFrame));
}

#[test]
fn only_messages_are_left_out_however_the_bytes_come() {
    let (keep, lose) = (
        &b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"[..],
        &b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"[..],
    );
    let stream = [keep, lose, b"+PONG\r\n", lose, keep].concat();
    for chunk in [1, 3, stream.len()] {
        let (mut messages, counts) = (PushMessages::default(), Counts::default());
        let passed: Vec<u8> = stream
            .chunks(chunk)
            .flat_map(|bytes| messages.filter(bytes, |_| true, &counts))
            .collect();
        assert_eq!(passed, [keep, b"+PONG\r\n", keep].concat());
        assert_eq!(counts.dropped.load(Ordering::Relaxed), 2);
    }
    let (mut messages, counts) = (PushMessages::default(), Counts::default());
    assert_eq!(messages.filter(b"HTTP/1.1 200", |_| true, &counts), b"HTTP/1.1 200");
    assert_eq!(messages.filter(lose, |_| true, &counts), lose);
    assert_eq!(counts.unreadable.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_subscriber_of_a_real_redis_loses_about_as_many_messages_as_it_should() {
    const PUBLISHED: u32 = 2_000;
    let Some(address) = crate::cluster::given_redis() else {
        return;
    };
    let options = ProxyOptions {
        speaks_redis: true,
        seed: 5,
        ..ProxyOptions::default()
    };
    let proxy = Proxy::start(options, vec![address]).await.unwrap();
    proxy.change(|faults| faults.to_client.one_message_lost_of = Some(10));
    let channel = format!("lost-on-purpose-{}", std::process::id());
    let mut subscriber = connect(&proxy).await;
    subscriber
        .write_all(format!("SUBSCRIBE {channel}\r\n").as_bytes())
        .await
        .unwrap();
    let mut said = vec![0; 512];
    let length = timeout(SOON, subscriber.read(&mut said)).await.unwrap().unwrap();
    assert!(said[..length].starts_with(b"*3\r\n$9\r\nsubscribe"));

    let mut publisher = TcpStream::connect(address).await.unwrap();
    let published: String = (0..PUBLISHED)
        .map(|number| format!("PUBLISH {channel} {number:05}\r\n"))
        .collect();
    publisher.write_all(published.as_bytes()).await.unwrap();
    // Published last, and again until one gets through.
    let mut heard = Vec::new();
    let everything = async {
        while !heard.windows(4).any(|window| window == b"slut") {
            publisher
                .write_all(format!("PUBLISH {channel} slut\r\n").as_bytes())
                .await
                .unwrap();
            while let Ok(Ok(length @ 1..)) = timeout(Duration::from_millis(50), subscriber.read(&mut said)).await {
                heard.extend_from_slice(&said[..length]);
            }
        }
    };
    timeout(SOON, everything).await.unwrap();
    let text = String::from_utf8(heard).unwrap();
    let arrived = (0..PUBLISHED)
        .filter(|number| text.contains(&format!("{number:05}")))
        .count();
    let counts = proxy.counts();
    assert_eq!(counts.unreadable.load(Ordering::Relaxed), 0);
    let dropped = counts.dropped.load(Ordering::Relaxed);
    assert!((120..280).contains(&dropped), "{dropped} of {PUBLISHED}");
    assert!((1_720..1_900).contains(&arrived), "{arrived} of {PUBLISHED} arrived");
    // The publisher's answers do not go through the proxy, and nothing else was lost.
    assert!(arrived as u64 + dropped >= u64::from(PUBLISHED));
}
