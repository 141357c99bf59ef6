//! What can go wrong with a picture, and whose fault it is; no HTTP status is known here.

use std::fmt;

/// Why a picture could not be made. `Display` is fit for the person who asked: it holds no internals.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Not a picture, or a kind of picture that we do not read. Names what was found.
    Unsupported(String),
    /// The file is damaged or breaks its format's rules.
    Malformed(String),
    /// A limit of the config would be exceeded: what, the value, the limit.
    TooLarge {
        /// Which quantity, in words ("pixels of the original").
        what: &'static str,
        /// What the file or request has.
        value: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The operation asked for cannot be applied to this picture ("the crop lies outside the picture").
    Impossible(String),
    /// A parameter names something that the config does not have. Which names there are is not for everybody.
    NotConfigured {
        /// The parameter.
        parameter: &'static str,
        /// The name.
        name: String,
    },
    /// A parameter that this engine does not implement yet.
    NotImplemented(&'static str),
    /// The deadline passed.
    Deadline,
    /// Nobody waits for the result any more.
    Cancelled,
    /// Our fault: an encoder failed on pixels that we made.
    Internal(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(what) => write!(f, "unsupported original: {what}"),
            Self::Malformed(what) => write!(f, "damaged original: {what}"),
            Self::TooLarge { what, value, limit } => write!(f, "{what}: {value} exceeds the limit of {limit}"),
            Self::Impossible(what) => write!(f, "cannot be applied to this picture: {what}"),
            Self::NotConfigured { parameter, name } => write!(f, "`{parameter}`: \"{name}\" is not configured"),
            Self::NotImplemented(parameter) => write!(f, "parameter `{parameter}` is not implemented yet"),
            Self::Deadline => f.write_str("the picture took longer than the limit"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Internal(what) => write!(f, "internal error: {what}"),
        }
    }
}

impl std::error::Error for Error {}
