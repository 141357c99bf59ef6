//! Names and numbers of the catalog, each a type of its own: who has one knows that it is well formed.
//!
//! Owns their texts and their schemas. Knows no record. Invariant: what parses prints back to the same text, and nothing
//! is made well formed in passing: no trimming, no change of case.

mod hash;
mod id;
mod number;
mod path;

pub use hash::ContentHash;
pub use id::{AssetId, EventId};
pub use number::{Revision, Version};
pub use path::{AssetPath, PathPrefix};

use std::fmt;

/// Why a text is not what it should be. Its words fit behind the name of the field: "is …".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What it should be, such as `tenant`.
    pub what: &'static str,
    /// What would be accepted.
    pub allowed: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is a {}: {}", self.what, self.allowed)
    }
}

impl std::error::Error for Malformed {}

/// A text of a certain form: the type, its parser, and what others need of it.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $allowed:literal, $sound:expr, $($schema:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String")]
        #[schema(value_type = String, $($schema)*)]
        pub struct $name(String);

        impl $name {
            /// As it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::name::Malformed;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let sound: fn(&str) -> bool = $sound;
                if sound(&text) {
                    Ok(Self(text))
                } else {
                    Err($crate::name::Malformed { what: $what, allowed: $allowed })
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::name::Malformed;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.to_owned().try_into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}
pub(crate) use text;

text! {
    /// Whose an asset is.
    TenantId, "tenant", "1 to 63 of a-z, 0-9 and -, not beginning with -",
    |text| label(text, 63),
    pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "main"
}

text! {
    /// Where a catalog stands, in the words of the cloud or of whoever runs it.
    Region, "region", "1 to 63 of a-z, 0-9 and -, not beginning with -",
    |text| label(text, 63),
    pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "eu-central-1"
}

text! {
    /// Who did something, or whose something is: what `access` calls the subject of a caller, such as `user:ann`.
    Subject, "subject", "1 to 255 visible ASCII characters",
    |text| visible(text, 255),
    pattern = "^[!-~]{1,255}$", example = "user:ann"
}

text! {
    /// What a client calls one request that it may have to repeat (the header `Idempotency-Key`).
    IdempotencyKey, "idempotency key", "1 to 255 visible ASCII characters",
    |text| visible(text, 255),
    pattern = "^[!-~]{1,255}$", example = "8e03978e-40d5-43e8-bc93-6894a57f9324"
}

text! {
    /// A word that pictures are found by. Case counts, as people write names.
    Tag, "tag", "1 to 64 characters without control characters, commas, and white space at either end",
    |text| {
        (1..=64).contains(&text.chars().count()) && text.trim() == text && !text.contains(|c: char| c.is_control() || c == ',')
    },
    pattern = "^[^,\\s\\x00-\\x1f\\x7f-\\x9f]([^,\\x00-\\x1f\\x7f-\\x9f]{0,62}[^,\\s\\x00-\\x1f\\x7f-\\x9f])?$", example = "summer"
}

text! {
    /// A media type without parameters (RFC 9110 section 8.3.1), in lower case.
    MediaType, "media type", "such as image/jpeg: at most 100 characters, lower case, without parameters",
    |text| {
        let token = |part: &str| !part.is_empty() && part.bytes().all(|b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&^_.+-".contains(&b)
        });
        text.len() <= 100 && text.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub))
    },
    pattern = "^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$", example = "image/jpeg"
}

text! {
    /// The place of a request in a trace: the header `traceparent` of W3C Trace Context, version 00.
    TraceParent, "traceparent", "00-<32 hex digits>-<16 hex digits>-<2 hex digits>, in lower case, ids not all zero",
    trace,
    pattern = "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
    example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
}

fn label(text: &str, most: usize) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=most).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-')
}

fn visible(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn trace(text: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let named = |part: &str| part.bytes().any(|b| b != b'0');
    match text.split('-').collect::<Vec<_>>()[..] {
        ["00", trace, span, flags] => hex(trace, 32) && hex(span, 16) && hex(flags, 2) && named(trace) && named(span),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    fn takes<T: FromStr<Err: Debug> + Display>(sound: &[&str], not: &[&str]) {
        for text in sound {
            assert_eq!(text.parse::<T>().unwrap_or_else(|e| panic!("{text:?}: {e:?}")).to_string(), *text);
        }
        for text in not {
            assert!(text.parse::<T>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn texts_are_taken_as_they_are_or_not_at_all() {
        let long = "a".repeat(64);
        takes::<TenantId>(&["main", "a", "0-a", &long[..63]], &["", "-a", "A", "a_b", "a.b", "ä", " a", &long]);
        takes::<Region>(&["eu-central-1", "local"], &["", "EU", "a/b"]);
        takes::<Subject>(&["user:ann", "key:k1"], &["", "a b", "ä", "a\n", &"s".repeat(256)]);
        takes::<Tag>(&["summer", "New York", "Köln"], &["", " a", "a ", "a,b", "a\u{7}", &"ä".repeat(65)]);
        takes::<MediaType>(
            &["image/jpeg", "image/svg+xml", "image/vnd.ms-photo"],
            &["", "image", "Image/jpeg", "image/", "image/a b", "image/jpeg;q=1", "a/b/c"],
        );
        takes::<TraceParent>(
            &["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
            &[
                "",
                "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            ],
        );
    }

    #[test]
    fn json_is_as_strict_as_text() {
        let tenant: TenantId = serde_json::from_str("\"main\"").unwrap();
        assert_eq!(serde_json::to_string(&tenant).unwrap(), "\"main\"");
        let error = serde_json::from_str::<TenantId>("\"No\"").unwrap_err().to_string();
        assert!(error.contains("is a tenant: 1 to 63"), "{error}");
    }
}
