//! `If-Match` with a revision as the entity tag (RFC 9110 §13.1.1), and `Idempotency-Key` (draft-ietf-httpapi-idempotency-key).
//!
//! Invariant: what cannot be read is refused, never taken as absent.

use crate::problem::{Problem, code};
use axum::extract::FromRequestParts;
use http::header::{HeaderName, HeaderValue, IF_MATCH};
use http::request::Parts;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key, in bytes.
const MAX_KEY: usize = 255;
/// Tags of one `If-Match`.
const MAX_TAGS: usize = 16;

/// The entity tag of a revision: `"r7"`.
#[must_use]
pub fn etag(revision: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"r{revision}\"")).expect("digits are a header value")
}

/// What `If-Match` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// The field is absent.
    None,
    /// `*`: the thing exists.
    Any,
    /// One of these revisions is the present one.
    Revisions(Vec<u64>),
}

impl Precondition {
    /// Whether a change of the thing, which is at `revision`, may go on.
    ///
    /// # Errors
    /// 412 where it has changed since.
    pub fn check(&self, revision: u64) -> Result<(), Problem> {
        match self {
            Self::Revisions(wanted) if !wanted.contains(&revision) => {
                let detail = format!("It is at revision r{revision}. Read it again, then decide.");
                Err(Problem::new(code::PRECONDITION, detail).with_header(http::header::ETAG, etag(revision)))
            }
            _ => Ok(()),
        }
    }

    /// As [`check`](Self::check), where a change needs the field.
    ///
    /// # Errors
    /// 428 where it is absent, 412 where it has changed since.
    pub fn require(&self, revision: u64) -> Result<(), Problem> {
        if *self == Self::None {
            let detail = "Send If-Match with the ETag that you have read, such as \"r7\", or * for whichever.";
            return Err(Problem::new(code::PRECONDITION_REQUIRED, detail));
        }
        self.check(revision)
    }

    fn read(text: &str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        let one = |tag: &str| tag.trim().strip_prefix("\"r")?.strip_suffix('"')?.parse().ok();
        let tags: Vec<u64> = text.split(',').take(MAX_TAGS + 1).map(one).collect::<Option<_>>()?;
        (tags.len() <= MAX_TAGS).then_some(Self::Revisions(tags))
    }
}

impl<S: Sync> FromRequestParts<S> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut fields = parts.headers.get_all(IF_MATCH).iter();
        let Some(field) = fields.next() else { return Ok(Self::None) };
        let read = field.to_str().ok().and_then(Self::read).filter(|_| fields.next().is_none());
        let shown = || String::from_utf8_lossy(field.as_bytes()).into_owned();
        read.ok_or_else(|| Problem::field("header.If-Match", shown(), "an ETag such as \"r7\", a list of them, or *"))
    }
}

/// What `Idempotency-Key` names, where it is there: the same key with the same request is done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut fields = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(field) = fields.next() else { return Ok(Self(None)) };
        let text = field.to_str().unwrap_or_default();
        // The draft has it as a quoted string; most clients send it bare.
        let key = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let fine = !key.is_empty() && key.len() <= MAX_KEY && key.bytes().all(|byte| byte.is_ascii_graphic());
        if fine && fields.next().is_none() {
            return Ok(Self(Some(key.to_owned())));
        }
        let shown = String::from_utf8_lossy(field.as_bytes()).into_owned();
        Err(Problem::field("header.Idempotency-Key", shown, "1 to 255 visible ASCII characters, once"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use proptest::prelude::*;

    async fn asked<T: FromRequestParts<()>>(name: &str, value: &str) -> Result<T, T::Rejection> {
        let (mut parts, ()) = Request::builder().header(name, value).body(()).unwrap().into_parts();
        T::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn revisions_are_compared() {
        let one: Precondition = asked("if-match", "\"r7\"").await.unwrap();
        assert!(one.check(7).is_ok() && one.require(7).is_ok());
        assert_eq!(one.check(8).unwrap_err().code(), code::PRECONDITION);
        let several: Precondition = asked("if-match", "\"r1\", \"r8\"").await.unwrap();
        assert!(several.check(8).is_ok());
        assert!(asked::<Precondition>("if-match", "*").await.unwrap().require(9).is_ok());
        assert_eq!(Precondition::None.require(1).unwrap_err().code(), code::PRECONDITION_REQUIRED);
        assert_eq!(etag(7), "\"r7\"");
    }

    #[tokio::test]
    async fn what_is_no_tag_is_refused() {
        for odd in ["r7", "W/\"r7\"", "\"7\"", "\"r-1\"", "", "\"r7\",", "\"r99999999999999999999\""] {
            let refused = asked::<Precondition>("if-match", odd).await.unwrap_err();
            assert_eq!(refused.errors()[0].field, "header.If-Match", "{odd}");
        }
    }

    #[tokio::test]
    async fn keys_are_short_and_plain() {
        assert_eq!(asked::<IdempotencyKey>("idempotency-key", "\"a-1\"").await.unwrap().0.unwrap(), "a-1");
        assert_eq!(asked::<IdempotencyKey>("idempotency-key", "a-1").await.unwrap().0.unwrap(), "a-1");
        for odd in ["", "a b", &"x".repeat(256)] {
            assert!(asked::<IdempotencyKey>("idempotency-key", odd).await.is_err(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            if let Some(Precondition::Revisions(tags)) = Precondition::read(&text) {
                prop_assert!(!tags.is_empty() && tags.len() <= MAX_TAGS);
            }
        }
    }
}
