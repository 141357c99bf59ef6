//! A certificate authority of a test's own, and what it certifies.
//!
//! Made anew each time; nothing secret is stored.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
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
        let (certificate, key) = self.sign(names);
        (certificate.pem(), key.serialize_pem())
    }

    /// A server's side of TLS as `names`, offering these protocols.
    ///
    /// # Panics
    /// Where a name is none.
    #[must_use]
    pub fn server(&self, names: &[&str], protocols: &[&[u8]]) -> Arc<ServerConfig> {
        let (certificate, key) = self.sign(names);
        let chain = vec![CertificateDer::from(certificate)];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("the default versions").with_no_client_auth();
        let mut config = builder.with_single_cert(chain, key).expect("key and certificate belong together");
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }

    fn sign(&self, names: &[&str]) -> (Certificate, KeyPair) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().expect("random numbers");
        // OpenSSL takes what is called as its issuer for signed by itself.
        let called = called(names.first().map_or("nobody", String::as_str));
        let mut parameters = CertificateParams::new(names).expect("names");
        parameters.distinguished_name = called;
        (parameters.signed_by(&key, &self.0).expect("a sound request"), key)
    }
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}
