//! Why an origin gave no original, and during what.
//!
//! Owns the words for it. Does not know what is answered then. Invariant: `text` is for the log alone; it may name
//! addresses and paths.

use std::fmt;
use std::time::Duration;

/// Why there is no original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Not there, or not a file, or outside the origin: to the one who asks these are the same.
    NotFound,
    /// The origin does not let us have it, and the config says to tell so.
    Forbidden,
    /// Larger than the origin allows.
    TooLarge {
        /// Its bytes, as far as they are known.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The request has been through this server before.
    Loop,
    /// The origin failed.
    Failed(Trouble),
}

/// During what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Phase {
    /// Waiting for others: at most so many requests go to an origin at once.
    Queue,
    /// Finding out where it is, and as whom to ask.
    Credentials,
    /// Looking up its name.
    Resolve,
    /// Connecting.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From the request to the head of the response.
    Response,
    /// Following a redirect.
    Redirect,
    /// Reading the body.
    Body,
    /// Reading a file.
    File,
}

impl Phase {
    /// All, in order.
    pub const ALL: [Self; 9] = [
        Self::Queue,
        Self::Credentials,
        Self::Resolve,
        Self::Connect,
        Self::Tls,
        Self::Response,
        Self::Redirect,
        Self::Body,
        Self::File,
    ];

    /// The name in logs, metrics and problem documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Credentials => "credentials",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Response => "response",
            Self::Redirect => "redirect",
            Self::Body => "body",
            Self::File => "file",
        }
    }
}

/// How it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Its time was up.
    Late,
    /// It broke off, or made no sense.
    Broken,
    /// We do not go there: an address or a host that is not allowed, an encoding that was not asked for.
    Refused,
    /// It answered with this status.
    Status(u16),
    /// It failed so often of late that it is left alone for this long.
    Paused(Duration),
}

/// A failure of an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// During what.
    pub phase: Phase,
    /// How.
    pub cause: Cause,
    /// For the log.
    pub text: String,
    /// When the origin wants to be asked again.
    pub retry_after: Option<Duration>,
}

impl Trouble {
    /// Without a word on when to come back.
    pub fn new(phase: Phase, cause: Cause, text: impl Into<String>) -> Self {
        Self { phase, cause, text: text.into(), retry_after: None }
    }

    /// Out of time.
    #[must_use]
    pub fn late(phase: Phase) -> Self {
        Self::new(phase, Cause::Late, "timed out")
    }
}

impl From<Trouble> for Missing {
    fn from(trouble: Trouble) -> Self {
        Self::Failed(trouble)
    }
}

/// For the public: what, but not where.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = self.phase.as_str();
        match self.cause {
            Cause::Late => write!(f, "the origin took too long (phase: {phase})"),
            Cause::Broken => write!(f, "the origin could not be read (phase: {phase})"),
            Cause::Refused => write!(f, "the origin is not allowed to answer so (phase: {phase})"),
            Cause::Status(status) => write!(f, "the origin answered {status} (phase: {phase})"),
            Cause::Paused(_) => f.write_str("the origin failed too often of late and is left alone for a moment"),
        }
    }
}

impl std::error::Error for Trouble {}
