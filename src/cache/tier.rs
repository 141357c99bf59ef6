//! A tier outside of this process: bytes under 32-byte names, for a while.
//!
//! Owns the one trait that Redis, a folder and object storage implement, and the ways in which they fail. Knows neither
//! pictures nor HTTP. Invariant: whoever asks a tier asks within a deadline; a failure is an answer, never a hang.

use bytes::Bytes;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A future that a trait object can give.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The name of an entry: a key of `cache-key`, whose kinds do not matter here.
pub type Name = [u8; 32];

/// Somewhere to keep bytes. One contract suite holds all implementations (`cache::contract`).
pub trait Tier: fmt::Debug + Send + Sync {
    /// The bytes put in under the name last, unless they have expired, been removed or pushed out.
    fn get<'a>(&'a self, name: &'a Name) -> Later<'a, Result<Option<Bytes>, Failure>>;

    /// Keeps the bytes for `keep`, over older ones. Tiers may refuse what is larger than their limit: [`Failure::TooLarge`].
    fn put<'a>(&'a self, name: &'a Name, bytes: Bytes, keep: Duration) -> Later<'a, Result<(), Failure>>;

    /// As [`Self::put`], but not over what was made under a later token ([`Failure::Outdated`]), where the tier can tell.
    fn put_fenced<'a>(
        &'a self,
        name: &'a Name,
        bytes: Bytes,
        keep: Duration,
        _token: u64,
    ) -> Later<'a, Result<(), Failure>> {
        self.put(name, bytes, keep)
    }

    /// Takes the entry out; also when there is none.
    fn remove<'a>(&'a self, name: &'a Name) -> Later<'a, Result<(), Failure>>;

    /// Looks through all entries and takes out those that are void; how many. `None` for a tier where that would take too
    /// long.
    fn sweep(&self, _void: Void) -> Option<Later<'_, Result<u64, Failure>>> {
        None
    }
}

/// Whether the entry under a name is void, by its first bytes: `Envelope::HEAD` of them, or all it has.
pub type Void = Arc<dyn Fn(&Name, &Bytes) -> bool + Send + Sync>;

/// Why a tier did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer in time.
    Timeout,
    /// It has failed so often that it is left alone for a while.
    Open,
    /// It does not take entries of this size.
    TooLarge,
    /// It has no room.
    Full,
    /// Somebody else has the right to write it by now.
    Outdated,
    /// It said so, in its own words.
    Refused(String),
}

impl Failure {
    /// The name in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Open => "open",
            Self::TooLarge => "too-large",
            Self::Full => "full",
            Self::Outdated => "outdated",
            Self::Refused(_) => "refused",
        }
    }

    /// Whether it speaks against the tier rather than against the one request.
    pub const fn counts(&self) -> bool {
        matches!(self, Self::Timeout | Self::Refused(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            other => f.write_str(other.as_str()),
        }
    }
}
