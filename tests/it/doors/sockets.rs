//! Connections that come by a balancer or by a Unix socket, and clients that bring too many.

use super::Doors;
use crate::server::Server;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use testkit::{Connection, Folder, picture, wire};

/// 192.0.2.7:4242 → 198.51.100.1:443.
fn proxied(address: [u8; 4]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    header.extend(address);
    header.extend([198, 51, 100, 1, 0x10, 0x92, 0x01, 0xbb]);
    header
}

fn request() -> String {
    wire::head("GET", "/img/a.png?w=20", &[])
}

#[test]
fn a_balancers_word_is_the_clients_address() {
    // The second client is a proxy that is believed in turn: fields of the request count.
    let server = Server::start(&["server.proxy_protocol=127.0.0.0/8", "server.max_connections_per_client=1"]);
    server.folder.put("a.png", picture::gradient(60, 40));
    let mut first = server.connect();
    first.send([proxied([192, 0, 2, 7]), request().into_bytes()].concat()).expect("connected");
    assert_eq!(first.reply("GET").expect("an answer").status, 200);
    assert_eq!(first.ask("GET", "/img/a.png?w=20", &[]).expect("kept").status, 200);
    let mut second = server.connect();
    second.send([proxied([192, 0, 2, 7]), request().into_bytes()].concat()).expect("connected");
    assert!(second.reply("GET").is_err(), "that client has its one connection");
    let mut other = server.connect();
    other.send([proxied([192, 0, 2, 8]), request().into_bytes()].concat()).expect("connected");
    assert_eq!(other.reply("GET").expect("an answer").status, 200);
    assert_eq!(server.metric("tintype_refused_connections_total{reason=\"client-limit\"}"), 1.0);
    drop(first);
    server.while_above("tintype_connections", 1.0);
    let mut again = server.connect();
    again.send([proxied([192, 0, 2, 7]), request().into_bytes()].concat()).expect("connected");
    assert_eq!(again.reply("GET").expect("an answer").status, 200, "its place is free again");
}

#[test]
fn without_a_header_a_balancer_is_refused() {
    let server = Server::start(&["server.proxy_protocol=127.0.0.0/8", "server.header_timeout=300ms"]);
    server.folder.put("a.png", picture::gradient(60, 40));
    let mut bad = proxied([192, 0, 2, 7]);
    bad[12] = 0x31;
    let (mut slow, mut silent) = (server.connect(), server.connect());
    slow.send(&proxied([192, 0, 2, 7])[..20]).expect("connected");
    for start in [request().into_bytes(), b"PROXY TCP4 192.0.2.7 198.51.100.1 4242 443\r\n".to_vec(), bad] {
        let mut connection = server.connect();
        connection.send(&start).expect("connected");
        assert!(connection.is_ended(), "{start:?}");
    }
    assert!(slow.is_ended() && silent.is_ended(), "time-bounded");
    server.until("tintype_refused_connections_total{reason=\"proxy-header\"}", 5.0);
}

#[test]
fn others_are_served_as_they_are() {
    let server = Server::start(&["server.proxy_protocol=192.0.2.0/24"]);
    server.folder.put("a.png", picture::gradient(60, 40));
    assert_eq!(server.get("/img/a.png?w=20").status, 200);
    let mut connection = server.connect();
    connection.send([proxied([192, 0, 2, 7]), request().into_bytes()].concat()).expect("connected");
    assert_eq!(connection.reply("GET").expect("an answer").status, 400, "from somebody else it is no HTTP");
}

#[tokio::test]
async fn the_header_comes_before_tls() {
    let doors = Doors::open(&["server.proxy_protocol=127.0.0.0/8"]);
    let mut stream = tokio::net::TcpStream::connect(doors.secure()).await.expect("listening");
    tokio::io::AsyncWriteExt::write_all(&mut stream, &proxied([192, 0, 2, 7])).await.expect("connected");
    let name = rustls::pki_types::ServerName::try_from(testkit::client::HOST).expect("a name");
    let config = std::sync::Arc::new(doors.authority.client(None, &[b"http/1.1"]));
    let mut stream = tokio_rustls::TlsConnector::from(config).connect(name, stream).await.expect("a handshake");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request().as_bytes()).await.expect("connected");
    let mut start = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut start).await.expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 200");
}

#[test]
fn a_unix_socket_speaks_both() {
    let place = Folder::new();
    let path = place.root().join("tintype.sock");
    let listen = format!("server.listen=[\"127.0.0.1:0\", \"unix:{}\"]", path.display());
    for runtime in ["server.runtime=per-core", "server.runtime=multi-thread"] {
        let server = Server::start(&[&listen, runtime, "server.unix_mode=0600"]);
        server.folder.put("a.png", picture::gradient(60, 40));
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("a socket").permissions());
        assert_eq!(mode & 0o777, 0o600);
        for _ in 0..4 {
            let mut stream = UnixStream::connect(&path).expect("listening");
            stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
            // In pieces: what was looked at first is put back.
            for part in ["G", "ET /img/a.png?w=20 HTTP/1.1\r\n", "host: a\r\nconnection: close\r\n\r\n"] {
                stream.write_all(part.as_bytes()).expect("connected");
            }
            let mut response = Vec::new();
            stream.read_to_end(&mut response).expect("an answer");
            assert!(response.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&response));
        }
        let mut h2 = UnixStream::connect(&path).expect("listening");
        h2.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
        h2.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").expect("connected");
        let mut frame = [0; 9];
        h2.read_exact(&mut frame).expect("a frame");
        assert_eq!(frame[3], 4, "SETTINGS come first");
        server.stop();
        server.while_above("tintype_connections", 0.0);
        let began = std::time::Instant::now();
        while path.exists() {
            assert!(began.elapsed() < Duration::from_secs(60), "the file is cleared away");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_client_that_only_looks_whether_somebody_listens_is_no_error() {
    let server = Server::start(&["server.proxy_protocol=127.0.0.0/8"]);
    for _ in 0..3 {
        let connection = Connection::open(server.address).expect("listening");
        connection.finish().expect("connected");
        drop(connection);
    }
    server.while_above("tintype_connections", 0.0);
    assert_eq!(server.metric("tintype_refused_connections_total"), 0.0);
}
