//! Why a request is not let through. Says nothing that would help to forge a signature.

use std::fmt;

/// Outcomes other than a [`crate::Verified`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// There is no `s`.
    Missing,
    /// The target, or one of `s`, `kid`, `exp`, has an impossible form.
    Malformed,
    /// No key has this `kid`; or there is no `kid` and no key at all.
    UnknownKey,
    /// The signature is not that of this request.
    Mismatch,
    /// Rightly signed, but `exp` has been reached.
    Expired,
    /// Rightly signed, but by a key whose time has not begun or is over.
    KeyTime,
    /// Rightly signed, but by a key that is not good for this path.
    Prefix,
    /// Rightly signed, but by a key that is not good for all of these parameters.
    Parameter,
}

impl Refused {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown-kid",
            Self::Mismatch => "mismatch",
            Self::Expired => "expired",
            Self::KeyTime => "key-time",
            Self::Prefix => "prefix",
            Self::Parameter => "parameter",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the URL is not signed: it has no `s`",
            Self::Malformed => "the URL cannot be verified: it, or its `s`, `kid` or `exp`, is malformed",
            Self::UnknownKey => "the URL is signed with an unknown key",
            Self::Mismatch => "the signature is not that of this URL",
            Self::Expired => "the URL has expired",
            Self::KeyTime => "the key that signed the URL is not in use yet, or not any more",
            Self::Prefix => "the key that signed the URL is not good for this path",
            Self::Parameter => "the key that signed the URL is not good for all of its parameters",
        })
    }
}

impl std::error::Error for Refused {}
