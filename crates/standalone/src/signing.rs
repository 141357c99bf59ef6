//! The key of the URLs of published pictures: the edge verifies with it, search and auth sign with it.
//!
//! Knows where each of them has its keys, and nothing of signatures. Invariants: the key is in one file, which only its user can
//! read, and is made once; what somebody has configured for one of the three stays as it is.

use crate::config::Config;
use auth::config::UrlKey;
use auth::seal::secret_of_file;
use auth::signing::ANY;
use service::config::Secret;
use std::time::Duration;
use tintype::config::{Config as EdgeConfig, KeyConfig, SigningMode};
use tintype::secret::Source;

/// What URLs call the key.
pub(crate) const KID: &str = "platform";
/// Longest time that is asked for: pages outlive sessions.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Hands the key to all three, and has the route of published pictures ask for it.
///
/// # Errors
/// In words: the key's file cannot be read or made.
pub(crate) fn complete(config: &mut Config) -> Result<(), String> {
    if !config.platform.signed {
        return Ok(());
    }
    let place = |error: &dyn std::fmt::Display| format!("platform.url_key: {error}");
    let file = config.platform.url_key.clone();
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| place(&format!("{}: {error}", folder.display())))?;
    }
    let secret = secret_of_file(&file).map_err(|error| place(&error))?;
    let secret = String::from_utf8(secret).map_err(|_| place(&format!("{}: is no text", file.display())))?;

    let route = config.platform.route.clone();
    config.edge.signing.keys.push(KeyConfig {
        kid: KID.to_owned(),
        // Not the file: the edge shall not take up another key before search and auth do.
        secret: Source::Given(Secret::new(secret.clone())),
        // As for requests that nobody has signed: warm-ups make the same renditions.
        tenant: "default".to_owned(),
        not_before: None,
        not_after: None,
        prefix: Some(route.clone()),
        parameters: Vec::new(),
    });
    for published in config.edge.routes.iter_mut().filter(|published| published.prefix == route) {
        published.signing.get_or_insert(SigningMode::Required);
    }
    let urls = &mut config.auth.auth.urls;
    if !urls.iter().any(|key| key.tenant == ANY) {
        urls.push(UrlKey {
            tenant: ANY.to_owned(),
            kid: KID.to_owned(),
            secret: None,
            secret_file: Some(file),
            base: route.trim_end_matches('/').to_owned(),
            longest: LONGEST,
        });
    }
    if config.search.key_id.is_none() {
        config.search.key_id = Some(KID.to_owned());
        config.search.key_secret = Some(Secret::new(secret));
    }
    Ok(())
}

/// Leaves the key of a configuration that was read again as it was at the `first`: search and auth have it for as long as the
/// process lives.
pub(crate) fn keep(edge: &mut EdgeConfig, first: &EdgeConfig) {
    let own = |key: &&KeyConfig| key.kid == KID;
    let kept = first.signing.keys.iter().find(own).cloned();
    edge.signing.keys.retain(|key| key.kid != KID);
    edge.signing.keys.extend(kept);
}
