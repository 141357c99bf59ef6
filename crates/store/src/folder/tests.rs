//! The contract in a folder, and what only a folder has: locks, links that the edge follows, names that it cannot have.

use super::*;
use crate::{ContentKey, Contents, Name, Names, StageId, Staging, contract};
use bytes::Bytes;
use catalog::ContentHash;
use origin::Missing;
use origin::file::FileOrigin;

fn store() -> (tempfile::TempDir, FolderStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FolderStore::open(&folder.path().join("store")).expect("a store");
    (folder, store)
}

fn name(path: &str) -> Name {
    Name::new("main".parse().expect("a tenant"), path.parse().expect("a path"))
}

async fn kept(store: &FolderStore, bytes: &'static [u8]) -> ContentKey {
    let stage: StageId = "upload".parse().expect("a stage");
    let key = ContentKey::new("main".parse().expect("a tenant"), ContentHash::of(bytes));
    store.append(&stage, 0, Bytes::from_static(bytes)).await.expect("staged");
    store.keep(&stage, &key).await.expect("kept");
    store.discard(&stage).await.expect("discarded");
    key
}

#[tokio::test]
async fn the_contract_holds() {
    let (_folder, store) = store();
    contract::holds(&store, 64 << 10).await;
}

#[tokio::test]
async fn what_was_staged_is_there_for_the_next_process() {
    let (folder, store) = store();
    let stage: StageId = "upload".parse().unwrap();
    store.append(&stage, 0, Bytes::from_static(b"half")).await.unwrap();
    store.note(&stage, Bytes::from_static(b"of eight")).await.unwrap();
    drop(store);
    let store = FolderStore::open(&folder.path().join("store")).unwrap();
    assert_eq!(store.append(&stage, 4, Bytes::from_static(b"more")).await, Ok(8));
    assert_eq!(store.noted(&stage).await.unwrap().unwrap(), "of eight");
}

#[tokio::test]
async fn there_is_one_writer_at_a_time_and_none_after() {
    let (folder, store) = store();
    let stage: StageId = "upload".parse().unwrap();
    store.append(&stage, 0, Bytes::from_static(b"half")).await.unwrap();
    let file = std::fs::File::open(folder.path().join("store/staging/upload/data")).unwrap();
    file.lock().unwrap();
    assert_eq!(store.append(&stage, 4, Bytes::from_static(b"more")).await, Err(Failure::Busy));
    file.unlock().unwrap();
    let key = ContentKey::new("main".parse().unwrap(), ContentHash::of(b"half"));
    store.keep(&stage, &key).await.unwrap();
    assert_eq!(store.append(&stage, 4, Bytes::from_static(b"more")).await, Err(Failure::Busy));
    assert_eq!(store.read(&key, 0, 100).await.unwrap(), "half");
}

/// What the edge does with it: names are served, nothing else of the store is, and links lead nowhere outside.
#[tokio::test]
async fn the_edge_follows_names_inside_the_store_and_nothing_outside() {
    let (folder, store) = store();
    let root = folder.path().join("store");
    std::fs::write(folder.path().join("secret"), "outside").unwrap();
    let (first, second) = (kept(&store, b"first").await, kept(&store, b"second").await);
    store.link(&name("cats/tom.jpg"), &first.hash).await.unwrap();
    let edge = FileOrigin::open(&root, 1000).unwrap();
    let path = "names/main/cats/tom.jpg";
    assert_eq!(edge.fetch(path).await.unwrap().bytes, "first");
    let before = edge.look(path).await.unwrap();
    kept(&store, b"first").await;
    assert_eq!(edge.look(path).await.unwrap(), before, "kept once more, it is no other version");
    store.link(&name("cats/tom.jpg"), &second.hash).await.unwrap();
    assert_eq!(edge.fetch(path).await.unwrap().bytes, "second");
    assert_ne!(edge.look(path).await.unwrap().version, before.version);
    for (link, target) in [("up", "../../../secret"), ("far", "/etc/hostname"), ("loop", "loop")] {
        std::os::unix::fs::symlink(target, root.join("names/main").join(link)).unwrap();
        assert_eq!(edge.fetch(&format!("names/main/{link}")).await.err(), Some(Missing::NotFound), "{link}");
        assert_eq!(store.resolve(&name(link)).await, Ok(None), "{link} is none of ours");
    }
    store.unlink(&name("cats/tom.jpg")).await.unwrap();
    assert_eq!(edge.fetch(path).await.err(), Some(Missing::NotFound));
    assert!(!root.join("names/main/cats").exists(), "no folder is left that has nothing in it");
}

#[tokio::test]
async fn names_that_a_folder_cannot_have() {
    let (_folder, store) = store();
    let key = kept(&store, b"first").await;
    store.link(&name("cats"), &key.hash).await.unwrap();
    store.link(&name("dogs/rex.jpg"), &key.hash).await.unwrap();
    let long = format!("{}.jpg", "x".repeat(252));
    for path in ["cats/tom.jpg", "cats/a/b.jpg", "dogs", &long] {
        assert!(matches!(store.fits(&name(path)).await, Err(Failure::Name(_))), "{path}");
        assert!(matches!(store.link(&name(path), &key.hash).await, Err(Failure::Name(_))), "{path}");
    }
    store.unlink(&name("dogs/rex.jpg")).await.unwrap();
    assert_eq!(store.fits(&name("dogs")).await, Ok(()));
    assert_eq!(store.link(&name("dogs"), &key.hash).await, Ok(()), "what was a folder can be a name");
}

#[tokio::test]
async fn a_damaged_content_is_mended_by_the_next_who_has_it() {
    let (folder, store) = store();
    let key = kept(&store, b"whole").await;
    let file = folder.path().join("store").join(key.place());
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "wh").unwrap();
    kept(&store, b"whole").await;
    assert_eq!(store.read(&key, 0, 100).await.unwrap(), "whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn names_come_and_go_side_by_side() {
    let (_folder, store) = store();
    let key = kept(&store, b"first").await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let (store, hash) = (store.clone(), key.hash);
        tasks.spawn(async move {
            for turn in 0..40 {
                let name = name(&format!("a/b/{}/{task}.jpg", turn % 3));
                store.link(&name, &hash).await.expect("linked");
                assert_eq!(store.resolve(&name).await, Ok(Some(hash)));
                store.unlink(&name).await.expect("unlinked");
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(store.names(None, 10).await, Ok(vec![]));
}
