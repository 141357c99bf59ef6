//! The first start: pictures that are there from the start, also where it was cut off; and a password that was lost.

use crate::server::Server;
use client::{Client, Vault};
use std::process::Command;
use std::time::{Duration, Instant};

/// Every file below a folder.
fn files(folder: &std::path::Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map_while(Result::ok) {
        match entry.file_type().expect("a kind") {
            kind if kind.is_dir() => files(&entry.path(), into),
            kind if kind.is_file() => into.push(entry.path()),
            _link => {}
        }
    }
}

async fn listed(client: &Client) -> Vec<(String, u64)> {
    let page = client.list(None, 200).await.expect("a list");
    page.assets.into_iter().map(|asset| (asset.path, asset.version)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_import_goes_on_after_a_kill_and_leaves_no_token() {
    const COUNT: usize = 24;
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("samples");
    std::fs::create_dir(&pictures).unwrap();
    for number in 0..COUNT {
        let picture = testkit::picture::noise(240, 160, number as u64);
        std::fs::write(pictures.join(format!("{number:02}.png")), picture).unwrap();
    }
    std::fs::write(pictures.join("broken.jpg"), "no picture").unwrap();
    let mut server = Server::start_importing(&pictures);
    let client = server.administrator().await;
    let began = Instant::now();
    while listed(&client).await.len() < 3 {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", server.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.kill();
    let mut left = Vec::new();
    files(&server.folder().join("data"), &mut left);
    assert!(left.iter().any(|file| file.ends_with("first-import.journal")), "it was cut off: {left:?}");
    for file in left {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(5).any(|some| some == b"eyJ0e"), "a token in {}", file.display());
    }

    server.again();
    let journal = server.folder().join("data/first-import.journal");
    while journal.exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let listed = listed(&client).await;
    assert_eq!(listed.len(), COUNT, "{listed:?}");
    assert!(listed.iter().all(|(path, version)| path.starts_with("samples/") && *version == 1), "{listed:?}");
    client.delete(&client.find("samples/00.png").await.unwrap().unwrap().id, None).await.unwrap();
    server.again();
    assert!(!journal.exists() && client.find("samples/00.png").await.unwrap().is_none(), "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_password_is_replaced_and_its_sessions_end() {
    let server = Server::start(&[]);
    let before = server.administrator().await;
    let reset = |email: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tintype-standalone"));
        command.args(["reset-password", email, "--set", "auth.passwords.memory=64KiB"]);
        command.current_dir(server.folder()).output().expect("a binary")
    };
    let told = reset("admin@localhost");
    let text = String::from_utf8(told.stdout).unwrap();
    let password = text.lines().find_map(|line| line.strip_prefix("password: ")).expect("a password").to_owned();
    let vault = Vault::at(server.folder().join("other.json"));
    let after = Client::new(&format!("http://{}", server.address), vault).unwrap();
    after.sign_in("admin@localhost", &password).await.unwrap();
    assert_eq!(after.account().await.unwrap().tenant, "main");
    assert!(before.sign_in("admin@localhost", "what it was before, or anything").await.is_err());
    let none = reset("nobody@localhost");
    assert!(!none.status.success() && String::from_utf8_lossy(&none.stderr).contains("no account"));
}
