//! Who may act on the admin listener: tokens by name, and what is open without one.
//!
//! Does not know where tokens come from; they can be exchanged while the listener answers. Invariant: a token is compared
//! in constant time with all that are in force, and printed nowhere.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::{Choice, ConstantTimeEq as _};

/// A token, and the name that the audit log has for who holds it.
#[derive(Clone)]
pub struct Token {
    name: Arc<str>,
    bytes: Vec<u8>,
}

impl Token {
    /// The bytes stand in `Authorization: Bearer …` as they are.
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.into(), bytes: bytes.to_vec() }
    }
}

/// Everything but the token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Who may act. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Access(Arc<RwLock<Rules>>);

#[derive(Debug, Default)]
struct Rules {
    tokens: Vec<Token>,
    closed_reads: bool,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Holds the token of this name.
    Named(Arc<str>),
    /// Nobody that we know; there is no token that could tell.
    Anybody,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Anybody => f.write_str("(no token needed)"),
        }
    }
}

impl Access {
    /// Whoever reaches the listener may act: for one on loopback.
    pub fn open() -> Self {
        Self::default()
    }

    /// From now on these tokens are asked for; none: nothing is. With `closed_reads` also for `/healthz`, `/readyz` and
    /// `/metrics`.
    pub fn replace(&self, tokens: Vec<Token>, closed_reads: bool) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Rules { tokens, closed_reads };
    }

    /// Who may act with these fields; `None` where a token is asked for and this is none.
    pub(super) fn who(&self, headers: &HeaderMap) -> Option<Who> {
        let rules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if rules.tokens.is_empty() {
            return Some(Who::Anybody);
        }
        let given = bearer(headers)?;
        let mut found = None;
        for token in &rules.tokens {
            // No early end: how far down the list it stands does not show.
            let same: Choice = token.bytes.ct_eq(given);
            if bool::from(same) {
                found = Some(Who::Named(Arc::clone(&token.name)));
            }
        }
        found
    }

    /// Whether these fields open what is read only.
    pub(super) fn may_read(&self, headers: &HeaderMap) -> bool {
        let closed = self.0.read().unwrap_or_else(PoisonError::into_inner).closed_reads;
        !closed || self.who(headers).is_some()
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1); the scheme in any case.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut fields = headers.get_all(AUTHORIZATION).into_iter();
    let (field, None) = (fields.next()?.as_bytes(), fields.next()) else { return None };
    let (scheme, token) = field.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[&'static str]) -> HeaderMap {
        fields.iter().map(|field| (AUTHORIZATION, http::HeaderValue::from_static(field))).collect()
    }

    #[test]
    fn tokens_open() {
        let access = Access::open();
        assert_eq!(access.who(&headers(&[])), Some(Who::Anybody));
        access.replace(vec![Token::new("ops", b"first"), Token::new("deploy", b"second")], true);
        let named = |field| access.who(&headers(&[field])).map(|who| who.to_string());
        assert_eq!(named("Bearer first").as_deref(), Some("ops"));
        assert_eq!(named("bearer  second ").as_deref(), Some("deploy"));
        for other in ["Bearer firs", "Bearer firstt", "Bearer ", "Basic first", "first", "Bearer first second", ""] {
            assert_eq!(named(other), None, "{other}");
        }
        assert_eq!(access.who(&headers(&[])), None);
        assert_eq!(access.who(&headers(&["Bearer first", "Bearer first"])), None, "two fields are none");
        assert!(!access.may_read(&headers(&[])) && access.may_read(&headers(&["Bearer second"])));
        access.replace(vec![Token::new("ops", b"third")], false);
        assert_eq!(named("Bearer first"), None);
        assert!(access.may_read(&headers(&[])));
        assert!(!format!("{access:?}").contains("third"), "{access:?}");
    }
}
