//! `/ingest/v1/…`: uploads and the assets that come of them.
//!
//! Owns the routes. Does not know how anything is done: [`crate::Desk`] does. Invariant: each handler asks the door before it
//! does or tells anything.

mod assets;
mod change;
mod direct;
mod files;
mod import;
mod quarantine;
pub(crate) mod receive;
pub(crate) mod refusal;
mod replica;
mod view;
mod who;

use crate::arrivals;
use crate::config::IngestConfig;
use crate::desk::Desk;
use crate::metric::Metrics;
use crate::session::Locks;
use crate::{Parts, tus, work};
use catalog::{AssetPath, Order, PathPrefix};
use companion::{Base, Companion, Patience, Task};
use origin::http::errand::{Bounds, Errands};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest head of fields round an upload's bytes in a form.
const FORM: u64 = 1 << 20;

/// What handlers share.
#[derive(Clone, Debug)]
pub(crate) struct Site(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) desk: Desk,
    pub(crate) door: Arc<access::Door>,
    pub(crate) locks: Locks,
    pub(crate) errands: Errands,
    /// Whether there is another store to be compared with.
    pub(crate) has_replica: bool,
}

impl std::ops::Deref for Site {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Builds the companion: its routes, and what it does behind them.
///
/// # Errors
/// In words for the person who wrote the config.
#[expect(clippy::needless_pass_by_value, reason = "as all companions are built")]
pub fn build(config: &IngestConfig, parts: Parts, base: &Base, registry: &mut Registry) -> Result<Companion, String> {
    let desk = Desk::new(config, &parts, Metrics::register(registry));
    let import = &config.import;
    let bounds = Bounds {
        allow_private: import.allow_private.clone(),
        allow: import.allow.clone(),
        redirects: import.redirects,
        connect: Duration::from_secs(3),
        response: Duration::from_secs(10),
        pause: Duration::from_secs(10),
    };
    let shared = Shared {
        desk: desk.clone(),
        door: Arc::clone(&parts.door),
        locks: Locks::default(),
        has_replica: parts.replica.is_some(),
        errands: Errands::new(bounds, None).map_err(|text| format!("ingest.import: {text}"))?,
    };
    let patience = |prefix| Patience { prefix, body: config.max_bytes.saturating_add(FORM), deadline: config.deadline };
    let patience =
        ["/ingest/v1/files", "/ingest/v1/uploads", "/ingest/v1/assets", "/ingest/v1/imports", "/ingest/v1/direct"]
            .map(patience);
    let about = "Takes uploads, and changes what came of them. Uploads: a form, a PUT, tus 1.0, directly into the bucket, or from a URL.";
    let site = Site(Arc::new(shared));
    let mut companion = base.finish_with("ingest", about, routes(site), &patience);
    companion = companion.with_task(Task::new("ingest-outbox", {
        let desk = desk.clone();
        move |drain| work::dispatch::run(desk, drain)
    }));
    if let Some(config) = &config.arrivals {
        let arrivals = arrivals::Arrivals::new(config, &parts.aws, desk.clone())?;
        companion = companion.with_task(Task::new("ingest-arrivals", move |drain| arrivals.run(drain)));
    }
    let runner = work::runner(config, &parts, desk)?;
    Ok(companion.with_task(Task::new("ingest-jobs", move |drain| runner.run(drain))))
}

/// What parameters have, which the routes do not collect by themselves.
#[derive(OpenApi)]
#[openapi(components(schemas(AssetPath, Order, PathPrefix, assets::Shown)))]
struct Named;

fn routes(site: Site) -> OpenApiRouter {
    OpenApiRouter::with_openapi(Named::openapi())
        .routes(routes!(files::put))
        .routes(routes!(files::form))
        .routes(routes!(import::import))
        .routes(routes!(direct::begin))
        .routes(routes!(direct::complete))
        .routes(routes!(tus::create, tus::options))
        .routes(routes!(tus::head, tus::patch, tus::terminate, tus::status))
        .routes(routes!(assets::list))
        .routes(routes!(assets::get, change::edit, change::delete))
        .routes(routes!(files::replace))
        .routes(routes!(assets::versions))
        .routes(routes!(change::restore))
        .routes(routes!(change::restore_version))
        .routes(routes!(assets::by_path))
        .routes(routes!(assets::by_hash))
        .routes(routes!(assets::usage))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::release, quarantine::discard))
        .routes(routes!(replica::check))
        // The layers round all routes hold the limit.
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(site)
}

#[cfg(test)]
pub(crate) mod tests;
