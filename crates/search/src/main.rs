//! `tintype-search`: one call of the companions' common life.

use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let about = "Answers queries over assets: the search companion of Tintype.";
    companion::binary::run::<search::Place, search::Config>(about, async |config, ground| {
        let door = Arc::new(config.access.door(None).map_err(|error| format!("access: {error}"))?);
        let opened = config.finder.open().map_err(|error| format!("finder: {error}"))?;
        let base = ground.base().with_door(Arc::clone(&door));
        let parts = search::Parts { door, finder: opened.finder, shared: opened.shared, base };
        search::build(&config.search, parts, &mut ground.registry)
    })
}
