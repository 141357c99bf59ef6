//! A server as a process of its own: started on ports that the system chooses, told of by its log, ended by signals.
//!
//! It logs JSON, one object per line; the line `listening` names both addresses.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    /// Where it serves.
    pub address: SocketAddr,
    /// Where it tells of itself.
    pub admin: SocketAddr,
}

impl Process {
    /// Starts `binary serve` with each of `sets` as `--set`, and waits until it listens.
    ///
    /// # Panics
    /// Where it ends before that; its log is in the message.
    #[must_use]
    pub fn serve(binary: &Path, sets: &[String]) -> Self {
        Self::serve_with(binary, &[], sets)
    }

    /// The same with further arguments, such as `--config FILE`.
    ///
    /// # Panics
    /// Likewise.
    #[must_use]
    pub fn serve_with(binary: &Path, arguments: &[&str], sets: &[String]) -> Self {
        Self::serve_in(binary, arguments, sets, &[])
    }

    /// The same with these variables in its environment.
    ///
    /// # Panics
    /// Likewise.
    #[must_use]
    pub fn serve_in(binary: &Path, arguments: &[&str], sets: &[String], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary);
        command.arg("serve").args(arguments).env("TINTYPE_LOG", "debug").envs(environment.iter().copied());
        for set in ["server.listen=127.0.0.1:0", "server.admin=127.0.0.1:0", "log.format=json"] {
            command.args(["--set", set]);
        }
        for set in sets {
            command.args(["--set", set]);
        }
        let mut child =
            command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a binary that can be started");
        let log = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().expect("standard error is piped")).lines();
        let reader = thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in lines.map_while(Result::ok) {
                    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                    log.push_str(&line);
                    log.push('\n');
                }
            }
        });
        let began = Instant::now();
        let (address, admin) = loop {
            let text = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(line) = text.lines().find(|line| line.contains("\"listening\"")) {
                let address = |name| value(line, name).and_then(|text| text.parse().ok());
                break address("address").zip(address("admin_address")).expect("the line names both addresses");
            }
            let ended = child.try_wait().expect("a child can be asked");
            assert!(ended.is_none() && began.elapsed() < Duration::from_secs(30), "it does not listen: {text}");
            thread::sleep(Duration::from_millis(5));
        };
        Self { child, log, reader: Some(reader), address, admin }
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Bytes of memory that it holds now.
    ///
    /// # Panics
    /// Elsewhere than on Linux, or where it has ended.
    #[must_use]
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a running process");
        let kibibytes: u64 = held.trim().trim_end_matches(" kB").parse().expect("a number");
        kibibytes << 10
    }

    /// SIGTERM.
    ///
    /// # Panics
    /// Where it has ended already.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGHUP.
    ///
    /// # Panics
    /// Where it has ended already.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("an id above zero");
        kill_process(id, signal).expect("a child that is still there");
    }

    /// Waits until its log has this text `times` times.
    ///
    /// # Panics
    /// Where it has not within a minute.
    pub fn until_logged(&self, text: &str, times: usize) {
        let began = Instant::now();
        while self.log().matches(text).count() < times {
            assert!(began.elapsed() < Duration::from_secs(60), "never logged {times} times: {text}: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end and gives its status and whole log.
    ///
    /// # Panics
    /// Where it does not end within `limit`.
    pub fn wait(mut self, limit: Duration) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                break status;
            }
            assert!(began.elapsed() < limit, "it still runs after {limit:?}: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        };
        let reader = self.reader.take().expect("it is waited for once");
        reader.join().expect("the reader of the log does not panic");
        (status, self.log())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already where the test went well.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A binary of another crate, which the same build has put beside `binary`. With `cargo test --workspace` they all are there.
///
/// # Panics
/// Where it has not been built.
#[must_use]
pub fn beside(binary: &str, name: &str) -> PathBuf {
    let path = Path::new(binary).with_file_name(name);
    assert!(path.is_file(), "{} has not been built: cargo build --workspace --bins", path.display());
    path
}

/// The text value of `name` in a line of JSON whose texts need no escapes.
fn value<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let (_, rest) = line.split_once(&format!("\"{name}\":\""))?;
    rest.split('"').next()
}
