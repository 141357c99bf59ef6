//! Making a signed request target.

use crate::key::Key;
use crate::message::{Parts, Request};
use crate::refused::Refused;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// The request's path and query with `kid`, `exp` (if given) and `s` added at the end. What the key is not good for is
/// not signed.
///
/// # Errors
/// See [`SignError`].
pub fn sign(key: &Key, request: &Request<'_>, expires: Option<u64>) -> Result<String, SignError> {
    let bare = Parts::of(request)?;
    if bare.signature.is_some() || bare.key_id.is_some() || bare.expires.is_some() {
        return Err(SignError::Sealed);
    }
    let mut query = String::from(request.query.unwrap_or_default());
    let mut add = |pair: String| {
        if !query.is_empty() && !query.ends_with('&') {
            query.push('&');
        }
        query.push_str(&pair);
    };
    add(format!("kid={}", key.id()));
    if let Some(expires) = expires {
        add(format!("exp={expires}"));
    }
    let sealed = Request { query: Some(&query), ..*request };
    let parts = Parts::of(&sealed)?;
    key.permits(&parts)?;
    let signature = URL_SAFE_NO_PAD.encode(key.sign(&sealed, &parts)?);
    query.push_str("&s=");
    query.push_str(&signature);
    // What is one parameter or some bytes too long by now would be refused by whoever gets it.
    Parts::of(&Request { query: Some(&query), ..*request })?;
    Ok(format!("{}?{query}", request.path))
}

/// Why a request cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignError {
    /// It has an `s`, `kid` or `exp` already.
    Sealed,
    /// It would not be let through: malformed, or the key is not good for it.
    Refused(Refused),
}

impl From<Refused> for SignError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sealed => f.write_str("the URL has an `s`, `kid` or `exp` already"),
            Self::Refused(refused) => refused.fmt(f),
        }
    }
}

impl std::error::Error for SignError {}
