//! One address before several servers, as a load balancer makes it: the longest prefix of the path says whose a request is.
//!
//! Forwards requests and answers as they are, bodies as they come. Invariant: what no server takes is answered 502, or 404
//! where no prefix fits. Ends with the test.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Prefixes of paths, and who answers below them.
type Ways = Arc<[(String, SocketAddr)]>;
type Body = BoxBody<Bytes, hyper::Error>;

/// It. Ends when dropped.
#[derive(Debug)]
pub struct Gateway {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Gateway {
    /// Before these servers.
    ///
    /// # Panics
    /// Where there is no port.
    #[must_use]
    pub fn start(ways: &[(&str, SocketAddr)]) -> Self {
        let mut ways: Vec<(String, SocketAddr)> =
            ways.iter().map(|(prefix, address)| ((*prefix).to_owned(), *address)).collect();
        ways.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || serve(listener, &ways.into(), stopped));
        Self { address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Its thread has ended where nobody takes the word.
            let _ended = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn serve(listener: std::net::TcpListener, ways: &Ways, mut stopped: oneshot::Receiver<()>) {
    listener.set_nonblocking(true).expect("a socket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a runtime");
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = &mut stopped => return,
            };
            let Ok((stream, _)) = stream else { continue };
            let _latency = stream.set_nodelay(true);
            let ways = Arc::clone(ways);
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(Arc::clone(&ways), request));
                let connection = hyper::server::conn::http1::Builder::new();
                let _client_left = connection.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

async fn answer(ways: Ways, request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    let path = request.uri().path();
    let Some((_, address)) = ways.iter().find(|(prefix, _)| path.starts_with(prefix)) else {
        return Ok(nobody(StatusCode::NOT_FOUND));
    };
    match forward(*address, request).await {
        Some(response) => Ok(response.map(BodyExt::boxed)),
        None => Ok(nobody(StatusCode::BAD_GATEWAY)),
    }
}

async fn forward(address: SocketAddr, request: Request<Incoming>) -> Option<Response<Incoming>> {
    let stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    sender.send_request(request).await.ok()
}

fn nobody(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}
