//! Two stores, and what a check says and repairs.

use super::*;
use crate::api::tests::bench::{Bench, Who, png};
use catalog::{ContentHash, TenantId};
use std::sync::Arc;
use store::{ContentKey, FolderStore, Name, Store};

fn key(seed: u32) -> ContentKey {
    ContentKey::new("main".parse().expect("a sound name"), ContentHash::of(&png(seed)))
}

fn name(path: &str) -> Name {
    Name::new("main".parse::<TenantId>().expect("a sound name"), path.parse().expect("a sound name"))
}

fn counts(checked: &Checked) -> [u64; 5] {
    [checked.missing, checked.different, checked.extra, checked.damaged, checked.repaired]
}

fn against(bench: &Bench, store: &Arc<dyn Store>, repair: bool) -> Check {
    let replica = Replica { store: Arc::clone(store), catalog: None };
    Check::new(bench.desk.clone(), replica, repair, Duration::from_millis(10))
}

/// Whatever the other store is.
async fn is_filled(bench: &Bench, other: Arc<dyn Store>) {
    for (path, seed) in [("a.png", 1), ("b/c.png", 3), ("d.png", 5)] {
        assert_eq!(bench.put(path, &png(seed)).await.status(), 201);
    }
    let seen = against(bench, &other, false).all().await.expect("both answer");
    assert_eq!((counts(&seen), seen.contents, seen.names), ([6, 0, 0, 0, 0], 3, 3));
    assert_eq!(other.look(&key(1)).await, Ok(None), "a check without repair writes nothing");
    let filled = against(bench, &other, true).all().await.expect("both answer");
    assert_eq!(counts(&filled), [6, 0, 0, 0, 6]);
    assert!(filled.is_sound());
    for (path, seed) in [("a.png", 1), ("b/c.png", 3), ("d.png", 5)] {
        let bytes = other.read(&key(seed), 0, 1 << 20).await.expect("it is there");
        assert_eq!((bytes.to_vec(), other.resolve(&name(path)).await), (png(seed), Ok(Some(key(seed).hash))));
    }
    assert_eq!(
        counts(&against(bench, &other, true).all().await.expect("both answer")),
        [0; 5],
        "and then there is nothing to do"
    );
    // Replaced and deleted here: leads elsewhere there, and is more there.
    bench.put("a.png", &png(7)).await;
    let answer = bench.ask(Who::Editor, "GET", "/ingest/v1/paths/d.png", &[], "").await;
    let id = answer.json()["asset"]["id"].as_str().expect("an id").to_owned();
    bench.ask(Who::Editor, "DELETE", &format!("/ingest/v1/assets/{id}"), &[], "").await;
    let seen = against(bench, &other, false).all().await.expect("both answer");
    assert_eq!(counts(&seen), [1, 1, 1, 0, 0], "{:?}", seen.findings);
    let repaired = against(bench, &other, true).all().await.expect("both answer");
    assert_eq!(counts(&repaired), [1, 1, 1, 0, 2]);
    assert_eq!(other.resolve(&name("a.png")).await, Ok(Some(key(7).hash)));
    assert_eq!(other.resolve(&name("d.png")).await, Ok(Some(key(5).hash)), "nothing is removed");
    assert_eq!(other.stages(None, 10).await, Ok(vec![]));
}

#[tokio::test]
async fn a_folder_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let other: Arc<dyn Store> = Arc::new(FolderStore::open(folder.path()).unwrap());
    is_filled(&Bench::new().await, other).await;
}

#[tokio::test]
async fn a_bucket_is_filled() {
    let server = testkit::s3::Inside::start(&["copy"]);
    let sets = testkit::s3::sets("s3", "s3", server.address, "copy");
    let config = service::config::load::<store::StoreConfig>(None, [], &sets).expect("sound").config;
    is_filled(&Bench::new().await, store::open(&config, &aws::Aws::new()).expect("a store")).await;
}

#[tokio::test]
async fn what_is_damaged_is_not_spread() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let other: Arc<dyn Store> = Arc::new(FolderStore::open(folder.path()).unwrap());
    bench.put("a.png", &png(1)).await;
    bench.put("b.png", &png(2)).await;
    let file = |root: &std::path::Path, seed| {
        let hash = key(seed).hash.to_string();
        root.join(format!("content/main/{}/{hash}", &hash[..2]))
    };
    let overwrite = |path: &std::path::Path, bytes: &[u8]| {
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    assert!(against(&bench, &other, true).all().await.unwrap().is_sound());
    // A copy that broke off there, and one that is lost there and damaged here.
    overwrite(&file(folder.path(), 1), b"short");
    std::fs::remove_file(file(folder.path(), 2)).unwrap();
    let mut bytes = png(2);
    bytes[40] ^= 1;
    overwrite(&file(&bench.root(), 2), &bytes);
    let checked = against(&bench, &other, true).all().await.unwrap();
    assert_eq!(counts(&checked), [0, 1, 0, 1, 1], "{:?}", checked.findings);
    assert!(!checked.is_sound());
    assert_eq!(other.look(&key(2)).await, Ok(None));
    assert_eq!(other.read(&key(1), 0, 1 << 20).await.unwrap().to_vec(), png(1));
}

#[tokio::test]
async fn records_of_a_second_catalog_are_compared() {
    let (bench, there) = (Bench::new().await, Bench::new().await);
    bench.put("a.png", &png(1)).await;
    there.put("a.png", &png(1)).await;
    let replica = Replica { store: Arc::clone(&there.store), catalog: Some(Arc::clone(&there.catalog)) };
    let checked = Check::new(bench.desk.clone(), replica, true, Duration::ZERO).all().await.unwrap();
    assert_eq!((counts(&checked), checked.records), ([1, 0, 0, 0, 0], 1));
    assert_eq!((checked.findings[0].what, checked.findings[0].difference), (What::Records, Difference::Missing));
    let same = Replica { store: Arc::clone(&bench.store), catalog: Some(Arc::clone(&bench.catalog)) };
    let checked = Check::new(bench.desk.clone(), same, true, Duration::ZERO).all().await.unwrap();
    assert_eq!((counts(&checked), checked.records), ([0; 5], 1));
}

/// What is said as progress is all that another attempt needs.
#[tokio::test]
async fn a_check_goes_on_where_it_was() {
    let (bench, folder) = (Bench::new().await, tempfile::tempdir().unwrap());
    let other: Arc<dyn Store> = Arc::new(FolderStore::open(folder.path()).unwrap());
    bench.put("a.png", &png(1)).await;
    bench.put("b.png", &png(2)).await;
    let whole = against(&bench, &other, false).all().await.unwrap();
    let mut checked = Checked::default();
    let mut steps = 0;
    while checked.at != What::Nothing {
        let said = serde_json::to_value(&checked).unwrap();
        checked = against(&bench, &other, false).step(serde_json::from_value(said).unwrap()).await.unwrap();
        steps += 1;
    }
    assert_eq!(checked, whole);
    assert!(steps > 3, "{steps}");
    let odd = Checked { after: Some("no place".to_owned()), ..Checked::default() };
    assert!(against(&bench, &other, false).step(odd).await.is_err());
}
