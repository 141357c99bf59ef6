//! `tintype-index`: keeps what can be found in step with the catalog, in a process of its own; and the long works on the
//! index from the command line.

use access::config::AccessConfig;
use catalog::CatalogConfig;
use companion::Place;
use finder::FinderConfig;
use index::Parts;
use jobs::JobsConfig;
use service::config::{Reader, Section};
use std::process::ExitCode;
use std::sync::Arc;

mod command;

/// Where it listens unless it is told otherwise.
struct Index;

impl Place for Index {
    const NAME: &'static str = index::NAME;
    const BINARY: &'static str = "tintype-index";
    const LISTEN: &'static str = "127.0.0.1:8087";
    const ADMIN: &'static str = "127.0.0.1:9087";
}

/// Its own sections.
#[derive(Debug)]
struct Config {
    index: index::Config,
    jobs: JobsConfig,
    catalog: CatalogConfig,
    finder: FinderConfig,
    access: AccessConfig,
}

impl Section for Config {
    const DOC: &'static str = "Every key of tintype-index with its default.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            index: r.section("index"),
            jobs: r.section("jobs"),
            catalog: r.section("catalog"),
            finder: r.section("finder"),
            access: r.section("access"),
        }
    }
}

const ABOUT: &str = "Keeps what can be found in step with the catalog: the companion of Tintype.\n\n\
    Further commands, each with a --help of its own: rebuild, check, replay.";

fn main() -> ExitCode {
    if let Some(code) = command::obey(std::env::args_os().collect()) {
        return code;
    }
    companion::binary::run::<Index, Config>(ABOUT, async |config, ground| {
        let aws = aws::Aws::new();
        let catalog = catalog::open(&config.catalog, &aws).await.map_err(|error| format!("catalog: {error}"))?;
        let queue = config.jobs.open(&aws).await.map_err(|error| format!("jobs: {error}"))?;
        let finder = config.finder.open().map_err(|error| format!("finder: {error}"))?.finder;
        let door = Arc::new(config.access.door(None).map_err(|error| format!("access: {error}"))?);
        let base = ground.base().with_door(Arc::clone(&door));
        let runners = jobs::Metrics::register(&mut ground.registry);
        let parts = Parts { catalog, finder, queue, door, jobs: config.jobs, runners };
        Ok(index::build(&config.index, parts, &base, &mut ground.registry))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_config_is_current() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml");
        companion::testing::config_is_current::<companion::binary::Whole<Index, Config>>(&file);
    }
}
