//! Errors as problem documents (RFC 9457).
//!
//! Owns the kinds of errors that clients see, their status and how long they may be kept. Does not know what went wrong
//! inside: the text given here is public. Invariant: a document is complete JSON, whatever a request held.

use super::cache_control::brief;
use super::cors::ALLOWED_METHODS;
use super::delivery::{Delivery, Vary};
use super::respond::Request;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode};
use serde::Serialize;
use std::borrow::Cow;
use std::time::Duration;

/// Where a kind is described: this and its slug are the `type` of a document.
const TYPE_BASE: &str = "https://github.com/tintype/tintype/blob/main/docs/http.md#";
/// Characters of a value that are repeated in a document.
const MAX_VALUE: usize = 200;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $slug:literal, $title:literal, $keep:ident;)*) => {
        /// What went wrong, as clients see it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The status code.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The name in `type`, logs and metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// The same for every problem of the kind.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            const fn keep(self) -> Keep {
                match self { $(Self::$name => Keep::$keep,)* }
            }
        }
    };
}

/// How long a document may be kept downstream.
#[derive(Clone, Copy)]
enum Keep {
    /// The same URL fails the same way for a while: the route's negative freshness.
    Negative,
    /// It may be better in a moment: a second at most, which is enough to hold off a stampede.
    Moment,
    /// It depends on more than the URL, or is nobody else's business.
    Never,
}

kinds! {
    /// A parameter's value is not allowed.
    BadParameter = BAD_REQUEST, "bad-parameter", "A parameter has a value that is not allowed", Negative;
    /// A signed URL has a parameter that nobody knows.
    UnknownParameter = BAD_REQUEST, "unknown-parameter", "A parameter is not known", Negative;
    /// The path or query cannot be read.
    BadUrl = BAD_REQUEST, "bad-url", "The URL cannot be read", Negative;
    /// The signature is absent or wrong.
    BadSignature = FORBIDDEN, "bad-signature", "The URL is not signed, or not rightly", Negative;
    /// `exp` has passed.
    Expired = FORBIDDEN, "expired", "The URL has expired", Negative;
    /// The rules of the route forbid this.
    Forbidden = FORBIDDEN, "forbidden", "The request is not allowed here", Negative;
    /// The page that shows the picture may not.
    Hotlink = FORBIDDEN, "hotlink", "The picture may not be shown on that page", Never;
    /// No route, or no such original.
    NotFound = NOT_FOUND, "not-found", "There is no such picture", Negative;
    /// Neither GET, HEAD nor OPTIONS.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "Pictures can only be read", Never;
    /// `If-Match` or `If-Unmodified-Since` does not hold.
    PreconditionFailed = PRECONDITION_FAILED, "precondition-failed", "A precondition does not hold", Never;
    /// The original is of a type that is not read.
    UnsupportedOriginal = UNSUPPORTED_MEDIA_TYPE, "unsupported-original", "The original is of a type that is not read", Negative;
    /// No byte of the range exists.
    RangeNotSatisfiable = RANGE_NOT_SATISFIABLE, "range-not-satisfiable", "The range lies outside of the picture", Never;
    /// The original is damaged.
    BadOriginal = UNPROCESSABLE_ENTITY, "bad-original", "The original cannot be decoded", Negative;
    /// The original, or the result, is larger than a limit.
    TooLarge = UNPROCESSABLE_ENTITY, "too-large", "A limit on size would be exceeded", Negative;
    /// The target is longer than the limit.
    UrlTooLong = URI_TOO_LONG, "url-too-long", "The URL is too long", Negative;
    /// The client asks for more than its share.
    TooManyRequests = TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", Never;
    /// The operation is part of the URL's grammar but not of this release.
    NotImplemented = NOT_IMPLEMENTED, "not-implemented", "A parameter is not supported yet", Negative;
    /// The origin failed.
    OriginFailed = BAD_GATEWAY, "origin-failed", "The original could not be fetched", Moment;
    /// The origin took too long.
    OriginTimeout = GATEWAY_TIMEOUT, "origin-timeout", "The original took too long to arrive", Moment;
    /// The request has been here before, by way of its own origin.
    LoopDetected = LOOP_DETECTED, "loop-detected", "The origin leads back here", Never;
    /// No room for the work now.
    Overloaded = SERVICE_UNAVAILABLE, "overloaded", "The server is busy", Never;
    /// Rendering took longer than its budget.
    RenderTimeout = SERVICE_UNAVAILABLE, "render-timeout", "The picture took too long to make", Moment;
    /// Our own fault.
    Internal = INTERNAL_SERVER_ERROR, "internal", "Something went wrong here", Never;
}

/// One error, in public words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    detail: Option<Cow<'static, str>>,
    parameter: Option<Cow<'static, str>>,
    value: Option<String>,
    allowed: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
}

impl Problem {
    /// Of this kind, with nothing particular to say.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self { kind, detail: None, parameter: None, value: None, allowed: None, retry_after: None }
    }

    /// What happened this time, and what to do about it.
    #[must_use]
    pub fn detail(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(text.into());
        self
    }

    /// The parameter that is to blame.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.parameter = Some(name.into());
        self
    }

    /// The value that was given, cut to 200 characters.
    #[must_use]
    pub fn value(mut self, given: &str) -> Self {
        self.value = Some(match given.char_indices().nth(MAX_VALUE) {
            Some((end, _)) => format!("{}…", given.get(..end).unwrap_or_default()),
            None => given.to_owned(),
        });
        self
    }

    /// The values that are allowed, in words or as a list.
    #[must_use]
    pub fn allowed(mut self, values: impl Into<Cow<'static, str>>) -> Self {
        self.allowed = Some(values.into());
        self
    }

    /// When to try again (RFC 9110 §10.2.3); at least a second.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The response, with the fields of the route where one was found. `vary` as for the rendition that was asked for.
    #[must_use]
    pub fn respond(&self, request: Request<'_>, delivery: Option<&Delivery>, vary: Vary) -> Response<Bytes> {
        let body = Bytes::from(self.document());
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let negative = delivery.map_or(Duration::ZERO, |delivery| delivery.negative);
        let keep = match self.kind.keep() {
            Keep::Negative => negative,
            Keep::Moment => negative.min(Duration::from_secs(1)),
            Keep::Never => Duration::ZERO,
        };
        headers.insert(CACHE_CONTROL, brief(keep));
        if self.kind == Kind::MethodNotAllowed {
            headers.insert(ALLOW, HeaderValue::from_static(ALLOWED_METHODS));
        }
        if let Some(delay) = self.retry_after {
            let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if let Some(delivery) = delivery {
            delivery.apply(vary, request.headers, headers);
        }
        if *request.method != Method::HEAD {
            *response.body_mut() = body;
        }
        response
    }

    /// The document (RFC 9457 §3), extension members included.
    #[must_use]
    pub fn document(&self) -> String {
        #[derive(Serialize)]
        struct Document<'a> {
            r#type: String,
            title: &'a str,
            status: u16,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            parameter: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            value: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            allowed: Option<&'a str>,
        }
        let document = Document {
            r#type: format!("{TYPE_BASE}{}", self.kind.as_str()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: self.detail.as_deref(),
            parameter: self.parameter.as_deref(),
            value: self.value.as_deref(),
            allowed: self.allowed.as_deref(),
        };
        serde_json::to_string(&document).expect("strings and a number are always JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::super::cache_control::Policy;
    use super::super::cors::Cors;
    use super::*;
    use http::HeaderMap;
    use proptest::prelude::*;

    fn answer(problem: &Problem, method: &Method, delivery: Option<&Delivery>) -> Response<Bytes> {
        problem.respond(Request { method, headers: &HeaderMap::new() }, delivery, Vary::ACCEPT)
    }

    fn delivery() -> Delivery {
        let zero = Duration::ZERO;
        let policy =
            Policy { max_age: zero, stale_while_revalidate: zero, stale_if_error: zero, immutable: false, cdn: None };
        Delivery::new(policy).negative(Duration::from_secs(10)).cors(Cors::Any)
    }

    #[test]
    fn a_document_says_what_is_wrong_and_what_would_be_right() {
        let problem = Problem::new(Kind::BadParameter)
            .detail("The width is a whole number of pixels.")
            .parameter("w")
            .value("\"<script>\u{0}")
            .allowed("1–8192");
        let expected = concat!(
            r#"{"type":"https://github.com/tintype/tintype/blob/main/docs/http.md#bad-parameter","#,
            r#""title":"A parameter has a value that is not allowed","status":400,"#,
            r#""detail":"The width is a whole number of pixels.","parameter":"w","#,
            r#""value":"\"<script>\u0000","allowed":"1–8192"}"#
        );
        assert_eq!(problem.document(), expected);
        let response = answer(&problem, &Method::GET, Some(&delivery()));
        assert_eq!(response.status(), 400);
        assert_eq!(response.body(), expected);
        let expected = [
            ("content-type", "application/problem+json"),
            ("cache-control", "public, max-age=10"),
            ("x-content-type-options", "nosniff"),
            ("vary", "accept"),
            ("access-control-allow-origin", "*"),
        ];
        for (name, value) in expected {
            assert_eq!(response.headers()[name], value, "{name}");
        }
    }

    #[test]
    fn head_has_the_length_but_no_body() {
        let problem = Problem::new(Kind::NotFound);
        let response = answer(&problem, &Method::HEAD, None);
        assert!(response.body().is_empty());
        assert_eq!(response.headers()[CONTENT_LENGTH], problem.document().len().to_string().as_str());
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store", "no route, no policy");
    }

    #[test]
    fn busy_says_when_to_come_back() {
        let overloaded = |delay| {
            let problem = Problem::new(Kind::Overloaded).retry_after(delay);
            answer(&problem, &Method::GET, Some(&delivery())).headers()[RETRY_AFTER].clone()
        };
        assert_eq!(overloaded(Duration::from_millis(1500)), "2");
        assert_eq!(overloaded(Duration::ZERO), "1");
        let keep = |kind| answer(&Problem::new(kind), &Method::GET, Some(&delivery())).headers()[CACHE_CONTROL].clone();
        assert_eq!(keep(Kind::Overloaded), "no-store");
        assert_eq!(keep(Kind::OriginFailed), "public, max-age=1");
        assert_eq!(keep(Kind::NotFound), "public, max-age=10");
    }

    /// RFC 9110 §15.5.6: `Allow` is a must.
    #[test]
    fn other_methods_are_told_which_there_are() {
        let response = answer(&Problem::new(Kind::MethodNotAllowed), &Method::POST, None);
        assert_eq!((response.status().as_u16(), &response.headers()[ALLOW]), (405, &ALLOWED_METHODS.parse().unwrap()));
    }

    #[test]
    fn every_kind_is_an_error_with_a_section_of_its_own() {
        let documentation = include_str!("../../docs/http.md");
        for (at, kind) in Kind::ALL.iter().enumerate() {
            assert!(kind.status().is_client_error() || kind.status().is_server_error(), "{kind:?}");
            let heading = format!("\n#### {}\n", kind.as_str());
            assert!(documentation.contains(&heading), "docs/http.md lacks the section {heading:?}");
            assert!(Kind::ALL.iter().take(at).all(|other| other.as_str() != kind.as_str()));
        }
    }

    proptest! {
        #[test]
        fn any_text_makes_a_short_complete_document(value in any::<String>(), parameter in any::<String>()) {
            let problem = Problem::new(Kind::BadParameter).value(&value).parameter(parameter.clone());
            let read: serde_json::Value = serde_json::from_str(&problem.document()).unwrap();
            prop_assert_eq!(read["parameter"].as_str(), Some(parameter.as_str()));
            prop_assert!(read["value"].as_str().unwrap().chars().count() <= MAX_VALUE + 1);
        }
    }
}
