//! The binary: it serves on embedded parts, lets nobody upload unknown, and drains when it is told to.

use std::path::Path;
use std::time::Duration;
use testkit::{Process, wire};

#[test]
fn it_serves_and_drains() {
    let folder = tempfile::tempdir().unwrap();
    let place = |key: &str, name: &str| format!("{key}={}", folder.path().join(name).display());
    let sets = [
        place("catalog.sqlite.path", "catalog.db"),
        place("jobs.path", "jobs.db"),
        place("store.root", "store"),
        "drain.deadline=5s".to_owned(),
    ];
    let process = Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype-ingest")), &sets);
    assert_eq!(wire::get(process.admin, "/readyz", &[]).status, 200);
    let refused = wire::ask(process.address, "PUT", "/ingest/v1/files/a.png", &[("content-length", "0")]);
    assert_eq!((refused.status, refused.field("content-type")), (401, "application/problem+json"));
    assert_eq!(wire::get(process.address, "/ingest/v1/openapi.json", &[]).status, 200);
    process.terminate();
    let (status, log) = process.wait(Duration::from_secs(20));
    assert!(status.success(), "{log}");
}
