//! Each way of uploading ends in the same: a picture that is shown.

use super::bench::{Bench, Who, png};
use serde_json::json;
use std::time::Duration;
use testkit::{Act, Origin};

/// A form with these fields and one file.
pub(super) fn form(fields: &[(&str, &str)], file: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file}\"\r\n\r\n").bytes());
    body.extend(bytes);
    body.extend(b"\r\n--b--\r\n");
    body
}

pub(super) const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

#[tokio::test]
async fn a_put_creates_then_replaces() {
    let bench = Bench::new().await;
    let first = bench
        .ask(
            Who::Editor,
            "PUT",
            "/ingest/v1/files/cats/tom.jpg.png?title=Tom&tags=cat,%20grey&visibility=public",
            &[],
            png(1),
        )
        .await;
    assert_eq!(first.status(), 201, "{}", first.json());
    let asset = first.json()["asset"].clone();
    assert_eq!(
        (&asset["title"], &asset["tags"], &asset["visibility"]),
        (&json!("Tom"), &json!(["cat", "grey"]), &json!("public"))
    );
    assert_eq!(asset["owner"], "eddy");
    assert_eq!(first.json()["url"], "/a/main/cats/tom.jpg.png");
    assert_eq!(first.head.headers["etag"], "\"r1\"");
    assert_eq!(bench.shown("cats/tom.jpg.png"), Some(png(1)));
    let same = bench.put("cats/tom.jpg.png", &png(1)).await;
    assert_eq!((same.status(), same.json()["asset"]["revision"].as_u64()), (200, Some(1)), "nothing to do");
    let path = "/ingest/v1/files/cats/tom.jpg.png";
    for (field, value) in [("if-match", "\"r7\""), ("if-none-match", "*")] {
        let refused = bench.ask(Who::Editor, "PUT", path, &[(field, value)], png(2)).await;
        assert_eq!(refused.status(), 412, "{field}");
    }
    assert_eq!(
        bench.ask(Who::Editor, "PUT", "/ingest/v1/files/none.png", &[("if-match", "*")], png(2)).await.status(),
        412
    );
    let second = bench.ask(Who::Editor, "PUT", path, &[("if-match", "\"r1\"")], png(2)).await;
    assert_eq!((second.status(), second.json()["asset"]["version"].as_u64()), (200, Some(2)), "{}", second.json());
    assert_eq!(second.json()["asset"]["title"], "Tom", "what is not said stays");
    assert_eq!(bench.shown("cats/tom.jpg.png"), Some(png(2)));
    bench.is_sound().await;
}

#[tokio::test]
async fn a_form_is_taken() {
    let bench = Bench::new().await;
    let body = form(&[("path", "from/form.png"), ("title", "A form")], "x.png", &png(3));
    let taken = bench.ask(Who::Editor, "POST", "/ingest/v1/files", &[FORM], body).await;
    assert_eq!((taken.status(), &taken.json()["asset"]["title"]), (201, &json!("A form")), "{}", taken.json());
    assert_eq!(bench.shown("from/form.png"), Some(png(3)));
    let named = bench.ask(Who::Editor, "POST", "/ingest/v1/files", &[FORM], form(&[], "own.png", &png(4))).await;
    assert_eq!((named.status(), bench.shown("own.png")), (201, Some(png(4))), "{}", named.json());
    for (body, status) in [
        (form(&[("colour", "red")], "x.png", &png(3)), 400),
        (form(&[("path", "../x.png")], "x.png", &png(3)), 400),
        (b"--b--\r\n".to_vec(), 400),
        (b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.png\"\r\n\r\nhalf".to_vec(), 400),
    ] {
        assert_eq!(bench.ask(Who::Editor, "POST", "/ingest/v1/files", &[FORM], body).await.status(), status);
    }
    assert_eq!(bench.ask(Who::Editor, "POST", "/ingest/v1/files", &[], "x").await.status(), 415);
    assert_eq!(bench.store.stages(None, 10).await, Ok(vec![]), "nothing is left over");
}

#[tokio::test]
async fn an_import_is_fetched_with_care() {
    let server = Origin::new();
    server.on("/a.png", [Act::ok(&[("content-type", "image/png")], png(5)), Act::ok(&[], png(5))]);
    server.on("/late", [Act::Hang(Vec::new())]);
    server.on("/page", [Act::ok(&[("content-type", "text/html")], "<html></html>")]);
    server.on("/long", [Act::ok(&[], vec![0; 200_000])]);
    let inside = Bench::with(|config| {
        config.import.allow_private = vec!["127.0.0.0/8".parse().expect("a network")];
        config.import.timeout = Duration::from_millis(500);
        config.max_bytes = 100_000;
    })
    .await;
    let base = server.base();
    let at = |path: &str| json!({ "url": format!("{}{path}", base.trim_end_matches('/')), "path": "imported/a.png", "title": "Far" });
    let taken = inside.json(Who::Editor, "POST", "/ingest/v1/imports", &[], &at("/a.png")).await;
    assert_eq!((taken.status(), inside.shown("imported/a.png")), (201, Some(png(5))), "{}", taken.json());
    for (path, status, code) in [
        ("/none", 502, "import-failed"),
        ("/late", 504, "import-late"),
        ("/page", 422, "upload-not-a-picture"),
        ("/long", 413, "upload-too-long"),
    ] {
        let refused = inside.json(Who::Editor, "POST", "/ingest/v1/imports", &[], &at(path)).await;
        assert_eq!((refused.status(), &refused.json()["code"]), (status, &json!(code)), "{path}");
    }
    let outside = Bench::new().await;
    for url in
        [at("/a.png")["url"].as_str().expect("text"), "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd"]
    {
        let body = json!({ "url": url, "path": "imported/a.png" });
        let refused = outside.json(Who::Editor, "POST", "/ingest/v1/imports", &[], &body).await;
        assert_eq!((refused.status(), &refused.json()["code"]), (422, &json!("import-refused")), "{url}");
        assert!(!refused.json()["detail"].as_str().unwrap_or_default().contains("127."), "no addresses are told");
    }
    assert_eq!(inside.store.stages(None, 10).await, Ok(vec![]));
}

#[tokio::test]
async fn a_request_is_done_once() {
    let bench = Bench::new().await;
    let key = [("idempotency-key", "one")];
    let put = |path: &'static str, seed| bench.ask(Who::Editor, "PUT", path, &key, png(seed));
    let first = put("/ingest/v1/files/once.png", 6).await;
    let again = put("/ingest/v1/files/once.png", 6).await;
    assert_eq!((first.status(), again.status()), (201, 200));
    assert_eq!(first.json()["asset"]["id"], again.json()["asset"]["id"]);
    let other = put("/ingest/v1/files/once.png", 8).await;
    assert_eq!((other.status(), &other.json()["code"]), (422, &json!("idempotency-key-reused")));
    assert_eq!(bench.shown("once.png"), Some(png(6)));
    bench.is_sound().await;
}

#[tokio::test]
async fn without_a_bucket_nobody_is_invited_into_one() {
    let bench = Bench::new().await;
    let body = json!({ "path": "a.png", "bytes": 10 });
    let refused = bench.json(Who::Editor, "POST", "/ingest/v1/direct", &[], &body).await;
    assert_eq!((refused.status(), &refused.json()["code"]), (501, &json!("no-direct-uploads")));
}
