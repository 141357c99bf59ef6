//! HTTP/2 without TLS, by prior knowledge: the same answers on streams of one connection.

use crate::server::Server;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use testkit::picture;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A limit for what must come, and soon.
const LIMIT: Duration = Duration::from_secs(60);

struct Client {
    sender: SendRequest<Empty<Bytes>>,
    /// Ends with the connection.
    connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    async fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).await.expect("listening");
        let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = shaken.expect("it speaks HTTP/2");
        Self { sender, connection: tokio::spawn(connection) }
    }

    async fn ask(&self, method: Method, target: &str) -> hyper::Result<Response<Bytes>> {
        let uri = format!("http://test{target}");
        let request = Request::builder().method(method).uri(uri).body(Empty::new()).expect("a request");
        let (head, body) = self.sender.clone().send_request(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }

    async fn get(&self, target: &str) -> Response<Bytes> {
        self.ask(Method::GET, target).await.expect("a whole response")
    }
}

fn server(more: &[&str]) -> Server {
    let server = Server::start(more);
    server.folder.put("a.png", picture::gradient(60, 40)).put("large.png", picture::noise(3000, 2000, 9));
    server
}

#[tokio::test]
async fn the_same_answers_as_by_http_1() {
    for runtime in ["server.runtime=per-core", "server.runtime=multi-thread"] {
        let server = server(&[runtime]);
        let client = Client::open(&server).await;
        let (old, new) = (server.get("/img/a.png?w=20"), client.get("/img/a.png?w=20").await);
        assert_eq!((new.status().as_u16(), &new.body()[..]), (200, &old.body[..]));
        for name in ["content-type", "content-length", "etag", "cache-control", "cache-tag", "link", "last-modified"] {
            assert_eq!(new.headers()[name], old.field(name), "{name}");
        }
        assert!(new.headers()["cache-status"].to_str().is_ok_and(|status| status.contains("hit")));
        let head = client.ask(Method::HEAD, "/img/a.png?w=20").await.expect("a head");
        assert_eq!((head.body().len(), &head.headers()["etag"]), (0, &new.headers()["etag"]));
        for (method, target, status) in [
            (Method::POST, "/img/a.png?w=20", 405),
            (Method::GET, "/img/a.png?w=0", 400),
            (Method::GET, "/img/none.png", 404),
            (Method::GET, "/img/%2e%2e/secret.png", 400),
            (Method::OPTIONS, "/img/a.png", 204),
        ] {
            let reply = client.ask(method, target).await.expect("a response");
            assert_eq!(reply.status().as_u16(), status, "{target}");
        }
        let long = format!("/img/a.png?x={}", "a".repeat(9000));
        assert_eq!(client.get(&long).await.status().as_u16(), 414);
        assert_eq!(client.get("/img/a.png?w=20").await.status().as_u16(), 200, "the connection goes on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_one_connection_share_one_decode() {
    let server = server(&[]);
    let client = std::sync::Arc::new(Client::open(&server).await);
    let streams: Vec<_> = (0..100)
        .map(|_| {
            let client = std::sync::Arc::clone(&client);
            tokio::spawn(async move { client.get("/img/large.png?w=700&f=webp").await })
        })
        .collect();
    let mut bodies = Vec::new();
    for stream in streams {
        let reply = stream.await.expect("no panic");
        assert_eq!(reply.status().as_u16(), 200);
        bodies.push(reply.into_body());
    }
    bodies.dedup();
    assert_eq!((bodies.len(), server.fills()), (1, 1.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_reset_leaves_the_others() {
    let server = server(&[]);
    let client = Client::open(&server).await;
    let given_up = tokio::time::timeout(Duration::from_millis(1), client.get("/img/large.png?w=800&f=webp")).await;
    assert!(given_up.is_err(), "nobody renders that in a millisecond");
    assert_eq!(client.get("/img/a.png?w=20").await.status().as_u16(), 200);
    assert_eq!(client.get("/img/large.png?w=800&f=webp").await.status().as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_finishes_streams_and_says_goodbye() {
    let server = server(&[]);
    let client = std::sync::Arc::new(Client::open(&server).await);
    let under_way = tokio::spawn({
        let client = std::sync::Arc::clone(&client);
        async move { client.get("/img/large.png?w=2500&f=webp").await }
    });
    while server.metric("tintype_render_busy") < 1.0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    server.stop();
    let reply = tokio::time::timeout(LIMIT, under_way).await.expect("in time").expect("no panic");
    assert_eq!(reply.status().as_u16(), 200);
    // Connections look for the end once a second; what is asked until then is answered.
    let goodbye = async {
        while let Ok(reply) = client.ask(Method::GET, "/img/a.png?w=20").await {
            assert_eq!(reply.status().as_u16(), 200);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, goodbye).await.expect("nothing new after GOAWAY");
    let client = std::sync::Arc::into_inner(client).expect("the other user has ended");
    let end = tokio::time::timeout(LIMIT, client.connection).await.expect("in time").expect("no panic");
    assert!(end.is_ok(), "an orderly end: {end:?}");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = server(&["server.idle_timeout=300ms"]);
    let client = Client::open(&server).await;
    assert_eq!(client.get("/img/a.png?w=20").await.status().as_u16(), 200);
    let Client { sender, connection } = client;
    let end = tokio::time::timeout(LIMIT, connection).await.expect("it is closed").expect("no panic");
    assert!(end.is_ok(), "by GOAWAY: {end:?}");
    drop(sender);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_given_up_does_not_keep_its_connection_open() {
    let server = server(&["server.idle_timeout=300ms"]);
    let client = Client::open(&server).await;
    let given_up = tokio::time::timeout(Duration::from_millis(1), client.get("/img/large.png?w=900&f=webp")).await;
    assert!(given_up.is_err(), "nobody renders that in a millisecond");
    let Client { sender, connection } = client;
    let end = tokio::time::timeout(LIMIT, connection).await.expect("it is closed").expect("no panic");
    assert!(end.is_ok(), "by GOAWAY: {end:?}");
    drop(sender);
}
