//! The embedded index is killed while it writes: what it acknowledged is there when it is opened again.

use crate::documents::{numbered, put};
use crate::engines::setting;
use finder::{Embedded, Finder as _};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

const FOLDER: &str = "TINTYPE_FINDER_KILLED";
const KILLS: u64 = 12;

/// Writes one document after the other, and says so of each, until it is killed. Every seventh write switches.
#[tokio::test]
async fn killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let engine = Embedded::open(setting(Path::new(&folder))).expect("an index");
    let mut next = engine.scan(None, 100_000).await.expect("an answer").len() as u64 + 1;
    loop {
        engine.apply(vec![put(&numbered(next, "x.jpg", "kept", &[]))]).await.expect("a batch");
        println!("acknowledged {next}");
        next += 1;
        if next.is_multiple_of(7) {
            let generation = engine.begin_rebuild().await.expect("a generation");
            let all = (1..next).map(|number| put(&numbered(number, "x.jpg", "kept", &[]))).collect();
            engine.apply_to(&generation, all).await.expect("a batch");
            engine.switch(&generation).await.expect("a switch");
            engine.drop_old().await.expect("an answer");
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "kill::killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test, again");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        for line in
            lines.map_while(Result::ok).filter(|line| line.contains("acknowledged ")).take(1 + kill as usize % 9)
        {
            let number = line.rsplit(' ').next().and_then(|number| number.parse().ok());
            acknowledged = number.expect("a number");
        }
        // At a moment that differs each time, in the midst of something.
        std::thread::sleep(std::time::Duration::from_micros(kill * 731 % 9_000));
        child.kill().expect("it runs");
        child.wait().expect("it ended");
        let engine = Embedded::open(setting(folder.path())).expect("an index");
        let found = engine.scan(None, 100_000).await.expect("an answer");
        let expected: Vec<u128> = (1..=found.len() as u128).collect();
        assert_eq!(found.iter().map(|(id, _)| id.as_u128()).collect::<Vec<_>>(), expected, "each once");
        assert!(found.len() as u64 >= acknowledged, "{} of {acknowledged} after kill {kill}", found.len());
    }
    assert!(acknowledged > KILLS, "it wrote between the kills");
}
