//! Why an upload is not published: names for programs, words for people.
//!
//! Invariant: the names are for good; documentation and clients know them (docs/ingest.md).

use imaging::Error;
use std::fmt;

/// Why it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It has no bytes.
    Empty,
    /// No picture that is known here.
    NotAPicture,
    /// A picture of a kind that is not read.
    Unsupported,
    /// It breaks its format's rules.
    Damaged,
    /// It stops in the middle.
    Truncated,
    /// More pixels, frames or memory than the limits allow.
    TooLarge,
    /// It is something else than its name or its declared type says.
    TypeMismatch,
    /// A drawing with a script, or that wants something from elsewhere.
    ActiveSvg,
    /// It takes too long to decode.
    TooSlow,
    /// Its bytes are not those whose hash was declared.
    HashMismatch,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Empty,
        Self::NotAPicture,
        Self::Unsupported,
        Self::Damaged,
        Self::Truncated,
        Self::TooLarge,
        Self::TypeMismatch,
        Self::ActiveSvg,
        Self::TooSlow,
        Self::HashMismatch,
    ];

    /// The name in problem documents, metrics and notes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "upload-empty",
            Self::NotAPicture => "upload-not-a-picture",
            Self::Unsupported => "upload-unsupported",
            Self::Damaged => "upload-damaged",
            Self::Truncated => "upload-truncated",
            Self::TooLarge => "upload-picture-too-large",
            Self::TypeMismatch => "upload-type-mismatch",
            Self::ActiveSvg => "upload-active-svg",
            Self::TooSlow => "upload-too-slow",
            Self::HashMismatch => "upload-hash-mismatch",
        }
    }
}

/// A refusal with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// For whoever sent it.
    pub text: String,
}

impl Refused {
    /// With these words.
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into() }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let reason = match &error {
            Error::Unsupported(what) if what.contains("is not a picture") => Reason::NotAPicture,
            Error::Unsupported(_) | Error::NotImplemented(_) => Reason::Unsupported,
            Error::TooLarge { .. } => Reason::TooLarge,
            Error::Deadline | Error::Cancelled => Reason::TooSlow,
            _ => Reason::Damaged,
        };
        Self::new(reason, error.to_string())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a picture is to be looked at by somebody before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// So many bytes behind its end, which are nothing that cameras put there.
    Trailing(u64),
    /// Something that is also a file of another kind.
    Foreign(&'static str),
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trailing(bytes) => write!(f, "trailing-data: {bytes} bytes behind the end of the picture"),
            Self::Foreign(kind) => write!(f, "foreign-content: the picture is also {kind}"),
        }
    }
}
