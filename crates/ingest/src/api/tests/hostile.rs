//! What must not be published, by every way.

use super::bench::{Bench, Who, png};
use super::ways::{FORM, form};
use crate::inspect::tests::{HOSTILE, corpus, is_readable};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use companion::testing::Answered;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::StoreConfig;
use testkit::s3::{self, Inside};
use testkit::wire::{self, Connection};
use testkit::{Act, Origin};

/// Benches that are worked at side by side.
const LANES: usize = 4;

/// Something to upload.
struct File {
    name: String,
    bytes: Vec<u8>,
    /// Whether others read it: then it may be taken.
    may_pass: bool,
}

/// Files of this test, and all hostile ones of the corpus where it is there.
fn files() -> Vec<File> {
    let png = png(1);
    let own = [
        ("empty.png", Vec::new()),
        ("text.png", b"hello".to_vec()),
        ("cut.png", png[..png.len() / 2].to_vec()),
        ("named.jpg", png.clone()),
        ("bomb.png", testkit::picture::promise(50_000, 50_000)),
        ("script.svg", b"<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'><script/></svg>".to_vec()),
        ("page.png", [&png[..], b"<script>alert(1)</script>"].concat()),
    ];
    let own = own.map(|(name, bytes)| File { name: name.to_owned(), bytes, may_pass: false });
    let foreign = HOSTILE.into_iter().flat_map(|folder| {
        corpus(folder).into_iter().map(move |path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let may_pass = folder.starts_with("malformed") && is_readable(&format!("{folder}/{name}"));
            File { name, bytes: std::fs::read(&path).expect("a file"), may_pass }
        })
    });
    own.into_iter().chain(foreign).collect()
}

/// What became of an upload: why it is kept out, or `None` where it is published.
fn verdict(answer: &Answered, way: &str, name: &str) -> Option<String> {
    let document = answer.json();
    let code = document["code"].as_str().unwrap_or_default();
    match answer.status() {
        200 | 201 => None,
        202 => {
            assert_eq!(document["asset"]["state"]["kind"], "quarantined", "{way} {name}");
            Some("quarantined".to_owned())
        }
        422 => {
            let reason = document["detail"].as_str().unwrap_or_default();
            assert!(code.starts_with("upload-") && reason.len() > 10, "{way} {name}: {document}");
            Some(code.to_owned())
        }
        // tus and S3 do not even begin an upload of nothing.
        400 => {
            assert_eq!(name.split('.').next(), Some("empty"), "{way} {name}: {document}");
            Some("upload-empty".to_owned())
        }
        status => panic!("{way} {name}: {status} {document}"),
    }
}

/// Four ways into a folder, and the fifth into a bucket.
struct Lane {
    folder: Bench,
    bucket: Bench,
    server: Origin,
    s3: Inside,
}

impl Lane {
    async fn new() -> Self {
        let folder = Bench::with(|config| {
            config.import.allow_private = vec!["127.0.0.0/8".parse().expect("a network")];
        });
        let s3 = Inside::start(&["originals"]);
        let sets = s3::sets("s3", "s3", s3.address, "originals");
        let config = service::config::load::<StoreConfig>(None, [], &sets).expect("sound").config;
        let store = store::open(&config, &aws::Aws::new()).expect("a store");
        let place = tempfile::tempdir().expect("a folder");
        let bucket = Bench::of(place, store, aws::Aws::new(), |_| {});
        Self { folder: folder.await, bucket: bucket.await, server: Origin::new(), s3 }
    }

    async fn put(&self, path: &str, file: &File) -> Option<String> {
        verdict(&self.folder.put(path, &file.bytes).await, "put", &file.name)
    }

    async fn form(&self, path: &str, file: &File) -> Option<String> {
        let body = form(&[("path", path)], &file.name, &file.bytes);
        let answer = self.folder.ask(Who::Editor, "POST", "/ingest/v1/files", &[FORM], body).await;
        verdict(&answer, "form", &file.name)
    }

    /// As the console and the command line upload.
    async fn tus(&self, path: &str, file: &File) -> Option<String> {
        let metadata = format!("path {}", BASE64_STANDARD.encode(path));
        let length = file.bytes.len().to_string();
        let fields = [
            ("tus-resumable", "1.0.0"),
            ("upload-length", length.as_str()),
            ("upload-metadata", metadata.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        let answer = self.folder.ask(Who::Editor, "POST", "/ingest/v1/uploads", &fields, file.bytes.clone()).await;
        if answer.status() != 201 {
            return verdict(&answer, "tus", &file.name);
        }
        let asset = answer.head.headers["tintype-asset"].to_str().expect("an id");
        let kept = self.folder.ask(Who::Admin, "GET", &format!("/ingest/v1/assets/{asset}"), &[], "").await.json();
        let state = kept["asset"]["state"]["kind"].as_str().expect("a state");
        (state != "live").then(|| state.to_owned())
    }

    async fn import(&self, path: &str, file: &File) -> Option<String> {
        let target = format!("/{}", file.name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-"));
        self.server.on(&target, [Act::ok(&[], file.bytes.clone())]);
        let url = format!("{}{target}", self.server.base().trim_end_matches('/'));
        let asked = json!({ "url": url, "path": path });
        verdict(&self.folder.json(Who::Editor, "POST", "/ingest/v1/imports", &[], &asked).await, "import", &file.name)
    }

    async fn direct(&self, path: &str, file: &File) -> Option<String> {
        let asked = json!({ "path": path, "bytes": file.bytes.len() });
        let begun = self.bucket.json(Who::Editor, "POST", "/ingest/v1/direct", &[], &asked).await;
        if begun.status() != 201 {
            return verdict(&begun, "direct", &file.name);
        }
        let invited = begun.json();
        let (host, length) = (self.s3.address.to_string(), file.bytes.len().to_string());
        let target = invited["url"].as_str().and_then(|url| url.strip_prefix(&format!("http://{host}")));
        let mut fields = vec![("host", host.as_str())];
        let headers = invited["headers"].as_object().expect("fields").iter();
        fields.extend(headers.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))));
        if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            fields.push(("content-length", &length));
        }
        let head = wire::head("PUT", target.expect("it leads to the bucket"), &fields);
        let put = Connection::open(self.s3.address).and_then(|mut connection| {
            connection.send([head.as_bytes(), &file.bytes].concat())?;
            connection.reply("PUT")
        });
        let put = put.expect("an answer");
        assert_eq!(put.status, 200, "{}: {}", file.name, put.text());
        let complete = format!("/ingest/v1/direct/{}/complete", invited["id"].as_str().expect("an id"));
        verdict(&self.bucket.ask(Who::Editor, "POST", &complete, &[], "").await, "direct", &file.name)
    }

    /// By every way, with the same verdict; gives the paths that are published: in the folder, and in the bucket.
    async fn try_all(&self, file: &File) -> Vec<String> {
        let name = &file.name;
        let path = |way: &str| format!("{way}/{name}");
        let verdicts = [
            ("put", self.put(&path("put"), file).await),
            ("form", self.form(&path("form"), file).await),
            ("tus", self.tus(&path("tus"), file).await),
            ("import", self.import(&path("import"), file).await),
            ("direct", self.direct(&path("direct"), file).await),
        ];
        let (_, first) = &verdicts[0];
        assert!(verdicts.iter().all(|(_, other)| other == first), "{name}: {verdicts:?}");
        assert!(first.is_some() || file.may_pass, "{name} is published");
        verdicts.iter().filter(|(_, verdict)| verdict.is_none()).map(|(way, _)| path(way)).collect()
    }

    /// Nothing else is published.
    async fn has(&self, published: BTreeSet<String>) {
        let mut names = Vec::new();
        for bench in [&self.folder, &self.bucket] {
            let page = bench.store.names(None, 500).await.expect("a store");
            names.extend(page.into_iter().map(|(name, _)| name.path.to_string()));
            bench.is_sound().await;
        }
        assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), published);
    }
}

#[test]
fn nothing_hostile_is_published_by_any_way() {
    let files = Arc::new(files());
    let lanes = (0..LANES).map(|lane| {
        let files = Arc::clone(&files);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let place = Lane::new().await;
                let mut published = BTreeSet::new();
                for file in files.iter().skip(lane).step_by(LANES) {
                    published.extend(place.try_all(file).await);
                }
                place.has(published).await;
            });
        })
    });
    for lane in lanes.collect::<Vec<_>>() {
        lane.join().expect("this lane let nothing through");
    }
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
