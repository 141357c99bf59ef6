//! API keys, as `tintype-auth` in another process knows them: asked over HTTP, and remembered for seconds.
//!
//! Invariants: what is remembered is found by a hash, never by the key; what is wrong is remembered as well, so that guessing
//! does not become load; so much is remembered and no more.

use crate::fetch::{Client, Question};
use crate::key::KeysFuture;
use crate::{ApiKey, Caller, Keys, Unavailable};
use http::{Method, Uri};
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most keys that are remembered.
const MOST: usize = 10_000;

#[derive(Deserialize)]
struct Answer {
    active: bool,
    caller: Option<Caller>,
}

/// What was found, and when.
type Known = (Instant, Option<Caller>);

/// Asks `tintype-auth`.
pub(crate) struct Introspection {
    client: Client,
    url: Uri,
    key: String,
    fresh: Duration,
    known: Mutex<HashMap<[u8; 32], Known>>,
}

impl Introspection {
    pub(crate) fn new(client: Client, url: Uri, key: String, fresh: Duration) -> Self {
        Self { client, url, key, fresh, known: Mutex::default() }
    }

    async fn ask(&self, key: &ApiKey) -> Result<Option<Caller>, Unavailable> {
        let body = serde_json::json!({ "token": key.expose() }).to_string().into_bytes();
        let question = Question { method: Method::POST, url: &self.url, bearer: Some(&self.key), body: Some(body) };
        let answer = self.client.ask(question).await.and_then(|(status, body)| match status {
            200 => serde_json::from_slice::<Answer>(&body).map_err(|error| error.to_string()),
            _ => Err(format!("{} answers {status}", self.url)),
        });
        match answer {
            Ok(answer) => Ok(answer.caller.filter(|_| answer.active)),
            Err(error) => {
                tracing::warn!(error, "API keys cannot be looked up");
                Err(Unavailable)
            }
        }
    }
}

impl Keys for Introspection {
    fn find<'a>(&'a self, key: &'a ApiKey) -> KeysFuture<'a> {
        Box::pin(async move {
            let name = key.fingerprint();
            let now = Instant::now();
            {
                let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((at, caller)) = known.get(&name)
                    && now.duration_since(*at) < self.fresh
                {
                    return Ok(caller.clone());
                }
            }
            let found = self.ask(key).await?;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST {
                known.retain(|_, (at, _)| now.duration_since(*at) < self.fresh);
            }
            if known.len() < MOST {
                known.insert(name, (now, found.clone()));
            }
            Ok(found)
        })
    }
}

/// Without the key.
impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::otlp;
    use tracing::Instrument as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[tokio::test]
    async fn the_question_is_part_of_the_callers_trace() {
        let config = service::config::load(None, [], &["endpoint=http://127.0.0.1:1".to_owned()]);
        let (spans, _exporter) = otlp::open(&config.expect("sound").config, "0").expect("sound").expect("an endpoint");
        let _until_the_end =
            tracing::subscriber::set_default(tracing_subscriber::registry().with(spans.expect("traces are on")));
        let server = testkit::once::Once::answering("{\"active\": false}");
        let url = format!("http://{}/auth/v1/introspect", server.address).parse().expect("a URL");
        let client = Client::new().expect("sound defaults");
        let keys = Introspection::new(client, url, "tt_service_key".to_owned(), Duration::ZERO);
        let key = ApiKey::generate().expect("random bytes");
        let caller = otlp::Propagation::W3c.read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let request = otlp::enter(caller, || tracing::info_span!(target: otlp::TARGET, "request"));
        assert!(keys.find(&key).instrument(request).await.expect("an answer").is_none());
        let heard = server.heard();
        assert!(heard.contains("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{heard}");
        assert!(!heard.contains("00f067aa0ba902b7"), "as a step of ours, not as the caller's: {heard}");
    }
}
