//! The server under load: started with a configuration of the scenario's, asked about itself, ended in order.
//!
//! What the kernel knows of it (memory, files, time on processors) comes from `/proc`: Linux only. Invariant: it ends with the
//! scenario, however that ends.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use testkit::certificate::Authority;
use testkit::client::{Client, HOST, Protocol, Wrong};
use testkit::wire::{self, Connection};
use testkit::{Folder, Process};

/// Longest orderly end.
const DRAIN: Duration = Duration::from_secs(60);

/// A running server with every protocol.
pub(crate) struct Edge {
    process: Process,
    authority: Authority,
    secure: SocketAddr,
    /// Certificates, and whatever a scenario puts there.
    _files: Folder,
}

impl Edge {
    /// Starts one that serves `samples/` below `/img/`, with these keys besides.
    pub(crate) fn start(binary: &Path, more: &[String]) -> Self {
        let (authority, files) = (Authority::new(), Folder::new());
        let issued = authority.issue(&[HOST]);
        files.put("cert.pem", issued.pem()).put("key.pem", issued.key_pem());
        let (place, samples) = (files.root().display(), samples());
        let mut sets = vec![
            format!("origins.0.root={}", samples.display()),
            "tls.listen=127.0.0.1:0".to_owned(),
            "tls.http3=true".to_owned(),
            format!("tls.certificates.0.cert={place}/cert.pem"),
            format!("tls.certificates.0.key={place}/key.pem"),
        ];
        sets.extend_from_slice(more);
        let process = Process::serve_in(binary, &[], &sets, &[("TINTYPE_LOG", "info,tintype::answer=warn")]);
        process.until_logged("\"tls\":true", 1);
        let line = process.log();
        let line = line.lines().find(|line| line.contains("\"tls\":true")).expect("waited for").to_owned();
        let secure = text(&line, "address").and_then(|text| text.parse().ok()).expect("the line names the address");
        Self { process, authority, secure, _files: files }
    }

    /// A connection of this kind.
    pub(crate) async fn connect(&self, protocol: Protocol) -> Result<Client, Wrong> {
        let address = if protocol.is_secure() { self.secure } else { self.process.address };
        Client::open(protocol, address, &self.authority.client(None, &[])).await
    }

    /// Where it serves in cleartext.
    pub(crate) fn address(&self) -> SocketAddr {
        self.process.address
    }

    /// Where it serves by TLS and QUIC.
    pub(crate) fn secure(&self) -> SocketAddr {
        self.secure
    }

    /// Makes it look at its files again.
    pub(crate) fn hang_up(&self) {
        self.process.hang_up();
    }

    /// An act or a reading of the admin listener: its body.
    pub(crate) fn admin(&self, method: &str, target: &str, body: &str) -> String {
        let length = body.len().to_string();
        let head = wire::head(method, target, &[("host", "admin"), ("content-length", &length)]);
        let reply = Connection::open(self.process.admin).and_then(|mut connection| {
            connection.send([head.as_bytes(), body.as_bytes()].concat())?;
            connection.reply(method)
        });
        reply.unwrap_or_else(|error| panic!("{method} {target} of the admin listener: {error}")).text()
    }

    /// All metrics as they are scraped.
    pub(crate) fn metrics(&self) -> Metrics {
        Metrics(self.admin("GET", "/metrics", ""))
    }

    /// Bytes of memory that it holds.
    pub(crate) fn resident(&self) -> u64 {
        self.process.resident()
    }

    /// Its open files and sockets.
    pub(crate) fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process.id())).map_or(0, Iterator::count)
    }

    /// Its threads.
    pub(crate) fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.process.id())).map_or(0, Iterator::count)
    }

    /// Lines of its log that tell of a defect.
    pub(crate) fn defects(&self) -> Vec<String> {
        let log = self.process.log();
        log.lines()
            .filter(|line| line.contains("\"level\":\"ERROR\"") || line.contains("panicked"))
            .map(str::to_owned)
            .collect()
    }

    /// SIGTERM: whether it drained and ended well.
    pub(crate) fn end(self) -> bool {
        self.process.terminate();
        self.process.wait(DRAIN).0.success()
    }
}

/// The pictures of the repository.
fn samples() -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("crates/testkit lies two folders below");
    root.join("samples")
}

/// The bytes of one of them.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    fs::read(samples().join(name)).unwrap_or_else(|error| panic!("samples/{name}: {error}"))
}

/// The text value of `name` in a line of JSON whose texts need no escapes.
fn text<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let (_, rest) = line.split_once(&format!("\"{name}\":\""))?;
    rest.split('"').next()
}

/// A page of metrics.
pub(crate) struct Metrics(String);

impl Metrics {
    /// The sum of all series of a family whose labels begin so; 0 where there is none.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let own = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{', ',', '}']));
        let value = |line: &str| line.rsplit(' ').next().and_then(|text| text.parse::<f64>().ok());
        self.0.lines().filter(own).filter_map(value).sum()
    }
}

/// What a scenario found.
#[derive(Default)]
pub(crate) struct Verdict(Vec<String>);

impl Verdict {
    /// Prints what is held against a budget, and remembers where it is not kept.
    pub(crate) fn hold(&mut self, kept: bool, what: String) {
        println!("{} {what}", if kept { "ok  " } else { "OVER" });
        if !kept {
            self.0.push(what);
        }
    }

    /// The program's end.
    pub(crate) fn tell(&self) -> ExitCode {
        if self.0.is_empty() {
            println!("All within budget.");
            return ExitCode::SUCCESS;
        }
        println!("OVER BUDGET: {}", self.0.join("; "));
        ExitCode::FAILURE
    }
}
