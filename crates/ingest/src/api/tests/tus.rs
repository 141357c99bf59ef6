//! tus 1.0, as clients speak it.

use super::bench::{Bench, Who, png};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use companion::testing::Answered;
use std::time::Duration;

const OFFSET: (&str, &str) = ("content-type", "application/offset+octet-stream");
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

fn metadata(path: &str) -> String {
    format!("path {},title {}", BASE64_STANDARD.encode(path), BASE64_STANDARD.encode("A title"))
}

async fn create(bench: &Bench, path: &str, length: usize, more: &[(&str, &str)]) -> String {
    let (length, metadata) = (length.to_string(), metadata(path));
    let fields = [&[TUS, ("upload-length", &length), ("upload-metadata", &metadata)], more].concat();
    let begun = bench.ask(Who::Editor, "POST", "/ingest/v1/uploads", &fields, "").await;
    assert_eq!(begun.status(), 201, "{}", begun.json());
    assert!(begun.head.headers.contains_key("upload-expires"));
    begun.head.headers["location"].to_str().expect("a path").to_owned()
}

async fn patch(bench: &Bench, place: &str, offset: usize, bytes: &[u8], more: &[(&str, &str)]) -> Answered {
    let offset = offset.to_string();
    let fields = [&[TUS, OFFSET, ("upload-offset", offset.as_str())], more].concat();
    bench.ask(Who::Editor, "PATCH", place, &fields, bytes.to_vec()).await
}

async fn offset(bench: &Bench, place: &str) -> Option<u64> {
    let told = bench.ask(Who::Editor, "HEAD", place, &[TUS], "").await;
    told.head.headers.get("upload-offset")?.to_str().ok()?.parse().ok()
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was() {
    let bench = Bench::new().await;
    let options = bench.ask(Who::Nobody, "OPTIONS", "/ingest/v1/uploads", &[], "").await;
    assert_eq!((options.status(), &options.head.headers["tus-version"]), (204, &"1.0.0".parse().unwrap()));
    let bytes = png(1);
    let half = bytes.len() / 2;
    let place = create(&bench, "a.png", bytes.len(), &[]).await;
    assert_eq!(offset(&bench, &place).await, Some(0));
    assert_eq!(patch(&bench, &place, 0, &bytes[..half], &[]).await.status(), 204);
    assert_eq!(offset(&bench, &place).await, Some(half as u64));
    let wrong = patch(&bench, &place, 0, &bytes, &[]).await;
    assert_eq!((wrong.status(), &wrong.json()["code"]), (409, &"upload-offset".into()));
    let long = patch(&bench, &place, half, &bytes, &[]).await;
    assert_eq!((long.status(), offset(&bench, &place).await), (413, Some(half as u64)));
    assert_eq!(bench.ask(Who::Admin, "HEAD", &place, &[TUS], "").await.status(), 404, "only who began it");
    assert_eq!(bench.ask(Who::Editor, "HEAD", &place, &[], "").await.status(), 412, "without a version");
    assert_eq!(bench.shown("a.png"), None);
    let last = patch(&bench, &place, half, &bytes[half..], &[]).await;
    assert_eq!((last.status(), bench.shown("a.png")), (204, Some(bytes.clone())), "{}", last.json());
    let asset = last.head.headers["tintype-asset"].to_str().unwrap().to_owned();
    let again = patch(&bench, &place, bytes.len(), b"", &[]).await;
    assert_eq!(
        (again.status(), again.head.headers["tintype-asset"].to_str().unwrap()),
        (204, asset.as_str()),
        "asked again"
    );
    let told = bench.ask(Who::Editor, "GET", &place, &[], "").await;
    assert_eq!(
        (told.json()["outcome"]["state"].as_str(), told.json()["outcome"]["asset"].as_str()),
        (Some("published"), Some(asset.as_str()))
    );
    bench.is_sound().await;
}

#[tokio::test]
async fn refusals_are_remembered() {
    let bench = Bench::new().await;
    let place = create(&bench, "a.png", 5, &[]).await;
    let refused = patch(&bench, &place, 0, b"hello", &[]).await;
    assert_eq!((refused.status(), refused.json()["code"].as_str()), (422, Some("upload-not-a-picture")));
    let again = patch(&bench, &place, 5, b"", &[]).await;
    assert_eq!(
        (again.status(), again.json()["code"].as_str()),
        (422, Some("upload-not-a-picture")),
        "{}",
        again.json()
    );
    assert_eq!(bench.ask(Who::Editor, "GET", &place, &[], "").await.json()["outcome"]["code"], "upload-not-a-picture");
}

#[tokio::test]
async fn sums_are_compared() {
    let bench = Bench::new().await;
    let bytes = png(1);
    let place = create(&bench, "a.png", bytes.len(), &[]).await;
    let sum = |bytes: &[u8]| {
        let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
        format!("sha1 {}", BASE64_STANDARD.encode(sum.as_ref()))
    };
    let wrong = patch(&bench, &place, 0, &bytes, &[("upload-checksum", &sum(b"other"))]).await;
    assert_eq!((wrong.status(), offset(&bench, &place).await), (460, Some(0)), "nothing was taken");
    for odd in ["sha1", "md5 AAAA", "sha1 ###", "sha1 AAAA"] {
        assert_eq!(patch(&bench, &place, 0, &bytes, &[("upload-checksum", odd)]).await.status(), 400, "{odd}");
    }
    assert_eq!(patch(&bench, &place, 0, &bytes, &[("upload-checksum", &sum(&bytes))]).await.status(), 204);
    assert_eq!(bench.shown("a.png"), Some(bytes));
}

#[tokio::test]
async fn parts_are_put_together() {
    let bench = Bench::new().await;
    let bytes = png(1);
    let half = bytes.len() / 2;
    let partial = [("upload-concat", "partial")];
    let first = create(&bench, "part1", half, &partial).await;
    let second = create(&bench, "part2", bytes.len() - half, &partial).await;
    assert_eq!(patch(&bench, &first, 0, &bytes[..half], &[]).await.status(), 204);
    let (all, metadata) = (format!("final;{first} {second}"), metadata("whole.png"));
    let fields = [TUS, ("upload-concat", all.as_str()), ("upload-metadata", metadata.as_str())];
    let early = bench.ask(Who::Editor, "POST", "/ingest/v1/uploads", &fields, "").await;
    assert_eq!(early.status(), 409, "{}", early.json());
    assert_eq!(patch(&bench, &second, 0, &bytes[half..], &[]).await.status(), 204);
    assert_eq!(bench.shown("part1"), None, "parts are not published");
    let whole = bench.ask(Who::Editor, "POST", "/ingest/v1/uploads", &fields, "").await;
    assert_eq!((whole.status(), bench.shown("whole.png")), (201, Some(bytes)), "{}", whole.json());
    let place = whole.head.headers["location"].to_str().unwrap();
    let told = bench.ask(Who::Editor, "HEAD", place, &[TUS], "").await;
    assert!(told.head.headers["upload-concat"].to_str().unwrap().starts_with("final;"));
    assert_eq!(patch(&bench, place, 0, b"x", &[]).await.status(), 403);
}

#[tokio::test]
async fn uploads_that_have_ended_are_no_longer_counted_and_still_told_of() {
    let bench = Bench::with(|config| config.uploads = 2).await;
    let mut places = Vec::new();
    for number in 0..5 {
        let bytes = png(number);
        let place = create(&bench, &format!("{number}.png"), bytes.len(), &[]).await;
        assert_eq!(patch(&bench, &place, 0, &bytes, &[]).await.status(), 204, "{number}");
        places.push((place, bytes.len()));
    }
    let refused = create(&bench, "none.png", 4, &[]).await;
    assert_eq!(patch(&bench, &refused, 0, b"none", &[]).await.status(), 422);
    places.push((refused, 4));
    for (place, length) in &places {
        let told = bench.ask(Who::Editor, "HEAD", place, &[TUS], "").await;
        assert_eq!((told.status(), told.head.headers["upload-offset"].to_str().unwrap()), (200, &*length.to_string()));
    }
    assert!(patch(&bench, &places[0].0, places[0].1, b"", &[]).await.head.headers.contains_key("tintype-asset"));
    assert_eq!(patch(&bench, &places[5].0, 4, b"", &[]).await.status(), 422, "once more");
    assert_eq!(bench.ask(Who::Editor, "DELETE", &places[0].0, &[TUS], "").await.status(), 204);
    assert_eq!(bench.ask(Who::Editor, "HEAD", &places[0].0, &[TUS], "").await.status(), 404);
}

#[tokio::test]
async fn uploads_are_given_up_expire_and_are_counted() {
    let bench = Bench::with(|config| (config.uploads, config.upload_expiry) = (2, Duration::from_millis(300))).await;
    let place = create(&bench, "a.png", 10, &[]).await;
    assert_eq!(bench.ask(Who::Editor, "DELETE", &place, &[TUS], "").await.status(), 204);
    assert_eq!(bench.ask(Who::Editor, "HEAD", &place, &[TUS], "").await.status(), 404);
    let (first, _second) = (create(&bench, "a.png", 10, &[]).await, create(&bench, "b.png", 10, &[]).await);
    let metadata = metadata("c.png");
    let fields = [TUS, ("upload-length", "10"), ("upload-metadata", metadata.as_str())];
    let third = bench.ask(Who::Editor, "POST", "/ingest/v1/uploads", &fields, "").await;
    assert_eq!((third.status(), third.json()["code"].as_str()), (429, Some("too-many-uploads")));
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(bench.ask(Who::Editor, "HEAD", &first, &[TUS], "").await.status(), 404, "expired");
    crate::work::sweep(&bench.desk).await.expect("collected");
    assert_eq!(bench.store.stages(None, 10).await, Ok(vec![]));
}
