//! SIGHUP: the configuration is read again while requests are served.

use crate::server::Server;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use testkit::wire;

const FIRST: &str = "a-first-token-of-these-tests-0123456789";
const SECOND: &str = "a-second-token-of-these-tests-0123456789";

fn tokens(secret: &str, more: &str) -> String {
    format!("[[admin.tokens]]\nname = \"ops\"\nsecret = \"{secret}\"\n{more}")
}

fn until_logged(server: &Server, part: &str) {
    let began = Instant::now();
    while !server.log().contains(part) {
        assert!(began.elapsed() < Duration::from_secs(30), "{part}: {}", server.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_exchanges_tokens_and_keeps_the_key_of_urls() {
    let server = Server::start_with(&tokens(FIRST, ""), &["secrets.check=1h".to_owned()]);
    let client = server.administrator().await;
    let file = server.folder().join("tom.png");
    std::fs::write(&file, testkit::picture::noise(200, 100, 1)).expect("a file");
    let asset = client.upload(&file, "tom.png", &|_| {}).await.expect("it is taken");
    let before = client.sign("main", &asset.path, "w=64&f=png", 3600).await.expect("a URL");
    let admin: SocketAddr = server.admin();
    let status = |token: &str| {
        let bearer = format!("Bearer {token}");
        wire::ask(admin, "POST", "/nothing", &[("content-length", "0"), ("authorization", &bearer)]).status
    };
    assert_eq!((status(FIRST), status(SECOND)), (404, 401));

    // Search and auth have the key for as long as the process lives: the edge keeps it too.
    std::fs::write(server.folder().join("data/url.key"), "another-key-0123456789-0123456789-0123456789")
        .expect("a key");
    let config = server.folder().join("config.toml");
    std::fs::write(&config, tokens(SECOND, "[ingest]\nuploads = 7\n")).expect("a file");
    server.hang_up();
    until_logged(&server, "configuration read again");
    until_logged(&server, "that takes effect at the next start");
    assert_eq!((status(FIRST), status(SECOND)), (401, 404));
    let after = client.sign("main", &asset.path, "w=65&f=png", 3600).await.expect("a URL");
    for url in [before, after] {
        assert_eq!(server.get(&url, &[]).await.status, 200, "{url}");
    }

    std::fs::write(&config, tokens("short", "")).expect("a file");
    server.hang_up();
    until_logged(&server, "cannot be read again: what was in force stays");
    assert_eq!(status(SECOND), 404);
}
