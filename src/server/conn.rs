//! One connection: who is there, which HTTP it speaks, its time-outs, its end.

use super::accept::Accepted;
use super::bind::Door;
use super::clients::Place;
use super::config::ServerConfig;
use super::corked::Corked;
use super::inline::Inline;
use super::lend::Lent;
use super::listener::Shared;
use super::watched::{Activity, Patience, Returned, Verdict, Watchdog, Watched};
use super::{Answer, Event, Handshake, Peer, Refusal, Stop, greeting, proxy};
use bytes::Bytes;
use http::header::{ALT_SVC, CONNECTION, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{MissedTickBehavior, timeout};

/// Longest wait for the peer's end of a connection once ours is closed.
const LINGER: Duration = Duration::from_secs(2);

/// Longest wait for a peer to go that was told to and has nothing more to get.
const GOODBYE: Duration = Duration::from_secs(5);

/// Bytes of the peer's that are awaited then.
const LAST_WORDS: u64 = 1 << 20;

/// Bytes of a request's body that are read to be thrown away.
const MOST_BODY: usize = 64 << 10;

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
    alt_svc: Option<HeaderValue>,
}

/// A request that has not been answered yet. It ends also where nobody waits for its answer any more.
struct Turn<A> {
    talk: Arc<Talk<A>>,
    done: bool,
}

impl<A> Turn<A> {
    fn begin(talk: &Arc<Talk<A>>) -> Self {
        talk.activity.begin();
        Self { talk: Arc::clone(talk), done: false }
    }

    /// It has its response.
    fn done(&mut self) -> &Talk<A> {
        self.done = true;
        &self.talk
    }
}

impl<A> Drop for Turn<A> {
    fn drop(&mut self) {
        if !self.done {
            self.talk.activity.given_up();
        }
        self.talk.activity.end();
    }
}

impl<A: Answer> Talk<A> {
    /// The connection has come to its own end.
    fn end(&self) -> End {
        if self.activity.is_cut() { self.cut(Refusal::Resets) } else { End::Orderly }
    }

    fn cut(&self, refusal: Refusal) -> End {
        self.shared.app.note(Event::Refused(refusal));
        End::Stalled
    }
}

/// Serves until the peer leaves, hangs or idles for too long, or the server stops.
pub(super) async fn serve<A: Answer>(accepted: Accepted, door: &Door, shared: &Arc<Shared<A>>) {
    let limit = shared.config.header_timeout;
    match accepted {
        Accepted::Tcp(mut stream, from) => {
            // Nagle's algorithm would hold back the end of a response for the peer's delayed acknowledgement.
            let _cosmetic = stream.set_nodelay(true);
            let Some((address, _place)) = introduce(&mut stream, from.ip(), shared).await else { return };
            if let Door::Tls(alt_svc) = door {
                encrypted(stream, address, alt_svc.clone(), shared).await;
            } else if let Ok(Ok(h2)) = timeout(limit, greeting::is_h2(&stream)).await {
                cleartext(stream, address, h2, shared).await;
            }
        }
        Accepted::Unix(mut stream) => {
            let Some((address, _place)) = introduce(&mut stream, Peer::LOCAL, shared).await else { return };
            if let Door::Tls(alt_svc) = door {
                encrypted(stream, address, alt_svc.clone(), shared).await;
            } else if let Ok(Ok((h2, stream))) = timeout(limit, greeting::read(stream)).await {
                cleartext(stream, address, h2, shared).await;
            }
        }
    }
}

/// Who is there, by the balancer's word where it gives one, and a place among that client's connections.
async fn introduce<A: Answer, S: AsyncRead + Unpin>(
    stream: &mut S,
    own: IpAddr,
    shared: &Shared<A>,
) -> Option<(IpAddr, Place)> {
    let config = &*shared.config;
    let mut address = own;
    if config.proxy_protocol.iter().any(|network| network.contains(own)) {
        let header = timeout(config.header_timeout, proxy::read(stream)).await.unwrap_or_else(|late| Err(late.into()));
        match header {
            Ok(client) => address = client.unwrap_or(own),
            // A balancer that only looks whether somebody listens.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
            Err(error) => {
                tracing::warn!(peer = %own, %error, "refused: server.proxy_protocol names this peer");
                shared.app.note(Event::Refused(Refusal::ProxyHeader));
                return None;
            }
        }
    }
    let place = shared.enter(address);
    if place.is_none() {
        shared.app.note(Event::Refused(Refusal::ClientLimit));
    }
    place.map(|place| (address, place))
}

async fn cleartext<A, S>(stream: S, address: IpAddr, h2: bool, shared: &Arc<Shared<A>>)
where
    A: Answer,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::new(shared.config.max_resets));
    let (watched, returned) = Watched::new(stream, Arc::clone(&activity));
    let talk = Talk { shared: Arc::clone(shared), peer: Peer::plain(address), activity, h2, alt_svc: None };
    converse(watched, &returned, talk).await;
}

async fn encrypted<A, S>(stream: S, address: IpAddr, alt_svc: Option<HeaderValue>, shared: &Arc<Shared<A>>)
where
    A: Answer,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(handshakes) = &shared.handshakes else { return };
    let activity = Arc::new(Activity::new(shared.config.max_resets));
    // Below TLS: there a peer that takes nothing can be told from one that gets on.
    let (watched, returned) = Watched::new(stream, Arc::clone(&activity));
    match handshakes.accept(watched).await {
        Ok(shaken) => {
            shared.app.note(Event::Handshake(if shaken.resumed { Handshake::Resumed } else { Handshake::Full }));
            let peer = Peer { address, secure: true, identity: shaken.identity };
            let talk = Talk { shared: Arc::clone(shared), peer, activity, h2: shaken.h2, alt_svc };
            converse(shaken.stream, &returned, talk).await;
        }
        Err(error) => {
            let late = error.kind() == io::ErrorKind::TimedOut;
            tracing::debug!(peer = %address, %error, "no TLS handshake");
            shared.app.note(Event::Handshake(if late { Handshake::Late } else { Handshake::Failed }));
        }
    }
}

async fn converse<A, S, R>(stream: S, returned: &Returned<R>, talk: Talk<A>)
where
    A: Answer,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    R: AsyncRead + AsyncWrite + Unpin,
{
    let talk = Arc::new(talk);
    let config = &*talk.shared.config;
    let ended = if talk.h2 {
        let service = service_fn(|request: Request<Incoming>| {
            let mut turn = Turn::begin(&talk);
            async move {
                let response = answer(&turn.talk, request).await;
                Ok::<_, Infallible>(response.map(|body| Lent::new(body, &turn.done().activity)))
            }
        });
        let (corked, cork) = Corked::new(stream);
        let connection = http2_builder(config).serve_connection(TokioIo::new(corked), service);
        drive(connection, &talk, |cx| cork.pull(cx)).await
    } else {
        talk.activity.expect_head();
        let service = service_fn(|request: Request<Incoming>| {
            let mut turn = Turn::begin(&talk);
            async move {
                let response = answer(&turn.talk, request).await;
                turn.done();
                Ok::<_, Infallible>(response.map(Full::new))
            }
        });
        let connection = http1_builder(config).serve_connection(TokioIo::new(stream), service);
        drive(connection, &talk, |_| Poll::Ready(Ok(()))).await
    };
    if let (End::Orderly, Some(stream)) = (ended, returned.take()) {
        linger(stream).await;
    }
}

async fn answer<A: Answer>(talk: &Talk<A>, request: Request<Incoming>) -> Response<Bytes> {
    let (head, body) = request.into_parts();
    if talk.h2 && !body.is_end_stream() {
        let _read_or_elapsed = timeout(talk.shared.config.header_timeout, discard(body)).await;
    }
    let mut response = talk.shared.app.answer(&talk.peer, head).await;
    if !talk.h2 && talk.shared.stop.lingering() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(alt_svc) = &talk.alt_svc {
        response.headers_mut().insert(ALT_SVC, alt_svc.clone());
    }
    response
}

/// Reads a body that nobody wants, so far. HTTP/2 finds out at its end whether it was well-formed (RFC 9113 §8.1.1); an
/// answer before that would be to a request that is none. (HTTP/1 answers at once, and closes.)
async fn discard(mut body: Incoming) {
    let mut left = MOST_BODY;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        if length > left {
            break;
        }
        left -= length;
    }
}

/// Waits for the peer to close too. A socket that is closed with bytes unread (requests that came too late, HTTP/2 window
/// updates) resets the connection, and the end of the last response is lost with it.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let until_the_end = async {
        stream.shutdown().await?;
        // What is under way by then is little; a flood is nobody's last words.
        tokio::io::copy(&mut stream.take(LAST_WORDS), &mut tokio::io::sink()).await
    };
    let _end_reset_or_elapsed = timeout(LINGER, until_the_end).await;
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

fn http2_builder(config: &ServerConfig) -> http2::Builder<Inline> {
    let mut builder = http2::Builder::new(Inline);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.max_streams)
        .max_header_list_size(u32::try_from(config.max_head_bytes).unwrap_or(u32::MAX))
        // Requests have no bodies worth a window; responses may pin this much per stream of a slow reader.
        .initial_stream_window_size(64 << 10)
        .initial_connection_window_size(64 << 10)
        // No pings: their answers would make every connection look alive, and who vanished is idle soon enough.
        .max_send_buf_size(128 << 10)
        // Resets by us: of streams that break the rules.
        .max_local_error_reset_streams(Some(256));
    builder
}

/// Polls the connection until it ends; `pull` sends what it has written, after each turn.
async fn drive<A: Answer, C: GracefulConnection>(
    connection: C,
    talk: &Talk<A>,
    pull: impl Fn(&mut Context<'_>) -> Poll<io::Result<()>>,
) -> End {
    let mut connection = pin!(connection);
    let mut over = false;
    let config = &*talk.shared.config;
    let patience = Patience {
        header: config.header_timeout,
        idle: config.idle_timeout,
        write: config.write_timeout,
        stream: config.stream_timeout,
    };
    let period = (patience.header.min(patience.idle).min(patience.write).min(patience.stream) / 4)
        .clamp(SHORTEST_PERIOD, LONGEST_PERIOD);
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watchdog = Watchdog::new(patience, Instant::now());
    let mut ending = false;
    let stop: &Stop = &talk.shared.stop;
    loop {
        let turn = poll_fn(|cx| {
            // Errors here are the peer's (resets, bad syntax): hyper has answered what can be answered.
            over = over || connection.as_mut().poll(cx).is_ready();
            let sent = pull(cx);
            if over || matches!(sent, Poll::Ready(Err(_))) { sent.map(drop) } else { Poll::Pending }
        });
        let now = tokio::select! {
            biased;
            () = turn => return talk.end(),
            now = tick.tick() => now.into_std(),
        };
        match watchdog.look(&talk.activity, now) {
            Verdict::SlowHead => return talk.cut(Refusal::SlowHead),
            Verdict::SlowReader => return talk.cut(Refusal::SlowReader),
            Verdict::Idle if ending || over => return End::Stalled,
            Verdict::Fine if ending || over || !stop.stopping() => {}
            Verdict::Idle | Verdict::Fine => {
                ending = true;
                watchdog.hurry(GOODBYE);
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
