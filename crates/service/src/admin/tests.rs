//! The admin listener asked over real sockets: probes, metrics, limits.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::health::{self, Probe, Target, Unhealthy};

struct Running {
    address: SocketAddr,
    readiness: Readiness,
    drain: Drain,
}

async fn start() -> Running {
    let mut registry = Registry::with_prefix("tintype");
    register_build(&mut registry, "edge", "1.2.3");
    let requests: Counter = Counter::default();
    registry.register("requests", "Requests", requests.clone());
    requests.inc_by(7);
    let drain = Drain::new();
    let readiness = Readiness::new(drain.clone());
    let admin = Admin::new(readiness.clone(), Arc::new(registry))
        .route(Method::POST, "/purge", |request| async move { Response::new(Full::new(request.into_body())) })
        .route(Method::DELETE, "/purge", |_| async { Response::new(Full::default()) });
    let bound = admin.bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = bound.local_addr().unwrap();
    tokio::spawn(bound.serve());
    Running { address, readiness, drain }
}

async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The listener may answer and close before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn ask(address: SocketAddr, method: &str, path: &str) -> String {
    exchange(address, format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes()).await
}

#[tokio::test]
async fn readiness_is_told_with_its_reason() {
    let Running { address, readiness, drain } = start().await;
    assert!(ask(address, "GET", "/healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    let starting = ask(address, "GET", "/readyz").await;
    assert!(starting.starts_with("HTTP/1.1 503 ") && starting.ends_with("\r\n\r\nstarting\n"), "{starting}");
    readiness.ready();
    assert!(ask(address, "GET", "/readyz?x=1").await.ends_with("\r\n\r\nready\n"));
    let head = ask(address, "HEAD", "/readyz").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    readiness.not_ready("no origin answers");
    assert!(ask(address, "GET", "/readyz").await.ends_with("no origin answers\n"));
    drain.begin();
    readiness.ready();
    assert!(ask(address, "GET", "/readyz").await.ends_with("draining\n"));
    assert!(ask(address, "GET", "/healthz").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_client_understands_it() {
    let Running { address, readiness, .. } = start().await;
    let probe = move |probe| {
        std::thread::spawn(move || health::ask(&Target::plain(address), probe, Duration::from_secs(10))).join().unwrap()
    };
    assert_eq!(probe(Probe::Live).unwrap(), "alive");
    assert!(matches!(probe(Probe::Ready), Err(Unhealthy::Refused { status: 503, reason }) if reason == "starting"));
    readiness.ready();
    assert_eq!(probe(Probe::Ready).unwrap(), "ready");
}

#[tokio::test]
async fn metrics_are_open_metrics() {
    let Running { address, .. } = start().await;
    let answer = ask(address, "GET", "/metrics").await;
    assert!(
        answer.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"),
        "{answer}"
    );
    assert!(answer.contains("\ntintype_build_info{service=\"edge\",version=\"1.2.3\"} 1\n"), "{answer}");
    assert!(answer.contains("\ntintype_requests_total 7\n") && answer.ends_with("# EOF\n"), "{answer}");
}

#[tokio::test]
async fn routes_are_matched_by_path_and_method() {
    let Running { address, .. } = start().await;
    let post = b"POST /purge?a HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nconnection: close\r\n\r\nkeys";
    assert!(exchange(address, post).await.ends_with("\r\n\r\nkeys"));
    let wrong = ask(address, "GET", "/purge").await;
    assert!(wrong.starts_with("HTTP/1.1 405 ") && wrong.contains("allow: POST, DELETE\r\n"), "{wrong}");
    assert!(ask(address, "POST", "/metrics").await.contains("allow: GET, HEAD\r\n"));
    assert!(ask(address, "GET", "/purge/").await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn bodies_and_heads_are_limited() {
    let Running { address, .. } = start().await;
    let mut large = b"POST /purge HTTP/1.1\r\nhost: a\r\ncontent-length: 2000000\r\nconnection: close\r\n\r\n".to_vec();
    large.resize(large.len() + 2_000_000, b'x');
    assert!(exchange(address, &large).await.starts_with("HTTP/1.1 413 "));
    let head = format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(64 << 10));
    assert!(exchange(address, head.as_bytes()).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn connections_are_limited_and_freed() {
    let Running { address, .. } = start().await;
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let waiting = tokio::spawn(async move { ask(address, "GET", "/healthz").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished(), "no more than {CONNECTIONS} connections are served");
    drop(idle);
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200 "));
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed() {
    let Running { address, .. } = start().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(2 * HEAD_TIMEOUT, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection was left open");
}

#[tokio::test]
async fn a_taken_port_is_known_at_once() {
    let Running { address, readiness, .. } = start().await;
    let second = Admin::new(readiness, Arc::new(Registry::default())).bind(address).await;
    assert_eq!(second.err().map(|error| error.kind()), Some(io::ErrorKind::AddrInUse));
}

#[tokio::test]
async fn acts_are_for_holders_of_tokens_and_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let access = Access::open();
    let known = |tokens, closed_reads| Known { tokens, closed_reads, ..Known::default() };
    let (ops, next) = (Token::new("ops", b"a token of this test"), Token::new("next", b"another one"));
    access.replace(known(vec![ops.clone(), next], false));
    let readiness = Readiness::new(Drain::new());
    let admin = Admin::new(readiness, Arc::new(Registry::default()))
        .access(access.clone())
        .audit(Audit::to_file(&file).unwrap())
        .route(Method::POST, "/purge", |request| async move {
            let mut answer = Response::new(Full::default());
            answer.extensions_mut().insert(Detail(format!("{} bytes", request.body().len())));
            answer
        })
        .route(Method::GET, "/stats", |_| async { Response::new(Full::from("counts")) });
    let bound = admin.bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = bound.local_addr().unwrap();
    tokio::spawn(bound.serve());
    let with = |method: &str, target: &str, token: &str| {
        let field = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        format!("{method} {target} HTTP/1.1\r\nhost: a\r\n{field}content-length: 0\r\nconnection: close\r\n\r\n")
    };
    for (method, target, token, status) in [
        ("GET", "/healthz", "", 200),
        ("GET", "/metrics", "wrong", 200),
        ("GET", "/stats", "", 401),
        ("GET", "/stats", "another one", 200),
        ("POST", "/purge?s=sealed", "", 401),
        ("POST", "/purge", "wrong", 401),
        ("POST", "/nowhere", "wrong", 401),
        ("POST", "/nowhere", "another one", 404),
        ("POST", "/purge", "a token of this test", 200),
    ] {
        let answer = exchange(address, with(method, target, token).as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {target} {token}: {answer}");
        assert_eq!(answer.contains("www-authenticate: Bearer"), status == 401);
    }
    access.replace(known(vec![ops], true));
    for (target, token, status) in
        [("/healthz", "", 401), ("/healthz", "another one", 401), ("/readyz", "a token of this test", 503)]
    {
        let answer = exchange(address, with("GET", target, token).as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target} {token}: {answer}");
    }
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("token of this") && !text.contains("sealed"), "{text}");
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|l| (l["who"].as_str().unwrap(), l["status"].as_u64().unwrap())).collect();
    let unknown = ("(unknown)", 401);
    assert_eq!(told, [unknown, unknown, unknown, unknown, ("next", 404), ("ops", 200)]);
    assert_eq!(lines[5]["detail"], "0 bytes");
    assert_eq!((&lines[5]["outcome"], &lines[0]["outcome"]), (&"done".into(), &"refused".into()));
}

#[tokio::test]
async fn a_star_stands_for_everything_below() {
    let admin = Admin::new(Readiness::new(Drain::new()), Arc::new(Registry::default()));
    let admin = admin.route(Method::GET, "/runs/*", |request| async move {
        Response::new(Full::from(request.uri().path().to_owned()))
    });
    let bound = admin.bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = bound.local_addr().unwrap();
    tokio::spawn(bound.serve());
    assert!(ask(address, "GET", "/runs/a/b").await.ends_with("/runs/a/b"));
    for path in ["/runs/", "/runs", "/run"] {
        assert!(ask(address, "GET", path).await.starts_with("HTTP/1.1 404"), "{path}");
    }
}
