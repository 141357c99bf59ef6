//! Keys that come and go while requests are served: their time, their bounds, their secrets in files, the configuration
//! read again; and no secret in any text that comes out.

use crate::server::{Server, sets};
use crate::signing::kind;
use signature::{Key, Request, sign};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use testkit::{Folder, Process, picture, wire};

const BINARY: &str = env!("CARGO_BIN_EXE_tintype");
const OLD: &str = "an old secret of the tests, 32 bytes and more";
const NEW: &str = "a new secret of the tests, 32 bytes and more";

fn signed(kid: &str, secret: &str, target: &str) -> String {
    let key = Key::new(kid, "default", secret.as_bytes()).expect("a long secret");
    let (path, query) = target.split_once('?').expect("a query");
    sign(&key, &Request { method: "GET", host: None, path, query: Some(query) }, None).expect("nothing forbids it")
}

fn status(process: &Process, target: &str) -> u16 {
    wire::get(process.address, target, &[]).status
}

/// A folder with a picture, a key file and a configuration that names it, and a server over it.
fn start(extra: &str) -> (Folder, Process) {
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(60, 40));
    folder.put("k1.key", format!("{OLD}\n"));
    write_config(&folder, extra);
    let config = folder.root().join("tintype.toml");
    let sets = sets(&folder, &["secrets.check=50ms"]);
    let process = Process::serve_with(Path::new(BINARY), &["--config", config.to_str().expect("UTF-8")], &sets);
    (folder, process)
}

fn write_config(folder: &Folder, extra: &str) {
    let key = folder.root().join("k1.key");
    let text = format!("[[signing.keys]]\nkid = \"k1\"\nsecret_file = \"{}\"\n{extra}", key.display());
    // As careful people replace files: never half there.
    folder.put("tintype.toml.new", text);
    std::fs::rename(folder.root().join("tintype.toml.new"), folder.root().join("tintype.toml")).expect("renamed");
}

#[test]
fn a_key_file_that_changes_is_read_again() {
    let (folder, process) = start("");
    let (old, new) = (signed("k1", OLD, "/img/a.png?w=20"), signed("k1", NEW, "/img/a.png?w=20"));
    assert_eq!((status(&process, &old), status(&process, &new)), (200, 403));
    assert_eq!(status(&process, "/img/a.png?w=20"), 403, "where there are keys, signatures are asked for");
    folder.put("k1.key", NEW);
    process.until_logged("configuration read again", 1);
    assert_eq!((status(&process, &old), status(&process, &new)), (403, 200));

    folder.put("k1.key", "too short");
    process.until_logged("what was in force stays", 1);
    assert_eq!((status(&process, &old), status(&process, &new)), (403, 200), "a bad file changes nothing");
    std::fs::remove_file(folder.root().join("k1.key")).expect("removed");
    process.until_logged("what was in force stays", 2);
    assert_eq!(status(&process, &new), 200, "nor does a missing one");
    folder.put("k1.key", OLD);
    process.until_logged("configuration read again", 2);
    assert_eq!((status(&process, &old), status(&process, &new)), (200, 403));

    let metrics = wire::get(process.admin, "/metrics", &[]).text();
    assert!(metrics.contains("tintype_reloads_total{result=\"done\"} 2"), "{metrics}");
    assert!(metrics.contains("tintype_reloads_total{result=\"refused\"} 2"), "{metrics}");
    process.terminate();
    let (_, log) = process.wait(Duration::from_secs(60));
    assert!(log.contains("has 9 bytes; at least 32"), "{log}");
    assert!(!log.contains(OLD) && !log.contains(NEW) && !log.contains("too short"), "{log}");
}

#[test]
fn the_configuration_is_read_again_on_a_signal() {
    let (folder, process) = start("");
    let second = signed("k2", NEW, "/img/a.png?w=20");
    assert_eq!(status(&process, &second), 403);
    let key = format!("[[signing.keys]]\nkid = \"k2\"\nsecret = \"{NEW}\"\n");
    write_config(&folder, &key);
    process.until_logged("configuration read again", 1);
    assert_eq!(status(&process, &second), 200);

    write_config(&folder, "[signing]\nmode = \"sometimes\"\n");
    process.until_logged("what was in force stays", 1);
    assert_eq!(status(&process, &second), 200, "a configuration with faults changes nothing");
    write_config(&folder, &format!("{key}[cache.memory]\nbytes = \"1MiB\"\n"));
    process.until_logged("takes effect at the next start", 1);
    let done = process.log().matches("configuration read again").count();
    process.hang_up();
    process.until_logged("configuration read again", done + 1);
    assert_eq!(status(&process, &second), 200);
    assert!(process.log().contains("\"reason\":\"SIGHUP\""));
    assert!(!process.log().contains(NEW));
}

#[test]
fn keys_have_their_time_and_their_bounds() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let secret = |number: usize| format!("signing.keys.{number}.secret={OLD}");
    let (first, second, third) = (secret(0), secret(1), secret(2));
    // Dates far enough from now that no test is slow enough to meet them.
    let server = Server::start(&[
        "signing.keys.0.kid=past",
        &first,
        "signing.keys.0.not_after=2026-01-01",
        "signing.keys.1.kid=future",
        &second,
        "signing.keys.1.not_before=2126-01-01T00:00:00Z",
        "signing.keys.2.kid=bound",
        &third,
        "signing.keys.2.parameters=w<=40, f=webp|png",
        "signing.keys.2.prefix=/img/public",
        "signing.keys.2.not_after=2100-01-01",
    ]);
    assert!(now > 1_767_225_600, "the clock of this machine is wrong");
    server.folder.put("a.png", picture::gradient(60, 40));
    server.folder.put("public/a.png", picture::gradient(60, 40));
    for kid in ["past", "future"] {
        let reply = server.get(&signed(kid, OLD, "/img/a.png?w=20"));
        assert_eq!((reply.status, kind(&reply).as_str()), (403, "bad-signature"), "{kid}");
        assert!(reply.text().contains("not in use yet, or not any more"), "{}", reply.text());
    }
    for (target, expected) in [
        ("/img/public/a.png?w=40&f=png", 200),
        ("/img/public/a.png?w=41&f=png", 403),
        ("/img/public/a.png?w=40&f=jpeg", 403),
        ("/img/public/a.png?w=40&h=40", 403),
        ("/img/a.png?w=40", 403),
    ] {
        assert_eq!(server.get(&signed("bound", OLD, target)).status, expected, "{target}");
    }
}

#[test]
fn no_secret_comes_out_of_the_command_line() {
    let folder = Folder::new();
    folder.put("k2.key", NEW);
    let file = folder.root().join("k2.key");
    folder.put(
        "tintype.toml",
        format!(
            "[[signing.keys]]\nkid = \"k1\"\nsecret = \"{OLD}\"\n[[signing.keys]]\nkid = \"k2\"\nsecret_file = \"{}\"\n\
             [[signing.keys]]\nkid = \"k3\"\nsecret_env = \"TINTYPE_TEST_KEY\"\n",
            file.display()
        ),
    );
    let config = folder.root().join("tintype.toml");
    let run = |arguments: &[&str], variable: Option<&str>| {
        let mut command = Command::new(BINARY);
        command.args(arguments).args(["--config", config.to_str().expect("UTF-8")]).env_remove("TINTYPE_TEST_KEY");
        let output = command.envs(variable.map(|value| ("TINTYPE_TEST_KEY", value))).output().expect("it starts");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains(OLD) && !text.contains(NEW), "{arguments:?}: {text}");
        (output.status.code(), text)
    };
    let effective = run(&["check-config", "--print", "effective"], Some(OLD));
    assert_eq!(effective.0, Some(0), "{}", effective.1);
    assert!(effective.1.contains("# secret = \"…\"") && effective.1.contains("k2.key"), "{}", effective.1);
    assert_eq!(run(&["check-config"], Some(OLD)).0, Some(0));
    let (code, text) = run(&["check-config"], None);
    assert_eq!(code, Some(1));
    assert!(text.contains("k3: the environment has no TINTYPE_TEST_KEY"), "{text}");
    let (code, text) = run(&["check-config"], Some("brief"));
    assert_eq!(code, Some(1));
    assert!(text.contains("has 5 bytes; at least 32") && !text.contains("brief"), "{text}");
    for (kid, secret) in [("k1", OLD), ("k2", NEW), ("k3", OLD)] {
        let (code, text) = run(&["sign", "/img/a.png?w=20", "--kid", kid], Some(OLD));
        assert_eq!((code, text.trim_end()), (Some(0), signed(kid, secret, "/img/a.png?w=20").as_str()));
    }
    folder.put("tintype.toml", format!("[[signing.keys]]\nkid = \"k1\"\nsecret = \"{OLD}\"\nsecret_file = \"x\"\n"));
    let (code, text) = run(&["serve"], None);
    assert_eq!(code, Some(3));
    assert!(text.contains("one of secret, secret_env, secret_file"), "{text}");
}
