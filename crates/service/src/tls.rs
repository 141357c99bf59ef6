//! The part of TLS that servers and clients have in common: certificates and keys out of PEM files; and the client's side.
//!
//! Knows no listener. Invariants: what is wrong is said with the file and the reason; a key enters neither an error nor the
//! log, and the bytes that it was read from are wiped; verification cannot be switched off.

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, Error, InconsistentKeys, RootCertStore, SignatureScheme};
use std::fmt::{self, Display};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use zeroize::{Zeroize as _, Zeroizing};

/// Certificates and keys are a few KB.
const MOST_BYTES: u64 = 1 << 20;

/// The cryptography of all TLS in the process.
pub fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    &PROVIDER
}

/// Whom a client believes to be the server.
#[derive(Clone, Debug)]
pub enum Trust<'a> {
    /// Whom an authority of the system certifies.
    System,
    /// Whom an authority of this file (PEM) certifies, and nobody else.
    File(&'a Path),
    /// Who holds the key of one of these certificates, whatever name and end they have.
    Exactly(Vec<CertificateDer<'static>>),
}

/// The client's side of connections to one server.
#[derive(Clone)]
pub struct Client {
    /// What the library goes by.
    pub config: Arc<ClientConfig>,
    /// The name that the server's certificate has to have.
    pub name: ServerName<'static>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The client's side of TLS 1.2 and 1.3, showing a certificate where there is one. It offers HTTP/1.1 alone.
///
/// # Errors
/// A file that is missing or wrong, or no authority at all, in words for the person who configures.
pub fn client(trust: &Trust<'_>, own: Option<CertifiedKey>) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider())).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("TLS: {error}"))?;
    let builder = match trust {
        Trust::System => {
            let mut roots = RootCertStore::empty();
            // Some of a system's many certificates may be odd: each counts for itself.
            let (_added, _ignored) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("https needs certificate authorities: install ca-certificates, or name a file".to_owned());
            }
            builder.with_root_certificates(roots)
        }
        Trust::File(path) => builder.with_root_certificates(authorities(path)?),
        Trust::Exactly(known) => builder.dangerous().with_custom_certificate_verifier(Arc::new(Exactly(known.clone()))),
    };
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => builder.with_client_cert_resolver(shown(own)),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// For a client that shows this certificate to whoever asks for one.
pub fn shown(own: CertifiedKey) -> Arc<dyn ResolvesClientCert> {
    Arc::new(SingleCertAndKey::from(own))
}

/// A certificate with its chain, and its key, held against each other.
///
/// # Errors
/// What is wrong with which file.
pub fn certified(cert: &Path, key: &Path) -> Result<CertifiedKey, String> {
    let certified = CertifiedKey::new(chain(cert)?, private_key(key)?);
    match certified.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(_) => Err(format!("{}: the key does not belong to the certificate {}", key.display(), cert.display())),
    }
}

/// The authorities of a file.
///
/// # Errors
/// Likewise.
pub fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(path)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(roots)
}

/// The certificates of a file, at least one.
///
/// # Errors
/// Likewise.
pub fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| format!("{}: {}", path.display(), reason(&error)))?;
    if found.is_empty() {
        return Err(format!("{}: no certificate in it (PEM, BEGIN CERTIFICATE)", path.display()));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<Arc<dyn SigningKey>, String> {
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

/// Believes who holds the key of a certificate that is at hand: that proves more than any authority's word.
#[derive(Debug)]
struct Exactly(Vec<CertificateDer<'static>>);

impl ServerCertVerifier for Exactly {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.0.iter().any(|known| known.as_ref() == shown.as_ref()) {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::General("the server's certificate is not the one of the configuration".to_owned())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, shown, signed, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, shown, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
