//! The real process, closed off: what the config names is open, also when it is exchanged; all else is not.

use crate::server::sets;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;
use testkit::{Folder, Process, picture, wire};

const OLD: &str = "an old secret of more than 32 characters";
const NEW: &str = "a new secret of more than thirty-two ones";

#[test]
fn only_what_the_config_names_can_be_opened_and_no_program_started() {
    let (folder, keys, outside) = (Folder::new(), tempfile::tempdir().expect("a folder"), Folder::new());
    folder.put("a.png", picture::gradient(60, 40));
    outside.put("b.png", picture::gradient(60, 40)).put("stolen.key", NEW);
    let (key, disk) = (keys.path().join("k1.key"), keys.path().join("disk"));
    std::fs::write(&key, OLD).expect("a key");
    let (secret, disk) =
        (format!("signing.keys.0.secret_file={}", key.display()), format!("cache.disk.path={}", disk.display()));
    let more = [
        "sandbox.mode=required",
        "signing.mode=optional",
        "signing.keys.0.kid=k1",
        &secret,
        &disk,
        "cache.memory.bytes=0B",
    ];
    let process = Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets(&folder, &more));
    assert!(
        process.log().contains("closed off by Landlock") && process.log().contains("limited by seccomp"),
        "{}",
        process.log()
    );
    for _ in 0..2 {
        assert_eq!(
            wire::get(process.address, "/img/a.png?w=20", &[]).status,
            200,
            "files, threads and the disk tier work"
        );
    }
    // A secret is exchanged by a file that is renamed over it, as always.
    let fresh = keys.path().join("k1.key.new");
    std::fs::write(&fresh, NEW).expect("a key");
    std::fs::rename(&fresh, &key).expect("the same folder");
    process.hang_up();
    process.until_logged("configuration read again", 1);
    // But not by a link to where nothing of the config is.
    std::fs::remove_file(&key).expect("it is there");
    symlink(outside.root().join("stolen.key"), &key).expect("a link");
    process.hang_up();
    process.until_logged("cannot be read again", 1);
    assert!(process.log().contains("Permission denied"), "{}", process.log());
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    assert!(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "{status}");
    assert_eq!(wire::get(process.address, "/img/a.png?w=21", &[]).status, 200);
    process.terminate();
    assert!(process.wait(Duration::from_secs(60)).0.success());
}

#[test]
fn off_is_off() {
    let folder = Folder::new();
    let process = Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets(&folder, &["sandbox.mode=off"]));
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    assert!(status.contains("NoNewPrivs:\t0") && process.log().contains("sandbox: off"), "{status}");
}
