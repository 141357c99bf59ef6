//! Certificates by name, their change while the server runs, sessions that go on, clients that prove who they are.

use super::{Doors, LIMIT, put};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use testkit::certificate::{Algorithm, Authority};
use testkit::client::{HOST, Protocol};
use testkit::{Folder, Process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const SECURE: [Protocol; 3] = [Protocol::Http1Tls, Protocol::Http2Tls, Protocol::Http3];

async fn shake(doors: &Doors, config: rustls::ClientConfig, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(doors.secure()).await?;
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// The certificate that is shown to who asks for `name`.
async fn shown(doors: &Doors, name: &str) -> std::io::Result<Vec<u8>> {
    let stream = shake(doors, doors.authority.client(None, &[b"h2"]), name).await?;
    Ok(stream.get_ref().1.peer_certificates().expect("a server shows one")[0].to_vec())
}

#[tokio::test]
async fn names_choose_the_certificate() {
    let (authority, files) = (Authority::new(), Folder::new());
    let names = [("one", "one.example"), ("wild", "*.wild.example"), ("rsa", "rsa.example")];
    let issued = names.map(|(file, name)| {
        let algorithm = if file == "rsa" { Algorithm::Rsa } else { Algorithm::Ecdsa };
        let issued = authority.issue_with(&[name], algorithm);
        put(&files, file, &issued);
        issued.der()
    });
    let place = files.root().display();
    let sets: Vec<String> = names
        .iter()
        .zip(1..)
        .flat_map(|((file, _), number)| {
            [("cert", "pem"), ("key", "key")]
                .map(|(key, end)| format!("tls.certificates.{number}.{key}={place}/{file}.{end}"))
        })
        .collect();
    let mut doors = Doors::open(&sets.iter().map(String::as_str).collect::<Vec<_>>());
    doors.authority = authority;
    assert_eq!(shown(&doors, "one.example").await.expect("a certificate"), issued[0]);
    assert_eq!(shown(&doors, "a.wild.example").await.expect("a certificate"), issued[1]);
    assert_eq!(shown(&doors, "rsa.example").await.expect("a certificate"), issued[2]);
    // The first is of another authority.
    assert!(shown(&doors, "nobody.example").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_taken_up_and_connections_stay() {
    let doors = Doors::open(&["tls.reload=1s"]);
    let (task, now) = doors.keep_up();
    let mut kept = Vec::new();
    for protocol in SECURE {
        kept.push(doors.client(protocol).await);
    }
    let before = shown(&doors, HOST).await.expect("a certificate");
    let is_shown = async |expected: &[u8]| {
        tokio::time::timeout(LIMIT, async {
            while shown(&doors, HOST).await.expect("a certificate") != expected {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("it is taken up");
    };
    // By looking.
    let second = doors.authority.issue(&[HOST]);
    put(&doors.files, "cert", &second);
    is_shown(&second.der()).await;
    // By being told; what cannot be used changes nothing.
    doors.files.put("cert.pem", "no certificate");
    now.notify_one();
    doors.server.until("tintype_certificate_reloads_total{result=\"failed\"}", 1.0);
    assert_eq!(shown(&doors, HOST).await.expect("a certificate"), second.der());
    put(&doors.files, "cert", &doors.authority.issue(&["other.example"]));
    let third = doors.authority.issue(&[HOST]);
    put(&doors.files, "cert", &third);
    now.notify_one();
    is_shown(&third.der()).await;
    assert!(before != second.der() && second.der() != third.der());
    for client in kept {
        assert_eq!(client.get("/img/a.png?w=20").await.status().as_u16(), 200, "the connections of before go on");
    }
    assert_eq!(doors.client(Protocol::Http3).await.get("/img/a.png?w=20").await.status().as_u16(), 200);
    let end = doors.server.metric("tintype_certificate_expiry_timestamp_seconds");
    assert!(end > 1_700_000_000.0, "{end}");
    task.abort();
}

#[tokio::test]
async fn sessions_are_resumed_by_tickets() {
    for (tickets, resumed) in [("tls.tickets=true", 2.0), ("tls.tickets=false", 0.0)] {
        let doors = Doors::open(&[tickets]);
        // Shared by the connections: it keeps the tickets.
        let config = doors.authority.client(None, &[b"http/1.1"]);
        for _ in 0..3 {
            let mut stream = shake(&doors, config.clone(), HOST).await.expect("a handshake");
            stream
                .write_all(b"GET /img/a.png?w=20 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                .await
                .expect("connected");
            let mut response = Vec::new();
            let end = stream.read_to_end(&mut response).await;
            assert!(end.is_ok(), "a TLS goodbye: {end:?}");
            assert!(response.starts_with(b"HTTP/1.1 200"));
        }
        assert_eq!(doors.server.metric("tintype_handshakes_total{result=\"resumed\"}"), resumed, "{tickets}");
    }
}

#[tokio::test]
async fn clients_prove_who_they_are() {
    for (auth, without) in [("required", false), ("optional", true)] {
        let auth = format!("tls.client_auth={auth}");
        let doors = Doors::open(&["tls.client_ca={files}/ca.pem", &auth]);
        let (mine, stranger) = (doors.authority.issue(&["cdn.example"]), Authority::new().issue(&["cdn.example"]));
        for protocol in SECURE {
            for (identity, expected) in [(Some(&mine), true), (None, without), (Some(&stranger), false)] {
                // By TLS 1.3 the server's refusal comes after the client's handshake.
                let answered = match doors.try_client(protocol, identity).await {
                    Ok(client) => client.ask(http::Method::GET, "/img/a.png?w=20", &[]).await.is_ok(),
                    Err(_) => false,
                };
                assert_eq!(
                    answered,
                    expected,
                    "{auth} {protocol:?} {:?}",
                    identity.map(testkit::certificate::Issued::pem)
                );
            }
        }
    }
}

#[tokio::test]
async fn old_versions_and_other_protocols_are_refused() {
    let doors = Doors::open(&["tls.min_version=1.3"]);
    let mut config = doors.authority.client(None, &[b"h2"]);
    assert!(shake(&doors, config.clone(), HOST).await.is_ok());
    config.alpn_protocols = vec![b"spdy/3".to_vec()];
    assert!(shake(&doors, config, HOST).await.is_err(), "no protocol in common");
    let old = doors.authority.client_of(&[&rustls::version::TLS12]);
    assert!(shake(&doors, old.clone(), HOST).await.is_err());
    let doors = Doors::open(&[]);
    let old = Authority::client_of(&doors.authority, &[&rustls::version::TLS12]);
    assert!(shake(&doors, old, HOST).await.is_ok());
}

#[tokio::test]
async fn handshakes_are_bounded() {
    let doors = Doors::open(&["tls.handshake_timeout=300ms", "tls.max_handshakes=1"]);
    // Nothing, half a greeting, no TLS.
    let mut silent = Vec::new();
    for start in [&b""[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"] {
        let mut stream = TcpStream::connect(doors.secure()).await.expect("listening");
        stream.write_all(start).await.expect("connected");
        silent.push(stream);
    }
    assert_eq!(
        doors.client(Protocol::Http2Tls).await.get("/img/a.png?w=20").await.status().as_u16(),
        200,
        "others get in"
    );
    for mut stream in silent {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(LIMIT, stream.read_to_end(&mut rest)).await.expect("it is cut off");
        assert!(end.is_ok() || end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    }
    assert_eq!(doors.server.metric("tintype_handshakes_total{result=\"late\"}"), 2.0);
    assert_eq!(doors.server.metric("tintype_handshakes_total{result=\"failed\"}"), 1.0);
}

/// What `tintype check-config` says.
fn check(files: &Folder, more: &[&str]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tintype"));
    command.arg("check-config");
    let place = files.root().display().to_string();
    let base = [
        "tls.listen=127.0.0.1:0",
        "tls.certificates.0.cert={files}/cert.pem",
        "tls.certificates.0.key={files}/cert.key",
    ];
    for set in base.iter().chain(more) {
        command.args(["--set", &set.replace("{files}", &place)]);
    }
    let output = command.output().expect("it runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn what_is_wrong_is_said_with_the_file_and_without_the_key() {
    let (authority, files) = (Authority::new(), Folder::new());
    let issued = authority.issue(&[HOST]);
    put(&files, "cert", &issued);
    put(&files, "other", &authority.issue(&[HOST]));
    assert_eq!(check(&files, &[]), "the configuration is fine\n");
    let cert = |name: &str| format!("tls.certificates.0.cert={{files}}/{name}");
    let key = |name: &str| format!("tls.certificates.0.key={{files}}/{name}");
    let half = &issued.key_pem()[..100];
    files.put("half.key", half).put("empty.pem", "").put("ca.pem", "nothing");
    files.put("encrypted.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n");
    files.put("huge.pem", vec![b'x'; 2 << 20]);
    for (set, part) in [
        (cert("none.pem"), "none.pem: cannot be opened"),
        (cert("empty.pem"), "empty.pem: no certificate in it"),
        (cert("cert.key"), "cert.key: no certificate in it"),
        (cert("huge.pem"), "too many for a certificate"),
        (key("other.key"), "other.key: the key does not belong to the certificate"),
        (key("cert.pem"), "cert.pem: no private key in it"),
        (key("half.key"), "half.key: it ends within a block"),
        (key("encrypted.key"), "encrypted.key: the key is encrypted"),
        ("tls.client_ca={files}/ca.pem".to_owned(), "ca.pem: no certificate in it"),
        ("tls.certificates=[]".to_owned(), "tls.certificates"),
        ("tls.listen=localhost".to_owned(), "expected an IP address and port"),
        ("tls.listen=0.0.0.0:8443".to_owned(), "unsigned_beyond_loopback"),
    ] {
        let said = check(&files, &[&set]);
        assert!(said.contains(part), "{set}: {said}");
        let secret = issued.key_pem().lines().nth(1).expect("Base64").to_owned();
        assert!(!said.contains(&secret[..20]), "{said}");
    }
}

#[test]
fn a_hangup_reloads_and_ends_nothing() {
    let (authority, files) = (Authority::new(), Folder::new());
    put(&files, "cert", &authority.issue(&[HOST]));
    let place = files.root().display();
    let sets = [
        "tls.listen=127.0.0.1:0".to_owned(),
        format!("tls.certificates.0.cert={place}/cert.pem"),
        format!("tls.certificates.0.key={place}/cert.key"),
    ];
    let process = Process::serve(std::path::Path::new(env!("CARGO_BIN_EXE_tintype")), &sets);
    process.hang_up();
    process.until_logged("\"certificates reloaded\"", 1);
    process.terminate();
    assert!(process.wait(LIMIT).0.success());
}
