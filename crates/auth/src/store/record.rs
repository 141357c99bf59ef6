//! Times and lists as they are kept.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Milliseconds since 1970.
pub type Millis = i64;

/// As a time; what no time can be is the beginning of 1970.
pub(crate) fn time(millis: Millis) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A list as JSON text.
pub(super) fn written<T: Serialize>(list: &T) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}

/// A list of JSON text; empty where it cannot be read, which allows nothing.
pub(super) fn read<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}
