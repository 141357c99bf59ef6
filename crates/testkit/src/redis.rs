//! A real Redis for tests: `redis-server` on a port that is free, without anything on disk, ended with the test.

use crate::certificate::Authority;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    arguments: Vec<String>,
    /// Certificates, where it speaks TLS only.
    files: Option<TempDir>,
}

impl Redis {
    /// Starts one with these further arguments. `None`, with a line that says so, where it is not installed and
    /// `TINTYPE_NEED_SERVERS` does not demand it (`make test` installs it and does).
    ///
    /// # Panics
    /// Where it does not come up, or is demanded and missing.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Option<Self> {
        Self::begin(free(), arguments, None)
    }

    /// Starts one that speaks TLS only, certified by `authority` for 127.0.0.1, and asks its clients for certificates of
    /// the same. `None` as for [`Redis::start`].
    ///
    /// # Panics
    /// As [`Redis::start`].
    #[must_use]
    pub fn start_tls(authority: &Authority, arguments: &[&str]) -> Option<Self> {
        let (files, address) = (tempfile::tempdir().expect("a folder"), free());
        let (certificate, key) = authority.certify(&["127.0.0.1"]);
        let paths = [("cert", certificate), ("key", key), ("ca-cert", authority.pem())].map(|(name, content)| {
            let path = files.path().join(name);
            fs::write(&path, content).expect("a file");
            (format!("--tls-{name}-file"), path.to_str().expect("a path of the system's own making").to_owned())
        });
        let port = address.port().to_string();
        let mut own = vec!["--port", "0", "--tls-port", port.as_str()];
        own.extend(paths.iter().flat_map(|(name, path)| [name.as_str(), path.as_str()]));
        own.extend(arguments);
        Self::begin(address, &own, Some(files))
    }

    fn begin(address: SocketAddr, arguments: &[&str], files: Option<TempDir>) -> Option<Self> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        match spawn(address, &arguments) {
            Ok(child) => {
                let server = Self { child, address, arguments, files };
                server.wait();
                Some(server)
            }
            Err(error) => {
                crate::skip(&format!("redis-server cannot be started: {error}"));
                None
            }
        }
    }

    /// As clients write it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.files.is_some() { "rediss" } else { "redis" }, self.address)
    }

    /// Ends it at once, as a crash does. What it held is lost.
    pub fn kill(&mut self) {
        // Dead already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again at the same address.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.address, &self.arguments).expect("it was there before");
        self.wait();
    }

    /// Stops it where it stands: its connections stay open, and nobody answers.
    ///
    /// # Panics
    /// Where it has ended.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`Redis::freeze`].
    ///
    /// # Panics
    /// Where it has ended.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("an id above zero");
        kill_process(id, signal).expect("a child that is still there");
    }

    /// One inline command and the beginning of its answer.
    ///
    /// # Panics
    /// Where it does not answer.
    #[must_use]
    pub fn tell(&self, command: &str) -> String {
        self.try_tell(command).expect("it answers")
    }

    fn try_tell(&self, command: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut answer = [0; 512];
        let read = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
    }

    fn wait(&self) {
        let began = Instant::now();
        let answers = || match &self.files {
            None => self.try_tell("PING").is_ok_and(|said| said.starts_with("+PONG") || said.starts_with("-NOAUTH")),
            // It listens once it is ready.
            Some(_) => TcpStream::connect(self.address).is_ok(),
        };
        while !answers() {
            assert!(began.elapsed() < Duration::from_secs(30), "redis-server does not answer at {}", self.address);
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Three nodes that share the slots of a cluster.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes.
    pub nodes: Vec<Redis>,
    _folders: Vec<tempfile::TempDir>,
}

impl Cluster {
    /// Starts the nodes and joins them. `None` as for [`Redis::start`].
    ///
    /// # Panics
    /// Where they do not come to agree.
    #[must_use]
    pub fn start() -> Option<Self> {
        let (mut nodes, mut folders) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let folder = tempfile::tempdir().expect("a folder");
            // The port of the nodes' own talk: by default 10000 above, which may be taken or too high.
            let bus = free().port().to_string();
            let path = folder.path().to_str().expect("a path of the system's own making").to_owned();
            let node = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--dir", &path];
            nodes.push(Redis::start(&[&node[..], &["--cluster-announce-ip", "127.0.0.1"]].concat())?);
            folders.push(folder);
        }
        let cluster = Self { nodes, _folders: folders };
        cluster.join();
        Some(cluster)
    }

    /// The addresses of all nodes.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    fn join(&self) {
        let mut command = Command::new("redis-cli");
        command.args(["--cluster", "create"]);
        command.args(self.nodes.iter().map(|node| node.address.to_string()));
        let output = command.args(["--cluster-replicas", "0", "--cluster-yes"]).output().expect("redis-cli");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let began = Instant::now();
        while !self.nodes.iter().all(|node| node.tell("CLUSTER INFO").contains("cluster_state:ok")) {
            assert!(began.elapsed() < Duration::from_secs(60), "the nodes do not agree");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A port that was free a moment ago.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("bound")
}

fn spawn(address: SocketAddr, arguments: &[String]) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no", "--port"])
        .arg(address.port().to_string())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}
