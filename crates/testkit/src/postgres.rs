//! A real PostgreSQL for tests: a cluster in a folder of its own, on a port that is free, ended with the test.
//!
//! Nothing is fsynced: what a crash of the machine would lose does not matter here.

use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// As whom the server runs where the test runs as root, which PostgreSQL refuses: nobody.
const NOBODY: u32 = 65_534;

/// A running server. Ended when dropped.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    folder: TempDir,
}

impl Postgres {
    /// The one superuser, who needs no password.
    pub const USER: &'static str = "tintype";
    /// A database that is there from the start.
    pub const DATABASE: &'static str = "postgres";

    /// Makes a cluster and starts it. `None`, with a line that says so, where it is not installed and `TINTYPE_NEED_SERVERS`
    /// does not demand it (`make test` installs it and does).
    ///
    /// # Panics
    /// Where it does not come up, or is demanded and missing.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            crate::skip("PostgreSQL is not installed (scripts/setup/test.sh does)");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        if geteuid().is_root() {
            std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may");
        }
        let data = folder.path().join("data");
        let mut made = unprivileged(&programs.join("initdb"), folder.path());
        made.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username", Self::USER]);
        let output = made.arg("--pgdata").arg(&data).output().expect("initdb is there");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let address = crate::redis::free();
        let mut server = unprivileged(&programs.join("postgres"), folder.path());
        server.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &address.port().to_string()]);
        let settings = ["fsync=off", "full_page_writes=off", "unix_socket_directories=", "shared_buffers=32MB"];
        server.args(settings.into_iter().flat_map(|setting| ["-c", setting]));
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        let child = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it is there");
        let server = Self { child, address, folder };
        server.wait();
        Some(server)
    }

    /// The log so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// As clients write it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{}@{}/{database}?sslmode=disable", Self::USER, self.address)
    }

    fn wait(&self) {
        let began = Instant::now();
        let file = self.folder.path().join("data/postmaster.pid");
        // Its last line says how far it is.
        let ready = || fs::read_to_string(&file).is_ok_and(|text| text.lines().any(|line| line.trim() == "ready"));
        while !ready() {
            assert!(began.elapsed() < Duration::from_secs(60), "PostgreSQL does not come up: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // QUIT ends its children too, at once. It may have ended by itself.
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _gone = kill_process(id, Signal::QUIT);
        }
        let _status = self.child.wait();
    }
}

fn unprivileged(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// The folder of the server's programs: Debian keeps them out of the path, one folder for each version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    folders.sort();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let named = folders.into_iter().rev().map(|(_, folder)| folder).chain(std::env::split_paths(&paths));
    named.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}
