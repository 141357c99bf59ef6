//! A certificate and its key, read from files and held against each other.
//!
//! Invariant: what is wrong is said with the file and the reason; a key enters neither an error nor the log, and the bytes
//! that it was read from are wiped.

use super::config::CertificateConfig;
use super::der;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, RootCertStore};
use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use webpki::EndEntityCert;
use zeroize::{Zeroize as _, Zeroizing};

/// Certificates and keys are a few KB.
const MOST_BYTES: u64 = 1 << 20;

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
        let (cert, key) = (&*config.cert, &*config.key);
        let chain = chain(cert)?;
        let place = |reason: &dyn Display| format!("{}: {reason}", cert.display());
        let parsed =
            EndEntityCert::try_from(&chain[0]).map_err(|error| place(&format!("no X.509 certificate: {error}")))?;
        let names = parsed.valid_dns_names().map(str::to_ascii_lowercase).collect();
        let expires = der::not_after(&chain[0]);
        let key = CertifiedKey::new(chain, private_key(key)?);
        match key.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(_) => {
                return Err(format!(
                    "{}: the key does not belong to the certificate {}",
                    config.key.display(),
                    cert.display()
                ));
            }
        }
        Ok(Self { key: Arc::new(key), names, expires })
    }
}

/// The authorities of a file.
pub(super) fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(path)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(roots)
}

/// At least one.
fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| format!("{}: {}", path.display(), reason(&error)))?;
    if found.is_empty() {
        return Err(format!("{}: no certificate in it (PEM, BEGIN CERTIFICATE)", path.display()));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<Arc<dyn rustls::sign::SigningKey>, String> {
    let text = read(path)?;
    let place = |reason: &dyn Display| format!("{}: {reason}", path.display());
    let mut key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound if contains(&text, b"ENCRYPTED PRIVATE KEY") => {
            place(&"the key is encrypted; decrypt it with: openssl pkey -in FILE -out FILE")
        }
        pem::Error::NoItemsFound => place(&"no private key in it (PEM, BEGIN PRIVATE KEY)"),
        error => place(&reason(&error)),
    })?;
    // The library keeps a copy of its own, which it wipes itself.
    let usable =
        any_supported_type(&key).map_err(|_| place(&"no private key that can be used (ECDSA, Ed25519 or RSA)"));
    key.zeroize();
    usable
}

/// Without what the file says: it may be a piece of a key.
fn reason(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "it ends within a block (PEM)",
        pem::Error::IllegalSectionStart { .. } => "a line that begins a block is broken (PEM)",
        pem::Error::Base64Decode(_) => "what is in a block is no Base64 (PEM)",
        _ => "it cannot be read as PEM",
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let place = |reason: &dyn Display| format!("{}: {reason}", path.display());
    let file = File::open(path).map_err(|error| place(&format!("cannot be opened: {error}")))?;
    let length = file.metadata().map_err(|error| place(&error))?.len();
    if length > MOST_BYTES {
        return Err(place(&format!("{length} bytes are too many for a certificate or key")));
    }
    // Room for all of it at once: growing would leave pieces behind that nobody wipes.
    let mut text = Zeroizing::new(Vec::with_capacity(MOST_BYTES as usize + 1));
    file.take(MOST_BYTES + 1).read_to_end(&mut text).map_err(|error| place(&format!("cannot be read: {error}")))?;
    Ok(text)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
