//! Where a page ends, as a text that means nothing to those who hand it back.
//!
//! A page is named by the last document's place in the order, not by its number: what is added or removed elsewhere
//! neither repeats nor skips anything that was there. Invariant: a cursor is good for the query that it came from (whoever
//! asks it, and however large its pages are), and is refused elsewhere.

use crate::query::{Query, Rejected};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// A document's place in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The score, or the number that orders.
    pub(crate) first: i64,
    /// Milliseconds of Unix time.
    pub(crate) created: i64,
    pub(crate) id: Uuid,
}

const LENGTH: usize = 8 + 8 + 8 + 16;

pub(crate) fn write(position: &Position, query: &Query) -> String {
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.extend(fingerprint(query));
    bytes.extend(position.first.to_be_bytes());
    bytes.extend(position.created.to_be_bytes());
    bytes.extend(position.id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn read(text: &str, query: &Query) -> Result<Position, Rejected> {
    let refuse = || Rejected {
        field: "cursor",
        value: text.chars().take(80).collect(),
        allowed: "the `next` of a page of the same query".to_owned(),
    };
    let bytes = (text.len() <= LENGTH * 2).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten();
    let bytes: [u8; LENGTH] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(refuse)?;
    let part = |from: usize| -> [u8; 8] {
        let mut part = [0; 8];
        part.copy_from_slice(&bytes[from..from + 8]);
        part
    };
    if part(0) != fingerprint(query) {
        return Err(refuse());
    }
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[24..]);
    let (first, created) = (i64::from_be_bytes(part(8)), i64::from_be_bytes(part(16)));
    Ok(Position { first, created, id: Uuid::from_bytes(id) })
}

/// Of all that decides which documents there are and in which order.
fn fingerprint(query: &Query) -> [u8; 8] {
    let hash = blake3::hash(format!("{:?}", query.bare()).as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::Reach;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(first: i64, created: i64, id: u128) {
            let position = Position { first, created, id: Uuid::from_u128(id) };
            let query = Query::new(Reach::nothing().tenant("a"));
            let mut other = Query::new(Reach::nothing().public());
            other.limit = 7;
            let text = write(&position, &query);
            prop_assert_eq!(read(&text, &other), Ok(position));
            other.text = "cat".into();
            prop_assert!(read(&text, &other).is_err());
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,90}") {
            prop_assert!(read(&text, &Query::new(Reach::nothing())).is_err());
        }
    }
}
