//! A certificate authority of a test's own, and what it certifies.
//!
//! Made anew each time; nothing secret is stored.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, PKCS_RSA_SHA256,
    RsaKeySize, SanType, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::sync::Arc;

/// The authority.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A fresh one.
    ///
    /// # Panics
    /// Where the system has no random numbers.
    #[must_use]
    pub fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).expect("no names");
        parameters.distinguished_name = called("authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("random numbers");
        Self(CertifiedIssuer::self_signed(parameters, key).expect("a sound request"))
    }

    /// For the file that a client trusts.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `names` (also addresses) and its private key, in PEM.
    ///
    /// # Panics
    /// Where a name is none.
    #[must_use]
    pub fn certify(&self, names: &[&str]) -> (String, String) {
        let issued = self.issue(names);
        (issued.pem().to_owned(), issued.key_pem())
    }

    /// A server's side of TLS as `names`, offering these protocols.
    ///
    /// # Panics
    /// Where a name is none.
    #[must_use]
    pub fn server(&self, names: &[&str], protocols: &[&[u8]]) -> Arc<ServerConfig> {
        let issued = self.issue(names);
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.expect("the default versions").with_no_client_auth();
        let config = builder.with_single_cert(vec![issued.certificate.clone()], issued.private_key());
        let mut config = config.expect("key and certificate belong together");
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }

    /// A certificate for `names`; the first is its common name too.
    #[must_use]
    pub fn issue(&self, names: &[&str]) -> Issued {
        self.issue_with(names, Algorithm::Ecdsa)
    }

    /// As [`issue`](Self::issue), for the year 2020 only.
    ///
    /// # Panics
    /// Where a name is none.
    #[must_use]
    pub fn issue_expired(&self, names: &[&str]) -> Issued {
        let then = |parameters: &mut CertificateParams| {
            (parameters.not_before, parameters.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        };
        self.issue_as(names, KeyPair::generate().expect("random numbers"), then)
    }

    /// As [`issue`](Self::issue), for a URI such as SPIFFE's.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn issue_uri(&self, uri: &str) -> Issued {
        let named = |parameters: &mut CertificateParams| {
            parameters.subject_alt_names = vec![SanType::URI(uri.try_into().expect("ASCII"))];
        };
        self.issue_as(&[], KeyPair::generate().expect("random numbers"), named)
    }

    /// As [`issue`](Self::issue), with a key of this kind.
    ///
    /// # Panics
    /// Where a name is none.
    #[must_use]
    pub fn issue_with(&self, names: &[&str], algorithm: Algorithm) -> Issued {
        let key = match algorithm {
            Algorithm::Ecdsa => KeyPair::generate(),
            Algorithm::Rsa => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        };
        self.issue_as(names, key.expect("random numbers"), |_| ())
    }

    fn issue_as(&self, names: &[&str], key: KeyPair, more: impl FnOnce(&mut CertificateParams)) -> Issued {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        // OpenSSL takes what is called as its issuer for signed by itself.
        let called = called(names.first().map_or("nobody", String::as_str));
        let mut parameters = CertificateParams::new(names).expect("names");
        parameters.distinguished_name = called;
        more(&mut parameters);
        let certificate = parameters.signed_by(&key, &self.0).expect("a sound request");
        Issued { certificate: certificate.der().clone(), pem: certificate.pem(), key }
    }

    /// A client's side of TLS that speaks these versions only.
    ///
    /// # Panics
    /// Where there is none of them.
    #[must_use]
    pub fn client_of(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions);
        builder.expect("versions").with_root_certificates(self.roots()).with_no_client_auth()
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("a sound certificate");
        roots
    }

    /// A client's side of TLS that trusts this authority, shows `identity` if asked, and offers these protocols.
    ///
    /// # Panics
    /// Where the identity's key is not that of its certificate.
    #[must_use]
    pub fn client(&self, identity: Option<&Issued>, protocols: &[&[u8]]) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.expect("the default versions").with_root_certificates(self.roots());
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(issued) => {
                let config = builder.with_client_auth_cert(vec![issued.certificate.clone()], issued.private_key());
                config.expect("key and certificate belong together")
            }
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        config
    }
}

/// A client's side of TLS that trusts these certificates (PEM), or nobody.
///
/// # Panics
/// Where the text is none.
#[must_use]
pub fn trusting(pem: Option<&str>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in pem.iter().flat_map(|pem| CertificateDer::pem_slice_iter(pem.as_bytes())) {
        roots.add(certificate.expect("a certificate in PEM")).expect("a sound certificate");
    }
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    builder.expect("the default versions").with_root_certificates(roots).with_no_client_auth()
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// On P-256.
    Ecdsa,
    /// 2048 bits.
    Rsa,
}

/// A certificate and its key.
#[derive(Debug)]
pub struct Issued {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Issued {
    /// The certificate as it goes over the wire.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        self.certificate.to_vec()
    }

    /// For a server's or client's file of its certificate.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// For its file of the key.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}
