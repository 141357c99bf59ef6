//! TLS on the admin listener, and client certificates as proof of who acts there.

use super::{LIMIT, put};
use crate::server::sets;
use http::Method;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use testkit::certificate::{Authority, Issued};
use testkit::client::{Client, HOST, Protocol};
use testkit::{Folder, Process, wire};

const BINARY: &str = env!("CARGO_BIN_EXE_tintype");
const TOKEN: &str = "a-token-of-these-tests-0123456789-0123456789";

/// A server whose admin listener speaks TLS, and who certified it and its clients.
struct Admin {
    process: Process,
    authority: Authority,
    files: Folder,
    _pictures: Folder,
}

fn base(files: &Folder, more: &[&str]) -> Vec<String> {
    let place = files.root().display().to_string();
    let own = [
        "admin.tls.certificates.0.cert={files}/cert.pem",
        "admin.tls.certificates.0.key={files}/cert.key",
        "admin.tls.client_ca={files}/ca.pem",
        "admin.clients.0.name=deploy",
        "admin.clients.0.certificates=deploy.example.org, spiffe://example.org/deploy",
        "admin.audit_file={files}/audit.jsonl",
    ];
    own.iter().chain(more).map(|set| set.replace("{files}", &place)).collect()
}

impl Admin {
    fn start(more: &[&str]) -> Self {
        let (authority, files, pictures) = (Authority::new(), Folder::new(), Folder::new());
        put(&files, "cert", &authority.issue(&[HOST, "127.0.0.1"]));
        files.put("ca.pem", authority.pem());
        let all = base(&files, more);
        let all = sets(&pictures, &all.iter().map(String::as_str).collect::<Vec<_>>());
        let process = Process::serve(Path::new(BINARY), &all);
        Self { process, authority, files, _pictures: pictures }
    }

    /// Status and text of the answer; `None` where the connection is refused.
    async fn ask(
        &self,
        identity: Option<&Issued>,
        method: Method,
        path: &str,
        token: Option<&str>,
    ) -> Option<(u16, String)> {
        let config = self.authority.client(identity, &[]);
        let client = Client::open(Protocol::Http1Tls, self.process.admin, &config).await.ok()?;
        let bearer = token.map(|token| format!("Bearer {token}"));
        let fields: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let answer = client.ask(method, path, &fields).await.ok()?;
        Some((answer.status().as_u16(), String::from_utf8_lossy(answer.body()).trim().to_owned()))
    }

    async fn status(&self, identity: Option<&Issued>, method: Method, path: &str) -> Option<u16> {
        self.ask(identity, method, path, None).await.map(|(status, _)| status)
    }

    fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.files.root().join("audit.jsonl")).expect("an audit file");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

#[tokio::test]
async fn a_certificate_says_who_acts() {
    let admin = Admin::start(&[]);
    let known = admin.authority.issue(&["deploy.example.org"]);
    let uri = admin.authority.issue_uri("spiffe://example.org/deploy");
    let unnamed = admin.authority.issue(&["other.example.org"]);
    let expired = admin.authority.issue_expired(&["deploy.example.org"]);
    let foreign = Authority::new().issue(&["deploy.example.org"]);
    for (identity, read, act) in [
        (Some(&known), Some(200), Some(404)),
        (Some(&uri), Some(200), Some(404)),
        (Some(&unnamed), Some(200), Some(403)),
        (None, Some(200), Some(403)),
        (Some(&expired), None, None),
        (Some(&foreign), None, None),
    ] {
        let found = (
            admin.status(identity, Method::GET, "/healthz").await,
            admin.status(identity, Method::POST, "/nothing").await,
        );
        assert_eq!(found, (read, act), "{:?}", identity.map(Issued::pem));
    }
    let (_, text) = admin.ask(Some(&unnamed), Method::GET, "/stats", None).await.expect("an answer");
    assert_eq!(
        text,
        "a client certificate is asked for; the certificate of other.example.org is none of those that may"
    );
    let audit = admin.audit();
    let told: Vec<_> = audit.iter().map(|line| (line["who"].as_str(), line["certificate"].as_str())).collect();
    let (deploy, unknown) = (Some("deploy"), Some("(unknown)"));
    assert_eq!(
        told,
        [
            (deploy, Some("deploy.example.org")),
            (deploy, Some("spiffe://example.org/deploy")),
            (unknown, Some("other.example.org")),
            (unknown, None),
            (unknown, Some("other.example.org")),
        ]
    );
    assert!(audit[0]["sha256"].as_str().is_some_and(|hex| hex.len() == 64), "{:?}", audit[0]);
    admin.process.terminate();
    let (_, log) = admin.process.wait(LIMIT);
    assert!(log.contains("no handshake with the admin listener"), "{log}");
}

#[tokio::test]
async fn a_token_or_a_certificate_or_both() {
    let token = format!("admin.tokens.0.secret={TOKEN}");
    let admin = Admin::start(&["admin.tokens.0.name=ops", &token, "admin.open_reads=false"]);
    let known = admin.authority.issue(&["deploy.example.org"]);
    let unnamed = admin.authority.issue(&["other.example.org"]);
    for (identity, token, status, who) in [
        (Some(&known), None, 404, "deploy"),
        (None, Some(TOKEN), 404, "ops"),
        (Some(&unnamed), Some(TOKEN), 404, "ops"),
        (Some(&known), Some(TOKEN), 404, "ops"),
        (Some(&known), Some("wrong"), 401, "(unknown)"),
        (Some(&unnamed), None, 401, "(unknown)"),
        (None, None, 401, "(unknown)"),
    ] {
        let (found, text) = admin.ask(identity, Method::POST, "/nothing", token).await.expect("an answer");
        assert_eq!(found, status, "{token:?} {who}: {text}");
        let audit = admin.audit();
        let line = audit.last().expect("each is written down");
        assert_eq!((line["who"].as_str(), line["certificate"].is_string()), (Some(who), identity.is_some()), "{line}");
    }
    for (identity, status) in [(None, 401), (Some(&known), 200)] {
        assert_eq!(admin.status(identity, Method::GET, "/metrics").await, Some(status));
    }
    let (_, text) = admin.ask(Some(&known), Method::GET, "/metrics", Some("wrong")).await.expect("an answer");
    assert!(
        text.contains("token (Authorization: Bearer …) or a client certificate") && text.contains("none of those"),
        "{text}"
    );
    assert!(!text.contains("wrong"), "{text}");
}

#[tokio::test]
async fn where_it_is_required_nobody_gets_in_without() {
    let admin = Admin::start(&["admin.tls.client_auth=required"]);
    let known = admin.authority.issue(&["deploy.example.org"]);
    assert_eq!(admin.status(None, Method::GET, "/healthz").await, None);
    assert_eq!(admin.status(Some(&known), Method::GET, "/healthz").await, Some(200));
}

#[test]
fn cleartext_is_told_where_to_go() {
    let admin = Admin::start(&[]);
    for (fields, more) in [(&[][..], false), (&[("authorization", "Bearer x")], true)] {
        let reply = wire::get(admin.process.admin, "/healthz", fields);
        assert_eq!(reply.status, 400);
        assert!(reply.text().contains("https://") && reply.text().contains("exchange it") == more, "{}", reply.text());
    }
}

#[tokio::test]
async fn new_files_and_new_names_are_taken_up() {
    let files = Folder::new();
    let config = files.root().join("config.toml");
    let (authority, pictures) = (Authority::new(), Folder::new());
    put(&files, "cert", &authority.issue(&[HOST]));
    files.put("ca.pem", authority.pem());
    let names = |name: &str| format!("[[admin.clients]]\nname = \"deploy\"\ncertificates = [\"{name}\"]\n");
    files.put("config.toml", names("deploy.example.org"));
    let mut all: Vec<String> = base(&files, &[]);
    all.retain(|set| !set.starts_with("admin.clients"));
    let all = sets(&pictures, &all.iter().map(String::as_str).collect::<Vec<_>>());
    let path = config.display().to_string();
    let process = Process::serve_with(Path::new(BINARY), &["--config", &path], &all);
    let admin = Admin { process, authority, files, _pictures: pictures };
    let (first, second) =
        (admin.authority.issue(&["deploy.example.org"]), admin.authority.issue(&["next.example.org"]));
    assert_eq!(admin.status(Some(&first), Method::POST, "/nothing").await, Some(404));
    assert_eq!(admin.status(Some(&second), Method::POST, "/nothing").await, Some(403));
    // Another name in the configuration.
    admin.files.put("config.toml", names("next.example.org"));
    admin.process.hang_up();
    admin.process.until_logged("configuration read again", 1);
    assert_eq!(admin.status(Some(&first), Method::POST, "/nothing").await, Some(403));
    assert_eq!(admin.status(Some(&second), Method::POST, "/nothing").await, Some(404));
    // Another authority, which certifies the server too. The hangup before has had the files read already.
    let next = Authority::new();
    let already = admin.process.log().matches("certificates reloaded").count();
    put(&admin.files, "cert", &next.issue(&[HOST]));
    admin.files.put("ca.pem", next.pem());
    admin.process.hang_up();
    admin.process.until_logged("certificates reloaded", already + 1);
    let third = next.issue(&["next.example.org"]);
    let mut admin = admin;
    admin.authority = next;
    assert_eq!(admin.status(Some(&third), Method::POST, "/nothing").await, Some(404));
    assert_eq!(admin.status(Some(&second), Method::POST, "/nothing").await, None, "its authority is gone");
}

/// Exit status and all that is said.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(BINARY);
    command.env_remove("TINTYPE_ADMIN_TOKEN").args(arguments);
    let output = command.output().expect("it starts");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), text)
}

#[test]
fn commands_show_certificates_and_believe_authorities() {
    let admin = Admin::start(&[]);
    put(&admin.files, "deploy", &admin.authority.issue(&["deploy.example.org"]));
    put(&admin.files, "other", &admin.authority.issue(&["other.example.org"]));
    admin.files.put("foreign.pem", Authority::new().pem());
    let file = |name: &str| admin.files.root().join(name).display().to_string();
    let (ca, foreign) = (file("ca.pem"), file("foreign.pem"));
    let (deploy, other) = ([file("deploy.pem"), file("deploy.key")], [file("other.pem"), file("other.key")]);
    let https = format!("https://{}", admin.process.admin);
    let at = ["--admin", &https, "--ca", &ca, "--cert", &deploy[0], "--key", &deploy[1]];
    let with = |command: &[&str], at: &[&str]| run(&[command, at].concat());
    for (command, part) in [
        (&["stats", "--json"][..], "\"routes\""),
        (&["purge", "--all"], "purged 1"),
        (&["warm", "--route", "/img/", "--source", "none.png", "--transform", "w=20", "--detach"], ""),
    ] {
        let (code, text) = with(command, &at);
        assert!(code == Some(0) && text.contains(part), "{command:?}: {text}");
    }
    for (at, part) in [
        (
            &["--admin", &https, "--ca", &foreign, "--cert", &deploy[0], "--key", &deploy[1]][..],
            "invalid peer certificate",
        ),
        (&["--admin", &https, "--cert", &deploy[0], "--key", &deploy[1]], "certificate"),
        (&["--admin", &https, "--ca", &ca], "a client certificate is asked for"),
        (
            &["--admin", &https, "--ca", &ca, "--cert", &other[0], "--key", &other[1]],
            "other.example.org is none of those",
        ),
        (&["--admin", &https, "--ca", &ca, "--cert", &deploy[0], "--key", &other[1]], "does not belong to"),
        (&["--admin", &https.replace("https", "http")], "this listener speaks TLS"),
        (&["--admin", &https.replace("https", "http"), "--ca", &ca], "for https:// addresses"),
        (&["--admin", "ftp://a", "--ca", &ca], "is no address"),
        (&["--ca", &ca], "speaks cleartext"),
    ] {
        let (code, text) = with(&["stats"], at);
        assert!(code == Some(1) && text.contains(part), "{at:?}: {text}");
    }
    assert_eq!(with(&["stats"], &["--cert", &deploy[0]]).0, Some(2), "a certificate without its key");
    // With the server's configuration at hand nothing more is needed, whatever its certificate is called.
    put(&admin.files, "cert", &admin.authority.issue(&["elsewhere.example.org"]));
    admin.process.hang_up();
    admin.process.until_logged("certificates reloaded", 1);
    let set = format!("server.admin={}", admin.process.admin);
    let own = base(&admin.files, &[&set]);
    let own: Vec<&str> = own.iter().flat_map(|set| ["--set", set]).collect();
    assert_eq!(run(&[&["health"], &own[..]].concat()), (Some(0), "ready\n".to_owned()));
    let (code, text) = run(&[&["stats", "--cert", &deploy[0], "--key", &deploy[1]], &own[..]].concat());
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(&[&["health", "--ca", &foreign], &own[..]].concat());
    assert!(code == Some(4) && text.contains("invalid peer certificate"), "{text}");
    put(&admin.files, "cert", &Authority::new().issue(&["elsewhere.example.org"]));
    let (code, text) = run(&[&["health"], &own[..]].concat());
    assert!(code == Some(4) && text.contains("not the one of the configuration"), "{text}");
}

#[test]
fn health_shows_a_certificate_where_nobody_gets_in_without() {
    let admin = Admin::start(&["admin.tls.client_auth=required"]);
    put(&admin.files, "deploy", &admin.authority.issue(&["deploy.example.org"]));
    let file = |name: &str| admin.files.root().join(name).display().to_string();
    let set = format!("server.admin={}", admin.process.admin);
    let own = base(&admin.files, &[&set, "admin.tls.client_auth=required"]);
    let own: Vec<&str> = own.iter().flat_map(|set| ["--set", set]).collect();
    let (code, text) = run(&[&["health"], &own[..]].concat());
    assert!(code == Some(4) && text.contains("CertificateRequired"), "{text}");
    let (cert, key) = (file("deploy.pem"), file("deploy.key"));
    let (code, text) = run(&[&["health", "--cert", &cert, "--key", &key], &own[..]].concat());
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(&[&["stats"], &own[..]].concat());
    assert!(code == Some(1) && text.contains("CertificateRequired"), "{text}");
}

#[test]
fn check_config_says_what_does_not_fit() {
    let (authority, files) = (Authority::new(), Folder::new());
    put(&files, "cert", &authority.issue(&[HOST]));
    files.put("ca.pem", authority.pem());
    let check = |less: &[&str], more: &[&str]| {
        let mut all = base(&files, more);
        all.retain(|set| !less.iter().any(|start| set.starts_with(start)));
        run(&[&["check-config"], &all.iter().flat_map(|set| ["--set", set.as_str()]).collect::<Vec<_>>()[..]].concat())
    };
    let beyond = "server.admin=0.0.0.0:9001";
    assert_eq!(check(&[], &[]), (Some(0), "the configuration is fine\n".to_owned()));
    assert_eq!(check(&[], &[beyond]).0, Some(0), "a certificate is proof enough");
    let token = format!("admin.tokens.0.secret={TOKEN}");
    let required = ["admin.tokens.0.name=ops", &token, "admin.tls.client_auth=required"];
    assert_eq!(check(&["admin.clients"], &required).0, Some(0), "both, where both are asked for");
    for (less, more, code, part) in [
        (&["admin.clients", "admin.tls.client_ca"][..], &[beyond][..], 3, "at least one token or client certificate"),
        (&["admin.clients"], &[], 3, "admin.clients"),
        (&["admin.clients"], &required[..2], 3, "admin.clients"),
        (&["admin.clients", "admin.tls.client_ca"], &required[..], 3, "admin.tls.client_auth"),
        (&["admin.tls.client_ca"], &[], 3, "admin.tls.client_ca"),
        (&["admin.tls.certificates"], &[], 3, "admin.tls.client_ca"),
        (&["admin.clients.0.certificates"], &[], 3, "at least one name"),
        (&[], &["admin.clients.0.certificates=*"], 3, "a name, or *. and a domain"),
        (&[], &["admin.tls.client_ca={files}/none.pem"], 1, "admin.tls: client_ca: "),
        (&[], &["admin.tls.certificates.0.key={files}/ca.pem"], 1, "admin.tls: certificates.0: "),
    ] {
        let (found, text) = check(less, more);
        assert!(found == Some(code) && text.contains(part), "{less:?} {more:?}: {found:?} {text}");
    }
}
