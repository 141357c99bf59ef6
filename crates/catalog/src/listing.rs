//! Lists of assets, page by page.
//!
//! Owns what may be asked and the cursors between pages. Knows no store. Invariant: a cursor names the last asset of its
//! page by what the list is ordered by, so that whatever comes or goes in between, what stays is given once.

use crate::asset::{Asset, StateKind, Visibility};
use crate::error::StoreError;
use crate::name::{PathPrefix, Subject, Tag};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// Which assets of a tenant, and in which order.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// In which order.
    pub order: Order,
    /// Behind the page that gave it; `None`: from the first.
    pub after: Option<Cursor>,
    /// How many at most; 1 to [`Listing::MOST`], others are taken for the nearer of these.
    pub limit: usize,
    /// Which ones.
    pub filter: Filter,
}

impl Listing {
    /// The largest page.
    pub const MOST: usize = 1000;

    /// The limit, within its bounds.
    #[must_use]
    pub fn size(&self) -> usize {
        self.limit.clamp(1, Self::MOST)
    }
}

impl Default for Listing {
    /// The first fifty live assets, newest first.
    fn default() -> Self {
        Self { order: Order::Newest, after: None, limit: 50, filter: Filter::default() }
    }
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// By the moment of their making, last first.
    #[default]
    Newest,
    /// By the moment of their making, first first.
    Oldest,
    /// By path, byte by byte. Lists live assets only: others hold no path.
    Path,
}

impl Order {
    /// What its cursors begin with.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Newest => 'n',
            Self::Oldest => 'o',
            Self::Path => 'p',
        }
    }
}

/// Which assets. All that is said must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// In one of these states.
    pub states: Vec<StateKind>,
    /// Whose path begins so.
    pub prefix: Option<PathPrefix>,
    /// With this tag.
    pub tag: Option<Tag>,
    /// Of this owner.
    pub owner: Option<Subject>,
    /// Seen by these.
    pub visibility: Option<Visibility>,
    /// Changed then or later.
    pub changed_since: Option<Timestamp>,
}

impl Default for Filter {
    /// All live assets.
    fn default() -> Self {
        Self {
            states: vec![StateKind::Live],
            prefix: None,
            tag: None,
            owner: None,
            visibility: None,
            changed_since: None,
        }
    }
}

impl Filter {
    /// Every asset, whatever its state.
    #[must_use]
    pub fn all() -> Self {
        Self { states: StateKind::ALL.to_vec(), ..Self::default() }
    }

    /// Whether an asset is one of them.
    #[must_use]
    pub fn takes(&self, asset: &Asset) -> bool {
        self.states.contains(&asset.state.kind())
            && self.prefix.as_ref().is_none_or(|prefix| prefix.covers(&asset.path))
            && self.tag.as_ref().is_none_or(|tag| asset.tags.contains(tag))
            && self.owner.as_ref().is_none_or(|owner| asset.owner.as_ref() == Some(owner))
            && self.visibility.is_none_or(|visibility| asset.visibility == visibility)
            && self.changed_since.is_none_or(|since| asset.changed >= since)
    }
}

/// A part of a list. It may be shorter than was asked for, even empty, and have another page behind it: only that `next` is
/// missing says that it is the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins.
    pub next: Option<Cursor>,
}

/// Between two pages. Opaque: made by a catalog for one order of one listing.
#[derive(Clone, PartialEq, Eq, Hash, ToSchema)]
#[schema(value_type = String, max_length = 1100, example = "6e3031393338346131")]
pub struct Cursor(String);

/// Of the text of a cursor, in characters: two for each byte of what it names.
const LONGEST: usize = 4096;

impl Cursor {
    /// Behind what is ordered by `position`, in the list of kind `kind`.
    #[must_use]
    pub fn new(kind: char, position: &str) -> Self {
        let bytes = std::iter::once(kind as u8).chain(position.bytes());
        Self(bytes.fold(String::new(), |mut text, byte| {
            text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')));
            text
        }))
    }

    /// What it is behind, where it is of that kind.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`]: it is of another list.
    pub fn position(&self, kind: char) -> Result<String, StoreError> {
        let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
        let bytes: Option<Vec<u8>> = self.0.as_bytes().chunks(2).map(byte).collect();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(StoreError::BadCursor)?;
        text.strip_prefix(kind).map(str::to_owned).ok_or(StoreError::BadCursor)
    }

    /// Behind an asset, in that order.
    #[must_use]
    pub fn behind(order: Order, asset: &Asset) -> Self {
        match order {
            Order::Newest | Order::Oldest => Self::new(order.letter(), &asset.id.to_string()),
            Order::Path => Self::new(order.letter(), asset.path.as_str()),
        }
    }
}

impl Listing {
    /// The id or path that the list goes on behind.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`]: the cursor is of another order.
    pub fn position(&self) -> Result<Option<String>, StoreError> {
        self.after.as_ref().map(|cursor| cursor.position(self.order.letter())).transpose()
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let sound = (2..=LONGEST).contains(&text.len()) && text.len().is_multiple_of(2) && text.bytes().all(hex);
        if sound { Ok(Self(text.to_owned())) } else { Err(StoreError::BadCursor) }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cursors_read_back_and_belong_to_one_order(position in "\\PC{0,200}") {
            let cursor = Cursor::new('p', &position);
            let read: Cursor = cursor.to_string().parse().unwrap();
            prop_assert_eq!(read.position('p'), Ok(position));
            prop_assert_eq!(read.position('n'), Err(StoreError::BadCursor));
        }

        #[test]
        fn no_text_makes_a_cursor_panic(text in "\\PC{0,40}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                let _any = cursor.position('n');
            }
        }
    }
}
