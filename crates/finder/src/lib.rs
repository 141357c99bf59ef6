//! Two binaries need it: the documents that can be found, and queries over them, in tantivy or OpenSearch.
//!
//! Knows neither the catalog nor HTTP's side of a search. A [`Document`] is what is kept of an asset, a [`Query`] what is
//! asked; a query cannot be made without a [`Reach`], so that nobody counts, lists or suggests what its caller may not
//! read. Invariant: both engines give the same answers, in the same order, since the order depends on the query and the
//! document alone (`docs/search.md`).

mod alike;
mod changes;
mod colour;
mod config;
mod cursor;
mod document;

mod error;
mod hits;
mod opensearch;
mod plan;
mod query;
mod reach;
mod record;
mod seam;
mod shared;
mod suggest;
mod tantivy;
mod text;
mod words;
mod write;

pub use self::tantivy::{Embedded, Setting as EmbeddedSetting};
pub use alike::{Alike, MAX_DISTANCE};
pub use changes::{Changes, Local as LocalChanges};
pub use colour::{ColourName, Lab, Near, NearTo, Rgb};
pub use config::{Engine, FinderConfig, Opened};
pub use document::{Document, Orientation, Place, Swatch, Visibility};
pub use error::FinderError;
pub use hits::{Bucket, Facet, Highlight, Hit, Hits, Piece, Total};
pub use opensearch::{OpenSearch, Refresh, Setting as OpenSearchSetting};
pub use query::{Area, Query, Rejected, Sort, Span};
pub use reach::{Grant, Owner, Reach, Tenants};
pub use seam::{Answer, Finder, Generation, Stats};
pub use shared::Shared;
pub use suggest::{Prompt, Suggestion, SuggestionKind};
pub use words::fold;
pub use write::{Applied, Outcome, Write};
