//! The binary as a process, with what its first start prints; killed and started again on the same data.

use crate::flow::picture;
use client::{Client, Vault};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::Reply;

/// Its file.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tintype-standalone");

/// A running server on data of its own. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    sets: Vec<String>,
    /// What the first start imports.
    importing: Option<PathBuf>,
    pub(crate) address: SocketAddr,
    pub(crate) password: String,
}

impl Server {
    /// Starts it, and waits until it is ready.
    pub(crate) fn start(sets: &[String]) -> Self {
        Self::start_with("", sets)
    }

    /// The same with this file of configuration.
    pub(crate) fn start_with(file: &str, sets: &[String]) -> Self {
        Self::first(file, sets, None)
    }

    /// On embedded parts, with a folder for its first import.
    pub(crate) fn start_importing(pictures: &Path) -> Self {
        Self::first("", &[], Some(pictures.to_owned()))
    }

    fn first(file: &str, sets: &[String], importing: Option<PathBuf>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("config.toml"), file).expect("a file");
        let mut child = spawn(folder.path(), sets, importing.as_deref(), "127.0.0.1:0");
        let told = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let password = told.filter_map(|line| line.trim().strip_prefix("password: ").map(str::to_owned)).next();
        let password = password.unwrap_or_else(|| panic!("it tells no password: {}", log(folder.path())));
        let address = listening(folder.path());
        Self { child, folder, sets: sets.to_vec(), importing, address, password }
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

    /// Asks without signing in.
    pub(crate) async fn get(&self, url: &str, fields: &[(&str, &str)]) -> Reply {
        picture(self.address, url, fields).await
    }

    pub(crate) fn log(&self) -> String {
        log(self.folder.path())
    }

    /// Its admin listener.
    pub(crate) fn admin(&self) -> SocketAddr {
        told(&self.log(), "admin_address").expect("it listens")
    }

    /// SIGHUP.
    pub(crate) fn hang_up(&self) {
        let told = Command::new("sh").args(["-c", &format!("kill -HUP {}", self.child.id())]).status();
        assert!(told.expect("a shell").success());
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let _gone_or_going = self.child.kill();
        let _reaped = self.child.wait();
    }

    /// Begins it again where it was, and does not wait.
    pub(crate) fn begin(&mut self) {
        self.kill();
        self.child = spawn(self.folder.path(), &self.sets, self.importing.as_deref(), &self.address.to_string());
    }

    /// Starts it again where it was.
    pub(crate) fn again(&mut self) {
        self.begin();
        listening(self.folder.path());
    }

    /// Its own check of what it has left behind.
    pub(crate) fn check(&self) -> Result<String, String> {
        check(self.folder.path(), &self.sets)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `check`, in a folder: what it says, as an error where it finds something.
pub(crate) fn check(folder: &Path, sets: &[String]) -> Result<String, String> {
    let mut command = Command::new(BINARY);
    command.arg("check").current_dir(folder).args(sets.iter().flat_map(|set| ["--set", set]));
    let output = command.output().expect("a binary");
    let text = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
    if output.status.success() { Ok(text) } else { Err(text) }
}

fn spawn(folder: &Path, sets: &[String], importing: Option<&Path>, listen: &str) -> Child {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--config", "config.toml"]).current_dir(folder).env("TINTYPE_LOG", "info");
    for set in [&format!("server.listen={listen}"), "server.admin=127.0.0.1:0", "log.format=json"] {
        command.args(["--set", set]);
    }
    command.args(["--set", "auth.passwords.memory=64KiB"]).args(sets.iter().flat_map(|set| ["--set", set]));
    if let Some(pictures) = importing {
        command.arg("--first-import").arg(pictures);
    }
    let out = File::create(place(folder)).expect("a log");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(out).spawn().expect("a binary")
}

fn place(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(place(folder)).unwrap_or_default()
}

/// Waits until its log says where it listens.
fn listening(folder: &Path) -> SocketAddr {
    let began = Instant::now();
    loop {
        let text = log(folder);
        if let Some(address) = told(&text, "address") {
            return address;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it does not listen: {text}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An address that its first line names.
fn told(log: &str, name: &str) -> Option<SocketAddr> {
    let line = log.lines().find(|line| line.contains("\"listening\""))?;
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let field = value.get(name).or_else(|| value.get("fields")?.get(name))?;
    field.as_str()?.parse().ok()
}
