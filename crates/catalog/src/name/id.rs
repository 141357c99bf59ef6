//! Ids of assets and events: UUIDs of version 7 (RFC 9562), which sort by the millisecond of their making.
//!
//! Reads no clock: whoever makes one says when it is. Invariant: read in the canonical form only, so that one asset has one
//! spelling in URLs, logs and keys.

use super::Malformed;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
        #[schema(value_type = String, format = "uuid", pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", example = "019384a1-7c00-7abc-8def-0123456789ab")]
        pub struct $name(Uuid);

        impl $name {
            /// A new one, made at this moment: the rest of it is random.
            #[must_use]
            pub fn new(at: Timestamp) -> Self {
                Self(made(at))
            }

            /// As the library has it.
            #[must_use]
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl TryFrom<Uuid> for $name {
            type Error = Malformed;

            fn try_from(id: Uuid) -> Result<Self, Malformed> {
                let sound = id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122;
                if sound { Ok(Self(id)) } else { Err(Malformed { what: $what, allowed: FORM }) }
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let canonical = text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase());
                let id = Uuid::try_parse(text).ok().filter(|_| canonical);
                id.ok_or(Malformed { what: $what, allowed: FORM })?.try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id! {
    /// Which asset: for good, whatever its path and content become.
    AssetId, "asset id"
}

id! {
    /// Which event.
    EventId, "event id"
}

const FORM: &str = "a UUID of version 7 in lower case with hyphens";

fn made(at: Timestamp) -> Uuid {
    // Before 1970 there were no assets.
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(at.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_their_moment_and_read_back() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (first, second) = (AssetId::new(at("2026-01-01T00:00:00Z")), AssetId::new(at("2026-01-01T00:00:00.001Z")));
        assert!(first < second && first.to_string() < second.to_string());
        assert_ne!(AssetId::new(at("2026-01-01T00:00:00Z")), first);
        assert_eq!(first.to_string().parse(), Ok(first));
        assert_eq!(serde_json::from_str::<AssetId>(&serde_json::to_string(&first).unwrap()).unwrap(), first);
    }

    #[test]
    fn one_spelling() {
        let id = AssetId::new("2026-01-01T00:00:00Z".parse().unwrap()).to_string();
        let v4 = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        for text in ["", v4, &id.to_uppercase(), &id.replace('-', ""), &format!("{{{id}}}"), &format!("urn:uuid:{id}")]
        {
            assert!(text.parse::<AssetId>().is_err(), "{text}");
        }
    }
}
