//! Counters of a record. Invariant: from 1 to 2⁵³−1, which every JSON reader can hold.

use super::Malformed;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// The largest: JavaScript's numbers are exact up to here.
const MOST: u64 = (1 << 53) - 1;
const FORM: &str = "a whole number from 1 to 9007199254740991";

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "u64", into = "u64")]
        #[schema(value_type = u64, minimum = 1, example = 1)]
        pub struct $name(u64);

        impl $name {
            /// Of what is new.
            pub const FIRST: Self = Self(1);

            /// The number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The one behind it; the last one stays.
            #[must_use]
            pub const fn next(self) -> Self {
                if self.0 < MOST { Self(self.0 + 1) } else { self }
            }
        }

        impl TryFrom<u64> for $name {
            type Error = Malformed;

            fn try_from(number: u64) -> Result<Self, Malformed> {
                if (1..=MOST).contains(&number) { Ok(Self(number)) } else { Err(Malformed { what: $what, allowed: FORM }) }
            }
        }

        impl From<$name> for u64 {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
                let number = text.parse::<u64>().ok().filter(|_| plain);
                number.ok_or(Malformed { what: $what, allowed: FORM })?.try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number! {
    /// How often a record has changed: grows with every change.
    Revision, "revision"
}

number! {
    /// How often an asset has had new content.
    Version, "version"
}

impl Revision {
    /// As an entity tag (RFC 9110 section 8.8.3): `"r7"`, with its quotes.
    #[must_use]
    pub fn etag(self) -> String {
        format!("\"r{}\"", self.0)
    }

    /// Reads one entity tag; `If-Match: *` and lists are the caller's affair.
    ///
    /// # Errors
    /// It is none of ours.
    pub fn from_etag(text: &str) -> Result<Self, Malformed> {
        let inner = text.trim().strip_prefix("\"r").and_then(|rest| rest.strip_suffix('"'));
        inner.ok_or(Malformed { what: "revision's entity tag", allowed: "such as \"r7\", with the quotes" })?.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_one_and_end_where_json_does() {
        assert_eq!("7".parse::<Revision>().unwrap().next().get(), 8);
        let last = MOST.to_string().parse::<Version>().unwrap();
        assert_eq!(last.next(), last);
        for text in ["", "0", "-1", "+1", "01", "1.0", "9007199254740992", "x"] {
            assert!(text.parse::<Revision>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Revision>("0").is_err());
    }

    #[test]
    fn revisions_are_entity_tags() {
        let seven = Revision::try_from(7).unwrap();
        assert_eq!(seven.etag(), "\"r7\"");
        assert_eq!(Revision::from_etag(&seven.etag()), Ok(seven));
        for text in ["r7", "\"7\"", "W/\"r7\"", "*", "\"r0\"", "\"r7\", \"r8\""] {
            assert!(Revision::from_etag(text).is_err(), "{text}");
        }
    }
}
