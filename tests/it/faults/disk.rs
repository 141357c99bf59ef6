//! The disk tier's folder is full, read-only, unreadable, gone.

use super::{Edge, right};
use crate::server::cache;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const WRITTEN: &str = "tintype_tier_events_total{tier=\"disk\",event=\"written\"}";

/// A file system of its own, of two megabytes; gone when dropped.
struct Small(TempDir);

impl Small {
    /// `None`, with a line that says so, where this may not be mounted.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let small = ["-t", "tmpfs", "-o", "size=2m", "tintype-test"];
        match Command::new("mount").args(small).arg(folder.path()).output() {
            Ok(output) if output.status.success() => Some(Self(folder)),
            why => {
                println!("skipped: no tmpfs can be mounted here (root may): {why:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, option: &str) {
        let output = Command::new("mount").args(["-o", option]).arg(self.path()).output().expect("mount");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: the server may still hold a file.
        let _gone = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

fn edge(folder: &Path) -> Edge {
    let path = format!("cache.disk.path={}", folder.display());
    Edge::start(&[&path, "cache.disk.bytes=1GiB", "cache.disk.failures=2", "cache.disk.pause=50ms"])
}

#[test]
fn full_and_read_only() {
    let Some(small) = Small::mount() else { return };
    let edge = edge(&small.path().join("tier"));
    edge.recovers("disk");
    let (ballast, room) = (small.path().join("ballast"), vec![0; 4 << 20]);
    edge.hits_hold("a full disk", |on| {
        if on {
            // Whatever fits.
            let _full = fs::write(&ballast, &room);
        } else {
            let _was_it_there = fs::remove_file(&ballast);
            fs::read_dir(small.path().join("tier")).expect("a folder").for_each(|entry| {
                let _gone = entry.map(|entry| fs::remove_dir_all(entry.path()));
            });
        }
    });
    assert!(edge.server.metric("tintype_tier_events_total{tier=\"disk\",event=\"write-failed\"}") > 0.0);
    fs::remove_file(&ballast).expect("it was there");
    edge.recovers("disk");
    // Two megabytes are full after a hundred entries: room for those to come.
    let room = |edge: &Edge| {
        fs::read_dir(small.path().join("tier")).expect("a folder").for_each(|entry| {
            let _gone = entry.map(|entry| fs::remove_dir_all(entry.path()));
        });
        edge.recovers("disk");
    };
    room(&edge);
    edge.hits_hold("a read-only disk", |on| small.remount(if on { "remount,ro" } else { "remount,rw" }));
    small.remount("remount,rw");
    room(&edge);
    // Whoever comes next finds what was written last.
    let before = edge.server.metric(WRITTEN);
    let (number, _) = edge.miss();
    edge.server.until(WRITTEN, before + 1.0);
    assert_eq!(cache(&right(&edge.other(&[]), number)), "tintype; hit; detail=disk");
}

#[test]
fn unreadable_and_gone() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("tier");
    let edge = edge(&folder);
    let known: Vec<u32> = (0..4).map(|_| edge.miss().0).collect();
    edge.server.until(WRITTEN, 4.0);
    // Folders in the place of files are unreadable for root too.
    for file in files(&folder) {
        fs::remove_file(&file).and_then(|()| fs::create_dir(&file)).expect("writable");
    }
    let other = edge.other(&["cache.memory.bytes=0"]);
    for number in &known {
        assert_eq!(cache(&right(&other, *number)), "tintype; fwd=miss; stored");
    }
    edge.hits_hold("a folder that is gone", |on| {
        if on {
            let _gone = fs::remove_dir_all(&folder);
            fs::write(&folder, "a file in its place").expect("writable");
        } else {
            let _was_it_there = fs::remove_file(&folder);
            fs::create_dir_all(&folder).expect("writable");
        }
    });
    fs::remove_file(&folder).and_then(|()| fs::create_dir_all(&folder)).expect("writable");
    edge.recovers("disk");
}

/// The entries' files.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let folders = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
    folders
        .flat_map(|folder| fs::read_dir(folder).expect("a folder"))
        .map(|file| file.expect("readable").path())
        .collect()
}
