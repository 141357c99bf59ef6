//! The generated `config.toml` is what the code declares, and what cannot be done is refused.

use standalone::config::Config;
use std::path::Path;

#[test]
fn the_page_of_the_config_is_current() {
    companion::testing::config_is_current::<Config>(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml"));
}

#[test]
fn what_standalone_does_not_do_is_refused_with_what_to_do_instead() {
    let refused = |set: &str| {
        let loaded = service::config::load::<Config>(None, [], &[set.to_owned()]);
        loaded.err().unwrap_or_else(|| panic!("{set} was taken")).to_string()
    };
    assert!(refused("server.listen=unix:/tmp/socket").contains("no Unix sockets"));
    for route in ["/", "a", "/auth/pictures/"] {
        assert!(refused(&format!("platform.route={route}")).contains("platform.route"), "{route}");
    }
}
