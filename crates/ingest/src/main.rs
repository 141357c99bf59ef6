//! `tintype-ingest`: takes uploads, in a process of its own.

use access::config::AccessConfig;
use catalog::config::CatalogConfig;
use companion::Place;
use ingest::{HttpEdge, IngestConfig, Parts};
use jobs::JobsConfig;
use service::config::{Reader, Section};
use std::process::ExitCode;
use std::sync::Arc;
use store::StoreConfig;

/// Where it listens unless it is told otherwise.
struct Ingest;

impl Place for Ingest {
    const NAME: &'static str = "ingest";
    const BINARY: &'static str = "tintype-ingest";
    const LISTEN: &'static str = "127.0.0.1:8086";
    const ADMIN: &'static str = "127.0.0.1:9086";
}

/// Its own sections.
#[derive(Debug)]
struct Config {
    ingest: IngestConfig,
    store: StoreConfig,
    catalog: CatalogConfig,
    jobs: JobsConfig,
    access: AccessConfig,
}

impl Section for Config {
    const DOC: &'static str = "Every key of tintype-ingest with its default.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            ingest: r.section("ingest"),
            store: r.section("store"),
            catalog: r.section("catalog"),
            jobs: r.section("jobs"),
            access: r.section("access"),
        }
    }
}

fn main() -> ExitCode {
    companion::binary::run::<Ingest, Config>("Takes uploads: the companion of Tintype.", async |config, ground| {
        let aws = aws::Aws::new();
        let catalog = catalog::open(&config.catalog, &aws).await.map_err(|error| format!("catalog: {error}"))?;
        let queue = config.jobs.open(&aws).await.map_err(|error| format!("jobs: {error}"))?;
        let store = store::open(&config.store, &aws)?;
        let door = Arc::new(config.access.door(None).map_err(|error| format!("access: {error}"))?);
        let edge = HttpEdge::new(&config.ingest.edge)?.map(|edge| Arc::new(edge) as Arc<dyn ingest::Edge>);
        let base = ground.base().with_door(Arc::clone(&door));
        let replica = match &config.ingest.replica {
            Some(replica) => Some(replica.open(&aws).await?),
            None => None,
        };
        let runners = jobs::Metrics::register(&mut ground.registry);
        let parts = Parts { catalog, store, queue, door, edge, aws, replica, jobs: config.jobs, runners };
        ingest::build(&config.ingest, parts, &base, &mut ground.registry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_config_is_current() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml");
        companion::testing::config_is_current::<companion::binary::Whole<Ingest, Config>>(&file);
    }
}
