//! The composition root: builds every part from the config. No logic beside which part answers a request.

use crate::cache::{Flights, Memory};
use crate::config::Config;
use crate::fill::{Filled, Kept, Looked, Seen};
use crate::guard::Guard;
use crate::metric::{Gauges, Metrics};
use crate::origin::Origin;
use crate::origin::file::FileOrigin;
use crate::page::Page;
use crate::reading::Readings;
use crate::render::Renderer;
use crate::route::{Route, Routes};
use crate::semantics::forwarded::Trust;
use crate::server::Clock;
use cache_key::{ParseError, Presets, RenditionKey, SourceKey};
use prometheus_client::registry::Registry;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// Budget of what is known about originals: about 50,000 of them.
const SIGHTINGS: u64 = 32 << 20;

/// The server, all but its sockets. Clones share it.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

/// The parts.
#[derive(Debug)]
pub struct Parts {
    pub(crate) routes: Routes,
    pub(crate) guard: Guard,
    pub(crate) trust: Trust,
    pub(crate) page: Option<Page>,
    /// Tenant of requests that no key vouches for.
    pub(crate) nobody: Arc<str>,
    pub(crate) readings: Readings,
    pub(crate) sightings: Memory<SourceKey, Arc<Seen>>,
    pub(crate) looks: Flights<SourceKey, Looked>,
    /// How long a sighting holds.
    pub(crate) check: Duration,
    pub(crate) renditions: Memory<RenditionKey, Arc<Kept>>,
    pub(crate) fills: Flights<RenditionKey, Filled>,
    pub(crate) renderer: Renderer,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    pub(crate) max_target_bytes: usize,
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Opens origins, starts the render threads, registers metrics.
    ///
    /// # Errors
    /// What could not be opened or is wrong, in words for the person who configures.
    pub fn build(config: &Config, registry: &mut Registry, clock: Clock) -> Result<Self, String> {
        let files = open_origins(config)?;
        let presets = |only| presets(config, only).map_err(|error| format!("presets: {error}"));
        let routes = config.routes.iter().map(|route| {
            let origin = files.get(route.origin.as_str()).ok_or_else(|| format!("no origin {}", route.origin))?;
            Route::new(route, Arc::new(Origin::File(origin.clone())), presets(route.presets_only)?)
        });
        let routes = Routes::new(routes.collect::<Result<_, String>>()?);
        let renderer = Renderer::start(&config.render, clock.tick).map_err(|e| format!("render threads: {e}"))?;
        let renditions = Memory::new(config.cache.memory.bytes, |kept: &Arc<Kept>| kept.representation.weight() as u64);
        let fills = Flights::new();
        let metrics = Metrics::new(registry);
        registry.register_collector(Box::new(Gauges {
            memory: renditions.clone(),
            flights: fills.clone(),
            renderer: renderer.clone(),
        }));
        Ok(Self(Arc::new(Parts {
            routes,
            guard: Guard::new(&config.signing)?,
            trust: Trust { networks: config.server.trusted_proxies.clone(), ..Trust::default() },
            page: page(config, &files),
            nobody: "default".into(),
            readings: Readings::new(),
            sightings: Memory::new(SIGHTINGS, |_| 128),
            looks: Flights::new(),
            check: config.cache.check,
            renditions,
            fills,
            renderer,
            metrics,
            clock,
            max_target_bytes: config.server.max_target_bytes,
        })))
    }
}

/// The configured presets, checked.
///
/// # Errors
/// A preset that is no valid query, or a cycle.
pub fn presets(config: &Config, only: bool) -> Result<Presets, ParseError> {
    Presets::new(config.presets.iter().map(|preset| (preset.name.as_str(), preset.parameters.as_str())), only)
}

fn open_origins(config: &Config) -> Result<HashMap<&str, FileOrigin>, String> {
    let open = |origin: &crate::origin::config::OriginConfig| {
        FileOrigin::open(&origin.root, origin.max_bytes)
            .map_err(|error| format!("origin {}: cannot open {}: {error}", origin.name, origin.root.display()))
    };
    config.origins.iter().map(|origin| Ok((origin.name.as_str(), open(origin)?))).collect()
}

fn page(config: &Config, files: &HashMap<&str, FileOrigin>) -> Option<Page> {
    let origin = files.get(config.page.origin.as_str()).filter(|_| config.page.enabled)?;
    let route = config.routes.iter().find(|route| route.origin == config.page.origin && !route.originals)?;
    Some(Page::new(origin.clone(), route.prefix.clone()))
}
