//! Clients of HTTP/3 that ask for more than their share.

use super::{Doors, LIMIT};
use bytes::Bytes;
use http::Request;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use testkit::client::{self, Client, HOST, Protocol};
use tokio::net::UdpSocket;

const EXCESSIVE_LOAD: u32 = 0x107;

async fn raw(doors: &Doors) -> quinn::Connection {
    client::quic(doors.secure(), doors.authority.client(None, &[b"h3"])).await.expect("a handshake")
}

async fn is_served(doors: &Doors) -> bool {
    doors.client(Protocol::Http3).await.get("/img/a.png?w=20").await.status() == 200
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_without_end_is_not_kept() {
    let doors = Doors::open(&[]);
    // HEADERS, a frame that nobody knows, and SETTINGS again on a stream of a request; each of a gigabyte.
    for kind in [0x01, 0x21, 0x04] {
        let connection = raw(&doors).await;
        let (mut send, _recv) = connection.open_bi().await.expect("a stream");
        send.write_all(&[kind, 0xc0, 0, 0, 0, 0x40, 0, 0, 0]).await.expect("it begins");
        let (mut written, piece) = (0, [0; 10_000]);
        let end = loop {
            match tokio::time::timeout(LIMIT, send.write_all(&piece)).await.expect("no hang") {
                Ok(()) => written += piece.len(),
                Err(end) => break end,
            }
            assert!(written < 10 << 20, "{kind}: {written} bytes were taken");
        };
        let stopped =
            matches!(end, quinn::WriteError::Stopped(code) if code == quinn::VarInt::from_u32(EXCESSIVE_LOAD));
        assert!(stopped || matches!(end, quinn::WriteError::ConnectionLost(_)), "{kind}: {end}");
    }
    assert!(is_served(&doors).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_stream_without_end_is_not_kept() {
    let doors = Doors::open(&[]);
    let connection = raw(&doors).await;
    let mut send = connection.open_uni().await.expect("a stream");
    // A control stream whose SETTINGS are a gigabyte.
    send.write_all(&[0x00, 0x04, 0xc0, 0, 0, 0, 0x40, 0, 0, 0]).await.expect("it begins");
    let (mut written, piece) = (0, [0; 10_000]);
    while tokio::time::timeout(LIMIT, send.write_all(&piece)).await.expect("no hang").is_ok() {
        written += piece.len();
        assert!(written < 10 << 20, "{written} bytes were taken");
    }
    assert!(is_served(&doors).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let doors = Doors::open(&["server.header_timeout=300ms"]);
    let connection = raw(&doors).await;
    let (mut send, mut recv) = connection.open_bi().await.expect("a stream");
    send.write_all(&[0x01, 0x20, 0, 0]).await.expect("it begins");
    let end = tokio::time::timeout(LIMIT, recv.read_to_end(100)).await.expect("the stream is ended");
    assert!(end.is_err() || end.is_ok_and(|bytes| bytes.is_empty()));
    assert_eq!(doors.server.metric("tintype_refused_connections_total{reason=\"slow-head\"}"), 1.0);
    assert!(is_served(&doors).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_nothing_is_given_up() {
    let doors = Doors::open(&["server.stream_timeout=300ms"]);
    let mut transport = quinn::TransportConfig::default();
    transport.stream_receive_window(1000u32.into());
    let tls = doors.authority.client(None, &[b"h3"]);
    let connection = client::quic_with(doors.secure(), tls, transport).await.expect("a handshake");
    let (mut driver, mut sender) = h3::client::new(h3_quinn::Connection::new(connection)).await.expect("HTTP/3");
    let driver = tokio::spawn(async move { std::future::poll_fn(|cx| driver.poll_close(cx)).await });
    let request = Request::get(format!("https://{HOST}/img/large.png?w=1000")).body(()).expect("a request");
    let mut stream = sender.send_request(request).await.expect("sent");
    stream.finish().await.expect("sent");
    assert_eq!(stream.recv_response().await.expect("a head").status(), 200);
    let until = || doors.server.metric("tintype_refused_connections_total{reason=\"slow-reader\"}");
    while until() < 1.0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut end = Ok(());
    while end.is_ok() {
        end = match stream.recv_data().await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => panic!("what there was looked like all"),
            Err(error) => Err(error),
        };
    }
    assert!(is_served(&doors).await);
    driver.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_what_it_asked_for_again_and_again_is_cut_off() {
    let doors = Doors::open(&["server.max_resets=10"]);
    let client = doors.client(Protocol::Http3).await;
    let connection = client.quic.clone().expect("QUIC");
    for _ in 0..40 {
        let asked = client.ask(http::Method::GET, "/img/large.png?w=2500&f=webp", &[]);
        let _given_up = tokio::time::timeout(Duration::from_millis(5), asked).await;
    }
    let end = tokio::time::timeout(LIMIT, connection.closed()).await.expect("it is ended");
    let code = quinn::VarInt::from_u32(EXCESSIVE_LOAD);
    assert!(matches!(&end, quinn::ConnectionError::ApplicationClosed(close) if close.error_code == code), "{end}");
    assert!(is_served(&doors).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_capped_with_those_of_the_others() {
    let doors = Doors::open(&["server.max_connections=2"]);
    let (first, second) = (doors.client(Protocol::Http3).await, doors.client(Protocol::Http2).await);
    for client in [&first, &second] {
        assert_eq!(client.get("/img/a.png?w=20").await.status(), 200);
    }
    let third = raw(&doors).await;
    tokio::time::timeout(LIMIT, third.closed()).await.expect("no room");
    assert_eq!(doors.server.metric("tintype_refused_connections_total{reason=\"connections\"}"), 1.0);
    drop(second);
    doors.server.while_above("tintype_connections", 1.0);
    assert!(is_served(&doors).await);
}

/// Passes datagrams on and remembers the kinds of the packets (RFC 9000 §17.2) that each of the server's began with.
async fn listen_in(server: SocketAddr) -> (SocketAddr, Arc<std::sync::Mutex<Vec<u8>>>) {
    let (near, far) =
        (UdpSocket::bind("127.0.0.1:0").await.expect("a port"), UdpSocket::bind("127.0.0.1:0").await.expect("a port"));
    far.connect(server).await.expect("an address");
    let (address, seen) = (near.local_addr().expect("bound"), Arc::default());
    let kinds: Arc<std::sync::Mutex<Vec<u8>>> = Arc::clone(&seen);
    tokio::spawn(async move {
        let (mut up, mut down, mut client) = ([0; 2048], [0; 2048], None);
        loop {
            tokio::select! {
                Ok((length, from)) = near.recv_from(&mut up) => {
                    client = Some(from);
                    let _lost = far.send(&up[..length]).await;
                }
                Ok(length) = far.recv(&mut down) => {
                    if down[0] & 0x80 != 0 {
                        kinds.lock().expect("no panic").push(down[0] >> 4 & 3);
                    }
                    if let Some(client) = client {
                        let _lost = near.send_to(&down[..length], client).await;
                    }
                }
            }
        }
    });
    (address, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_addresses_are_proved_first() {
    const RETRY: u8 = 3;
    for (above, retried) in [("tls.quic.retry_above=0", true), ("tls.quic.retry_above=64", false)] {
        let doors = Doors::open(&[above]);
        let (address, kinds) = listen_in(doors.secure()).await;
        let client =
            Client::open(Protocol::Http3, address, &doors.authority.client(None, &[])).await.expect("a handshake");
        assert_eq!(client.get("/img/a.png?w=20").await.status(), 200);
        assert_eq!(kinds.lock().expect("no panic").first() == Some(&RETRY), retried, "{above}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_not_answered_and_breaks_nothing() {
    let doors = Doors::open(&[]);
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    for length in [0, 1, 20, 1200, 1400] {
        for first in [0x00, 0x40, 0xc0, 0xff] {
            let mut packet = vec![0xa5; length];
            if let Some(byte) = packet.first_mut() {
                *byte = first;
            }
            let _lost = socket.send_to(&packet, doors.secure()).await;
        }
    }
    // Something that is no HTTP/3 on a QUIC connection that is fine.
    let connection = raw(&doors).await;
    let (mut send, _recv) = connection.open_bi().await.expect("a stream");
    send.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("sent");
    let _ = send.finish();
    connection.send_datagram(Bytes::from_static(b"?")).expect_err("none are taken");
    assert!(is_served(&doors).await);
}
