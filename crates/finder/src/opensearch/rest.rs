//! Requests to OpenSearch: plain REST over HTTP/1.1, with or without TLS, tried again where that helps.
//!
//! Knows no index. Invariant: every wait has an end, every answer a largest size, and only what may be sent twice without
//! harm is sent twice: searches, and writes under versions of our own.

use crate::error::FinderError;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use serde_json::Value;
use service::peer::{Away, Bounds, Peer};
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// Longest answer, in bytes: a page of 200 documents has their descriptions.
const MAX_ANSWER: usize = 64 << 20;
/// Between the first and the second try; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Connections that are kept open to a server.
const IDLE: usize = 16;

/// One server, or what balances several.
pub(super) struct Rest {
    base: String,
    authorization: Option<HeaderValue>,
    peer: Peer,
    tries: u32,
}

/// What a body is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Json,
    /// A line for each.
    Lines,
}

impl Rest {
    /// `base` is such as `https://search.internal:9200`; a path in it goes before every path.
    pub(super) fn new(
        base: &Uri,
        authorization: Option<HeaderValue>,
        timeout: Duration,
        tries: u32,
    ) -> Result<Self, FinderError> {
        let connect = timeout.min(Duration::from_secs(5));
        let peer = Peer::new(Bounds { connect, whole: timeout, largest: MAX_ANSWER, idle: IDLE });
        let base = base.to_string().trim_end_matches('/').to_owned();
        Ok(Self { base, authorization, peer: peer.map_err(FinderError::Broken)?, tries: tries.max(1) })
    }

    /// A request with a JSON body; the answer with its status, whatever that is.
    pub(super) async fn json(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<(StatusCode, Value), FinderError> {
        self.send(method, path, Kind::Json, Bytes::from(body.to_string())).await
    }

    /// A request without a body.
    pub(super) async fn bare(&self, method: Method, path: &str) -> Result<(StatusCode, Value), FinderError> {
        self.send(method, path, Kind::Json, Bytes::new()).await
    }

    /// Any request; tried again where the server is not there or overloaded.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        kind: Kind,
        body: Bytes,
    ) -> Result<(StatusCode, Value), FinderError> {
        let mut pause = FIRST_PAUSE;
        let mut tried = 1;
        loop {
            let answer = self.once(&method, path, kind, body.clone()).await;
            let again = match &answer {
                Ok((status, _)) => is_overloaded(*status),
                Err(error) => matches!(error, FinderError::Unavailable(_)),
            };
            if !again || tried >= self.tries {
                return match answer {
                    Ok((status, value)) if again => {
                        Err(FinderError::Unavailable(format!("{status}: {}", reason(&value))))
                    }
                    other => other,
                };
            }
            tried += 1;
            tokio::time::sleep(pause + jitter(pause)).await;
            pause *= 2;
        }
    }

    async fn once(
        &self,
        method: &Method,
        path: &str,
        kind: Kind,
        body: Bytes,
    ) -> Result<(StatusCode, Value), FinderError> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !body.is_empty() {
            let kind = match kind {
                Kind::Json => "application/json",
                Kind::Lines => "application/x-ndjson",
            };
            request = request.header(CONTENT_TYPE, kind);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let request = request.body(Full::new(body)).map_err(|error| FinderError::Broken(error.to_string()))?;
        let answer = self.peer.ask(request).await.map_err(|away| match away {
            Away::Late => FinderError::TimedOut,
            Away::Broken(why) => FinderError::Unavailable(why),
        })?;
        let (status, bytes) = (answer.status(), answer.into_body());
        if bytes.is_empty() {
            return Ok((status, Value::Null));
        }
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok((status, value)),
            // A balancer before it answers in its own words.
            Err(_) if !status.is_success() => Ok((status, Value::Null)),
            Err(error) => Err(FinderError::Broken(format!("{method} {path}: not JSON: {error}"))),
        }
    }
}

fn is_overloaded(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// What the server says went wrong, cut to what a log line may have.
pub(super) fn reason(value: &Value) -> String {
    let error = &value["error"];
    let text = error["root_cause"][0]["reason"].as_str().or(error["reason"].as_str()).or(error.as_str());
    text.unwrap_or("no reason given").chars().take(300).collect()
}

/// The answer of a request that has to succeed.
pub(super) fn expect(what: &str, (status, value): (StatusCode, Value)) -> Result<Value, FinderError> {
    if status.is_success() {
        return Ok(value);
    }
    Err(FinderError::Broken(format!("{what}: {status}: {}", reason(&value))))
}

/// Up to as long again, by chance: so that many do not come back at once.
fn jitter(pause: Duration) -> Duration {
    let chance = RandomState::new().hash_one(0) % 1000;
    pause.mul_f64(chance as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::otlp;
    use tracing::Instrument as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[tokio::test]
    async fn a_search_is_part_of_its_callers_trace() {
        let config = service::config::load(None, [], &["endpoint=http://127.0.0.1:1".to_owned()]);
        let (spans, _exporter) = otlp::open(&config.expect("sound").config, "0").expect("sound").expect("an endpoint");
        let _until_the_end =
            tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.expect("traces are on")));
        let server = testkit::once::Once::answering("{\"hits\": {}}");
        let base = format!("http://{}", server.address).parse().expect("a URL");
        let rest = Rest::new(&base, None, Duration::from_secs(60), 1).expect("sound");
        let caller = otlp::Propagation::W3c.read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let request = otlp::enter(caller, || tracing::info_span!(target: otlp::TARGET, "request"));
        let asked = rest.json(Method::POST, "/assets/_search", &Value::Null).instrument(request);
        let (status, _) = asked.await.expect("an answer");
        let heard = server.heard();
        assert!(status.is_success() && heard.contains("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{heard}");
    }
}
