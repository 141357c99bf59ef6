//! Whom a Redis over TLS (`rediss://`) is believed to be, and who it is told that we are.
//!
//! Files are read once, at the start. Invariants: verification cannot be switched off, also not by an address; what a file
//! holds is in no message.

use crate::cache::config::{RedisConfig, RedisTls};
use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates};
use std::path::Path;

/// Certificates for all nodes.
#[derive(Clone)]
pub(super) struct Certificates(TlsCertificates);

impl Certificates {
    /// `None` where none are configured: then the system's authorities count.
    ///
    /// # Errors
    /// Which key is wrong, or which file cannot be read, in words for the person who configures.
    pub(super) fn read(config: &RedisConfig) -> Result<Option<Self>, String> {
        let RedisTls { ca_file, cert_file, key_file } = &config.tls;
        if ca_file.is_none() && cert_file.is_none() && key_file.is_none() {
            return Ok(None);
        }
        if !config.urls.iter().all(|url| url.expose().starts_with("rediss://")) {
            return Err("cache.redis.urls: with ca_file or cert_file all begin with rediss://".to_owned());
        }
        let client_tls = match (cert_file, key_file) {
            (Some(certificate), Some(key)) => Some(ClientTlsConfig {
                client_cert: file("cert_file", certificate, "CERTIFICATE")?,
                client_key: file("key_file", key, "PRIVATE KEY")?,
            }),
            (None, None) => None,
            _ => return Err("cache.redis: cert_file and key_file belong together".to_owned()),
        };
        let root_cert = ca_file.as_deref().map(|path| file("ca_file", path, "CERTIFICATE")).transpose()?;
        let certificates = Self(TlsCertificates { client_tls, root_cert });
        // Only a client that is built reads them.
        let (trial, all) = ("rediss://localhost".into_connection_info(), certificates.all());
        let parsed = trial.and_then(|trial| Client::build_with_tls(trial, all));
        parsed.map_err(|_| "cache.redis: ca_file, cert_file or key_file holds no certificates or keys in PEM")?;
        Ok(Some(certificates))
    }

    /// For the client of a cluster, which learns its addresses by itself.
    pub(super) fn all(&self) -> TlsCertificates {
        self.0.clone()
    }

    /// The address with them.
    pub(super) fn fit(&self, info: &ConnectionInfo) -> Option<ConnectionInfo> {
        Client::build_with_tls(info.clone(), self.all()).ok().map(|client| client.get_connection_info().clone())
    }
}

/// Whether an address asks for TLS without verification.
pub(super) fn is_blind(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. })
}

/// A file that holds what it should in PEM (RFC 7468).
fn file(key: &str, path: &Path, holds: &str) -> Result<Vec<u8>, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("cache.redis.{key} {}: {why}", path.display());
    let bytes = std::fs::read(path).map_err(|error| wrong(&error))?;
    let text = String::from_utf8_lossy(&bytes);
    match text.contains("-----BEGIN ") && text.contains(&format!("{holds}-----")) {
        true => Ok(bytes),
        false => Err(wrong(&format!("no {} in PEM", holds.to_lowercase()))),
    }
}
