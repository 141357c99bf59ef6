//! https origins: HTTP/2 where both sides can, and nobody who cannot prove who he is.

use super::png;
use crate::server::Server;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::net::SocketAddr;
use std::sync::Arc;
use testkit::Folder;
use testkit::certificate::Authority;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An https server for `localhost` that answers every request with a picture, and says in `x-version` which HTTP it spoke.
pub(crate) fn serve(config: Arc<rustls::ServerConfig>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port and a runtime");
    let address = listener.local_addr().expect("a free port and a runtime");
    listener.set_nonblocking(true).expect("a free port and a runtime");
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a free port and a runtime");
        runtime.block_on(async {
            let (listener, acceptor) =
                (TcpListener::from_std(listener).expect("a free port and a runtime"), TlsAcceptor::from(config));
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let answer = hyper::service::service_fn(|request: Request<Incoming>| async move {
                        // The type tells the test which HTTP was spoken.
                        let kind = format!("text/{:?}", request.version());
                        let response = Response::builder().header("cache-control", "max-age=60");
                        let plain = request.uri().path() == "/version";
                        let body = if plain { Bytes::from_static(b"text") } else { Bytes::from(png()) };
                        response.header("content-type", kind).body(Full::new(body))
                    });
                    let _client_left =
                        Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
    });
    address
}

fn edge(address: SocketAddr, host: &str, more: &[&str]) -> Server {
    let base = format!("origins.1.base=https://{host}:{}/", address.port());
    let route = [
        "origins.1.name=web",
        "origins.1.kind=http",
        &base,
        "origins.1.allow_private=127.0.0.0/8",
        "origins.1.http.retries=0",
        "routes.1.prefix=/web/",
        "routes.1.origin=web",
        "routes.2.prefix=/raw/",
        "routes.2.origin=web",
        "routes.2.originals=true",
    ];
    Server::start(&[&route[..], more].concat())
}

#[test]
fn http2_is_spoken_where_both_can() {
    let (authority, folder) = (Authority::new(), Folder::new());
    folder.put("ca.pem", authority.pem());
    let file = format!("origins.1.http.ca_file={}", folder.root().join("ca.pem").display());
    let both: [&[u8]; 2] = [b"h2", b"http/1.1"];
    for (protocols, more, version) in [
        (&both[..], &[][..], "text/HTTP/2.0"),
        (&both[1..], &[][..], "text/HTTP/1.1"),
        (&both[..], &["origins.1.http.http2=false"][..], "text/HTTP/1.1"),
    ] {
        let server =
            edge(serve(authority.server(&["localhost"], protocols)), "localhost", &[&[file.as_str()], more].concat());
        assert_eq!(server.get("/raw/version").field("content-type"), version);
        assert_eq!(server.get("/web/a.png?w=9").status, 200);
    }
}

#[test]
fn who_cannot_prove_who_he_is_is_not_believed() {
    let (authority, folder) = (Authority::new(), Folder::new());
    folder.put("ca.pem", authority.pem()).put("other.pem", Authority::new().pem());
    let address = serve(authority.server(&["localhost"], &[b"http/1.1"]));
    let trusts = |name: &str| format!("origins.1.http.ca_file={}", folder.root().join(name).display());
    for (host, file) in [("localhost", "other.pem"), ("127.0.0.1", "ca.pem")] {
        let reply = edge(address, host, &[&trusts(file)]).get("/web/a.png?w=9");
        assert!(reply.status == 502 && reply.text().contains("phase: tls"), "{host} {file}: {}", reply.text());
    }
}
