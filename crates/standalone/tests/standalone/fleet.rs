//! A process for each part on embedded parts, as on one machine: the edge, auth, ingest, index and search behind one address.
//!
//! Each comes back where it was when it is started again. Invariant: they share a folder, and nothing else but the index's server.

use crate::server::{BINARY, check};
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;
use testkit::process::beside;
use testkit::redis::free;
use testkit::{Gateway, OpenSearch, Process};

const ISSUER: &str = "http://auth.example";

/// A process that can be killed and started again.
pub(crate) struct Part {
    name: &'static str,
    sets: Vec<String>,
    process: Option<Process>,
}

impl Part {
    fn start(name: &'static str, address: SocketAddr, sets: &[&[String]]) -> Self {
        let mut sets = sets.concat();
        sets.push(format!("server.listen={address}"));
        sets.push(format!("otlp.service_name={name}"));
        let mut part = Self { name, sets, process: None };
        part.again();
        part
    }

    /// SIGKILL, and up again.
    pub(crate) fn again(&mut self) {
        drop(self.process.take());
        self.process = Some(Process::serve(&beside(BINARY, self.name), &self.sets));
    }

    /// What it has logged since it was started last.
    pub(crate) fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }
}

/// All of them. Killed when dropped.
pub(crate) struct Fleet {
    pub(crate) parts: Vec<Part>,
    pub(crate) gateway: Gateway,
    /// Of the first administrator.
    pub(crate) password: String,
    /// Where things are: for the check.
    places: Vec<String>,
    _finder: OpenSearch,
    folder: TempDir,
}

/// Where everything is kept, by sections: store, catalog, jobs, finder.
fn places(data: &Path, finder: &OpenSearch) -> [Vec<String>; 4] {
    let place = |key: &str, name: &str| format!("{key}={}", data.join(name).display());
    let finder = [
        "finder.engine=opensearch".to_owned(),
        "finder.refresh=now".into(),
        "finder.replicas=0".into(),
        format!("finder.server={}", finder.url()),
    ];
    [
        vec![place("store.root", "store")],
        vec![place("catalog.sqlite.path", "catalog.db")],
        vec![place("jobs.path", "jobs.db")],
        finder.to_vec(),
    ]
}

impl Fleet {
    /// With these keys for all, for those that have jobs, and for ingest. `None` where the index's server is not installed.
    pub(crate) fn start(all: &[String], jobs: &[String], ingest: &[String]) -> Option<Self> {
        let finder = OpenSearch::start()?;
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path();
        let [auth_at, edge_at, ingest_at, index_at, search_at, admin] = std::array::from_fn(|_| free());
        let [store, catalog, queue, found] = places(data, &finder);
        std::fs::create_dir_all(data.join("store/names")).expect("a folder");
        let queue = [&queue[..], jobs].concat();
        let unlimited = [&["limits.rate=0.0".to_owned()][..], all].concat();
        let door = vec![
            format!("access.issuers.0.issuer={ISSUER}/auth/v1"),
            format!("access.issuers.0.jwks=http://{auth_at}/auth/v1/jwks.json"),
            "access.issuers.0.pause=1s".into(),
        ];
        let own = vec![
            format!("auth.database={}", data.join("auth.db").display()),
            format!("auth.secret_file={}", data.join("auth.secret").display()),
            format!("auth.public_url={ISSUER}"),
            "auth.passwords.memory=64KiB".into(),
            "auth.access_token=1h".into(),
        ];
        let shown = vec![
            "origins.0.name=store".into(),
            format!("origins.0.root={}", data.join("store").display()),
            "origins.0.folder=names/".into(),
            "routes.0.prefix=/a/".into(),
            "routes.0.origin=store".into(),
            format!("server.admin={admin}"),
        ];
        let told = [&[format!("ingest.edge.admin=http://{admin}")][..], ingest].concat();
        let parts = vec![
            Part::start("tintype-auth", auth_at, &[&own, &unlimited]),
            Part::start("tintype", edge_at, &[&shown, all]),
            Part::start("tintype-ingest", ingest_at, &[&store, &catalog, &queue, &door, &told, &unlimited]),
            Part::start("tintype-index", index_at, &[&catalog, &queue, &found, &door, &unlimited]),
            Part::start("tintype-search", search_at, &[&found, &door, &unlimited]),
        ];
        let log = parts[0].log();
        let password = log.lines().find_map(|line| line.split_once("with the password ")).expect("it is told").1;
        let gateway = Gateway::start(&[
            ("/auth/", auth_at),
            ("/ingest/", ingest_at),
            ("/index/", index_at),
            ("/search/", search_at),
            ("/a/", edge_at),
        ]);
        let places = [store, catalog, queue, found].concat();
        Some(Self { password: password.to_owned(), parts, gateway, places, _finder: finder, folder })
    }

    /// Ends all, and holds what they have left behind against each other.
    pub(crate) fn check(mut self) -> Result<String, String> {
        self.parts.clear();
        check(self.folder.path(), &self.places)
    }
}
