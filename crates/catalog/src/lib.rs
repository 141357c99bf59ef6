//! Several binaries need it: asset records, their events, and the stores behind one trait. Knows no HTTP and no pixels.
//!
//! The [`Catalog`] is where the truth is: what [`Catalog::commit`] has taken is so, whatever of the object store, the search
//! index or the edge has yet to hear of it. One commit is one transaction over the record, its versions, the references to
//! content, the path, the tenant's usage, the event of the outbox and the idempotency record.
//!
//! ```
//! use catalog::{Asset, Change, Content, ContentHash, EventKind};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let at = "2026-11-22T09:00:00Z".parse()?;
//! let content = Content {
//!     hash: ContentHash::of(b"the bytes"),
//!     bytes: 9,
//!     media_type: "image/jpeg".parse()?,
//!     width: 4,
//!     height: 3,
//!     frames: 1,
//! };
//! let asset = Asset::new("main".parse()?, "cats/tom.jpg".parse()?, content, at);
//! let create = Change::create(asset, "user:ann".parse()?);
//! assert_eq!(create.kind, EventKind::Created);
//! // let committed = catalog.commit(create).await?;
//! # Ok(())
//! # }
//! ```

pub mod asset;
pub mod change;
pub mod check;
pub mod config;
mod dynamodb;
pub mod error;
pub mod event;
pub mod listing;
pub mod merge;
pub mod name;
mod open;
pub mod outbox;
mod plan;
pub mod schema;
mod sql;
pub mod stamp;
pub mod store;
mod terms;

pub use asset::{Asset, Content, Facts, State, StateKind, StoredVersion, Visibility};
pub use change::{Change, Committed, Expect, Idempotency, Quota};
pub use config::CatalogConfig;
pub use error::{CommitError, Excess, Flaw, StoreError};
pub use event::{Event, EventKind};
pub use listing::{Cursor, Filter, Listing, Order, Page};
pub use merge::merge;
pub use name::{
    AssetId, AssetPath, ContentHash, EventId, IdempotencyKey, Malformed, MediaType, PathPrefix, Region, Revision,
    Subject, Tag, TenantId, TraceParent, Version,
};
pub use open::open;
pub use outbox::{Dispatcher, Sink};
pub use schema::Schema;
pub use stamp::{Stamp, VersionVector};
pub use store::{Catalog, Held, Lag, Later, Row, Unreferenced, Usage};
