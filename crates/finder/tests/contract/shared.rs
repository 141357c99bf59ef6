//! Several processes over one index: who writes tells the others, through a real Redis.

use crate::documents::{numbered, put};
use crate::engines::remote;
use finder::{Finder as _, OpenSearch, OpenSearchSetting, Shared};
use std::sync::Arc;
use std::time::Duration;
use testkit::Redis;

#[tokio::test]
async fn epochs_are_told_and_answers_are_kept() {
    let (Some(mut redis), Some(server)) = (Redis::start(&[]), testkit::OpenSearch::start()) else { return };
    let shared = || Shared::new(&redis.url(), "test").expect("a URL of Redis");
    let engine = |shared: Shared| {
        let setting = OpenSearchSetting { changes: Some(Arc::new(shared)), ..remote(&server, "assets") };
        OpenSearch::new(setting).expect("a client")
    };
    let (writer, reader, kept) = (engine(shared()), engine(shared()), shared());
    let (main, other) = (["main"], ["other"]);
    let epochs = async || {
        let (main, other) = (reader.epoch(Some(&main)).await, reader.epoch(Some(&other)).await);
        let all = reader.epoch(None).await;
        [main, other, all].map(|epoch| epoch.expect("an answer").expect("a number"))
    };
    let before = epochs().await;
    assert_eq!(epochs().await, before);
    writer.apply(vec![put(&numbered(1, "x.jpg", "", &[]))]).await.expect("a batch");
    let after = epochs().await;
    assert!(after[0] != before[0] && after[1] == before[1] && after[2] != before[2], "{before:?} {after:?}");
    let generation = writer.begin_rebuild().await.expect("a generation");
    writer.switch(&generation).await.expect("a switch");
    let switched = epochs().await;
    assert!((0..3).all(|at| switched[at] != after[at]), "{after:?} {switched:?}");
    let generation = writer.begin_rebuild().await.expect("a generation");
    let silent = OpenSearch::new(remote(&server, "assets")).expect("a client");
    silent.switch(&generation).await.expect("a switch that tells nobody");
    writer.switch(&generation).await.expect("asked again");
    let again = epochs().await;
    assert!((0..3).all(|at| again[at] != switched[at]), "{switched:?} {again:?}");

    assert_eq!(kept.get("answer").await.expect("an answer"), None);
    kept.put("answer", b"yes", Duration::from_secs(60)).await.expect("it is kept");
    assert_eq!(kept.get("answer").await.expect("an answer"), Some(b"yes".to_vec()));

    redis.kill();
    // Writes go on; nobody can be told, and nobody may keep.
    writer.apply(vec![put(&numbered(2, "x.jpg", "", &[]))]).await.expect("a batch");
    assert!(reader.epoch(Some(&main)).await.is_err_and(|error| error.is_transient()));
    redis.restart();
    for _ in 0..200 {
        if reader.epoch(None).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!epochs().await.iter().any(|epoch| switched.contains(epoch)), "a Redis that lost all begins elsewhere");
}
