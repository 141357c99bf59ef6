//! What a query found.

use crate::document::Document;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One page of what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hits {
    /// In the order that was asked for.
    pub hits: Vec<Hit>,
    /// How many there are on all pages.
    pub total: Total,
    /// Counts of values, of each facet that was asked for.
    pub facets: BTreeMap<Facet, Vec<Bucket>>,
    /// Gives the next page; `None` where this is the last one.
    pub next: Option<String>,
}

/// One document that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The document.
    pub document: Document,
    /// What it was ordered by where the order is by relevance, colour or likeness: higher is better.
    pub score: Option<u32>,
    /// Where the words were found, if asked for.
    pub highlights: Vec<Highlight>,
}

/// How many documents there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Total {
    /// The number.
    pub value: u64,
    /// Whether it is that many; otherwise at least that many.
    pub exact: bool,
}

impl Default for Total {
    fn default() -> Self {
        Self { value: 0, exact: true }
    }
}

/// What values are counted of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Facet {
    /// Given and derived tags.
    Tags,
    /// Media types.
    Type,
    /// Cameras.
    Camera,
    /// Landscape, portrait, square.
    Orientation,
    /// Names of colours that have at least a tenth of the picture.
    Colour,
    /// The year in which it was taken, or else made.
    Year,
}

impl Facet {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Tags, Self::Type, Self::Camera, Self::Orientation, Self::Colour, Self::Year];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Type => "type",
            Self::Camera => "camera",
            Self::Orientation => "orientation",
            Self::Colour => "colour",
            Self::Year => "year",
        }
    }
}

/// One value and how many documents have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// The value.
    pub value: String,
    /// How many of those that were found have it.
    pub count: u64,
}

/// A field's text, cut where words were found. It has no markup: whoever shows it escapes each piece as any other text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Highlight {
    /// `title`, `tags`, `description` or `path`.
    pub field: String,
    /// The text, or its part round the first word found, in order.
    pub pieces: Vec<Piece>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether it is what was looked for.
    pub hit: bool,
}
