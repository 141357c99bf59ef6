//! An amount of memory as the config writes it: bytes, or a share of what there is.

use service::config::{format_bytes, parse_bytes};
use std::fmt;
use std::str::FromStr;

/// `"512MiB"` or `"25%"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many.
    Bytes(u64),
    /// Hundredths of the memory that this process may have.
    Percent(u8),
}

impl Amount {
    /// Bytes, where there are `limit` in all.
    #[must_use]
    pub fn of(self, limit: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => limit / 100 * u64::from(percent),
        }
    }

    /// Bytes, where they are written so.
    #[must_use]
    pub const fn bytes(self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Percent(_) => None,
        }
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(percent) = text.trim().strip_suffix('%') else {
            let bytes = parse_bytes(text).map(Self::Bytes);
            return bytes.ok_or_else(|| "bytes such as \"512MiB\", or a share of memory such as \"25%\"".to_owned());
        };
        let percent = percent.trim().parse::<u8>().ok().filter(|percent| *percent <= 90);
        percent.map(Self::Percent).ok_or_else(|| "a share is a whole number from 0% to 90%".to_owned())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => f.write_str(&format_bytes(*bytes)),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_or_a_share() {
        for (text, bytes) in [("25%", 250), ("512MiB", 512 << 20), ("0B", 0), ("0%", 0), (" 10 %", 100)] {
            assert_eq!(text.parse::<Amount>().map(|amount| amount.of(1000)), Ok(bytes), "{text}");
        }
        for wrong in ["91%", "-1%", "2.5%", "%", "many"] {
            let error = wrong.parse::<Amount>().unwrap_err();
            assert!(error.contains('%'), "{wrong}: {error}");
        }
        assert_eq!(Amount::Percent(25).to_string(), "25%");
        assert_eq!("1GiB".parse::<Amount>().unwrap().to_string(), "1GiB");
    }
}
