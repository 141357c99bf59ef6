//! The binary as a process, with what its first start prints.

use client::{Client, Vault};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running server on data of its own. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    pub(crate) address: SocketAddr,
    password: String,
}

impl Server {
    /// Starts it, and waits until it is ready.
    pub(crate) fn start(sets: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tintype-standalone"));
        command.arg("serve").current_dir(folder.path()).env("TINTYPE_LOG", "info");
        for set in
            ["server.listen=127.0.0.1:0", "server.admin=127.0.0.1:0", "log.format=json", "auth.passwords.memory=64KiB"]
        {
            command.args(["--set", set]);
        }
        for set in sets {
            command.args(["--set", set]);
        }
        let out = File::create(&log).expect("a log");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(out).spawn().expect("a binary");
        let told = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let password = told.filter_map(|line| line.trim().strip_prefix("password: ").map(str::to_owned)).next();
        let text = || std::fs::read_to_string(&log).unwrap_or_default();
        let password = password.unwrap_or_else(|| panic!("it tells no password: {}", text()));
        let began = Instant::now();
        let address = loop {
            let text = text();
            let line = text.lines().find(|line| line.contains("\"listening\""));
            if let Some(address) = line.and_then(|line| {
                let value: serde_json::Value = serde_json::from_str(line).ok()?;
                let field = value.get("address").or_else(|| value.get("fields")?.get("address"))?;
                field.as_str()?.parse().ok()
            }) {
                break address;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "it does not listen: {text}");
            std::thread::sleep(Duration::from_millis(20));
        };
        Self { child, folder, address, password }
    }

    /// Somebody who has signed in as the first administrator.
    pub(crate) async fn administrator(&self) -> Client {
        let vault = Vault::at(self.folder.path().join("credentials.json"));
        let client = Client::new(&format!("http://{}", self.address), vault).expect("an address");
        client.sign_in("admin@localhost", &self.password).await.expect("the password is right");
        client
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone_or_going = self.child.kill();
        let _reaped = self.child.wait();
    }
}
