//! Originals on an HTTP server: one GET, with redirects, repeats and limits, on pooled connections.
//!
//! Owns what is sent and how long is waited. Does not know what an answer allows, nor what is kept: it returns heads.
//! Invariants: no byte of a client's request reaches the origin but the original's path; every address and every redirect
//! is judged; every phase, and the whole, has an end.

pub mod allow;
pub mod config;
mod connect;
pub mod errand;
mod hosts;
mod location;
mod reach;
mod request;
mod tls;

pub use request::CDN_LOOP;
pub use request::has_passed;

use crate::attempts::{Attempts, Progress};
use crate::body;
use crate::config::OriginConfig;
use crate::{Asking, Cause, Found, Missing, Phase, Reply, Trouble};
use ::http::header::{CONTENT_ENCODING, LOCATION, RETRY_AFTER};
use ::http::{HeaderMap, HeaderValue, Response, Uri};
use allow::Site;
use bytes::Bytes;
use config::{Forbidden, HttpConfig};
use connect::Connector;
use hosts::Hosts;
use http_body_util::Empty;
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reach::Reach;
use request::Fields;
use std::error::Error;
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::timeout;

/// Bytes of a response's head.
const MAX_HEAD: usize = 64 << 10;
/// Bytes of a body that nobody wants, read so that its connection can be used again.
const MAX_DREGS: u64 = 16 << 10;

/// An HTTP server with originals.
#[derive(Debug)]
pub struct HttpOrigin {
    base: String,
    site: Site,
    fields: Fields,
    max_bytes: u64,
    config: HttpConfig,
    client: Client<Connector, Empty<Bytes>>,
    attempts: Attempts,
    hosts: Hosts,
    wall: fn() -> SystemTime,
    tick: fn() -> Instant,
}

impl HttpOrigin {
    /// `name` is that of this tier in `Via` and `CDN-Loop`; `wall` and `tick` are the clock.
    ///
    /// # Errors
    /// What of the config cannot be used, in words for the person who wrote it.
    pub fn new(
        config: &OriginConfig,
        name: &str,
        wall: fn() -> SystemTime,
        tick: fn() -> Instant,
    ) -> Result<Self, String> {
        let (base, site) = base(config.base.as_deref().unwrap_or_default())?;
        let http = config.http.clone();
        let needs_tls = site.tls || http.allow.iter().any(allow::Pattern::is_tls);
        let tls = needs_tls.then(|| tls::client(http.ca_file.as_deref(), http.http2)).transpose()?;
        let reach = Reach { private: config.allow_private.clone() };
        let mut builder = Client::builder(TokioExecutor::new());
        builder.timer(TokioTimer::new()).pool_timer(TokioTimer::new());
        builder.pool_idle_timeout(http.keep_alive).pool_max_idle_per_host(http.idle_connections);
        builder.http1_max_buf_size(MAX_HEAD).http2_max_header_list_size(MAX_HEAD as u32);
        Ok(Self {
            client: builder.build(Connector::new(reach, tls, http.connect_timeout, http.tls_timeout)),
            fields: Fields::new(name, &http.headers)?,
            attempts: Attempts::new(&http.pace),
            hosts: Hosts::new(http.pace.limits()),
            max_bytes: config.max_bytes,
            config: http,
            base,
            site,
            wall,
            tick,
        })
    }

    /// Whether requests to it carry fields of the configuration.
    pub fn has_credentials(&self) -> bool {
        self.fields.has_own()
    }

    /// How many hosts are left alone at the moment because they kept failing.
    pub fn hosts_open(&self) -> usize {
        self.hosts.open()
    }

    /// Asks for an original.
    ///
    /// # Errors
    /// See [`Missing`]; a certain absence is no error but [`Found::Nothing`].
    pub async fn get(&self, asking: Asking<'_>) -> Result<Reply, Missing> {
        let first = location::original(&self.base, asking.path).ok_or(Missing::NotFound)?;
        let progress = Progress::default();
        let late = || self.hosts.ended(&self.site.name(), false, (self.tick)());
        let attempt = || self.follow(asking, first.clone(), &progress);
        self.attempts.make(asking.timeout, &progress, may_be_repeated, late, attempt).await
    }

    /// The answer at the end of the redirects.
    async fn follow(&self, asking: Asking<'_>, first: Uri, progress: &Progress) -> Result<Reply, Missing> {
        let mut uri = first;
        for _ in 0..=self.config.redirects {
            let requested = (self.wall)();
            let response = self.send(asking, &uri, progress).await?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return self.read(response, &uri, requested, progress).await;
            }
            progress.set(Phase::Redirect);
            let location = response.headers().get(LOCATION).map(HeaderValue::as_bytes).unwrap_or_default();
            let refused = |text: String| Trouble::new(Phase::Redirect, Cause::Refused, text);
            let shown = || String::from_utf8_lossy(location).into_owned();
            let next = location::redirect(&uri, location).ok_or_else(|| refused(format!("Location: {}", shown())))?;
            let site = Site::of(&next).map_err(|text| refused(format!("{text}, unlike {}", shown())))?;
            if site != self.site && !self.config.allow.iter().any(|pattern| pattern.matches(&site, next.path())) {
                return Err(refused(format!("allow does not name {next}")).into());
            }
            self.drain(response).await;
            uri = next;
        }
        let text = format!("more than {} redirects", self.config.redirects);
        Err(Trouble::new(Phase::Redirect, Cause::Refused, text).into())
    }

    /// One request to one host, up to the head of its response.
    async fn send(&self, asking: Asking<'_>, uri: &Uri, progress: &Progress) -> Result<Response<Incoming>, Trouble> {
        let site = Site::of(uri).map_err(|text| Trouble::new(Phase::Connect, Cause::Refused, text))?;
        let name = site.name();
        if let Err(left) = self.hosts.admit(&name, (self.tick)()) {
            return Err(Trouble::new(Phase::Connect, Cause::Paused(left), format!("{name} is left alone")));
        }
        let result = self.exchange(asking, uri, site == self.site, progress).await;
        let well = match &result {
            Ok(response) => !matches!(response.status().as_u16(), 502..=504),
            Err(trouble) => matches!(trouble.cause, Cause::Refused),
        };
        self.hosts.ended(&name, well, (self.tick)());
        result
    }

    async fn exchange(
        &self,
        asking: Asking<'_>,
        uri: &Uri,
        own: bool,
        progress: &Progress,
    ) -> Result<Response<Incoming>, Trouble> {
        let conditions = asking.known.filter(|(_, place)| *uri == **place).map(|(conditions, _)| conditions);
        let mut request = self.fields.request(uri, own, conditions, asking.cdn_loop);
        if let Some((name, value)) = service::otlp::outgoing(&tracing::Span::current())
            && let Ok(value) = HeaderValue::try_from(value)
        {
            request.headers_mut().insert(name, value);
        }
        let mut connection = capture_connection(&mut request);
        progress.set(Phase::Connect);
        let mut responding = pin!(self.client.request(request));
        let early = tokio::select! {
            biased;
            response = &mut responding => Some(response),
            () = async { drop(connection.wait_for_connection_metadata().await) } => None,
        };
        progress.set(Phase::Response);
        let response = match early {
            Some(response) => response,
            None => timeout(self.config.pace.response_timeout, responding)
                .await
                .map_err(|_| Trouble::late(Phase::Response))?,
        };
        response.map_err(|error| trouble(&error))
    }

    /// What the response brings.
    async fn read(
        &self,
        response: Response<Incoming>,
        uri: &Uri,
        requested: SystemTime,
        progress: &Progress,
    ) -> Result<Reply, Missing> {
        let received = (self.wall)();
        let reply = |found, headers| Reply { found, headers, place: uri.to_string().into(), requested, received };
        let nothing = |missing| Found::Nothing(missing);
        let found = match response.status().as_u16() {
            200 | 203 => {
                progress.set(Phase::Body);
                let (head, body) = response.into_parts();
                if let Some(encoding) = head.headers.get(CONTENT_ENCODING).filter(|value| **value != "identity") {
                    let text = format!("Content-Encoding {encoding:?}, unasked for");
                    return Err(Trouble::new(Phase::Body, Cause::Refused, text).into());
                }
                let announced = body.size_hint().exact();
                let body = body::collect(body, announced, self.max_bytes, self.config.pace.pause_timeout).await?;
                return Ok(reply(Found::Original(body.bytes, body.hash), head.headers));
            }
            304 => Found::NotModified,
            404 | 410 => nothing(Missing::NotFound),
            401 | 403 if self.config.forbidden == Forbidden::NotFound => nothing(Missing::NotFound),
            401 | 403 => nothing(Missing::Forbidden),
            status => {
                let mut trouble = Trouble::new(Phase::Response, Cause::Status(status), uri.to_string());
                trouble.retry_after = retry_after(response.headers(), received);
                self.drain(response).await;
                return Err(trouble.into());
            }
        };
        let headers = response.headers().clone();
        self.drain(response).await;
        Ok(reply(found, headers))
    }

    /// Reads what is left of a short body; the connection of a long one is given up.
    async fn drain(&self, response: Response<Incoming>) {
        let body = response.into_body();
        let announced = body.size_hint().exact();
        let _nobody_wants_it = body::collect(body, announced, MAX_DREGS, self.config.pace.pause_timeout).await;
    }
}

/// The base with a slash at its end, and its site.
fn base(text: &str) -> Result<(String, Site), String> {
    let wrong = |why: &str| format!("base {text}: {why}");
    let uri: Uri = text.parse().map_err(|_| wrong("it is no URL"))?;
    let site = Site::of(&uri).map_err(wrong)?;
    if uri.query().is_some() || text.contains('#') {
        return Err(wrong("it ends with its path"));
    }
    let slash = if uri.path().ends_with('/') { "" } else { "/" };
    Ok((format!("{}{slash}", uri.to_string().trim_end_matches('?')), site))
}

/// Nothing was done by the origin, or it says that it will be better soon (GET may be repeated: RFC 9110 §9.2.2).
fn may_be_repeated(trouble: &Trouble) -> bool {
    match (trouble.phase, trouble.cause) {
        (Phase::Resolve | Phase::Connect | Phase::Tls, Cause::Late | Cause::Broken) => true,
        // A kept connection that the origin closed just when it was used again ends like this.
        (Phase::Response, Cause::Broken) => true,
        (_, Cause::Status(502..=504)) => true,
        (_, Cause::Status(429)) => trouble.retry_after.is_some(),
        _ => false,
    }
}

/// `Retry-After` (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default())
}

/// The connector's own words where it failed; else what hyper says, with its causes.
fn trouble(error: &hyper_util::client::legacy::Error) -> Trouble {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(trouble) = cause.downcast_ref::<Trouble>() {
            return trouble.clone();
        }
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Trouble::new(Phase::Response, Cause::Broken, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases() {
        for (text, expected) in [
            ("http://127.0.0.1:9090/", "http://127.0.0.1:9090/"),
            ("http://127.0.0.1:9090", "http://127.0.0.1:9090/"),
            ("https://h.example/a/b", "https://h.example/a/b/"),
            ("http://[::1]:80/a/", "http://[::1]:80/a/"),
        ] {
            assert_eq!(base(text).unwrap().0, expected);
        }
        for text in ["", "h.example", "/a", "ftp://h/", "http://u:p@h/", "http://h/?q", "http://h/#f", "file:///a"] {
            assert!(base(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_repeated() {
        let again = |phase, cause| may_be_repeated(&Trouble::new(phase, cause, ""));
        assert!(again(Phase::Connect, Cause::Late) && again(Phase::Response, Cause::Status(503)));
        assert!(!again(Phase::Response, Cause::Late) && !again(Phase::Body, Cause::Broken));
        assert!(!again(Phase::Connect, Cause::Refused) && !again(Phase::Response, Cause::Status(500)));
        assert!(!again(Phase::Response, Cause::Status(429)));
    }

    #[test]
    fn when_to_come_back() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let told = |text: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            retry_after(&headers, now).map(|time| time.as_secs())
        };
        assert_eq!(told("7"), Some(7));
        assert_eq!(told("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10));
        assert_eq!(told("Sun, 06 Nov 1994 08:49:07 GMT"), Some(0));
        assert_eq!(told("soon"), None);
    }
}
