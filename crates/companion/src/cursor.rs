//! Cursors of lists: where a page ended, as a text that clients give back and do not read.
//!
//! Knows no list. Invariant: a cursor is no proof of anything: who may see what is decided anew for each page.

use crate::problem::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest cursor that is read, in bytes.
const MAX: usize = 2048;

/// A place in a list, as it travels.
#[derive(Clone, Copy, Debug)]
pub struct Cursor;

impl Cursor {
    /// The text for a place.
    ///
    /// # Panics
    /// Where `place` has no JSON: a map with keys that are no texts.
    #[must_use]
    pub fn write<T: Serialize>(place: &T) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).expect("a place in a list has a JSON form"))
    }

    /// The place that a text names.
    ///
    /// # Errors
    /// It is none of ours: 400, with the field `query.cursor`.
    pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
        let bytes = Some(text).filter(|text| text.len() <= MAX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        place.ok_or_else(|| Problem::field("query.cursor", text, "a cursor that an earlier page of the same list gave"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_and_noise_is_refused() {
        let text = Cursor::write(&("2026-11-22", 7));
        assert_eq!(Cursor::read::<(String, u8)>(&text).unwrap(), ("2026-11-22".to_owned(), 7));
        for noise in ["", "=", "💥", "bm9pc2U", &"A".repeat(MAX + 1)] {
            assert_eq!(Cursor::read::<(String, u8)>(noise).unwrap_err().errors()[0].field, "query.cursor");
        }
    }
}
