//! The whole flow of the platform: sign in → upload → event → indexed → found → its URL → edge: miss, fill,
//! store → hit → 304 → replace → purge → the new bytes → delete → 404, and gone from search; restore → back. Walked on embedded parts here, and on the production parts by `production`.

use crate::server::Server;
use client::{Asset, Client, Failure, Found};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::Reply;

/// Longest wait for the index to learn of a change.
const SETTLE: Duration = Duration::from_secs(20);

async fn found(client: &Client, words: &str) -> Found {
    client.search(&[("q", words.to_owned())]).await.expect("a search that is allowed")
}

/// Searches until so many are found.
pub(crate) async fn until(client: &Client, words: &str, count: usize) -> Found {
    let began = Instant::now();
    loop {
        let found = found(client, words).await;
        if found.hits.len() == count {
            return found;
        }
        assert!(began.elapsed() < SETTLE, "{} found, not {count}: {words}", found.hits.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) async fn picture(address: SocketAddr, url: &str, fields: &[(&str, &str)]) -> Reply {
    let url = url.to_owned();
    let fields: Vec<(String, String)> = fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let asked = std::thread::spawn(move || {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        testkit::wire::get(address, &url, &fields)
    });
    asked.join().expect("an answer")
}

/// A rendition's URL, signed where the configuration has a key, else as it is.
pub(crate) async fn signed(client: &Client, asset: &Asset, query: &str) -> String {
    match client.sign(&asset.tenant, &asset.path, query, 3600).await {
        Ok(url) => url,
        Err(Failure::Refused { problem, .. }) if problem.code == "not-configured" => {
            format!("{}?{query}", asset.url.as_deref().expect("it is published"))
        }
        Err(failure) => panic!("{}: {failure}", asset.path),
    }
}

fn cache(answer: &Reply) -> &str {
    answer.header("cache-status").unwrap_or_default()
}

/// Where the flow is walked.
pub(crate) struct Place<'p> {
    /// Somebody who is signed in and may do everything.
    pub(crate) client: &'p Client,
    /// Edge servers; the first is asked first, the others have to show the same.
    pub(crate) edges: &'p [SocketAddr],
    /// A folder for files that are uploaded.
    pub(crate) folder: &'p Path,
}

impl Place<'_> {
    /// From the cache; the publisher's own purge may still come in between.
    async fn until_hit(&self, url: &str) -> Reply {
        let began = Instant::now();
        loop {
            let reply = picture(self.edges[0], url, &[]).await;
            if cache(&reply).contains("; hit") {
                return reply;
            }
            assert!(began.elapsed() < SETTLE, "{}", cache(&reply));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every edge answers this before long, and the first one at once.
    async fn everywhere(&self, url: &str, fine: impl Fn(&Reply) -> bool) -> Reply {
        let first = picture(self.edges[0], url, &[]).await;
        assert!(fine(&first), "{url}: {} {:?}", first.status, first.headers);
        for other in &self.edges[1..] {
            let began = Instant::now();
            while !fine(&picture(*other, url, &[]).await) {
                assert!(began.elapsed() < SETTLE, "{other} does not show what the first one does: {url}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        first
    }
}

/// The flow, from an upload to the end of its session.
pub(crate) async fn walk(place: &Place<'_>) {
    let (client, edge) = (place.client, place.edges[0]);
    assert_eq!(client.account().await.expect("somebody is signed in").tenant, "main");
    let file = place.folder.join("harbour.png");
    std::fs::write(&file, testkit::picture::gradient(640, 480)).expect("a file");

    let asset = client.upload(&file, "sea/harbour.png", &|_| {}).await.expect("it is taken");
    assert_eq!((asset.version, asset.content.width, asset.content.height), (1, 640, 480));
    let hits = until(client, "harbour", 1).await.hits;
    assert_eq!((hits[0].id.as_str(), hits[0].path.as_str()), (asset.id.as_str(), "sea/harbour.png"));

    let url = signed(client, &asset, "w=200&f=png").await;
    let first = picture(edge, &url, &[]).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(testkit::picture::png_size(&first.body), Some((200, 150)));
    assert!(cache(&first).contains("fwd=miss"), "{}", cache(&first));
    let again = place.until_hit(&url).await;
    assert_eq!(again.body, first.body);
    let tag = again.field("etag").to_owned();
    assert_eq!(picture(edge, &url, &[("if-none-match", &tag)]).await.status, 304);
    place.everywhere(&url, |reply| reply.status == 200 && reply.body == first.body).await;

    std::fs::write(&file, testkit::picture::noise(640, 480, 7)).expect("a file");
    let replaced = client.upload(&file, "sea/harbour.png", &|_| {}).await.expect("it is taken");
    assert_eq!((replaced.id.as_str(), replaced.version), (asset.id.as_str(), 2));
    let second = place.everywhere(&url, |reply| reply.status == 200 && reply.body != first.body).await;
    assert_eq!(picture(edge, &url, &[("if-none-match", &tag)]).await.status, 200);

    client.delete(&asset.id, Some(replaced.revision)).await.expect("it is deleted");
    place.everywhere(&url, |reply| reply.status == 404).await;
    until(client, "harbour", 0).await;
    let restored = client.restore(&asset.id).await.expect("it is restored");
    place.everywhere(&url, |reply| reply.body == second.body).await;
    assert!(restored.revision > replaced.revision);
    until(client, "harbour", 1).await;

    client.sign_out().await.expect("the tokens are forgotten");
    assert!(matches!(client.account().await, Err(client::Failure::SignedOut(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_flow() {
    let server = Server::start(&[]);
    let client = server.administrator().await;
    walk(&Place { client: &client, edges: &[server.address], folder: server.folder() }).await;
}
