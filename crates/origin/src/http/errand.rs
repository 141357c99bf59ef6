//! Requests to URLs that users and configs name, rather than to an origin: imports and webhooks.
//!
//! The same judgement of addresses and certificates as for origins. Owns redirects and times. Does not know what comes back
//! or what for. Invariants: every address and every redirect is judged; a body is given in pieces, none of which is waited for
//! longer than `pause`; what is sent holds nothing but what is asked here.

use super::allow::{Pattern, Site};
use super::connect::Connector;
use super::reach::Reach;
use super::{MAX_HEAD, location, tls, trouble};
use crate::{Cause, Phase, Trouble};
use ::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, USER_AGENT};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use service::network::Network;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// Bytes of a URL.
const MAX_URL: usize = 4096;
/// Bytes of an answer to what was posted that are read, for its connection to be used again.
const MAX_ANSWER: usize = 64 << 10;
/// For a connection to be used again.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where errands may lead, and how long they may take.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Networks that may be reached although they are private.
    pub allow_private: Vec<Network>,
    /// URLs that may be fetched; empty: all whose addresses may be reached.
    pub allow: Vec<Pattern>,
    /// Redirects that are followed.
    pub redirects: usize,
    /// For a connection, and again for TLS.
    pub connect: Duration,
    /// From a request to the head of its answer.
    pub response: Duration,
    /// Between two pieces of a body.
    pub pause: Duration,
}

/// Runs errands. Clones share connections.
#[derive(Clone, Debug)]
pub struct Errands {
    client: Client<Connector, Full<Bytes>>,
    bounds: Bounds,
}

/// An answer whose body has yet to come.
#[derive(Debug)]
pub struct Download {
    /// `Content-Type`.
    pub media_type: Option<String>,
    /// `Content-Length`.
    pub length: Option<u64>,
    /// The URL that answered, after redirects.
    pub url: String,
    body: Incoming,
    pause: Duration,
}

impl Errands {
    /// # Errors
    /// A file of certificates that cannot be used.
    pub fn new(bounds: Bounds, ca_file: Option<&Path>) -> Result<Self, String> {
        let reach = Reach { private: bounds.allow_private.clone() };
        let connector = Connector::new(reach, Some(tls::client(ca_file, true)?), bounds.connect, bounds.connect);
        let mut builder = Client::builder(TokioExecutor::new());
        builder.timer(TokioTimer::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(KEEP_ALIVE);
        builder.http1_max_buf_size(MAX_HEAD).http2_max_header_list_size(MAX_HEAD as u32);
        Ok(Self { client: builder.build(connector), bounds })
    }

    /// Asks for what is at a URL, up to the head of the answer that is no redirect.
    ///
    /// # Errors
    /// [`Cause::Refused`] where it may not be asked, [`Cause::Status`] for any answer but 200 and 203.
    pub async fn get(&self, url: &str) -> Result<Download, Trouble> {
        let mut uri = self.judged(url)?;
        for _ in 0..=self.bounds.redirects {
            let response = self.send(Method::GET, &uri, &[], Bytes::new()).await?;
            let status = response.status().as_u16();
            let refused = |text: String| Trouble::new(Phase::Redirect, Cause::Refused, text);
            match status {
                200 | 203 => return self.download(response, &uri),
                301 | 302 | 303 | 307 | 308 => {
                    let named = response.headers().get(LOCATION).map(HeaderValue::as_bytes).unwrap_or_default();
                    let next = location::redirect(&uri, named);
                    let next = next.ok_or_else(|| refused(format!("a redirect of {uri} that leads nowhere")))?;
                    uri = self.judged(&next.to_string())?;
                }
                status => return Err(Trouble::new(Phase::Response, Cause::Status(status), uri.to_string())),
            }
        }
        let text = format!("more than {} redirects", self.bounds.redirects);
        Err(Trouble::new(Phase::Redirect, Cause::Refused, text))
    }

    /// Sends something, and tells the answer's status; redirects are not followed.
    ///
    /// # Errors
    /// It cannot be sent, or nobody answers in time.
    pub async fn post(&self, url: &str, fields: &[(HeaderName, HeaderValue)], body: Bytes) -> Result<u16, Trouble> {
        let uri = self.judged(url)?;
        let response = self.send(Method::POST, &uri, fields, body).await?;
        let status = response.status().as_u16();
        let rest = http_body_util::Limited::new(response.into_body(), MAX_ANSWER).collect();
        let _nobody_reads_it = timeout(self.bounds.pause, rest).await;
        Ok(status)
    }

    fn judged(&self, url: &str) -> Result<Uri, Trouble> {
        let refused = |text: &str| Trouble::new(Phase::Connect, Cause::Refused, format!("{url}: {text}"));
        if url.len() > MAX_URL {
            return Err(Trouble::new(Phase::Connect, Cause::Refused, format!("a URL of more than {MAX_URL} bytes")));
        }
        let plain = url.split('#').next().unwrap_or_default();
        let uri: Uri = plain.parse().map_err(|_| refused("it is no URL"))?;
        let site = Site::of(&uri).map_err(refused)?;
        let named = self.bounds.allow.iter().any(|pattern| pattern.matches(&site, uri.path()));
        if named || self.bounds.allow.is_empty() { Ok(uri) } else { Err(refused("no pattern names it")) }
    }

    async fn send(
        &self,
        method: Method,
        uri: &Uri,
        fields: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<::http::Response<Incoming>, Trouble> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri.clone();
        let agent = HeaderValue::from_static(concat!("Tintype/", env!("CARGO_PKG_VERSION")));
        let headers = request.headers_mut();
        headers.extend([
            (USER_AGENT, agent),
            (ACCEPT, HeaderValue::from_static("image/*,*/*;q=0.5")),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        ]);
        headers.extend(fields.iter().cloned());
        let waits = self.bounds.connect * 3 + self.bounds.response;
        let sent = timeout(waits, self.client.request(request)).await.map_err(|_| Trouble::late(Phase::Response))?;
        sent.map_err(|error| trouble(&error))
    }

    fn download(&self, response: ::http::Response<Incoming>, uri: &Uri) -> Result<Download, Trouble> {
        let (head, body) = response.into_parts();
        let text = |headers: &HeaderMap, name| {
            headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned)
        };
        if let Some(encoding) = text(&head.headers, CONTENT_ENCODING).filter(|encoding| encoding != "identity") {
            let text = format!("Content-Encoding {encoding}, unasked for");
            return Err(Trouble::new(Phase::Body, Cause::Refused, text));
        }
        let length = body.size_hint().exact();
        let media_type = text(&head.headers, CONTENT_TYPE);
        Ok(Download { media_type, length, url: uri.to_string(), body, pause: self.bounds.pause })
    }
}

impl Download {
    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// It broke off, or did not come in time.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Trouble> {
        loop {
            let frame = timeout(self.pause, self.body.frame()).await.map_err(|_| Trouble::late(Phase::Body))?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| Trouble::new(Phase::Body, Cause::Broken, error.to_string()))?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::{Act, Origin};

    fn errands(allow_private: &[&str]) -> Errands {
        let bounds = Bounds {
            allow_private: allow_private.iter().map(|network| network.parse().expect("a network")).collect(),
            allow: Vec::new(),
            redirects: 2,
            connect: Duration::from_secs(5),
            response: Duration::from_secs(5),
            pause: Duration::from_secs(5),
        };
        Errands::new(bounds, None).expect("authorities")
    }

    async fn all(errands: &Errands, url: &str) -> Result<Vec<u8>, Trouble> {
        let mut download = errands.get(url).await?;
        let mut all = Vec::new();
        while let Some(piece) = download.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn what_is_there_comes_and_redirects_are_judged() {
        let server = Origin::new();
        server.on("/a.jpg", [Act::ok(&[("content-type", "image/jpeg")], "a picture")]);
        server.on("/here", [Act::status(302, &[("location", "/a.jpg")], "")]);
        server.on("/inside", [Act::status(302, &[("location", "http://169.254.169.254/latest/meta-data/")], "")]);
        server.on("/round", [Act::status(302, &[("location", "/round")], "")]);
        let inside = errands(&["127.0.0.0/8"]);
        let at = |path: &str| format!("{}{path}", server.base().trim_end_matches('/'));
        assert_eq!(all(&inside, &at("/a.jpg")).await.unwrap(), b"a picture");
        assert_eq!(all(&inside, &at("/here")).await.unwrap(), b"a picture");
        for (path, phase) in [("/inside", Phase::Connect), ("/round", Phase::Redirect)] {
            let trouble = all(&inside, &at(path)).await.unwrap_err();
            assert_eq!((trouble.phase, trouble.cause), (phase, Cause::Refused), "{path}");
        }
        assert_eq!(all(&inside, &at("/none")).await.unwrap_err().cause, Cause::Status(404));
        assert_eq!(inside.post(&at("/a.jpg"), &[], Bytes::from_static(b"{}")).await.unwrap(), 200);
        let outside = errands(&[]);
        assert_eq!(
            all(&outside, &at("/a.jpg")).await.unwrap_err().cause,
            Cause::Refused,
            "loopback is not to be reached"
        );
        for url in ["file:///etc/passwd", "ftp://a/", "http://u:p@127.0.0.1/", "gopher://127.0.0.1:70/", ""] {
            assert_eq!(all(&inside, url).await.unwrap_err().cause, Cause::Refused, "{url}");
        }
    }
}
