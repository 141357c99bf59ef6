//! Names in a bucket that stand for contents: followed once, inside the prefix, where the config says so.

use super::*;
use ::http::HeaderMap;
use ::http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use service::config::{Reader, Section};
use testkit::{Act, Origin};

/// The part of the edge's config that this is about.
struct Whole {
    origins: Vec<OriginConfig>,
}

impl Section for Whole {
    const DOC: &'static str = "";

    fn read(r: &mut Reader<'_>) -> Self {
        Self { origins: r.tables("origins", &["name = \"store\"\nkind = \"s3\"\nbucket = \"pictures\""]) }
    }
}

fn origin(server: &Origin, more: &[&str]) -> S3Origin {
    let mut sets = vec![
        format!("origins.0.endpoint={}", server.base()),
        "origins.0.prefix=store/".to_owned(),
        "origins.0.folder=names/".to_owned(),
        "origins.0.s3.access_key_id=tintype".to_owned(),
        "origins.0.s3.secret_access_key=secret".to_owned(),
        "origins.0.s3.retries=0".to_owned(),
    ];
    sets.extend(more.iter().map(|set| (*set).to_owned()));
    let config = service::config::load::<Whole>(None, [], &sets).expect("a sound config").config;
    S3Origin::new(&config.origins[0], &Aws::new(), SystemTime::now, Instant::now).expect("nothing to read")
}

fn at(key: &str) -> String {
    format!("/pictures/store/{key}?x-id=GetObject")
}

fn name(place: &str) -> Act {
    Act::ok(&[("x-amz-meta-tintype-content", place), ("etag", "\"empty\"")], "")
}

fn asking<'a>(path: &'a str, known: Option<(&'a HeaderMap, &'a str)>) -> Asking<'a> {
    Asking { path, known, cdn_loop: None, timeout: None }
}

const CONTENT: &str = "content/main/ab/abcd";

#[tokio::test]
async fn a_name_stands_for_what_its_metadata_say() {
    let server = Origin::new();
    server.on(&at("names/main/a.jpg"), [name(CONTENT), name(CONTENT)]);
    server.on(&at(CONTENT), [Act::ok(&[("etag", "\"v1\"")], "bytes"), Act::status(304, &[("etag", "\"v1\"")], "")]);
    server.on(&at("names/main/plain.jpg"), [Act::ok(&[("x-amz-meta-tintype-content", CONTENT)], "own bytes")]);
    let origin = origin(&server, &["origins.0.s3.links=true"]);
    let reply = origin.get(asking("main/a.jpg", None)).await.expect("an answer");
    let Found::Original(bytes, hash) = &reply.found else { panic!("{reply:?}") };
    assert_eq!(
        (&bytes[..], *hash),
        (&b"bytes"[..], *blake3::hash(b"bytes").as_bytes()),
        "the version is the content's"
    );
    assert_eq!(reply.headers[ETAG], "\"v1\"");
    let known = HeaderMap::from_iter([
        (IF_NONE_MATCH, "\"v1\"".parse().expect("a tag")),
        (IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().expect("a date")),
    ]);
    let again = origin.get(asking("main/a.jpg", Some((&known, &*reply.place)))).await.expect("an answer");
    assert!(matches!(again.found, Found::NotModified));
    let asked = server.asked();
    let conditions: Vec<_> =
        asked.iter().map(|asked| (asked.field("if-none-match"), asked.field("if-modified-since"))).collect();
    assert_eq!(conditions[2..], [(None, None), (Some("\"v1\""), None)], "the name without, the content by its tag");
    let plain = origin.get(asking("main/plain.jpg", None)).await.expect("an answer");
    assert!(matches!(plain.found, Found::Original(bytes, _) if bytes == "own bytes"), "what has bytes is no name");
}

#[tokio::test]
async fn names_lead_neither_on_nor_out() {
    let server = Origin::new();
    server.on(&at("names/main/chain.jpg"), [name("names/main/chain2.jpg")]);
    server.on(&at("names/main/chain2.jpg"), [name(CONTENT)]);
    let bad = ["../secret.jpg", "content/../../secret.jpg", "/secret.jpg", "content//x", "./x", "x/"];
    for (at_, place) in bad.iter().enumerate() {
        server.on(&at(&format!("names/main/{at_}.jpg")), [name(place)]);
    }
    server.on(&at("names/main/gone.jpg"), [name("content/main/ab/gone")]);
    let origin = origin(&server, &["origins.0.s3.links=true"]);
    let paths = bad.iter().enumerate().map(|(at, _)| format!("main/{at}.jpg")).chain(["main/chain.jpg".to_owned()]);
    for path in paths {
        let Err(Missing::Failed(trouble)) = origin.get(asking(&path, None)).await else { panic!("{path}") };
        assert_eq!((trouble.phase, trouble.cause), (Phase::Redirect, Cause::Refused), "{path}");
    }
    let outside = server.asked().iter().filter(|asked| !asked.target.starts_with("/pictures/store/")).count();
    assert_eq!(outside, 0);
    let gone = origin.get(asking("main/gone.jpg", None)).await;
    assert!(gone.is_err() || matches!(gone, Ok(Reply { found: Found::Nothing(_), .. })), "{gone:?}");
}

#[tokio::test]
async fn links_are_followed_where_the_config_says_so() {
    let server = Origin::new();
    server.on(&at("names/main/a.jpg"), [name(CONTENT)]);
    let reply = origin(&server, &[]).get(asking("main/a.jpg", None)).await.expect("an answer");
    assert!(matches!(reply.found, Found::Original(bytes, _) if bytes.is_empty()));
    assert_eq!(server.asked().len(), 1);
}
