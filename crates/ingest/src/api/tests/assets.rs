//! What there is, and its changes: who may, what follows, and how it is undone.

use super::bench::{Bench, Who, png};
use crate::work;
use serde_json::json;
use std::time::Duration;

async fn id(bench: &Bench, path: &str, seed: u32) -> String {
    let answer = bench.put(path, &png(seed)).await;
    answer.json()["asset"]["id"].as_str().unwrap_or_else(|| panic!("{}", answer.json())).to_owned()
}

#[tokio::test]
async fn who_may_do_what() {
    let bench = Bench::new().await;
    let id = id(&bench, "a.png", 1).await;
    let one = format!("/ingest/v1/assets/{id}");
    let content = format!("{one}/content");
    for (method, path, who, status) in [
        ("GET", "/ingest/v1/assets", Who::Nobody, 401),
        ("GET", "/ingest/v1/assets", Who::Viewer, 200),
        ("GET", "/ingest/v1/assets?tenant=main", Who::Stranger, 403),
        ("GET", "/ingest/v1/assets?tenant=main", Who::Operator, 403),
        ("GET", &one, Who::Viewer, 200),
        ("GET", &one, Who::Nobody, 401),
        ("GET", "/ingest/v1/paths/a.png", Who::Viewer, 200),
        ("GET", "/ingest/v1/paths/none.png", Who::Viewer, 404),
        ("GET", "/ingest/v1/paths/a.png?tenant=main", Who::Stranger, 403),
        ("PUT", "/ingest/v1/files/b.png", Who::Viewer, 403),
        ("PUT", "/ingest/v1/files/b.png", Who::Nobody, 401),
        ("PUT", "/ingest/v1/files/b.png?tenant=main", Who::Stranger, 403),
        ("PUT", &content, Who::Viewer, 403),
        ("DELETE", &one, Who::Viewer, 403),
        ("GET", "/ingest/v1/quarantine", Who::Editor, 403),
        ("GET", "/ingest/v1/quarantine", Who::Admin, 200),
        ("GET", "/ingest/v1/quarantine?tenant=main", Who::Operator, 403),
        ("GET", "/ingest/v1/usage", Who::Viewer, 200),
        ("GET", "/ingest/v1/assets?colour=red", Who::Viewer, 400),
        ("GET", "/ingest/v1/assets?limit=0", Who::Viewer, 400),
    ] {
        let answer = bench.ask(who, method, path, &[], png(2)).await;
        assert_eq!(answer.status(), status, "{who:?} {method} {path}: {}", answer.json());
    }
    let hash = catalog::ContentHash::of(&png(1));
    let known = bench.ask(Who::Editor, "GET", &format!("/ingest/v1/contents/{hash}"), &[], "").await;
    assert_eq!((known.status(), known.json()["references"].as_u64()), (200, Some(1)));
    let strange = bench.ask(Who::Stranger, "HEAD", &format!("/ingest/v1/contents/{hash}"), &[], "").await;
    assert_eq!(strange.status(), 404, "tenants do not learn of each other");
}

#[tokio::test]
async fn edits_say_what_they_have_seen() {
    let bench = Bench::new().await;
    let id = id(&bench, "a.png", 1).await;
    let one = format!("/ingest/v1/assets/{id}");
    let edit = |tag: &'static str, body| {
        let (bench, one) = (&bench, one.clone());
        async move {
            let fields: &[(&str, &str)] = if tag.is_empty() { &[] } else { &[("if-match", tag)] };
            bench.json(Who::Editor, "PATCH", &one, fields, &body).await
        }
    };
    assert_eq!(edit("", json!({ "title": "T" })).await.status(), 428);
    assert_eq!(edit("\"r1\"", json!({ "title": "T", "tags": ["x"] })).await.status(), 200);
    assert_eq!(edit("\"r1\"", json!({ "title": "U" })).await.status(), 412);
    assert_eq!(edit("\"r2\"", json!({ "colour": "red" })).await.status(), 400);
    let cleared = edit("\"r2\"", json!({ "title": null })).await;
    assert_eq!(
        (cleared.status(), &cleared.json()["asset"]["title"], &cleared.json()["asset"]["tags"]),
        (200, &json!(null), &json!(["x"]))
    );
    let moved = edit("*", json!({ "path": "b/c.png" })).await;
    assert_eq!(
        (moved.status(), bench.shown("a.png"), bench.shown("b/c.png")),
        (200, None, Some(png(1))),
        "{}",
        moved.json()
    );
    bench.put("d.png", &png(2)).await;
    let taken = edit("*", json!({ "path": "d.png" })).await;
    assert_eq!((taken.status(), &taken.json()["code"]), (409, &json!("path-taken")));
    bench.is_sound().await;
}

#[tokio::test]
async fn deletions_are_undone_and_versions_come_back() {
    let bench = Bench::new().await;
    let id = id(&bench, "a.png", 1).await;
    bench.put("a.png", &png(2)).await;
    let one = format!("/ingest/v1/assets/{id}");
    let versions = bench.ask(Who::Editor, "GET", &format!("{one}/versions"), &[], "").await;
    assert_eq!(versions.json().as_array().map(Vec::len), Some(2));
    let back = bench.ask(Who::Editor, "POST", &format!("{one}/versions/1/restore"), &[], "").await;
    assert_eq!((back.status(), back.json()["asset"]["version"].as_u64()), (200, Some(3)), "{}", back.json());
    assert_eq!(bench.shown("a.png"), Some(png(1)));
    let deleted = bench.ask(Who::Editor, "DELETE", &one, &[], "").await;
    assert_eq!(
        (deleted.status(), &deleted.json()["url"], bench.shown("a.png")),
        (200, &json!(null), None),
        "{}",
        deleted.json()
    );
    assert_eq!(bench.ask(Who::Editor, "DELETE", &one, &[], "").await.status(), 200, "again");
    let listed = bench.ask(Who::Editor, "GET", "/ingest/v1/assets?state=deleted", &[], "").await;
    assert_eq!(listed.json()["items"].as_array().map(Vec::len), Some(1));
    bench.put("a.png", &png(3)).await;
    let taken = bench.json(Who::Editor, "POST", &format!("{one}/restore"), &[], &json!({})).await;
    assert_eq!(taken.status(), 409, "{}", taken.json());
    let restored = bench.json(Who::Editor, "POST", &format!("{one}/restore"), &[], &json!({ "path": "old.png" })).await;
    assert_eq!((restored.status(), bench.shown("old.png")), (200, Some(png(1))), "{}", restored.json());
    bench.is_sound().await;
}

/// Two pictures of one content: what is erased of one leaves the other, and the content goes with the last.
#[tokio::test]
async fn contents_are_shared_and_collected() {
    let bench = Bench::with(|config| (config.undo, config.grace) = (Duration::ZERO, Duration::ZERO)).await;
    let (a, b) = (id(&bench, "a.png", 1).await, id(&bench, "b.png", 1).await);
    let key = store::ContentKey::new("main".parse().unwrap(), catalog::ContentHash::of(&png(1)));
    let sweep = async || {
        tokio::time::sleep(Duration::from_millis(20)).await;
        work::sweep(&bench.desk).await.expect("erased and collected");
        bench.is_sound().await;
        bench.store.look(&key).await.unwrap().is_some()
    };
    bench.ask(Who::Editor, "DELETE", &format!("/ingest/v1/assets/{a}"), &[], "").await;
    assert!(sweep().await, "the other one has it");
    assert_eq!((bench.shown("a.png"), bench.shown("b.png")), (None, Some(png(1))));
    assert_eq!(bench.ask(Who::Editor, "GET", &format!("/ingest/v1/assets/{a}"), &[], "").await.status(), 404, "erased");
    bench.ask(Who::Editor, "DELETE", &format!("/ingest/v1/assets/{b}"), &[], "").await;
    let (_, gone) = (sweep().await, bench.catalog.references(&key.tenant, &key.hash).await.unwrap());
    assert_eq!(gone, 0);
}

#[tokio::test]
async fn private_facts_are_for_those_who_may_edit() {
    let photo = testkit::picture::placed(12, 8);
    for (policy, kept) in [(crate::Private::Keep, true), (crate::Private::Drop, false)] {
        let bench = Bench::with(|config| config.private = policy).await;
        let answer = bench.put("photo.png", &photo).await;
        assert_eq!(answer.status(), 201, "{}", answer.json());
        let facts = &answer.json()["asset"]["facts"];
        assert_eq!(facts["private"].is_object(), kept, "{facts}");
        assert_eq!(facts["private"]["exif"]["GPSLatitude"].is_null(), !kept, "{facts}");
        assert!(facts["exif"]["GPSLatitude"].is_null() && facts["exif"]["Make"] == "Own", "{facts}");
        let viewed = bench.ask(Who::Viewer, "GET", "/ingest/v1/paths/photo.png", &[], "").await;
        assert!(viewed.json()["asset"]["facts"]["private"].is_null() && viewed.status() == 200);
    }
}
