//! What must not be published, by every way.

use super::bench::{Bench, Who, png};
use super::ways::{FORM, form};
use companion::testing::Answered;
use serde_json::json;
use std::path::{Path, PathBuf};
use testkit::{Act, Origin};

/// Files with names: of this test, and of the corpus where it is there.
fn files() -> Vec<(String, Vec<u8>)> {
    let png = png(1);
    let mut files = vec![
        ("empty.png".to_owned(), Vec::new()),
        ("text.png".to_owned(), b"hello".to_vec()),
        ("cut.png".to_owned(), png[..png.len() / 2].to_vec()),
        ("named.jpg".to_owned(), png.clone()),
        ("bomb.png".to_owned(), testkit::picture::promise(50_000, 50_000)),
        (
            "script.svg".to_owned(),
            b"<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'><script/></svg>".to_vec(),
        ),
        ("page.png".to_owned(), [&png[..], b"<script>alert(1)</script>"].concat()),
    ];
    let root = std::env::var_os("TINTYPE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    for folder in ["mislabelled", "truncated", "svg-attack", "malformed"] {
        let Ok(entries) = std::fs::read_dir(root.join("corpora").join(folder)) else {
            println!("skipped: no corpora/{folder} (CONTRIBUTING.md)");
            continue;
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| path.is_file() && path.extension().is_none_or(|end| end != "md" && end != "txt"));
        paths.sort();
        for path in paths.into_iter().take(16) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, std::fs::read(&path).expect("a file")));
        }
    }
    files
}

/// Refused with a reason, or in quarantine.
fn is_kept_out(answer: &Answered, way: &str, name: &str) {
    let document = answer.json();
    let code = document["code"].as_str().unwrap_or_default();
    match answer.status() {
        202 => assert_eq!(document["asset"]["state"]["kind"], "quarantined", "{way} {name}"),
        422 => assert!(
            code.starts_with("upload-") && document["detail"].as_str().is_some_and(|text| text.len() > 10),
            "{way} {name}"
        ),
        // tus and S3 do not even begin an upload of nothing.
        400 => assert_eq!(name.split('.').next(), Some("empty"), "{way} {name}: {document}"),
        status => panic!("{way} {name}: {status} {document}"),
    }
}

#[tokio::test]
async fn nothing_hostile_is_published_by_any_way() {
    let server = Origin::new();
    let bench = Bench::with(|config| {
        config.import.allow_private = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    for (name, bytes) in files() {
        let put = bench.put(&format!("put/{name}"), &bytes).await;
        is_kept_out(&put, "put", &name);
        let posted = bench
            .ask(
                Who::Editor,
                "POST",
                "/ingest/v1/files",
                &[FORM],
                form(&[("path", &format!("form/{name}"))], &name, &bytes),
            )
            .await;
        is_kept_out(&posted, "form", &name);
        let path = format!("tus/{name}");
        let metadata = format!("path {}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &path));
        let length = bytes.len().to_string();
        let fields = [
            ("tus-resumable", "1.0.0"),
            ("upload-length", length.as_str()),
            ("upload-metadata", metadata.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        let tus = bench.ask(Who::Editor, "POST", "/ingest/v1/uploads", &fields, bytes.clone()).await;
        if tus.status() == 201 {
            let asset = tus.head.headers["tintype-asset"].to_str().expect("an id");
            let kept = bench.ask(Who::Admin, "GET", &format!("/ingest/v1/assets/{asset}"), &[], "").await;
            assert_eq!(kept.json()["asset"]["state"]["kind"], "quarantined", "tus {name}");
        } else {
            is_kept_out(&tus, "tus", &name);
        }
        let target = format!("/{}", name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-"));
        server.on(&target, [Act::ok(&[], bytes)]);
        let url = format!("{}{target}", server.base().trim_end_matches('/'));
        let import = json!({ "url": url, "path": format!("import/{name}") });
        is_kept_out(&bench.json(Who::Editor, "POST", "/ingest/v1/imports", &[], &import).await, "import", &name);
    }
    assert_eq!(bench.store.names(None, 10).await, Ok(vec![]), "nothing is published");
    let listed = bench.ask(Who::Editor, "GET", "/ingest/v1/assets", &[], "").await;
    assert_eq!(listed.json()["items"], json!([]));
    bench.is_sound().await;
}

#[tokio::test]
async fn quarantine_is_for_those_who_manage() {
    let bench = Bench::new().await;
    bench.put("page.png", &png(2)).await;
    let odd = [&png(1)[..], b"<html><script>alert(1)</script></html>"].concat();
    let kept = bench.put("page.png", &odd).await;
    assert_eq!((kept.status(), bench.shown("page.png")), (202, Some(png(2))), "the one before stays: {}", kept.json());
    let id = kept.json()["asset"]["id"].as_str().expect("an id").to_owned();
    let one = format!("/ingest/v1/assets/{id}");
    assert_eq!(bench.ask(Who::Editor, "GET", &one, &[], "").await.status(), 404);
    assert_eq!(bench.ask(Who::Admin, "GET", &one, &[], "").await.status(), 200);
    let listed = bench.ask(Who::Admin, "GET", "/ingest/v1/quarantine", &[], "").await;
    assert_eq!(listed.json()["items"][0]["asset"]["id"], json!(id));
    let there = format!("/ingest/v1/quarantine/{id}");
    assert_eq!(bench.json(Who::Editor, "POST", &there, &[], &json!({})).await.status(), 403);
    assert_eq!(bench.json(Who::Admin, "POST", &there, &[], &json!({})).await.status(), 409, "the path is taken");
    let released = bench.json(Who::Admin, "POST", &there, &[], &json!({ "path": "odd.png" })).await;
    assert_eq!((released.status(), bench.shown("odd.png")), (200, Some(odd.clone())), "{}", released.json());
    let again = bench.put("again.png", &[&odd[..], b"<html>"].concat()).await;
    let id = again.json()["asset"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(bench.ask(Who::Admin, "DELETE", &format!("/ingest/v1/quarantine/{id}"), &[], "").await.status(), 204);
    assert_eq!(bench.ask(Who::Admin, "GET", &format!("/ingest/v1/assets/{id}"), &[], "").await.status(), 404);
    bench.is_sound().await;
}
