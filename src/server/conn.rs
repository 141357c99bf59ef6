//! One TCP connection: which HTTP it speaks, its time-outs, its end.

use super::config::ServerConfig;
use super::listener::Shared;
use super::watched::{Activity, Patience, Verdict, Watchdog, Watched};
use super::{Answer, Peer, Stop};
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::MissedTickBehavior;

/// Longest wait for the peer's end of a connection once ours is closed.
const LINGER: Duration = Duration::from_secs(2);

/// How often a connection is looked at: one timer for all its time-outs and for the end of the server. A second makes
/// ten thousand idle connections cost about a hundredth of a core.
const LONGEST_PERIOD: Duration = Duration::from_secs(1);
const SHORTEST_PERIOD: Duration = Duration::from_millis(25);

/// One connection's own: what each of its requests needs.
struct Talk<A> {
    shared: Arc<Shared<A>>,
    peer: Peer,
    activity: Arc<Activity>,
    h2: bool,
}

/// A request that has not been answered yet. It ends also where nobody waits for its answer any more.
struct Turn<A>(Arc<Talk<A>>);

impl<A> Turn<A> {
    fn begin(talk: &Arc<Talk<A>>) -> Self {
        talk.activity.begin();
        Self(Arc::clone(talk))
    }
}

impl<A> Drop for Turn<A> {
    fn drop(&mut self) {
        self.0.activity.end();
    }
}

/// Serves until the peer leaves, hangs or idles for too long, or the server stops.
pub(super) async fn serve<A: Answer>(stream: TcpStream, peer: IpAddr, shared: &Arc<Shared<A>>) {
    let config = &*shared.config;
    // Nagle's algorithm would hold back the end of a response for the peer's delayed acknowledgement.
    let _cosmetic = stream.set_nodelay(true);
    let patience = Patience { header: config.header_timeout, idle: config.idle_timeout, write: config.write_timeout };
    let h2 = match tokio::time::timeout(patience.header, speaks_h2(&stream)).await {
        Ok(Ok(h2)) => h2,
        Ok(Err(_)) | Err(_) => return,
    };
    let activity = Arc::new(Activity::new(!h2));
    let (watched, returned) = Watched::new(stream, Arc::clone(&activity));
    let io = TokioIo::new(watched);
    let talk = Talk { shared: Arc::clone(shared), peer: Peer::plain(peer), activity: Arc::clone(&activity), h2 };
    let talk = Arc::new(talk);
    let service = service_fn(|request: Request<Incoming>| {
        let turn = Turn::begin(&talk);
        async move { Ok::<_, Infallible>(answer(&turn, request).await) }
    });
    let ended = if h2 {
        drive(http2_builder(config).serve_connection(io, service), &activity, patience, &shared.stop).await
    } else {
        drive(http1_builder(config).serve_connection(io, service), &activity, patience, &shared.stop).await
    };
    if let (End::Orderly, Some(stream)) = (ended, returned.take()) {
        linger(stream).await;
    }
}

async fn answer<A: Answer>(turn: &Turn<A>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let talk = &*turn.0;
    let mut response = talk.shared.app.answer(&talk.peer, request.into_parts().0).await;
    if !talk.h2 && talk.shared.stop.lingering() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response.map(Full::new)
}

/// Waits for the peer to close too. A socket that is closed with bytes unread (requests that came too late, HTTP/2 window
/// updates) resets the connection, and the end of the last response is lost with it.
async fn linger(mut stream: TcpStream) {
    let until_the_end = async {
        stream.shutdown().await?;
        let mut unread = [0; 4096];
        while stream.read(&mut unread).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _end_reset_or_elapsed = tokio::time::timeout(LINGER, until_the_end).await;
}

/// How a connection came to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// All that was to be said is said.
    Orderly,
    /// Cut off.
    Stalled,
}

fn http1_builder(config: &ServerConfig) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // No header timer here: hyper's also runs while a connection is idle. `Watched` tells the two apart.
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(config.max_head_bytes);
    builder
}

fn http2_builder(config: &ServerConfig) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.max_streams)
        .max_header_list_size(u32::try_from(config.max_head_bytes).unwrap_or(u32::MAX))
        // Requests have no bodies worth a window; responses may pin this much per stream of a slow reader.
        .initial_stream_window_size(64 << 10)
        .initial_connection_window_size(64 << 10)
        // No pings: their answers would make every connection look alive, and who vanished is idle soon enough.
        .max_send_buf_size(128 << 10);
    builder
}

/// HTTP/2 by prior knowledge begins with `PRI `, and no method that we answer does.
async fn speaks_h2(stream: &TcpStream) -> std::io::Result<bool> {
    const PREFACE: &[u8] = b"PRI ";
    let mut start = [0; 4];
    loop {
        let seen = stream.peek(&mut start).await?;
        if seen == 0 || start[..seen] != PREFACE[..seen] {
            return Ok(false);
        }
        if seen == PREFACE.len() {
            return Ok(true);
        }
        // One to three bytes of it: rare enough to poll for the rest.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn drive<C: GracefulConnection>(connection: C, activity: &Activity, patience: Patience, stop: &Stop) -> End {
    let mut connection = pin!(connection);
    let period = (patience.header.min(patience.idle).min(patience.write) / 4).clamp(SHORTEST_PERIOD, LONGEST_PERIOD);
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watchdog = Watchdog::new(patience, Instant::now());
    let mut ending = false;
    loop {
        let now = tokio::select! {
            biased;
            // Errors here are the peer's (resets, bad syntax): hyper has answered what can be answered.
            _result = connection.as_mut() => return End::Orderly,
            now = tick.tick() => now.into_std(),
        };
        match watchdog.look(activity, now) {
            Verdict::Stalled => return End::Stalled,
            Verdict::Idle if ending => return End::Stalled,
            Verdict::Fine if ending || !stop.stopping() => {}
            Verdict::Idle | Verdict::Fine => {
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
