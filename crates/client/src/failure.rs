//! Why something could not be had from the server.
//!
//! Invariant: no token or password is in one.

use http::StatusCode;
use serde::Deserialize;
use std::fmt;
use std::path::Path;

/// What is wrong with one field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct FieldError {
    /// Where.
    #[serde(default)]
    pub field: String,
    /// What was sent.
    #[serde(default)]
    pub value: Option<String>,
    /// What would be taken.
    #[serde(default)]
    pub allowed: String,
}

/// The server's own words (RFC 9457).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// The kind, to branch on.
    #[serde(default)]
    pub code: String,
    /// The same for all of the kind.
    #[serde(default)]
    pub title: String,
    /// What happened this time.
    #[serde(default)]
    pub detail: String,
    /// The fields that are wrong.
    #[serde(default)]
    pub errors: Vec<FieldError>,
}

/// Why something could not be had.
#[derive(Clone, Debug)]
pub enum Failure {
    /// Nobody is signed in, or the sign-in is over.
    SignedOut(String),
    /// The server refuses.
    Refused {
        /// The status code.
        status: StatusCode,
        /// Its reason.
        problem: Problem,
        /// When to try again, where it says so.
        retry: Option<std::time::Duration>,
    },
    /// There is no server, or it broke off, or what it sends cannot be understood.
    Unreachable(String),
    /// Something on this machine: a file, a folder.
    Local(String),
}

impl Failure {
    pub(crate) fn file(path: &Path, error: impl fmt::Display) -> Self {
        Self::Local(format!("{}: {error}", path.display()))
    }

    /// Whether the same may go well a moment later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => matches!(status.as_u16(), 409 | 423 | 429 | 500 | 502 | 503 | 504),
            Self::SignedOut(_) | Self::Local(_) => false,
        }
    }

    /// The status code of a refusal.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignedOut(text) | Self::Unreachable(text) | Self::Local(text) => f.write_str(text),
            Self::Refused { status, problem, .. } => {
                let text = [&problem.detail, &problem.title].into_iter().find(|text| !text.is_empty());
                let code = if problem.code.is_empty() { String::new() } else { format!(", {}", problem.code) };
                // What a server says shall not steer a terminal.
                let plain = text.map_or("no reason given", String::as_str).replace(char::is_control, " ");
                write!(f, "{plain} ({}{code})", status.as_u16())
            }
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_the_server_says_and_steer_nothing() {
        let problem = Problem { code: "over-quota".into(), detail: "Too\u{1b}[2J much".into(), ..Problem::default() };
        let failure = Failure::Refused { status: StatusCode::INSUFFICIENT_STORAGE, problem, retry: None };
        assert_eq!(failure.to_string(), "Too [2J much (507, over-quota)");
        assert!(!failure.may_pass());
        assert!(Failure::Unreachable(String::new()).may_pass());
    }
}
