//! The companions of this process, on the parts that the configuration names: embedded ones in one data folder, by default.
//!
//! Knows which parts there are and what each is built of. Invariant: every companion asks the one door.

use crate::config::Config;
use crate::edge::Here;
use access::Door;
use auth::{Auth, FirstAdministrator};
use aws::Aws;
use catalog::Catalog;
use companion::{Base, Companion};
use finder::{Finder, Shared};
use jobs::Queue;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use store::Store;
use tintype::app::App;

/// The tenant that is there from the start.
pub(crate) const TENANT: &str = "main";

/// The parts that companions share.
pub(crate) struct Platform {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) auth: Arc<Auth>,
    queue: Arc<dyn Queue>,
    finder: Arc<dyn Finder>,
    shared: Option<Shared>,
    door: Arc<Door>,
    aws: Aws,
    replica: Option<ingest::Replica>,
    /// Made by this start, where nobody was there.
    pub(crate) first: Option<FirstAdministrator>,
}

impl Platform {
    /// Opens every part, and makes what is missing.
    pub(crate) async fn open(config: &Config) -> Result<Self, String> {
        let aws = Aws::new();
        let auth = Auth::open(&config.auth).await.map_err(|error| format!("auth: {error}"))?;
        let first = auth.first_administrator(TENANT).await.map_err(|error| format!("auth: {error}"))?;
        let opened = config.finder.open().map_err(|error| format!("finder: {error}"))?;
        let replica = match &config.ingest.replica {
            Some(replica) => Some(replica.open(&aws).await?),
            None => None,
        };
        Ok(Self {
            catalog: catalog::open(&config.catalog, &aws).await.map_err(|error| format!("catalog: {error}"))?,
            store: store::open(&config.store, &aws)?,
            queue: config.jobs.open(&aws).await.map_err(|error| format!("jobs: {error}"))?,
            finder: opened.finder,
            shared: opened.shared,
            door: auth.door(),
            auth,
            aws,
            replica,
            first,
        })
    }

    /// The companions, built of them.
    pub(crate) fn companions(
        &self,
        config: &Config,
        app: &App,
        base: &Base,
        registry: &mut Registry,
    ) -> Result<Vec<Companion>, String> {
        let base = base.clone().with_door(Arc::clone(&self.door));
        let auth = auth::build(&config.auth, auth::Parts { auth: Arc::clone(&self.auth), base: base.clone() })?;
        self.auth.metrics().register(registry);
        let runners = jobs::Metrics::register(registry);
        let edge = Here::new(app.clone(), &config.ingest.edge);
        let parts = ingest::Parts {
            catalog: Arc::clone(&self.catalog),
            store: Arc::clone(&self.store),
            queue: Arc::clone(&self.queue),
            door: Arc::clone(&self.door),
            edge: Some(Arc::new(edge)),
            aws: self.aws.clone(),
            replica: self.replica.clone(),
            jobs: config.jobs.clone(),
            runners: runners.clone(),
        };
        let ingest = ingest::build(&config.ingest, parts, &base, registry)?;
        let parts = index::Parts {
            catalog: Arc::clone(&self.catalog),
            finder: Arc::clone(&self.finder),
            queue: Arc::clone(&self.queue),
            door: Arc::clone(&self.door),
            jobs: config.jobs.clone(),
            runners,
        };
        let index = index::build(&config.index, parts, &base, registry);
        let (door, finder) = (Arc::clone(&self.door), Arc::clone(&self.finder));
        let parts = search::Parts { door, finder, shared: self.shared.clone(), base };
        let search = search::build(&config.search, parts, registry)?;
        Ok(vec![auth, ingest, index, search])
    }
}

/// Whether URLs of published pictures have to be signed.
pub(crate) fn signed(config: &Config) -> bool {
    let route = config.edge.routes.iter().find(|route| route.prefix == config.platform.route);
    let own = route.and_then(|route| route.signing);
    own.unwrap_or(config.edge.signing.mode) == tintype::config::SigningMode::Required
}
