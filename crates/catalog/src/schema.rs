//! The version of what is written: of records as they are stored, and of events as they travel.
//!
//! The rule of schema 1. Fields may be added to an event: readers leave aside what they do not know. A field never changes
//! its meaning, and a kind of event is never added, without a new number; readers refuse a number that they do not know, in
//! words that say which, and a job that carries such an event is tried again until its reader has been brought up to date.
//! Records are not only read but written back, so an unknown field in one is refused as well: nobody drops what a later
//! release has put there.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// The number 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ToSchema)]
#[schema(value_type = u32, minimum = 1, maximum = 1, example = 1)]
pub struct Schema(());

impl Schema {
    /// What this release writes, and the only one that it reads.
    pub const NUMBER: u32 = 1;
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(Self::NUMBER)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            Self::NUMBER => Ok(Self::default()),
            other => Err(serde::de::Error::custom(format_args!(
                "schema {other} is not known here, only {}: this program is older or newer than what wrote it",
                Self::NUMBER
            ))),
        }
    }
}
