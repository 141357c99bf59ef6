//! The same with a process for each part: the edge, auth, ingest, index and search are killed, one at a time and each again and
//! again, while the others go on.

use super::driver::{Driver, Random};
use super::{DRIVERS, JOBS, hunted, is_whole, kills, turn};
use crate::server::{BINARY, check};
use std::net::SocketAddr;
use std::path::Path;
use testkit::process::beside;
use testkit::redis::free;
use testkit::{Gateway, OpenSearch, Process};

/// Kills in all.
const KILLS: u64 = 60;
const ISSUER: &str = "http://auth.example";

/// A process that comes back where it was.
struct Victim {
    name: &'static str,
    sets: Vec<String>,
    process: Option<Process>,
}

impl Victim {
    fn start(name: &'static str, address: SocketAddr, sets: &[&[String]]) -> Self {
        let mut sets = sets.concat();
        sets.push(format!("server.listen={address}"));
        let mut victim = Self { name, sets, process: None };
        victim.again();
        victim
    }

    /// SIGKILL, and up again.
    fn again(&mut self) {
        drop(self.process.take());
        self.process = Some(Process::serve(&beside(BINARY, self.name), &self.sets));
    }

    fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }
}

/// Where everything is kept: one folder for all, as on one machine.
fn parts(data: &Path, finder: &OpenSearch) -> [Vec<String>; 4] {
    let place = |key: &str, name: &str| format!("{key}={}", data.join(name).display());
    [
        vec![place("store.root", "store")],
        vec![place("catalog.sqlite.path", "catalog.db")],
        JOBS.map(str::to_owned).into_iter().chain([place("jobs.path", "jobs.db")]).collect(),
        vec![
            "finder.engine=opensearch".into(),
            "finder.refresh=now".into(),
            "finder.replicas=0".into(),
            format!("finder.server={}", finder.url()),
        ],
    ]
}

#[test]
fn each_part_is_killed_and_nothing_is_lost_doubled_or_dangling() {
    let _alone = turn();
    let Some(finder) = OpenSearch::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let [auth, edge, ingest, index, search, admin] = std::array::from_fn(|_| free());
    let [store, catalog, jobs, finding] = parts(data, &finder);
    std::fs::create_dir_all(data.join("store/names")).expect("a folder");
    let unlimited = vec!["limits.rate=0.0".to_owned()];
    let door = vec![
        format!("access.issuers.0.issuer={ISSUER}/auth/v1"),
        format!("access.issuers.0.jwks=http://{auth}/auth/v1/jwks.json"),
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
    let told = vec![format!("ingest.edge.admin=http://{admin}")];
    let mut victims = vec![
        Victim::start("tintype-auth", auth, &[&own, &unlimited]),
        Victim::start("tintype", edge, &[&shown]),
        Victim::start("tintype-ingest", ingest, &[&store, &catalog, &jobs, &door, &told, &unlimited]),
        Victim::start("tintype-index", index, &[&catalog, &jobs, &finding, &door, &unlimited]),
        Victim::start("tintype-search", search, &[&finding, &door, &unlimited]),
    ];
    let log = victims[0].log();
    let password = log.lines().find_map(|line| line.split_once("with the password ")).expect("it is told").1;
    let ways = [("/auth/", auth), ("/ingest/", ingest), ("/index/", index), ("/search/", search), ("/a/", edge)];
    let gateway = Gateway::start(&ways);
    let drivers = (0..DRIVERS).map(|one| Driver::new(gateway.address, password, one + 100)).collect();
    let mut turn = 0;
    let mut drivers = hunted(drivers, kills(KILLS), &mut Random::new(7), |_| {
        let count = victims.len();
        victims[turn % count].again();
        turn += 1;
    });
    is_whole(&mut drivers);
    victims.clear();
    let said = check(data, &[store, catalog, jobs, finding].concat()).unwrap_or_else(|said| panic!("{said}"));
    assert!(said.contains("0 missing, 0 older, 0 extra"), "{said}");
}
