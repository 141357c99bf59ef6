//! Consumers that are killed in the middle of work, again and again: nothing is lost, and nothing is done to no end.
//!
//! The consumers are this very binary, started anew with the test [`consumer`] alone and told where the queue is.

use jobs::{Ended, JobKind, NewJob, Policy, Queue, Runner, SqliteQueue, Work};
use serde_json::json;
use service::drain::Drain;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const KIND: JobKind = JobKind::of("touch");
const FOLDER: &str = "TINTYPE_TEST_KILLED_FOLDER";
/// Consumers that are killed.
const KILLS: u32 = 200;
/// Jobs that are sent with each of them.
const EACH: u64 = 5;

/// What a consumer does: a file for each job, then the job is done. Without its variable it is no test.
#[tokio::test]
async fn consumer() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let queue: Arc<dyn Queue> = Arc::new(SqliteQueue::open(&folder.join("jobs.db")).await.expect("a queue"));
    let policy = Policy { lease: Duration::from_millis(150), attempts: 1000, ..Policy::default() };
    let handler = move |work: Work| {
        let folder = folder.clone();
        async move {
            let name = format!("{}-{}", work.job.payload, work.job.attempts);
            std::fs::write(folder.join("begun").join(&name), b"").expect("a file");
            tokio::time::sleep(Duration::from_millis(3)).await;
            std::fs::write(folder.join("ended").join(name), b"").expect("a file");
            Ok(Ended::Done)
        }
    };
    Runner::new(queue).with(KIND, policy, handler).run(Drain::new()).await;
}

fn start(folder: &Path) -> Child {
    let binary = std::env::current_exe().expect("a path");
    let mut command = Command::new(binary);
    command.args(["--exact", "consumer", "--nocapture"]).env(FOLDER, folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process")
}

fn names(folder: &Path) -> Vec<(u64, u32)> {
    let names = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").file_name());
    let names = names.map(|name| name.into_string().expect("ASCII"));
    let pairs = names.map(|name| {
        let (job, attempt) = name.split_once('-').expect("two numbers");
        (job.parse().expect("a number"), attempt.parse().expect("a number"))
    });
    pairs.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_are_killed_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["begun", "ended"] {
        std::fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    let queue = SqliteQueue::open(&folder.path().join("jobs.db")).await.expect("a queue");
    let mut sent = 0;
    for round in 0..KILLS {
        let jobs: Vec<NewJob> = (sent..sent + EACH).map(|number| NewJob::new(KIND, json!(number))).collect();
        queue.send(jobs).await.expect("taken in");
        sent += EACH;
        let mut child = start(folder.path());
        // From before it has opened the queue to the middle of its work.
        tokio::time::sleep(Duration::from_millis(15 + u64::from(round * 7 % 60))).await;
        child.kill().expect("SIGKILL");
        child.wait().expect("it has ended");
    }
    let mut last = start(folder.path());
    let began = Instant::now();
    loop {
        let depth = queue.depth().await.expect("asked");
        assert_eq!(depth.dead, 0, "none is given up");
        if depth.ready + depth.leased + depth.delayed == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "not worked off: {depth:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    last.kill().expect("SIGKILL");
    last.wait().expect("it has ended");
    let (begun, ended) = (names(&folder.path().join("begun")), names(&folder.path().join("ended")));
    let mut done: Vec<u64> = ended.iter().map(|(job, _)| *job).collect();
    done.sort_unstable();
    done.dedup();
    assert_eq!(done, (0..sent).collect::<Vec<_>>(), "each was done");
    // Kills hit work that was under way: otherwise this proves nothing.
    assert!(begun.len() > ended.len(), "{} begun, {} ended", begun.len(), ended.len());
    let again = ended.len() - done.len();
    println!("{KILLS} kills: {sent} jobs, {} attempts begun, {} ended, {again} done again", begun.len(), ended.len());
}
