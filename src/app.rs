//! The composition root: builds every part from the config. No logic beside which part answers a request.

use crate::access::{Doors, Keyring};
use crate::access_log::AccessLog;
use crate::cache::{Flights, Shares, Tiers};
use crate::config::Config;
use crate::fill::Filled;
use crate::fleet::Fleet;
use crate::guard::{Guard, Rules};
use crate::kept::Kept;
use crate::lane::Lane;
use crate::limit::Limits;
use crate::metric::{Gauges, Metrics, Process};
use crate::original::Originals;
use crate::page::Page;
use crate::pressure::{Amount, Pressure};
use crate::reading::Readings;
use crate::render::Renderer;
use crate::route::{Route, Routes};
use crate::secret::Vault;
use crate::server::Clock;
use crate::stats;
use crate::tenant::Tenants;
use aws::Aws;
use cache_key::{ParseError, Presets, RenditionKey};
use origin::config::{OriginConfig, OriginKind};
use origin::file::FileOrigin;
use origin::http::HttpOrigin;
use origin::s3::S3Origin;
use origin::{Origin, Server};
use prometheus_client::registry::Registry;
use service::drain::Drain;
use service::forwarded::Trust;
use service::otlp::Recording;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// The server, all but its sockets. Clones share it.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

/// The parts.
#[derive(Debug)]
pub struct Parts {
    pub(crate) routes: Routes,
    pub(crate) guard: Guard,
    pub(crate) doors: Doors,
    pub(crate) trust: Trust,
    pub(crate) page: Option<Page>,
    /// Tenant of requests that no key vouches for.
    pub(crate) nobody: Arc<str>,
    pub(crate) readings: Readings,
    pub(crate) originals: Originals,
    /// What it is called in requests to origins.
    pub(crate) name: Box<str>,
    /// How long a look at a file holds.
    pub(crate) check: Duration,
    pub(crate) renditions: Shares<RenditionKey, Arc<Kept>>,
    pub(crate) tenants: Tenants,
    /// Below memory.
    pub(crate) tiers: Tiers,
    /// What it has with the other instances.
    pub(crate) fleet: Fleet,
    pub(crate) fills: Flights<RenditionKey, Filled>,
    pub(crate) renderer: Renderer,
    /// How many misses a client may cause.
    pub(crate) limits: Limits,
    pub(crate) pressure: Arc<Pressure>,
    pub(crate) lane: Lane,
    pub(crate) metrics: Metrics,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) recording: Option<Recording>,
    pub(crate) clock: Clock,
    pub(crate) vault: Vault,
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
        let aws = Aws::new();
        let vault = Vault::new(&config.secrets, &aws);
        let origins = open_origins(config, &aws, clock)?;
        let presets = |only| presets(config, only).map_err(|error| format!("presets: {error}"));
        let routes = config.routes.iter().map(|route| {
            let named = |name| origins.get(name).cloned().ok_or_else(|| format!("no origin {name}"));
            Route::new(route, route.origins().map(named).collect::<Result<_, _>>()?, presets(route.presets_only)?)
        });
        let routes = Routes::new(routes.collect::<Result<_, String>>()?);
        let assets = crate::render::assets::load(config)?;
        let pressure = Arc::new(Pressure::new(&config.memory));
        let share = |amount: Amount| amount.of(pressure.limit());
        let renderer = Renderer::start(&config.render.within(pressure.limit()), assets, clock.tick)
            .map_err(|e| format!("render threads: {e}"))?;
        let counts: Arc<HashMap<_, _>> =
            Arc::new(routes.all().map(|route| (stats::report::tag(route), Arc::clone(&route.counts))).collect());
        let gone = move |kept: &Arc<Kept>| {
            if let Some(counts) = kept.stamp.label.tags().iter().find_map(|tag| counts.get(tag)) {
                counts.evicted();
            }
        };
        let (tenants, percents) = Tenants::new(&config.tenants, clock.tick);
        let weigh = |kept: &Arc<Kept>| kept.weight();
        let renditions = Shares::watched(share(config.cache.memory.bytes), &percents, weigh, gone);
        let originals = Originals::new(share(config.cache.originals.bytes));
        let tiers = Tiers::open(&config.cache, &aws, clock.wall)?;
        let fleet = Fleet::start(config, &tiers, &renditions, &originals, &aws)?;
        let limits = Limits::new(&config.limits, tiers.redis().cloned(), clock.tick);
        let lane = Lane::new(config.render.lane, &tiers);
        let access_log = AccessLog::open(&config.access_log).map_err(|error| format!("access_log.file: {error}"))?;
        let fills = Flights::new();
        let metrics = Metrics::new(registry);
        registry.register_collector(Box::new(Process));
        registry.register_collector(Box::new(Gauges {
            memory: renditions.clone(),
            flights: fills.clone(),
            renderer: renderer.clone(),
            originals: originals.bytes.clone(),
            tiers: tiers.clone(),
            pressure: Arc::clone(&pressure),
            origins: origins.iter().map(|(name, origin)| ((*name).to_owned(), Arc::clone(origin))).collect(),
            fleet: fleet.clone(),
            lane: lane.clone(),
        }));
        Ok(Self(Arc::new(Parts {
            routes,
            doors: Doors::new(Keyring::read(config, &vault)?),
            guard: Guard::new(Rules::read(&config.signing, &vault)?),
            trust: Trust { networks: config.server.trusted_proxies.clone(), ..Trust::default() },
            page: page(config, &origins, &renderer),
            nobody: "default".into(),
            readings: Readings::new(share(config.cache.memory.bytes)),
            originals,
            name: config.server.name.as_str().into(),
            check: config.cache.check,
            renditions,
            tenants,
            tiers,
            fleet,
            fills,
            renderer,
            limits,
            pressure,
            lane,
            access_log,
            recording: Recording::new(&config.otlp),
            metrics,
            clock,
            vault,
            max_target_bytes: config.server.max_target_bytes,
        })))
    }
}

impl Parts {
    /// Puts into force what can change while requests are served: all of it or, where anything is wrong, nothing.
    ///
    /// # Errors
    /// What is wrong, in words for the person who configures.
    pub(crate) fn renew(&self, config: &Config) -> Result<(), String> {
        let rules = Rules::read(&config.signing, &self.vault)?;
        let keyring = Keyring::read(config, &self.vault)?;
        self.doors.check(&keyring)?;
        self.guard.replace(rules);
        self.doors.replace(keyring);
        Ok(())
    }
}

impl App {
    /// Starts what works behind the requests, until the drain.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn work(&self, drain: &Drain) -> std::io::Result<()> {
        crate::lane::start(self, drain)
    }

    /// Starts what looks after memory and figures, on the present runtime, with which it ends.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn watch(&self) {
        tokio::spawn(crate::pressure::watch(self.clone()));
        tokio::spawn(crate::stats::watch(self.clone()));
    }
}

/// The configured presets, checked.
///
/// # Errors
/// A preset that is no valid query, or a cycle.
pub fn presets(config: &Config, only: bool) -> Result<Presets, ParseError> {
    Presets::new(config.presets.iter().map(|preset| (preset.name.as_str(), preset.parameters.as_str())), only)
}

fn open_origins<'c>(config: &'c Config, aws: &Aws, clock: Clock) -> Result<HashMap<&'c str, Arc<Origin>>, String> {
    let open = |origin: &OriginConfig| {
        let place = |error: &dyn std::fmt::Display| format!("origin {}: {error}", origin.name);
        match origin.kind {
            OriginKind::File => {
                let root = origin.root.as_deref().ok_or_else(|| place(&"no root"))?;
                let folder =
                    FileOrigin::open(root, origin.max_bytes).map(|folder| folder.within(origin.folder.as_str()));
                folder.map(Origin::File).map_err(|error| place(&format!("cannot open {}: {error}", root.display())))
            }
            OriginKind::Http => {
                let server = HttpOrigin::new(origin, &config.server.name, clock.wall, clock.tick);
                server.map(|server| Origin::Server(Server::Http(Box::new(server)))).map_err(|error| place(&error))
            }
            OriginKind::S3 => {
                let bucket = S3Origin::new(origin, aws, clock.wall, clock.tick);
                bucket.map(|bucket| Origin::Server(Server::S3(Box::new(bucket)))).map_err(|error| place(&error))
            }
        }
    };
    config.origins.iter().map(|origin| Ok((origin.name.as_str(), Arc::new(open(origin)?)))).collect()
}

fn page(config: &Config, origins: &HashMap<&str, Arc<Origin>>, renderer: &Renderer) -> Option<Page> {
    let origin = origins.get(config.page.origin.as_str()).filter(|_| config.page.enabled)?;
    let Origin::File(folder) = &**origin else { return None };
    let route = config.routes.iter().find(|route| route.origin == config.page.origin && !route.originals)?;
    let marks = renderer.setup().assets.marks().collect();
    Some(Page::new(folder.clone(), route.prefix.clone(), marks))
}
