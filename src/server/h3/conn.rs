//! One HTTP/3 connection: its requests, its time-outs, its end.
//!
//! Invariant: every request that was accepted is answered before the connection is closed, unless its client hangs.

use super::bounded::Connection as Streams;
use crate::server::listener::Shared;
use crate::server::{Answer, Event, Peer, Refusal, tls};
use bytes::Bytes;
use h3::error::{Code, StreamError};
use h3::server::{Connection, RequestResolver, RequestStream};
use http::header::{CONTENT_LENGTH, DATE, HeaderValue};
use http::{HeaderMap, Method, Response};
use rustls::pki_types::CertificateDer;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, timeout};

/// What a response's body is cut into, so that a peer that takes nothing is found.
const PIECE: usize = 64 << 10;

/// Besides the head itself: frame headers, and unknown frames that clients may put before it.
const FRAMING: usize = 4 << 10;

/// Longest wait for the peer to close, once all is said.
const LINGER: Duration = Duration::from_secs(2);

const LONGEST_PERIOD: Duration = Duration::from_secs(1);
const SHORTEST_PERIOD: Duration = Duration::from_millis(25);

/// H3_EXCESSIVE_LOAD (RFC 9114 §8.1).
const EXCESSIVE_LOAD: quinn::VarInt = quinn::VarInt::from_u32(0x107);

/// One connection's own: what each of its requests needs.
struct Talk<A> {
    shared: Arc<Shared<A>>,
    peer: Peer,
    quic: quinn::Connection,
    answered: AtomicU32,
    given_up: AtomicU32,
}

type Stream = RequestStream<<Streams as h3::quic::OpenStreams<Bytes>>::BidiStream, Bytes>;

/// Why a request has no whole answer.
enum Lost {
    /// The client left, or gave it up.
    GivenUp,
    /// It takes nothing.
    Stalled,
    /// It does not finish its head.
    SlowHead,
}

/// Serves until the peer leaves or idles for too long, or the server stops.
pub(super) async fn serve<A: Answer>(quic: quinn::Connection, address: IpAddr, shared: &Arc<Shared<A>>) {
    let head = shared.config.max_head_bytes;
    let mut builder = h3::server::builder();
    builder.max_field_section_size(head as u64);
    let Ok(mut http) = builder.build(Streams::new(quic.clone(), head + FRAMING)).await else { return };
    let identity = quic.peer_identity().and_then(|chain| chain.downcast::<Vec<CertificateDer<'static>>>().ok());
    let identity = identity.and_then(|chain| tls::identity(&chain));
    let talk = Arc::new(Talk {
        shared: Arc::clone(shared),
        peer: Peer { address, secure: true, identity },
        quic: quic.clone(),
        answered: AtomicU32::new(0),
        given_up: AtomicU32::new(0),
    });
    drive(&mut http, &talk).await;
    // What was sent last is on its way: closing now would take it back.
    let _closed_or_elapsed = timeout(LINGER, quic.closed()).await;
}

async fn drive<A: Answer>(http: &mut Connection<Streams, Bytes>, talk: &Arc<Talk<A>>) {
    let (idle, stop) = (talk.shared.config.idle_timeout, &talk.shared.stop);
    let mut tick = tokio::time::interval((idle / 4).clamp(SHORTEST_PERIOD, LONGEST_PERIOD));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut requests = JoinSet::new();
    let (mut quiet_since, mut ending) = (Instant::now(), false);
    loop {
        tokio::select! {
            biased;
            accepted = http.accept() => match accepted {
                Ok(Some(request)) => drop(requests.spawn(one(request, Arc::clone(talk)))),
                // The peer has said goodbye, or left.
                Ok(None) | Err(_) => break,
            },
            Some(_ended) = requests.join_next() => quiet_since = Instant::now(),
            now = tick.tick() => {
                let quiet = requests.is_empty();
                let is_idle = quiet && now.into_std().saturating_duration_since(quiet_since) > idle;
                if ending && quiet {
                    break;
                }
                if !ending && (is_idle || stop.stopping()) {
                    ending = true;
                    // One more than the last: those that are under way are not taken back.
                    if http.shutdown(1).await.is_err() {
                        break;
                    }
                }
            }
        }
    }
    if talk.quic.close_reason().is_none() {
        while requests.join_next().await.is_some() {}
    }
}

async fn one<A: Answer>(request: RequestResolver<Streams, Bytes>, talk: Arc<Talk<A>>) {
    match answer(request, &talk).await {
        Ok(()) => drop(talk.answered.fetch_add(1, Ordering::Relaxed)),
        Err(Lost::SlowHead) => talk.shared.app.note(Event::Refused(Refusal::SlowHead)),
        Err(Lost::Stalled) => talk.shared.app.note(Event::Refused(Refusal::SlowReader)),
        Err(Lost::GivenUp) => {
            let given_up = talk.given_up.fetch_add(1, Ordering::Relaxed);
            let limit = talk.shared.config.max_resets.saturating_add(talk.answered.load(Ordering::Relaxed));
            if given_up >= limit && talk.quic.close_reason().is_none() {
                talk.quic.close(EXCESSIVE_LOAD, b"too many requests given up");
                talk.shared.app.note(Event::Refused(Refusal::Resets));
            }
        }
    }
}

async fn answer<A: Answer>(request: RequestResolver<Streams, Bytes>, talk: &Talk<A>) -> Result<(), Lost> {
    let config = &*talk.shared.config;
    let resolved = timeout(config.header_timeout, request.resolve_request()).await.map_err(|_| Lost::SlowHead)?;
    let (request, mut stream) = resolved.map_err(|_| Lost::GivenUp)?;
    let head = request.into_parts().0;
    let get = head.method != Method::HEAD;
    let (mut head, body) = talk.shared.app.answer(&talk.peer, head).await.into_parts();
    complete(&mut head.headers, body.len(), SystemTime::now());
    let body = if get { body } else { Bytes::new() };
    send(&mut stream, Response::from_parts(head, ()), body, config.stream_timeout).await?;
    // To the end of the request, as far as a stream may send: some clients take it ill when their last word is refused.
    let _read_or_elapsed = timeout(LINGER, async { while let Ok(Some(_)) = stream.recv_data().await {} }).await;
    Ok(())
}

async fn send(stream: &mut Stream, head: Response<()>, mut body: Bytes, patience: Duration) -> Result<(), Lost> {
    within(patience, stream.send_response(head)).await?;
    while !body.is_empty() {
        let piece = body.split_to(body.len().min(PIECE));
        if let Err(lost) = within(patience, stream.send_data(piece)).await {
            // Else the piece that is there would look like all.
            stream.stop_stream(Code::H3_REQUEST_CANCELLED);
            return Err(lost);
        }
    }
    within(patience, stream.finish()).await
}

async fn within(patience: Duration, sending: impl Future<Output = Result<(), StreamError>>) -> Result<(), Lost> {
    timeout(patience, sending).await.map_err(|_| Lost::Stalled)?.map_err(|_| Lost::GivenUp)
}

/// What hyper adds to the answers of the other protocols.
fn complete(headers: &mut HeaderMap, length: usize, now: SystemTime) {
    if length > 0 && !headers.contains_key(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if !headers.contains_key(DATE) {
        let date = HeaderValue::try_from(httpdate::fmt_http_date(now)).expect("a date is ASCII");
        headers.insert(DATE, date);
    }
}
