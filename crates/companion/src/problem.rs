//! Problem documents (RFC 9457): the one form that a refusal has.
//!
//! Owns the form and the codes that any companion may answer; companions declare further ones as constants. Knows no
//! handler. Invariants: what is written here is public, so it never says what failed inside; a document is complete JSON.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;
use utoipa::ToSchema;

/// Characters of a value that are repeated in a document.
const MAX_VALUE: usize = 200;

/// A kind of refusal: its name, its status, and the sentence that is the same for all of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    name: &'static str,
    status: StatusCode,
    title: &'static str,
}

impl Code {
    /// `name` is lower-case words with hyphens; clients branch on it.
    #[must_use]
    pub const fn new(name: &'static str, status: StatusCode, title: &'static str) -> Self {
        Self { name, status, title }
    }

    /// The name: the field `code` of a document, and what metrics count.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.status
    }
}

/// Codes that any companion may answer.
pub mod code {
    use super::{Code, StatusCode};

    macro_rules! codes {
        ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:ident, $title:literal;)*) => {
            $($(#[$doc])* pub const $name: Code = Code::new($slug, StatusCode::$status, $title);)*
        };
    }

    codes! {
        /// The request cannot be read at all.
        BAD_REQUEST = "bad-request", BAD_REQUEST, "The request cannot be read";
        /// A field of the body, of the query or of the head has a value that is not allowed.
        BAD_FIELD = "bad-field", BAD_REQUEST, "A field has a value that is not allowed";
        /// Nobody is signed in, or the proof does not hold.
        UNAUTHORIZED = "unauthorized", UNAUTHORIZED, "Sign in first";
        /// The caller may not do that.
        FORBIDDEN = "forbidden", FORBIDDEN, "This is not allowed";
        /// There is no such thing, or none that the caller may know of.
        NOT_FOUND = "not-found", NOT_FOUND, "There is no such thing here";
        /// The path knows other methods.
        METHOD = "method-not-allowed", METHOD_NOT_ALLOWED, "The path does not know this method";
        /// The thing is in another state than the request supposes.
        CONFLICT = "conflict", CONFLICT, "The request does not fit the present state";
        /// `If-Match` names another revision than the present one.
        PRECONDITION = "precondition-failed", PRECONDITION_FAILED, "It has changed since";
        /// Changes need an `If-Match`.
        PRECONDITION_REQUIRED = "precondition-required", PRECONDITION_REQUIRED, "Say which revision you change";
        /// The body is larger than is taken here.
        TOO_LARGE = "too-large", PAYLOAD_TOO_LARGE, "The body is too large";
        /// The body's media type is none that is taken here.
        MEDIA_TYPE = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body has a type that is not taken here";
        /// The `Idempotency-Key` was used with another request.
        KEY_REUSED = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another request";
        /// More requests than the limit allows.
        RATE = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
        /// It broke; the log says why, under the request's id.
        INTERNAL = "internal", INTERNAL_SERVER_ERROR, "Something broke on the server";
        /// What is needed cannot be reached for now.
        UNAVAILABLE = "unavailable", SERVICE_UNAVAILABLE, "This cannot be done at the moment";
        /// As many requests are at work as may be.
        OVERLOADED = "overloaded", SERVICE_UNAVAILABLE, "The server has too much to do";
        /// The answer was not ready in time.
        TIMED_OUT = "timed-out", SERVICE_UNAVAILABLE, "The answer was not ready in time";
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: `tags[2]`, `query.limit`, `header.If-Match`.
    #[schema(example = "query.limit")]
    pub field: String,
    /// The value as sent, shortened to 200 characters; absent where there is none, or where it is nobody's business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What would be taken.
    #[schema(example = "a whole number from 1 to 200")]
    pub allowed: String,
}

/// A refusal. Handlers return it as their error.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    // Apart, so that a `Result` with a problem is small.
    more: Box<More>,
}

/// What few problems have.
#[derive(Clone, Debug, Default)]
struct More {
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
}

/// A problem as it is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// A name of the kind, relative to the service.
    #[serde(rename = "type")]
    #[schema(example = "/problems/bad-field")]
    kind: String,
    /// The same for every problem of the kind.
    title: &'a str,
    /// The status code.
    #[schema(example = 400)]
    status: u16,
    /// What happened this time.
    detail: &'a str,
    /// The kind, to branch on.
    #[schema(example = "bad-field")]
    code: &'a str,
    /// The fields that are wrong, where that is the reason.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldError],
}

impl Problem {
    /// `detail` says what happened this time, in words for the person at the other end.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), more: Box::default() }
    }

    /// One field is wrong.
    #[must_use]
    pub fn field(field: impl Into<String>, value: impl fmt::Display, allowed: impl Into<String>) -> Self {
        let (field, allowed) = (field.into(), allowed.into());
        let value = shorten(&value.to_string());
        let detail = format!("{field} is {value:?}; allowed: {allowed}");
        Self::new(code::BAD_FIELD, detail).with_error(FieldError { field, value: Some(value), allowed })
    }

    /// One field is missing.
    #[must_use]
    pub fn missing(field: impl Into<String>, allowed: impl Into<String>) -> Self {
        let (field, allowed) = (field.into(), allowed.into());
        let detail = format!("{field} is missing; allowed: {allowed}");
        Self::new(code::BAD_FIELD, detail).with_error(FieldError { field, value: None, allowed })
    }

    /// There is no such thing, or none that the caller may know of: both look the same.
    #[must_use]
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(code::NOT_FOUND, format!("There is no {what} here, or you may not know of it."))
    }

    /// It broke. `cause` is for the log alone.
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(code::INTERNAL, "It was not your fault. The log has the reason, under this request's id.")
            .because(cause)
    }

    /// A part that is needed does not answer; the caller may try again. `cause` is for the log alone.
    #[must_use]
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        Self::new(code::UNAVAILABLE, "A part that this needs does not answer. Try again in a moment.")
            .because(cause)
            .retry_after(Duration::from_secs(1))
    }

    /// Adds a field that is wrong.
    #[must_use]
    pub fn with_error(mut self, error: FieldError) -> Self {
        self.more.errors.push(error);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.more.headers.push((name, value));
        self
    }

    /// When to try again; seconds, rounded up.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with_header(RETRY_AFTER, seconds.max(1).into())
    }

    /// What the log shall say beside it. Never sent.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.more.cause = Some(cause.to_string());
        self
    }

    /// Its kind.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What happened this time.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The fields that are wrong.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.more.errors
    }
}

/// What an answer says of itself to the layers round it; not sent.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) cause: Option<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { code, detail, more } = self;
        let More { errors, headers, cause } = *more;
        let document = Document {
            kind: format!("/problems/{}", code.name),
            title: code.title,
            status: code.status.as_u16(),
            detail: &detail,
            code: code.name,
            errors: &errors,
        };
        let body = serde_json::to_vec(&document).expect("texts and numbers are JSON");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = code.status;
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if code.status == StatusCode::UNAUTHORIZED {
            fields.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        fields.extend(headers);
        response.extensions_mut().insert(Refused { code: code.name, detail: detail.into_owned(), cause });
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name, self.detail)
    }
}

impl std::error::Error for Problem {}

/// At most [`MAX_VALUE`] characters, and none that would steer a terminal.
pub(crate) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_VALUE).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MAX_VALUE).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    async fn sent(problem: Problem) -> (http::response::Parts, serde_json::Value) {
        let (head, body) = problem.into_response().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_field_is_named_with_its_value_and_what_is_allowed() {
        let (head, document) = sent(Problem::field("query.limit", "9\u{1b}9", "1 to 200")).await;
        assert_eq!(head.status, 400);
        assert_eq!(head.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(document["code"], "bad-field");
        assert_eq!(document["type"], "/problems/bad-field");
        assert_eq!(
            document["errors"][0],
            serde_json::json!({"field": "query.limit", "value": "9 9", "allowed": "1 to 200"})
        );
    }

    #[tokio::test]
    async fn causes_stay_inside_and_waits_are_whole_seconds() {
        let (head, document) =
            sent(Problem::unavailable("the password is hunter2").retry_after(Duration::from_millis(1500))).await;
        assert!(!document.to_string().contains("hunter2"));
        assert_eq!(head.headers.get_all(RETRY_AFTER).iter().next_back().unwrap(), "2");
        assert_eq!(head.extensions.get::<Refused>().unwrap().cause.as_deref(), Some("the password is hunter2"));
    }

    #[test]
    fn long_values_are_cut_at_characters() {
        let long = "ä".repeat(300);
        assert_eq!(shorten(&long).chars().count(), MAX_VALUE + 1);
        assert_eq!(shorten("short"), "short");
    }
}
