//! Requests to one server: connections that are kept, TLS by the system's authorities, time-outs, bodies under a limit.
//!
//! Knows no path. Invariant: every wait ends, and no answer takes more memory than the limit.

use crate::failure::{Failure, Problem};
use bytes::Bytes;
use http::header::{RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use service::peer::{Away, Bounds, Peer};
use std::time::Duration;

/// Largest answer, in bytes.
const ANSWER_LIMIT: usize = 64 << 20;
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for an answer, the sending of the body included: 8 MiB on a slow line, and a large picture being looked at.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);

/// Connections that are kept open: as many as upload at once.
const IDLE: usize = 16;

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Itself, where it is no refusal.
    ///
    /// # Errors
    /// [`Failure::Refused`].
    pub fn accepted(self) -> Result<Self, Failure> {
        if self.status.is_success() {
            return Ok(self);
        }
        let problem = serde_json::from_slice(&self.body).unwrap_or_else(|_not_json| Problem {
            title: self.status.canonical_reason().unwrap_or_default().to_owned(),
            ..Problem::default()
        });
        let retry = self.header(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok()).map(Duration::from_secs);
        Err(Failure::Refused { status: self.status, problem, retry })
    }

    /// What the body says.
    ///
    /// # Errors
    /// It is none of what is expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let unread = |error| Failure::Unreachable(format!("the server's answer cannot be understood: {error}"));
        serde_json::from_slice(&self.body).map_err(unread)
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A way to a server. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    peer: Peer,
    server: Uri,
}

impl Link {
    /// # Errors
    /// `server` is no address.
    pub(crate) fn new(server: &str) -> Result<Self, Failure> {
        let wrong = || Failure::Local(format!("{server:?} is no server: write it as https://images.example.org"));
        let uri: Uri = server.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let plain = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.path().len() <= 1;
        if !plain || uri.query().is_some() {
            return Err(wrong());
        }
        let bounds = Bounds { connect: CONNECT_TIMEOUT, whole: ANSWER_TIMEOUT, largest: ANSWER_LIMIT, idle: IDLE };
        Ok(Self { peer: Peer::new(bounds).map_err(Failure::Local)?, server: uri })
    }

    /// Where it goes, without a slash at the end.
    pub(crate) fn server(&self) -> String {
        self.server.to_string().trim_end_matches('/').to_owned()
    }

    /// Asks once.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Failure> {
        let address = format!("{}{path}", self.server());
        let mut request = Request::builder().method(method).uri(&address).body(Full::new(body));
        if let Ok(request) = &mut request {
            *request.headers_mut() = headers;
            let name = concat!("tintype-client/", env!("CARGO_PKG_VERSION"));
            request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(name));
        }
        let request = request.map_err(|error| Failure::Local(format!("{address}: {error}")))?;
        let answer = self.peer.ask(request).await.map_err(|away| {
            let why = match away {
                Away::Late => format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()),
                Away::Broken(why) => why,
            };
            Failure::Unreachable(format!("{}: {why}", self.server()))
        })?;
        let (head, body) = answer.into_parts();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_addresses_without_a_path() {
        for fine in ["http://127.0.0.1:8080", "https://img.example.org/"] {
            assert_eq!(Link::new(fine).unwrap().server(), fine.trim_end_matches('/'));
        }
        for odd in ["", "img.example.org", "ftp://img.example.org", "http://a/b", "http://a?b"] {
            assert!(matches!(Link::new(odd), Err(Failure::Local(_))), "{odd}");
        }
    }
}
