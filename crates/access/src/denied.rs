//! Why somebody is not let through, and how much of it they are told.
//!
//! Knows no HTTP: whoever answers maps [`Fault`] to a status. Invariant: the texts help who holds the credentials and not who
//! guesses them; no token or key is in one.

use crate::Action;
use std::fmt;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The caller must say who they are, or say it better: 401.
    Credentials,
    /// The caller is known and may not: 403.
    Forbidden,
    /// It cannot be found out at present: 503.
    Unavailable,
}

/// Why somebody is not let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// There are no credentials, and without them this is not allowed.
    Anonymous,
    /// The header `Authorization` has another form than `Bearer <token>`, or comes twice.
    Header,
    /// No token of ours: its form, its signature or its claims.
    Token(&'static str),
    /// The token was good, once.
    Expired,
    /// Its session was ended: by its owner, by who manages users, or since a copy of its refresh token was used.
    Over,
    /// No such key, or another secret, or it was revoked, or has ended. Which of it is not told.
    Key,
    /// No policy permits it, or one forbids it. With the names of those that forbid.
    Forbidden {
        /// What was wanted.
        action: Action,
        /// Policies that forbid it; none: there is none that permits it.
        policies: Vec<String>,
    },
    /// An issuer's keys, or the service that knows API keys, cannot be had.
    Unavailable(&'static str),
}

impl Denied {
    /// Whose fault it is.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Anonymous | Self::Header | Self::Token(_) | Self::Expired | Self::Over | Self::Key => {
                Fault::Credentials
            }
            Self::Forbidden { .. } => Fault::Forbidden,
            Self::Unavailable(_) => Fault::Unavailable,
        }
    }

    /// The name in problem documents, logs and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Anonymous => "credentials-missing",
            Self::Header => "credentials-malformed",
            Self::Token(_) => "token-invalid",
            Self::Expired => "token-expired",
            Self::Over => "session-over",
            Self::Key => "key-invalid",
            Self::Forbidden { .. } => "forbidden",
            Self::Unavailable(_) => "authentication-unavailable",
        }
    }

    /// The field `WWW-Authenticate` (RFC 6750 section 3), where the fault lies in the credentials.
    pub const fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::Anonymous => Some("Bearer realm=\"tintype\""),
            Self::Header => Some("Bearer realm=\"tintype\", error=\"invalid_request\""),
            Self::Token(_) | Self::Expired | Self::Over | Self::Key => {
                Some("Bearer realm=\"tintype\", error=\"invalid_token\"")
            }
            Self::Forbidden { .. } | Self::Unavailable(_) => None,
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("sign in first: there is no Authorization header"),
            Self::Header => f.write_str("one header `Authorization: Bearer <access token or API key>` is expected"),
            Self::Token(why) => write!(f, "the token is not accepted: {why}"),
            Self::Expired => f.write_str("the token has expired: refresh it, or sign in again"),
            Self::Over => f.write_str("the session was ended: sign in again"),
            Self::Key => f.write_str("the API key is not accepted: it is unknown, revoked or over"),
            Self::Forbidden { action, policies } if policies.is_empty() => {
                write!(f, "{action} is not allowed here: no policy permits it")
            }
            Self::Forbidden { action, policies } => {
                write!(f, "{action} is forbidden here by {}", policies.join(", "))
            }
            Self::Unavailable(what) => write!(f, "who you are cannot be found out at present: {what}; try again"),
        }
    }
}

impl std::error::Error for Denied {}
