//! Who may act on the admin listener: tokens by name, certificates by theirs, and what is open without either.
//!
//! Does not know where tokens come from, nor how certificates are verified; both can be exchanged while the listener answers.
//! Invariants: a token is compared in constant time with all that are in force, and printed nowhere; one that is shown has
//! to be right, whatever certificate there is beside it.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::{Choice, ConstantTimeEq as _};

use crate::certificate::Identity;

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

/// Who is known by the names in a certificate.
#[derive(Clone, Debug)]
pub struct Holder {
    name: Arc<str>,
    certificates: Vec<String>,
}

impl Holder {
    /// `certificates` are names as [`Identity::is_one_of`] takes them.
    pub fn new(name: &str, certificates: &[String]) -> Self {
        Self { name: name.into(), certificates: certificates.to_vec() }
    }
}

/// Who may act. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Access(Arc<RwLock<Known>>);

/// Who is known, and what is closed to all others.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// By what they send.
    pub tokens: Vec<Token>,
    /// By what they show.
    pub holders: Vec<Holder>,
    /// Also `/healthz`, `/readyz` and `/metrics`.
    pub closed_reads: bool,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Holds the token of this name, or the certificate.
    Named(Arc<str>),
    /// Nobody that we know; there is nothing that could tell.
    Anybody,
}

/// Why it is nobody that may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stranger {
    /// There are tokens.
    pub(super) tokens: bool,
    /// There are certificates that would do.
    pub(super) holders: bool,
    /// A token was sent, and is none of them.
    pub(super) wrong_token: bool,
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

    /// From now on one of these is asked for; where nobody is known, nobody is asked.
    pub fn replace(&self, known: Known) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Who asks with these fields and this certificate.
    ///
    /// # Errors
    /// Somebody is asked for, and this is none of them.
    pub(super) fn who(&self, headers: &HeaderMap, certificate: Option<&Identity>) -> Result<Who, Stranger> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (tokens, holders) = (!known.tokens.is_empty(), !known.holders.is_empty());
        if !tokens && !holders {
            return Ok(Who::Anybody);
        }
        let by_token = tokens && headers.contains_key(AUTHORIZATION);
        let found = if by_token { known.by_token(headers) } else { known.by_certificate(certificate) };
        let stranger = Stranger { tokens, holders, wrong_token: by_token };
        found.map(|name| Who::Named(Arc::clone(name))).ok_or(stranger)
    }

    /// Whether these open what is read only.
    ///
    /// # Errors
    /// As [`Self::who`].
    pub(super) fn may_read(&self, headers: &HeaderMap, certificate: Option<&Identity>) -> Result<(), Stranger> {
        let closed = self.0.read().unwrap_or_else(PoisonError::into_inner).closed_reads;
        if closed { self.who(headers, certificate).map(drop) } else { Ok(()) }
    }
}

impl Known {
    fn by_token(&self, headers: &HeaderMap) -> Option<&Arc<str>> {
        let given = bearer(headers)?;
        let mut found = None;
        for token in &self.tokens {
            // No early end: how far down the list it stands does not show.
            let same: Choice = token.bytes.ct_eq(given);
            if bool::from(same) {
                found = Some(&token.name);
            }
        }
        found
    }

    fn by_certificate(&self, certificate: Option<&Identity>) -> Option<&Arc<str>> {
        let certificate = certificate?;
        self.holders.iter().find(|holder| certificate.is_one_of(&holder.certificates)).map(|holder| &holder.name)
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

    fn tokens(all: &[(&str, &str)], closed_reads: bool) -> Known {
        let tokens = all.iter().map(|(name, bytes)| Token::new(name, bytes.as_bytes())).collect();
        Known { tokens, holders: Vec::new(), closed_reads }
    }

    #[test]
    fn tokens_open() {
        let access = Access::open();
        assert_eq!(access.who(&headers(&[]), None), Ok(Who::Anybody));
        access.replace(tokens(&[("ops", "first"), ("deploy", "second")], true));
        let named = |field| access.who(&headers(&[field]), None).map(|who| who.to_string()).ok();
        assert_eq!(named("Bearer first").as_deref(), Some("ops"));
        assert_eq!(named("bearer  second ").as_deref(), Some("deploy"));
        for other in ["Bearer firs", "Bearer firstt", "Bearer ", "Basic first", "first", "Bearer first second", ""] {
            assert_eq!(named(other), None, "{other}");
        }
        let stranger = Stranger { tokens: true, holders: false, wrong_token: false };
        assert_eq!(access.who(&headers(&[]), None), Err(stranger));
        assert!(access.who(&headers(&["Bearer first", "Bearer first"]), None).is_err(), "two fields are none");
        assert!(access.may_read(&headers(&[]), None).is_err());
        assert!(access.may_read(&headers(&["Bearer second"]), None).is_ok());
        access.replace(tokens(&[("ops", "third")], false));
        assert_eq!(named("Bearer first"), None);
        assert!(access.may_read(&headers(&[]), None).is_ok());
        assert!(!format!("{access:?}").contains("third"), "{access:?}");
    }

    #[test]
    fn so_do_certificates() {
        let access = Access::open();
        let named = |name: &str| Identity { names: vec![name.to_owned()], ..Identity::default() };
        let (known, other) = (named("deploy.example.org"), named("other.example.org"));
        let holders = vec![Holder::new("deploy", &["deploy.example.org".to_owned()])];
        access.replace(Known { holders: holders.clone(), ..Known::default() });
        let who =
            |fields: &[&'static str], certificate| access.who(&headers(fields), certificate).map(|who| who.to_string());
        assert_eq!(who(&[], Some(&known)).as_deref(), Ok("deploy"));
        assert_eq!(who(&["Bearer any"], Some(&known)).as_deref(), Ok("deploy"), "nobody is known by a token");
        let stranger = Stranger { tokens: false, holders: true, wrong_token: false };
        assert_eq!((who(&[], None), who(&[], Some(&other))), (Err(stranger), Err(stranger)));
        access.replace(Known { holders, ..tokens(&[("ops", "first")], false) });
        assert_eq!(who(&["Bearer first"], Some(&other)).as_deref(), Ok("ops"));
        assert_eq!(who(&["Bearer first"], Some(&known)).as_deref(), Ok("ops"), "the token says it in words");
        assert_eq!(who(&[], Some(&known)).as_deref(), Ok("deploy"));
        let stranger = Stranger { tokens: true, holders: true, wrong_token: true };
        assert_eq!(who(&["Bearer firs"], Some(&known)), Err(stranger), "a token that is shown has to be right");
    }
}
