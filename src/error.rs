//! Why a request has no picture as its answer: what happened and whose fault it is. It knows no HTTP.
//!
//! `Display` is for the one who asked; `internal` is for the log alone.

use crate::limit::{Limited, Scope};
use crate::render::Failure;
use crate::render::admission::Shed;
use origin::Missing;
use std::fmt;

/// Whose fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// What was asked, or the original that it names.
    Client,
    /// The origin did not do its part.
    Origin,
    /// Ours.
    Internal,
}

impl Fault {
    /// The name in logs and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Origin => "origin",
            Self::Internal => "internal",
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The method is neither GET nor HEAD.
    Method(String),
    /// The request target is longer than allowed.
    TargetTooLong {
        /// Its bytes.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// No route has this host and path.
    NoRoute,
    /// The signature is missing or wrong.
    Refused(signature::Refused),
    /// Nothing shows that it came through the CDN.
    NoProof,
    /// The route's pictures may not be shown on the page that asks.
    Hotlink,
    /// The path cannot name an original.
    Path(String),
    /// A parameter's value is not allowed.
    Parameter(Box<cache_key::ParseError>),
    /// Something is asked of a route that serves originals untouched.
    Originals,
    /// A `srcset` on a route whose presets would make other pictures of its URLs.
    Srcset,
    /// The origin has no such original, or cannot give it.
    Missing(Missing),
    /// No rendition.
    Render(Failure),
    /// Its client, or its key, has caused too many misses.
    Limited(Limited),
    /// The work on it ended without a result.
    Abandoned,
}

/// An error with its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error(pub(crate) Kind);

impl Error {
    /// Whose fault it is.
    pub(crate) fn fault(&self) -> Fault {
        use imaging::Error as I;
        match &self.0 {
            Kind::Missing(Missing::Failed(_) | Missing::Loop) => Fault::Origin,
            Kind::Render(Failure::Imaging(I::Internal(_) | I::Deadline | I::Cancelled)) | Kind::Abandoned => {
                Fault::Internal
            }
            Kind::Render(Failure::Shed(shed)) if shed.retry().is_some() => Fault::Internal,
            _ => Fault::Client,
        }
    }

    /// Whether the origin failed, rather than having said something.
    pub(crate) fn is_the_origins(&self) -> bool {
        matches!(self.0, Kind::Missing(Missing::Failed(_)))
    }

    /// Whether it is about who asked, so that it tells nothing to others who ask for the same.
    pub(crate) fn is_about_who_asked(&self) -> bool {
        matches!(self.0, Kind::Limited(_))
    }

    /// Whether there was no room for the work, so that a stale rendition is better than none.
    pub(crate) fn is_for_want_of_room(&self) -> bool {
        matches!(&self.0, Kind::Render(Failure::Shed(shed)) if shed.retry().is_some())
    }

    /// Whether trying again would come to the same: the picture cannot be made, or not in the time there is.
    pub(crate) fn is_lasting(&self) -> bool {
        use imaging::Error as I;
        matches!(&self.0, Kind::Render(Failure::Imaging(error)) if !matches!(error, I::Cancelled))
    }

    /// Whether somebody who runs the server should look: not for what clients ask wrongly, nor for load.
    pub(crate) fn is_worth_a_warning(&self) -> bool {
        self.fault() != Fault::Client && !matches!(self.0, Kind::Render(Failure::Shed(_)))
    }

    /// What the log says beside the public text.
    pub(crate) fn internal(&self) -> Option<&str> {
        match &self.0 {
            Kind::Missing(Missing::Failed(trouble)) => Some(&trouble.text),
            Kind::Render(Failure::Imaging(imaging::Error::Internal(text))) => Some(text),
            _ => None,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(kind)
    }
}

impl From<Limited> for Error {
    fn from(limited: Limited) -> Self {
        Self(Kind::Limited(limited))
    }
}

impl From<Missing> for Error {
    fn from(missing: Missing) -> Self {
        Self(Kind::Missing(missing))
    }
}

impl From<imaging::Error> for Error {
    fn from(error: imaging::Error) -> Self {
        Self(Kind::Render(Failure::Imaging(error)))
    }
}

impl From<cache_key::ParseError> for Error {
    fn from(error: cache_key::ParseError) -> Self {
        Self(Kind::Parameter(Box::new(error)))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self(Kind::Render(failure))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Method(method) => write!(f, "the method {method} is not allowed here; use GET or HEAD"),
            Kind::TargetTooLong { bytes, limit } => {
                write!(f, "the request target has {bytes} bytes; the limit is {limit}")
            }
            Kind::NoRoute => f.write_str("no route of this server begins with this host and path"),
            Kind::Refused(refused) => write!(f, "{refused}"),
            Kind::NoProof => f.write_str("this server answers requests that come through its CDN only"),
            Kind::Hotlink => f.write_str("pictures of this route may not be shown on that page"),
            Kind::Path(text) => f.write_str(text),
            Kind::Parameter(error) => write!(f, "{error}"),
            Kind::Originals => {
                f.write_str("this route serves originals untouched; it knows no parameters but dl and tags")
            }
            Kind::Srcset => f.write_str(
                "srcset: this route's presets do not let a URL say which picture is meant; leave srcset out",
            ),
            Kind::Limited(Limited { scope: Scope::Network, .. }) => {
                f.write_str("too many pictures that were not ready yet were asked for from this network")
            }
            Kind::Limited(Limited { scope: Scope::Key, .. }) => {
                f.write_str("too many pictures that were not ready yet were asked for with this key")
            }
            Kind::Limited(Limited { scope: Scope::Tenant, .. }) => {
                f.write_str("the tenant's quota of pictures that were not ready yet is used up for now")
            }
            Kind::Missing(Missing::NotFound) => f.write_str("there is no such original"),
            Kind::Missing(Missing::TooLarge { bytes, limit }) => {
                write!(f, "the original has {bytes} bytes; the limit is {limit}")
            }
            Kind::Missing(Missing::Forbidden) => f.write_str("the origin does not give out this original"),
            Kind::Missing(Missing::Loop) => f.write_str("the request has been through this server before"),
            Kind::Missing(Missing::Failed(trouble)) => write!(f, "{trouble}"),
            Kind::Render(Failure::Shed(Shed::QueueFull { .. })) => {
                f.write_str("too many pictures are waiting to be made")
            }
            Kind::Render(Failure::Shed(Shed::TooLate { .. })) => {
                f.write_str("the picture would wait too long to be made")
            }
            Kind::Render(Failure::Shed(Shed::TooLong { .. })) => f.write_str("the picture waited too long to be made"),
            Kind::Render(Failure::Shed(Shed::TooDear { needs, budget })) => {
                write!(f, "making this picture would need {needs} bytes of memory; the limit is {budget}")
            }
            Kind::Render(Failure::Imaging(imaging::Error::Internal(_))) | Kind::Abandoned => {
                f.write_str("the picture could not be made")
            }
            Kind::Render(Failure::Imaging(error)) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Error {}
