//! The whole flow over separate processes: two edges, auth, ingest, index and search, each its own binary with its own
//! configuration, over the production parts, behind one address. And an upload into the bucket, completed by its event.

use crate::flow::{Place, picture, until, walk};
use crate::parts::Production;
use crate::server::BINARY;
use client::{Client, Vault};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;
use testkit::process::beside;
use testkit::wire::{self, Connection};
use testkit::{Gateway, Process};

/// What tokens name as their issuer; nobody listens there.
const ISSUER: &str = "http://auth.example/auth/v1";

/// The running processes. Killed when dropped.
struct Apart {
    parts: Production,
    auth: Process,
    edges: Vec<Process>,
    /// ingest, index and search: they hold what the processes above are asked for.
    _others: Vec<Process>,
    gateway: Gateway,
    folder: TempDir,
}

fn start(name: &str, sets: &[Vec<String>]) -> Process {
    Process::serve(&beside(BINARY, name), &sets.concat())
}

impl Apart {
    /// `None` where a server is not installed.
    async fn start() -> Option<Self> {
        let parts = Production::start()?;
        let folder = tempfile::tempdir().expect("a folder");
        let own = vec![
            format!("auth.secret_file={}", folder.path().join("auth.secret").display()),
            format!("auth.public_url={}", ISSUER.trim_end_matches("/auth/v1")),
            "auth.passwords.memory=64KiB".to_owned(),
        ];
        let auth = start("tintype-auth", &[parts.auth(), own]);
        let key = service_key(&auth, folder.path()).await;
        let file = folder.path().join("edge.toml");
        std::fs::write(&file, parts.file()).expect("a file");
        let file = file.to_str().expect("a path of the system's own making");
        let edge = beside(BINARY, "tintype");
        let edges = (0..2).map(|_| Process::serve_with(&edge, &["--config", file], &parts.edge())).collect::<Vec<_>>();
        let door = vec![
            format!("access.issuers.0.issuer={ISSUER}"),
            format!("access.issuers.0.jwks=http://{}/auth/v1/jwks.json", auth.address),
            format!("access.introspect=http://{}/auth/v1/introspect", auth.address),
            format!("access.introspect_key_file={key}"),
        ];
        // One of the two: the other learns of it through Redis.
        let told = vec![format!("ingest.edge.admin=http://{}", edges[0].admin)];
        let ingest = [parts.store(), parts.catalog(), parts.sqs(), parts.arrivals(), told, door.clone()];
        let ingest = start("tintype-ingest", &ingest);
        let index = start("tintype-index", &[parts.catalog(), parts.sqs(), parts.finder(), door.clone()]);
        let search = start("tintype-search", &[parts.finder(), Production::search(), door]);
        let gateway = Gateway::start(&[
            ("/auth/", auth.address),
            ("/ingest/", ingest.address),
            ("/index/", index.address),
            ("/search/", search.address),
            ("/a/", edges[0].address),
        ]);
        Some(Self { parts, auth, edges, _others: vec![ingest, index, search], gateway, folder })
    }

    async fn administrator(&self) -> Client {
        sign_in(self.gateway.address, &self.auth, &self.folder.path().join("credentials.json")).await
    }
}

async fn sign_in(address: SocketAddr, auth: &Process, vault: &Path) -> Client {
    let log = auth.log();
    let line = log
        .lines()
        .find_map(|line| line.strip_prefix("The first administrator is admin@localhost, with the password "));
    let client = Client::new(&format!("http://{address}"), Vault::at(vault)).expect("an address");
    client.sign_in("admin@localhost", line.expect("the password is told")).await.expect("it is right");
    client
}

async fn send(client: &Client, path: &str, body: &Value) -> Value {
    let answer = client.send(Method::POST, path, HeaderMap::new(), body).await;
    answer.unwrap_or_else(|failure| panic!("{path}: {failure}")).json().expect("JSON")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// The file with the key that the others ask auth with.
async fn service_key(auth: &Process, folder: &Path) -> String {
    let client = sign_in(auth.address, auth, &folder.join("service.json")).await;
    let made = send(&client, "/auth/v1/tenants/*/keys", &json!({ "name": "platform", "roles": ["service"] })).await;
    let file = folder.join("service.key");
    std::fs::write(&file, text(&made, "secret")).expect("a file");
    file.to_str().expect("a path of the system's own making").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_flow_over_separate_processes() {
    let Some(apart) = Apart::start().await else { return };
    let client = apart.administrator().await;
    let edges: Vec<SocketAddr> = apart.edges.iter().map(|edge| edge.address).collect();
    an_upload_into_the_bucket_is_completed_by_its_event(&apart, &client).await;
    a_key_is_taken_by_every_process(&apart, &client).await;
    walk(&Place { client: &client, edges: &edges, folder: apart.folder.path() }).await;
    assert!(apart.parts.renditions() > 0, "renditions are kept in the bucket");
}

/// The client puts the file into the bucket and says nothing more.
async fn an_upload_into_the_bucket_is_completed_by_its_event(apart: &Apart, client: &Client) {
    let file = testkit::picture::gradient(320, 200);
    let begun = json!({ "path": "direct/lighthouse.png", "bytes": file.len(), "mediaType": "image/png" });
    let invited = send(client, "/ingest/v1/direct", &begun).await;
    let target = text(&invited, "url").strip_prefix(&format!("http://{}", apart.parts.moto.address));
    let target = target.expect("it leads to the bucket").to_owned();
    // Without a type, moto takes a body for a form's.
    let mut fields = vec![("content-type", "image/png")];
    let headers = invited["headers"].as_object().expect("fields");
    fields.extend(headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))));
    let message = [wire::head("PUT", &target, &fields).as_bytes(), &file].concat();
    let put = Connection::open(apart.parts.moto.address).and_then(|mut connection| {
        connection.send(&message)?;
        connection.reply("PUT")
    });
    assert_eq!(put.expect("an answer").status, 200);
    let found = until(client, "lighthouse", 1).await;
    assert_eq!(found.hits[0].path, "direct/lighthouse.png");
    let url = found.hits[0].more["url"].as_str().expect("a URL");
    let shown = picture(apart.edges[0].address, url, &[]).await;
    assert_eq!(shown.status, 200, "{url}: {}", shown.text());
}

/// Each asks auth whose it is.
async fn a_key_is_taken_by_every_process(apart: &Apart, client: &Client) {
    let made = send(client, "/auth/v1/tenants/main/keys", &json!({ "name": "camera", "roles": ["editor"] })).await;
    let vault = Vault::at(apart.folder.path().join("nobody.json"));
    let key = Client::new(&format!("http://{}", apart.gateway.address), vault).expect("an address");
    let key = key.with_key(text(&made, "secret"));
    for path in ["/auth/v1/me", "/ingest/v1/assets", "/index/v1/jobs?state=dead", "/search/v1/assets?q=lighthouse"] {
        key.get(path).await.unwrap_or_else(|failure| panic!("{path}: {failure}"));
    }
}
