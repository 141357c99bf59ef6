//! What the companion answers: jobs, and the state of the index.
//!
//! Knows no engine. Invariant: every handler asks the door before it looks anything up.

mod index;
mod jobs;

pub use self::index::{check_job, rebuild_job};

use ::jobs::Queue;
use access::Door;
use catalog::Catalog;
use finder::Finder;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// What handlers need.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) finder: Arc<dyn Finder>,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) door: Arc<Door>,
}

/// All routes, below `/index/v1/`.
pub(crate) fn routes(state: State) -> OpenApiRouter {
    OpenApiRouter::new().merge(jobs::routes()).merge(index::routes()).with_state(state)
}
