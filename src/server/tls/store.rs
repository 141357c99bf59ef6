//! Which certificate a client is shown: by the name it asks for (SNI, RFC 6066 §3), exact before wildcard, the first where
//! none fits; among several the first that it can verify.
//!
//! Does not read files. Invariant: there is at least one certificate.

use super::certificate::Certificate;
use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::sync::Arc;

/// The certificates by name.
#[derive(Debug)]
pub(super) struct Store {
    keys: Vec<Arc<CertifiedKey>>,
    /// Names as they stand in certificates: `*.` for wildcards.
    by_name: HashMap<String, Vec<usize>>,
    /// For clients that ask for no name, or for one that nobody has.
    default: Vec<usize>,
}

impl Store {
    /// `None` without certificates.
    pub(super) fn new(certificates: &[Certificate]) -> Option<Self> {
        let mut by_name = HashMap::<String, Vec<usize>>::new();
        for (number, certificate) in certificates.iter().enumerate() {
            for name in &certificate.names {
                by_name.entry(name.clone()).or_default().push(number);
            }
        }
        let first = certificates.first()?;
        let default = first.names.first().and_then(|name| by_name.get(name)).cloned().unwrap_or_else(|| vec![0]);
        let keys = certificates.iter().map(|certificate| Arc::clone(&certificate.key)).collect();
        Some(Self { keys, by_name, default })
    }

    fn choose(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<&Arc<CertifiedKey>> {
        let usable = |numbers: &[usize]| {
            let mut keys = numbers.iter().map(|&number| &self.keys[number]);
            keys.find(|key| key.key.choose_scheme(schemes).is_some())
        };
        let named = name.and_then(|name| self.numbers(&name.to_ascii_lowercase())).and_then(|numbers| usable(numbers));
        named.or_else(|| usable(&self.default))
    }

    fn numbers(&self, name: &str) -> Option<&Vec<usize>> {
        // A wildcard stands for one label (RFC 9525 §6.3).
        let wildcard = || name.split_once('.').and_then(|(_, rest)| self.by_name.get(&format!("*.{rest}")));
        self.by_name.get(name).or_else(wildcard)
    }
}

impl ResolvesServerCert for Store {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), hello.signature_schemes()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::certificate::{Algorithm, Authority};

    const ALL: [SignatureScheme; 2] = [SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256];

    fn store(certificates: &[(&[&str], Algorithm)]) -> Store {
        let (authority, folder) = (Authority::new(), testkit::Folder::new());
        let load = |(number, (names, algorithm)): (usize, &(&[&str], Algorithm))| {
            let (cert, key) = (format!("{number}.pem"), format!("{number}.key"));
            let issued = authority.issue_with(names, *algorithm);
            folder.put(&cert, issued.pem()).put(&key, issued.key_pem());
            let (cert, key) = (folder.root().join(cert), folder.root().join(key));
            Certificate::load(&super::super::config::CertificateConfig { cert, key }).expect("a sound certificate")
        };
        Store::new(&certificates.iter().enumerate().map(load).collect::<Vec<_>>()).expect("at least one")
    }

    #[test]
    fn names_choose() {
        let ecdsa = Algorithm::Ecdsa;
        let names: [&[&str]; 3] = [&["first.example"], &["*.wild.example", "wild.example"], &["exact.wild.example"]];
        let store = store(&names.map(|names| (names, ecdsa)));
        for (name, number) in [
            (None, 0),
            (Some("first.example"), 0),
            (Some("FIRST.example"), 0),
            (Some("other.example"), 0),
            (Some("wild.example"), 1),
            (Some("a.wild.example"), 1),
            (Some("a.b.wild.example"), 0),
            (Some("exact.wild.example"), 2),
        ] {
            let chosen = store.choose(name, &ALL).expect("all verify ECDSA");
            assert!(Arc::ptr_eq(chosen, &store.keys[number]), "{name:?}");
        }
    }

    #[test]
    fn of_several_for_one_name_the_first_that_the_client_verifies() {
        let store = store(&[(&["a.example"], Algorithm::Ecdsa), (&["a.example"], Algorithm::Rsa)]);
        let chosen = |schemes: &[SignatureScheme], name| {
            store.choose(name, schemes).and_then(|chosen| store.keys.iter().position(|key| Arc::ptr_eq(key, chosen)))
        };
        for name in [Some("a.example"), None] {
            assert_eq!(chosen(&ALL, name), Some(0));
            assert_eq!(chosen(&ALL[1..], name), Some(1));
            assert_eq!(chosen(&[SignatureScheme::ED25519], name), None);
        }
    }

    #[test]
    fn without_certificates_there_is_no_store() {
        assert!(Store::new(&[]).is_none());
    }
}
