//! Where a socket listens: an IP address with a port, or a path in the file system.
//!
//! Owns how that is written in the config. Opens nothing.

use std::fmt;
use std::net::{AddrParseError, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What a path is written behind.
const UNIX: &str = "unix:";

/// The place of a listening socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// TCP, or UDP.
    Ip(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// The IP address and port, where it has them.
    #[must_use]
    pub const fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }

    /// The path of a Unix socket.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Ip(_) => None,
            Self::Unix(path) => Some(path),
        }
    }

    /// Whether other machines can reach it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.ip().is_some_and(|address| !address.ip().to_canonical().is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Neither an address nor a path.
    Ip(AddrParseError),
    /// The path does not start at the root: it would depend on where the server was started.
    Relative,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(_) => f.write_str(
                "expected an IP address and port such as 127.0.0.1:8080 or [::]:80, or unix:/run/tintype.sock",
            ),
            Self::Relative => f.write_str("the path of a Unix socket starts with /"),
        }
    }
}

impl std::error::Error for AddressError {}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix(UNIX) {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err(AddressError::Relative),
            None => text.parse().map(Self::Ip).map_err(AddressError::Ip),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_read_back() {
        for text in ["127.0.0.1:80", "[::1]:8443", "unix:/run/tintype.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("unix:tintype.sock".parse::<Address>(), Err(AddressError::Relative));
        for text in ["", "localhost:80", "127.0.0.1", "/run/tintype.sock", "80"] {
            assert!(matches!(text.parse::<Address>(), Err(AddressError::Ip(_))), "{text}");
        }
    }

    #[test]
    fn only_some_can_be_reached_from_outside() {
        for (text, public) in [
            ("127.0.0.1:80", false),
            ("[::1]:80", false),
            ("[::ffff:127.0.0.1]:80", false),
            ("unix:/run/tintype.sock", false),
            ("0.0.0.0:80", true),
            ("[::]:80", true),
            ("192.0.2.1:80", true),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().is_public(), public, "{text}");
        }
    }
}
