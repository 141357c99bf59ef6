//! Who may ask: the signing mode of the config over `signature`'s verifier.
//!
//! Runs before anything of the request is parsed, on its raw target. Keys can be replaced while requests are served: each
//! request is judged by one whole set of them.

use crate::config::{KeyConfig, SigningConfig, SigningMode};
use crate::error::{Error, Kind};
use crate::secret::Vault;
use arc_swap::ArcSwap;
use http::request::Parts;
use signature::{Key, Refused, Verified, Verifier};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Lets requests pass, or not.
#[derive(Debug)]
pub(crate) struct Guard {
    rules: ArcSwap<Rules>,
}

/// What is in force.
#[derive(Debug)]
pub(crate) struct Rules {
    mode: SigningMode,
    verifier: Option<Verifier>,
}

impl Rules {
    /// Opens the secrets of the keys.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub(crate) fn read(config: &SigningConfig, vault: &Vault) -> Result<Self, String> {
        let keys = config.keys.iter().map(|entry| key(entry, config.host, vault)).collect::<Result<Vec<_>, _>>()?;
        let verifier = (!keys.is_empty()).then(|| Verifier::new(keys)).transpose();
        Ok(Self { mode: config.mode, verifier: verifier.map_err(|error| format!("signing.keys: {error}"))? })
    }
}

impl Guard {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules: ArcSwap::from_pointee(rules) }
    }

    /// From the next request on these rules hold.
    pub(crate) fn replace(&self, rules: Rules) {
        self.rules.store(Arc::new(rules));
    }

    /// Who vouches for the request; `None` where nobody has to. `mode` is the route's own.
    pub(crate) fn verify(
        &self,
        request: &Parts,
        host: Option<&str>,
        mode: Option<SigningMode>,
        now: SystemTime,
    ) -> Result<Option<Verified>, Error> {
        let rules = self.rules.load();
        let mode = mode.unwrap_or(rules.mode);
        let verifier = match (&rules.verifier, mode) {
            (_, SigningMode::Disabled) | (None, SigningMode::Optional) => return Ok(None),
            // Keys may have been taken away while the server ran.
            (None, SigningMode::Required) => return Err(Kind::Refused(Refused::Missing).into()),
            (Some(verifier), _) => verifier,
        };
        let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let request = signature::Request {
            method: request.method.as_str(),
            host,
            path: request.uri.path(),
            query: request.uri.query(),
        };
        match verifier.verify(&request, seconds) {
            Ok(verified) => Ok(Some(verified)),
            Err(Refused::Missing) if mode == SigningMode::Optional => Ok(None),
            Err(refused) => Err(Kind::Refused(refused).into()),
        }
    }
}

/// A key of the config, ready for use.
///
/// # Errors
/// Its secret cannot be had or is too short; in words that name the key and not the secret.
pub(crate) fn key(config: &KeyConfig, host: bool, vault: &Vault) -> Result<Key, String> {
    let place = |error: &dyn std::fmt::Display| format!("signing.keys: {}: {error}", config.kid);
    let secrets = vault.open(&config.secret).map_err(|error| place(&error))?;
    if let Some(short) = secrets.iter().find(|secret| secret.expose().len() < SHORTEST) {
        let bytes = short.expose().len();
        let error = format!("{} has {bytes} bytes; at least {SHORTEST} are asked for", config.secret);
        return Err(place(&error));
    }
    let build = || {
        let (newest, others) = secrets.split_first().expect("a vault gives at least one value");
        let mut key = Key::new(&config.kid, &config.tenant, newest.expose())?.bind_host(host);
        for other in others {
            key = key.also_with(other.expose())?;
        }
        let seconds = |moment: Option<crate::config::Moment>| moment.map(crate::config::Moment::seconds);
        key = key.valid_between(seconds(config.not_before), seconds(config.not_after))?;
        if let Some(prefix) = &config.prefix {
            key = key.only_below(prefix)?;
        }
        if !config.parameters.is_empty() {
            key = key.only_with(config.parameters.iter().cloned());
        }
        Ok(key)
    };
    build().map_err(|error: signature::KeyError| place(&error))
}

/// Bytes of a secret, as in the config.
const SHORTEST: usize = 32;
