//! The contract in a bucket, twice, and what only a bucket has: invitations, and the edge that follows its names.

use super::*;
use crate::{ContentKey, Contents, Name, Names, StageId, Staging, contract};
use aws::config::Identity;
use aws::{Access, BucketConfig};
use bytes::Bytes;
use catalog::ContentHash;
use service::config::Secret;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};
use testkit::s3::{Inside, KEY_ID, Moto, SECRET};

const MIB: usize = 1 << 20;

fn store(address: SocketAddr) -> S3Store {
    let identity = Identity {
        access_key_id: Some(KEY_ID.to_owned()),
        secret_access_key: Some(Secret::new(SECRET)),
        ..Identity::default()
    };
    let endpoint = Some(format!("http://{address}").parse().expect("a URL"));
    let config = S3StoreConfig {
        bucket: BucketConfig {
            bucket: "originals".parse().expect("a name"),
            prefix: "some/where/".parse().expect("a prefix"),
            access: Access { endpoint, region: None, identity },
            path_style: None,
        },
        connect_timeout: Duration::from_secs(10),
        response_timeout: Duration::from_secs(30),
        timeout: Duration::from_secs(60),
        retries: 0,
        part: 6 << 20,
    };
    S3Store::new(&config, &Aws::new()).expect("no file to read")
}

#[tokio::test]
async fn the_contract_holds_where_signatures_are_checked() {
    let server = Inside::start(&["originals"]);
    contract::holds(&store(server.address), 6 * MIB).await;
    let strays = server.keys("originals").into_iter().filter(|key| !key.starts_with("some/where/"));
    assert_eq!(strays.filter(|key| !key.starts_with('.')).collect::<Vec<_>>(), Vec::<String>::new());
}

#[tokio::test]
async fn the_contract_holds_with_moto() {
    let Some(server) = Moto::start(&["originals"]) else { return };
    contract::holds(&store(server.address), 6 * MIB).await;
}

#[tokio::test]
async fn two_writers_do_not_both_write() {
    let Some(server) = Moto::start(&["originals"]) else { return };
    let (one, two) = (store(server.address), store(server.address));
    let stage: StageId = "upload".parse().unwrap();
    let (a, b) = tokio::join!(
        one.append(&stage, 0, Bytes::from_static(b"first")),
        two.append(&stage, 0, Bytes::from_static(b"other"))
    );
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    assert_eq!(one.length(&stage).await, Ok(5));
}

#[tokio::test]
async fn a_client_may_put_the_whole_itself() {
    let server = Inside::start(&["originals"]);
    let store = store(server.address);
    let stage: StageId = "upload".parse().unwrap();
    let invitation = store.invite(&stage, 9, Duration::from_secs(60)).await.unwrap().unwrap();
    let target = invitation.url.split_once(&server.address.to_string()).expect("the server").1.to_owned();
    let put = |target: &str, body: &[u8]| {
        let host = server.address.to_string();
        let length = body.len().to_string();
        let mut fields = vec![("host", host.as_str()), ("content-length", length.as_str())];
        let own = invitation.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        fields.extend(own.map(|(name, value)| (name.as_str(), value.as_str())));
        let mut connection = testkit::wire::Connection::open(server.address).expect("a connection");
        connection.send([testkit::wire::head("PUT", target, &fields).as_bytes(), body].concat()).expect("sent");
        connection.reply("PUT").expect("a reply").status
    };
    assert_ne!(put(&target.replace("upload", "stolen"), b"a picture"), 200, "for no other place");
    assert_ne!(put(&target, b"a picture that is longer"), 200, "of no other length");
    assert_eq!(store.length(&stage).await, Ok(0));
    assert_eq!(put(&target, b"a picture"), 200);
    assert_eq!(store.staged(&stage, 0, 100).await.unwrap(), "a picture");
    let key = ContentKey::new("main".parse().unwrap(), ContentHash::of(b"a picture"));
    store.keep(&stage, &key).await.unwrap();
    assert_eq!(store.read(&key, 0, 100).await.unwrap(), "a picture");
}

#[tokio::test]
async fn a_server_in_trouble_is_a_failure_and_no_absence() {
    let server = Inside::start(&["originals"]);
    let store = store(server.address);
    server.refuse(Some((503, "SlowDown")));
    let key = ContentKey::new("main".parse().unwrap(), ContentHash::of(b"x"));
    let name = Name::new("main".parse().unwrap(), "x".parse().unwrap());
    assert!(matches!(store.look(&key).await, Err(Failure::Store(_))));
    assert!(matches!(store.resolve(&name).await, Err(Failure::Store(_))));
    assert!(matches!(store.length(&"upload".parse().unwrap()).await, Err(Failure::Store(_))));
}

/// What the edge does with it.
#[tokio::test]
async fn the_edge_follows_names_to_their_contents() {
    let server = Inside::start(&["originals"]);
    let store = store(server.address);
    let stage: StageId = "upload".parse().unwrap();
    store.append(&stage, 0, Bytes::from_static(b"a picture")).await.unwrap();
    let key = ContentKey::new("main".parse().unwrap(), ContentHash::of(b"a picture"));
    store.keep(&stage, &key).await.unwrap();
    let name = Name::new("main".parse().unwrap(), "cats/tom é.jpg".parse().unwrap());
    store.link(&name, &key.hash).await.unwrap();
    let mut sets = testkit::s3::sets("origins.0", "origins.0.s3", server.address, "originals");
    sets.extend(["prefix=some/where/", "folder=names/", "s3.links=true"].map(|set| format!("origins.0.{set}")));
    let config = service::config::load::<Edge>(None, [], &sets).unwrap().config;
    let origin = origin::s3::S3Origin::new(&config.0[0], &Aws::new(), SystemTime::now, Instant::now).unwrap();
    let asking = |path| origin::Asking { path, known: None, cdn_loop: None, timeout: None };
    let reply = origin.get(asking("main/cats/tom é.jpg")).await.unwrap();
    assert!(matches!(reply.found, origin::Found::Original(bytes, _) if bytes == "a picture"));
    store.unlink(&name).await.unwrap();
    let reply = origin.get(asking("main/cats/tom é.jpg")).await.unwrap();
    assert!(matches!(reply.found, origin::Found::Nothing(_)));
}

/// The part of the edge's config that this is about.
struct Edge(Vec<origin::config::OriginConfig>);

impl service::config::Section for Edge {
    const DOC: &'static str = "";

    fn read(r: &mut service::config::Reader<'_>) -> Self {
        Self(r.tables("origins", &["name = \"store\"\nkind = \"s3\"\nbucket = \"originals\""]))
    }
}
