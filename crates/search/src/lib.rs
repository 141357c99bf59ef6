//! A binary (`tintype-search`), and part of `standalone`: answers queries over assets.
//!
//! A request becomes a [`finder::Query`] within the reach that the door gives its caller; what is found becomes an answer
//! with URLs at the edge. Knows neither the catalog nor how an index is made. Invariants: nothing is asked of the index
//! without the caller's reach; an answer that was kept is given to callers of the same reach only, and not after a change.
//!
//! ```no_run
//! # async fn example(config: search::Config, ground: &mut companion::binary::Ground) -> Result<companion::Companion, String> {
//! let door = std::sync::Arc::new(config.access.door(None)?);
//! let opened = config.finder.open().map_err(|error| error.to_string())?;
//! let base = ground.base().with_door(std::sync::Arc::clone(&door));
//! let parts = search::Parts { door, finder: opened.finder, shared: opened.shared, base };
//! search::build(&config.search, parts, &mut ground.registry)
//! # }
//! ```

mod answer;
mod ask;
mod config;
mod http;
mod kept;
mod links;
mod metric;
mod reach;

pub use answer::{Asset, Assets, Colours, Rendition, Suggestions};
pub use config::{Config, SearchConfig};

use access::Door;
use companion::{Base, Companion};
use finder::{Finder, Shared};
use kept::Kept;
use links::Links;
use metric::Metrics;
use prometheus_client::registry::Registry;
use std::sync::Arc;

/// Where the binary listens unless it is told otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Place;

impl companion::Place for Place {
    const NAME: &'static str = "search";
    const BINARY: &'static str = "tintype-search";
    const LISTEN: &'static str = "127.0.0.1:8088";
    const ADMIN: &'static str = "127.0.0.1:9088";
}

/// What it is built of.
pub struct Parts {
    /// Who decides what callers reach.
    pub door: Arc<Door>,
    /// The index.
    pub finder: Arc<dyn Finder>,
    /// Redis, for answers that all processes share.
    pub shared: Option<Shared>,
    /// What is round every handler, with the same door.
    pub base: Base,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("base", &self.base).finish_non_exhaustive()
    }
}

/// What handlers share.
pub(crate) struct Desk {
    door: Arc<Door>,
    finder: Arc<dyn Finder>,
    kept: Kept,
    links: Links,
    config: SearchConfig,
    metrics: Metrics,
}

/// Makes the companion.
///
/// # Errors
/// A signing key that cannot be used.
pub fn build(config: &SearchConfig, parts: Parts, registry: &mut Registry) -> Result<Companion, String> {
    let Parts { door, finder, shared, base } = parts;
    let desk = Desk {
        door,
        finder,
        kept: Kept::new(config, shared),
        links: Links::new(config)?,
        config: config.clone(),
        metrics: Metrics::register(registry),
    };
    let about =
        "Finds assets by words, tags, facets, ranges, colour, likeness and place: only what the caller may read.";
    Ok(base.finish("search", about, http::router(Arc::new(desk))))
}
