//! `[tls]`: encrypted listeners, their certificates, and whom clients have to prove to be.

use crate::server::Address;
use crate::server::h3::QuicConfig;
use service::config::{Choice, Reader, Section};
use std::path::PathBuf;
use std::time::Duration;

/// Whether clients must show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// One that is shown must be right.
    Optional,
    /// Nobody gets in without.
    Required,
}

impl Choice for ClientAuth {
    const NAMES: &'static [(&'static str, Self)] = &[("optional", Self::Optional), ("required", Self::Required)];
}

/// The oldest TLS that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinVersion {
    /// TLS 1.2 with forward secrecy and authenticated encryption, and 1.3.
    Tls12,
    /// TLS 1.3 only.
    Tls13,
}

impl Choice for MinVersion {
    const NAMES: &'static [(&'static str, Self)] = &[("1.2", Self::Tls12), ("1.3", Self::Tls13)];
}

/// The encrypted listeners.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct TlsConfig {
    pub listen: Vec<Address>,
    pub http3: bool,
    pub alt_svc_port: Option<u16>,
    pub terms: Terms,
    pub quic: QuicConfig,
}

/// What handshakes go by, whichever listener they are with.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct Terms {
    pub min_version: MinVersion,
    pub certificates: Vec<CertificateConfig>,
    pub client_ca: Option<PathBuf>,
    pub client_auth: ClientAuth,
    pub tickets: bool,
    pub reload: Duration,
    pub handshake_timeout: Duration,
    pub max_handshakes: usize,
}

/// One certificate.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct CertificateConfig {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Section for TlsConfig {
    const DOC: &'static str = "Encrypted listeners: HTTP/1.1 and HTTP/2 over TLS, HTTP/3 over QUIC. See docs/tls.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            listen: r.list("listen", &[], "Addresses for TLS; none: no TLS."),
            http3: r.bool(
                "http3",
                false,
                "HTTP/3 on the same ports over UDP; the others' answers tell of it (Alt-Svc).",
            ),
            alt_svc_port: r.optional_int(
                "alt_svc_port",
                1..=65_535,
                443,
                "The port that Alt-Svc names, where clients reach HTTP/3 on another than ours.",
            ),
            terms: Terms::read(r),
            quic: r.section("quic"),
        };
        if !config.listen.is_empty() && config.terms.certificates.is_empty() {
            let hint = "such as certificates = [{ cert = \"cert.pem\", key = \"key.pem\" }]";
            r.reject("certificates", "[]", "at least one certificate, where listen has an address", hint);
        }
        if config.http3 && !config.listen.iter().any(|address| address.ip().is_some()) {
            r.reject("http3", "true", "an IP address in listen", "");
        }
        config
    }
}

impl Terms {
    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            min_version: r.choice("min_version", MinVersion::Tls12, "The oldest version spoken. HTTP/3 is always 1.3."),
            certificates: r.tables("certificates", &[]),
            client_ca: r.optional_parsed("client_ca", "cdn-ca.pem", "Authorities (PEM) whose certificates clients may show, such as a CDN's."),
            client_auth: r.choice("client_auth", ClientAuth::Required, "With client_ca: whether a certificate is required, or only checked where there is one."),
            tickets: r.bool("tickets", true, "Clients that come back need no full handshake. Keys live in memory only and change every six hours."),
            reload: r.duration("reload", "10s", "1s"..="1d", "How often the files are looked at for changes; SIGHUP looks at once. What is wrong is logged, and what was there before stays."),
            handshake_timeout: r.duration("handshake_timeout", "10s", "100ms"..="5m", "Longest time for a handshake."),
            max_handshakes: r.int("max_handshakes", 512, 1..=100_000, "Handshakes under way at once after the client's greeting; further ones wait within handshake_timeout; of HTTP/3 they are refused."),
        }
    }
}

impl Section for CertificateConfig {
    const DOC: &'static str = "A certificate for the names in it (exact, or *.example.org). The first also serves all other names. Several for one name, such as ECDSA and RSA: the first that the client can verify.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            cert: r.required("cert", "cert.pem", "The certificate and its chain (PEM)."),
            key: r.required("key", "key.pem", "Its private key (PEM), not encrypted; readable by the server only."),
        }
    }
}
