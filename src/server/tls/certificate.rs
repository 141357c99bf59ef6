//! A certificate that is shown: what it is for, and when it ends.
//!
//! Files and keys are `service::tls`'s. Invariant: what is wrong is said with the file and the reason.

use super::config::CertificateConfig;
use super::der;
use rustls::sign::CertifiedKey;
use service::tls;
use std::sync::Arc;
use std::time::SystemTime;
use webpki::EndEntityCert;

/// A certificate that can be shown.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    /// DNS names that it is for, in lower case; some may begin with `*.`.
    pub(super) names: Vec<String>,
    /// `None` where it does not tell.
    pub(super) expires: Option<SystemTime>,
}

impl Certificate {
    /// Reads both files.
    pub(super) fn load(config: &CertificateConfig) -> Result<Self, String> {
        let key = tls::certified(&config.cert, &config.key)?;
        let first = &key.cert[0];
        let parsed = EndEntityCert::try_from(first)
            .map_err(|error| format!("{}: no X.509 certificate: {error}", config.cert.display()))?;
        let names = parsed.valid_dns_names().map(str::to_ascii_lowercase).collect();
        let expires = der::not_after(first);
        Ok(Self { key: Arc::new(key), names, expires })
    }
}
