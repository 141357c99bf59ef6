//! Who may ask: the signing mode of the config over `signature`'s verifier.
//!
//! Runs before anything of the request is parsed, on its raw target.

use crate::config::{KeyConfig, SigningConfig, SigningMode};
use crate::error::{Error, Kind};
use http::request::Parts;
use signature::{Key, KeyError, Refused, Verified, Verifier};
use std::time::{SystemTime, UNIX_EPOCH};

/// Lets requests pass, or not.
#[derive(Debug)]
pub(crate) struct Guard {
    mode: SigningMode,
    verifier: Option<Verifier>,
}

impl Guard {
    /// # Errors
    /// A key that cannot be used.
    pub(crate) fn new(config: &SigningConfig) -> Result<Self, String> {
        let text = |error: KeyError| format!("signing.keys: {error}");
        let keys =
            config.keys.iter().map(|entry| key(entry, config.host)).collect::<Result<Vec<_>, _>>().map_err(text)?;
        let verifier = if keys.is_empty() { None } else { Some(Verifier::new(keys).map_err(text)?) };
        Ok(Self { mode: config.mode, verifier })
    }

    /// Who vouches for the request; `None` where nobody has to.
    pub(crate) fn verify(
        &self,
        request: &Parts,
        host: Option<&str>,
        now: SystemTime,
    ) -> Result<Option<Verified>, Error> {
        let Some(verifier) = self.verifier.as_ref().filter(|_| self.mode != SigningMode::Disabled) else {
            return Ok(None);
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
            Err(Refused::Missing) if self.mode == SigningMode::Optional => Ok(None),
            Err(refused) => Err(Kind::Refused(refused).into()),
        }
    }
}

/// A key of the config, ready for use.
///
/// # Errors
/// See [`KeyError`].
pub(crate) fn key(config: &KeyConfig, host: bool) -> Result<Key, KeyError> {
    let mut key = Key::new(&config.kid, &config.tenant, config.secret.expose().as_bytes())?.bind_host(host);
    if let Some(prefix) = &config.prefix {
        key = key.only_below(prefix)?;
    }
    if !config.parameters.is_empty() {
        key = key.only_with(&config.parameters);
    }
    Ok(key)
}
