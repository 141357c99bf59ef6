//! A server that speaks as OpenSearch does, for tests: everything in memory, on a port that is free, ended with the test.
//!
//! It is `osmem-server`, not OpenSearch: what it proves is that requests and answers are understood, not how the real
//! one ranks or how quick it is.

use crate::wire::Connection;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A running server. Killed when dropped; it ends by itself when this process does.
#[derive(Debug)]
pub struct OpenSearch {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl OpenSearch {
    /// Starts one, empty. `None`, with a line that says so, where it is not installed and `TINTYPE_NEED_SERVERS` does not
    /// demand it (`make test` installs it and does).
    ///
    /// # Panics
    /// Where it does not come up, or is demanded and missing.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(binary) = binary() else {
            crate::skip("osmem-server is not installed (scripts/setup/test.sh does)");
            return None;
        };
        let address = crate::redis::free();
        let mut command = Command::new(binary);
        command.args(["-addr", &address.to_string()]);
        // It ends when its standard input does: with this process, however that ends.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("a binary that can be started");
        let server = Self { child, address };
        let began = Instant::now();
        while Connection::open(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "osmem-server does not answer at {address}");
            thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }

    /// As clients write it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process, for what it costs.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once. What it held is lost.
    pub fn kill(&mut self) {
        // Dead already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for OpenSearch {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where the wheel keeps it: in a folder that is named after Python's version.
fn binary() -> Option<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.tools/opensearch/lib"));
    let versions = std::fs::read_dir(root).ok()?;
    let inside = |version: std::fs::DirEntry| version.path().join("site-packages/osmem_server/bin/osmem-server");
    versions.flatten().map(inside).find(|binary| binary.is_file())
}
