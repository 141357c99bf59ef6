//! Doors beside signatures: the proof that a request came through the CDN, tokens of the admin listener, its audit log.

use crate::server::{Server, sets};
use crate::signing::kind;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::{Folder, Process, picture, wire};

const BINARY: &str = env!("CARGO_BIN_EXE_tintype");
const FIRST: &str = "a-first-value-of-these-tests-0123456789";
const SECOND: &str = "a-second-value-of-these-tests-0123456789";

#[test]
fn requests_come_through_the_cdn() {
    let (first, second) = (format!("proof.values.0.secret={FIRST}"), format!("proof.values.1.secret={SECOND}"));
    let server = Server::start(&[&first, &second, "proof.header=X-From-Cdn"]);
    server.folder.put("a.png", picture::gradient(60, 40));
    for value in [FIRST, SECOND] {
        assert_eq!(server.get_with("/img/a.png?w=20", &[("x-from-cdn", value)]).status, 200);
    }
    for fields in [
        &[][..],
        &[("x-from-cdn", "other")],
        &[("x-origin-verify", FIRST)],
        &[("x-from-cdn", FIRST), ("x-from-cdn", SECOND)],
    ] {
        for target in ["/img/a.png?w=20", "/img/missing.png", "/"] {
            let reply = server.get_with(target, fields);
            assert_eq!((reply.status, kind(&reply).as_str()), (403, "forbidden"), "{target} {fields:?}");
            assert_eq!(reply.field("cache-control"), "no-store", "nobody keeps it for those who may");
        }
    }
    assert_eq!(server.ask("OPTIONS", "/img/a.png", &[]).status, 403);
}

#[test]
fn its_value_is_exchanged_while_requests_are_served() {
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(60, 40));
    folder.put("value", FIRST);
    let file = format!("proof.values.0.secret_file={}", folder.root().join("value").display());
    let process = Process::serve(Path::new(BINARY), &sets(&folder, &["secrets.check=50ms", &file]));
    let status = |value| wire::get(process.address, "/img/a.png?w=20", &[("x-origin-verify", value)]).status;
    assert_eq!((status(FIRST), status(SECOND)), (200, 403));
    folder.put("value", SECOND);
    process.until_logged("configuration read again", 1);
    assert_eq!((status(FIRST), status(SECOND)), (403, 200));
    process.terminate();
    let (_, log) = process.wait(Duration::from_secs(60));
    assert!(!log.contains(FIRST) && !log.contains(SECOND), "{log}");
}

#[test]
fn the_admin_listener_asks_for_a_token() {
    let folder = Folder::new();
    folder.put("token", format!("{FIRST}\n"));
    folder.put("other", format!("{SECOND}\n"));
    let (token, audit) = (folder.root().join("token"), folder.root().join("audit.jsonl"));
    let more = [
        "admin.tokens.0.name=ops".to_owned(),
        format!("admin.tokens.0.secret_file={}", token.display()),
        "admin.open_reads=false".to_owned(),
        format!("admin.audit_file={}", audit.display()),
        "secrets.check=50ms".to_owned(),
    ];
    let sets = sets(&folder, &more.iter().map(String::as_str).collect::<Vec<_>>());
    let process = Process::serve(Path::new(BINARY), &sets);
    let bearer = format!("Bearer {FIRST}");
    let ask = |method: &str, path: &str, fields: &[(&str, &str)]| wire::ask(process.admin, method, path, fields).status;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!((ask("GET", path, &[]), ask("GET", path, &[("authorization", &bearer)])), (401, 200), "{path}");
    }
    assert_eq!(ask("POST", "/nothing", &[("content-length", "0")]), 401);
    assert_eq!(ask("POST", "/nothing", &[("content-length", "0"), ("authorization", &bearer)]), 404);

    let health = |arguments: &[&str], variable: Option<&str>| {
        let admin = format!("server.admin={}", process.admin);
        let mut command = Command::new(BINARY);
        command.args(["health", "--set", &admin, "--set", "admin.open_reads=false"]).args(arguments);
        command.env_remove("TINTYPE_ADMIN_TOKEN").envs(variable.map(|value| ("TINTYPE_ADMIN_TOKEN", value)));
        let output = command.output().expect("it starts");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains(FIRST) && !text.contains(SECOND), "{text}");
        output.status.code()
    };
    let (right, wrong) = (token.display().to_string(), folder.root().join("other").display().to_string());
    assert_eq!(health(&[], None), Some(4));
    assert_eq!(health(&[], Some(FIRST)), Some(0));
    assert_eq!(health(&["--token-file", &right], Some(SECOND)), Some(0));
    assert_eq!(health(&["--token-file", &wrong], Some(FIRST)), Some(4));
    assert_eq!(health(&["--set", &more[0], "--set", &more[1]], None), Some(0), "the server's own configuration has it");
    assert_eq!(health(&["--token-file", "/nowhere"], None), Some(1));

    folder.put("token", SECOND);
    process.until_logged("configuration read again", 1);
    assert_eq!(ask("GET", "/metrics", &[("authorization", &bearer)]), 401, "the old token is void");
    let bearer = format!("Bearer {SECOND}");
    assert_eq!(ask("GET", "/metrics", &[("authorization", &bearer)]), 200);
    process.terminate();
    let (_, log) = process.wait(Duration::from_secs(60));
    let audit = std::fs::read_to_string(audit).expect("an audit file");
    assert!(!format!("{log}{audit}").contains(FIRST) && !format!("{log}{audit}").contains(SECOND), "{log}{audit}");
    let lines: Vec<serde_json::Value> = audit.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<_> = lines.iter().map(|line| (line["who"].as_str(), line["status"].as_u64())).collect();
    assert_eq!(told, [(Some("(unknown)"), Some(401)), (Some("ops"), Some(404))], "{audit}");
    assert_eq!(log.matches("\"target\":\"audit\"").count(), 2, "{log}");
}

#[test]
fn beyond_loopback_the_admin_listener_needs_a_token() {
    let output = Command::new(BINARY).args(["check-config", "--set", "server.admin=0.0.0.0:9001"]).output();
    let output = output.expect("it starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("admin.tokens") && text.contains("0.0.0.0:9001"), "{text}");
    let token = format!("admin.tokens.0.secret={FIRST}");
    let sets = ["--set", "server.admin=0.0.0.0:9001", "--set", "admin.tokens.0.name=ops", "--set", &token];
    let output = Command::new(BINARY).arg("check-config").args(sets).output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
