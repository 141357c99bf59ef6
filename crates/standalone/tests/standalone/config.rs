//! The generated `config.toml` is what the code declares, and what cannot be done is refused.

use standalone::config::Config;
use std::path::Path;

#[test]
fn the_page_of_the_config_is_current() {
    companion::testing::config_is_current::<Config>(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml"));
}

fn refused(set: &str) -> String {
    let sets: Vec<String> = set.split(' ').map(str::to_owned).collect();
    let loaded = service::config::load::<Config>(None, [], &sets);
    loaded.err().unwrap_or_else(|| panic!("{set} was taken")).to_string()
}

#[test]
fn beyond_loopback_everything_is_signed_unless_it_is_written_out() {
    const PUBLIC: &str = "server.listen=0.0.0.0:8080";
    let load = |sets: &[&str]| {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        service::config::load::<Config>(None, [], &sets).map(|loaded| loaded.config.edge.signing.mode.as_str())
    };
    assert_eq!(load(&[]).unwrap(), "disabled", "the samples, on this machine");
    assert_eq!(load(&[PUBLIC]).unwrap(), "required", "the samples, too");
    let unsigned = refused(&format!("{PUBLIC} platform.signed=false"));
    assert!(unsigned.contains("platform.signed") && unsigned.contains("unsigned_beyond_loopback = true"), "{unsigned}");
    assert!(load(&[PUBLIC, "platform.signed=false", "signing.unsigned_beyond_loopback=true"]).is_ok());
    let secret = "signing.keys.0.secret=0123456789abcdef0123456789abcdef";
    assert_eq!(load(&[PUBLIC, "platform.signed=false", "signing.keys.0.kid=k", secret]).unwrap(), "required");
    assert!(refused("signing.host=true").contains("platform.signed = false"));
}

#[test]
fn what_standalone_does_not_do_is_refused_with_what_to_do_instead() {
    assert!(refused("server.listen=unix:/tmp/socket").contains("no Unix sockets"));
    for route in ["/", "a", "/auth/pictures/"] {
        assert!(refused(&format!("platform.route={route}")).contains("platform.route"), "{route}");
    }
}
