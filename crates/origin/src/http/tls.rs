//! Whom an https origin is believed to be: the system's certificate authorities, and those of a file.
//!
//! Owns the reading of certificates, once at the start. Invariant: verification cannot be switched off.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// The client's side of TLS 1.2 and 1.3, offering HTTP/2 where `http2` says so.
///
/// # Errors
/// No authority is known at all, or the file cannot be read; in words for the person who configures.
pub(super) fn client(authorities: Option<&Path>, http2: bool) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = authorities {
        let place = |error: &dyn std::fmt::Display| format!("ca_file {}: {error}", path.display());
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| place(&error))?;
        for certificate in certificates {
            roots.add(certificate.map_err(|error| place(&error))?).map_err(|error| place(&error))?;
        }
    }
    // Some of a system's many certificates may be odd: each counts for itself.
    let (_added, _ignored) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("https needs certificate authorities: install ca-certificates, or name a ca_file".to_owned());
    }
    let provider = Arc::clone(service::tls::provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("TLS: {error}"))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = match http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    Ok(Arc::new(config))
}
