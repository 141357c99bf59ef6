//! The companion is killed while it indexes and rebuilds, again and again; what it has acknowledged is found, and nothing
//! is missing, doubled or back in the end.
//!
//! It is this very binary, started anew with the test [`consumer`] alone and told where its folder is.

use crate::bench::{engine, found, open};
use jobs::{JobKind, NewJob};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const FOLDER: &str = "TINTYPE_TEST_INDEX_FOLDER";
const KILLS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumer() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let bench = open(&folder).await;
    let finder = engine(&folder);
    bench.work(bench.indexer(&finder)).await.expect("no panic");
}

fn start(folder: &Path) -> Child {
    let binary = std::env::current_exe().expect("a path");
    let mut command = Command::new(binary);
    command.args(["--exact", "kill::consumer", "--nocapture"]).env(FOLDER, folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path()).await;
    let mut assets = Vec::new();
    for round in 0..KILLS {
        for number in 0..4 {
            assets.push(bench.create(round * 10 + number).await);
        }
        let at = round * 31 % assets.len();
        if let Some((asset, _)) = bench.change(&assets[at], round).await {
            assets[at] = asset;
        }
        if round % 8 == 3 {
            bench.queue.send(vec![NewJob::new(JobKind::REBUILD, json!({})).key("rebuild")]).await.unwrap();
        }
        bench.dispatch().await;
        let mut child = start(folder.path());
        tokio::time::sleep(Duration::from_millis(30 + (round * 37 % 170) as u64)).await;
        child.kill().expect("SIGKILL");
        child.wait().expect("it has ended");
    }
    let finder = engine(folder.path());
    let runner = bench.work(bench.indexer(&finder));
    bench.until_quiet().await;
    bench.end(runner).await;
    assert_eq!(found(&*finder).await, bench.live().await);
    let checked = bench.indexer(&finder).check(false, Duration::ZERO, |_| true).await.unwrap().unwrap();
    assert!(checked.is_sound() && checked.documents > 0, "{checked:?}");
}
