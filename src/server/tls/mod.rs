//! TLS: which certificates are shown, whom clients prove to be, and the handshake.
//!
//! Owns what rustls is told; connections are served elsewhere. Invariants: a handshake under way keeps the certificates it
//! began with; certificates that cannot be used never take the place of those that can.

mod certificate;
pub mod config;
mod der;
mod entry;
mod handshake;
mod reload;
mod store;

pub use config::{ClientAuth, MinVersion, Terms, TlsConfig};
pub(super) use handshake::{Handshakes, identity};

use crate::server::{Answer, Clock};
use certificate::Certificate;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::{NoServerSessionStorage, ProducesTickets, ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use service::tls::{authorities, provider};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
use store::Store;
use tokio::sync::{Notify, watch};

/// TLS 1.2 sessions that can be resumed by clients without tickets.
const SESSIONS: usize = 4096;

/// What connections that begin now are told.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// HTTP/1.1 and HTTP/2 over TCP.
    pub(super) tcp: Arc<ServerConfig>,
    /// HTTP/3 over QUIC.
    pub(super) quic: Arc<ServerConfig>,
    /// When the first of the certificates is no longer valid.
    ends: Option<SystemTime>,
}

/// The public listeners' TLS, as configured. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<TlsConfig>,
    credentials: Credentials,
}

impl Tls {
    /// Reads all certificates; `None` where no listener is configured.
    ///
    /// # Errors
    /// A file that is missing or wrong, in words for the person who configures.
    pub fn open(config: &TlsConfig, now: SystemTime) -> Result<Option<Self>, String> {
        if config.listen.is_empty() {
            return Ok(None);
        }
        let credentials = Credentials::open(Listener::Public, &config.terms, now)?;
        Ok(Some(Self { config: Arc::new(config.clone()), credentials }))
    }

    /// As configured.
    pub(super) fn config(&self) -> &TlsConfig {
        &self.config
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// As [`Credentials::keep_up`].
    pub async fn keep_up<A: Answer>(self, app: A, clock: Clock, now: Arc<Notify>) {
        self.credentials.keep_up(app, clock, now).await;
    }
}

/// Whose certificates they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listener {
    /// Those of `[tls]`.
    Public,
    /// That of `[admin.tls]`.
    Admin,
}

impl Listener {
    /// As metrics name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Admin => "admin",
        }
    }

    /// The table of the config.
    const fn table(self) -> &'static str {
        match self {
            Self::Public => "tls",
            Self::Admin => "admin.tls",
        }
    }

    /// What is spoken over TCP.
    const fn protocols(self) -> &'static [&'static [u8]] {
        match self {
            Self::Public => &[b"h2", b"http/1.1"],
            Self::Admin => &[b"http/1.1"],
        }
    }
}

/// What a listener shows, and whom it lets clients prove to be, as their files have it. Clones share it.
#[derive(Clone, Debug)]
pub struct Credentials(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    listener: Listener,
    terms: Terms,
    settings: watch::Sender<Settings>,
}

impl Credentials {
    /// Reads all files.
    ///
    /// # Errors
    /// One is missing or wrong, in words for the person who configures.
    pub fn open(listener: Listener, terms: &Terms, now: SystemTime) -> Result<Self, String> {
        let settings = load(terms).and_then(|loaded| {
            loaded.warn_of_ends(now);
            settings(listener, terms, &loaded)
        });
        let settings = settings.map_err(|error| format!("{}: {error}", listener.table()))?;
        Ok(Self(Arc::new(Parts { listener, terms: terms.clone(), settings: watch::Sender::new(settings) })))
    }

    /// As configured.
    pub(super) fn terms(&self) -> &Terms {
        &self.0.terms
    }

    /// For a connection that begins now.
    pub(super) fn settings(&self) -> Settings {
        self.0.settings.borrow().clone()
    }

    /// Told of other certificates.
    pub(super) fn changes(&self) -> watch::Receiver<Settings> {
        self.0.settings.subscribe()
    }
}

/// What the files hold.
struct Loaded {
    certificates: Vec<(PathBuf, Certificate)>,
    authorities: Option<Arc<rustls::RootCertStore>>,
}

fn load(config: &Terms) -> Result<Loaded, String> {
    let one = |(number, one): (usize, &config::CertificateConfig)| {
        let loaded = Certificate::load(one).map_err(|error| format!("certificates.{number}: {error}"))?;
        Ok::<_, String>((one.cert.clone(), loaded))
    };
    let authorities = config.client_ca.as_deref().map(authorities).transpose();
    Ok(Loaded {
        certificates: config.certificates.iter().enumerate().map(one).collect::<Result<_, _>>()?,
        authorities: authorities.map_err(|error| format!("client_ca: {error}"))?.map(Arc::new),
    })
}

impl Loaded {
    /// A certificate at its end is no reason not to start: others may be fine, and a renewed one is taken up.
    fn warn_of_ends(&self, now: SystemTime) {
        for (file, certificate) in &self.certificates {
            if certificate.expires.is_some_and(|end| end <= now) {
                tracing::warn!(file = %file.display(), names = ?certificate.names, "the certificate has expired");
            }
        }
    }
}

fn settings(listener: Listener, config: &Terms, loaded: &Loaded) -> Result<Settings, String> {
    let certificates: Vec<_> = loaded.certificates.iter().map(|(_, certificate)| certificate.clone()).collect();
    let store = Arc::new(Store::new(&certificates).ok_or("no certificate")?);
    // New keys with new files: what a client proved by an authority that is gone shall not count for longer.
    let tickets = if config.tickets { Some(Ticketer::new().map_err(|error| error.to_string())?) } else { None };
    let versions: &[&SupportedProtocolVersion] = match config.min_version {
        MinVersion::Tls12 => &[&TLS13, &TLS12],
        MinVersion::Tls13 => &[&TLS13],
    };
    let one = |versions, protocols: &[&[u8]]| -> Result<Arc<ServerConfig>, String> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(provider()));
        let builder = builder.with_protocol_versions(versions).map_err(|error| error.to_string())?;
        let builder = match &loaded.authorities {
            None => builder.with_no_client_auth(),
            Some(roots) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider()));
                let verifier = match config.client_auth {
                    ClientAuth::Optional => verifier.allow_unauthenticated(),
                    ClientAuth::Required => verifier,
                };
                builder.with_client_cert_verifier(verifier.build().map_err(|error| format!("client_ca: {error}"))?)
            }
        };
        let mut config = builder.with_cert_resolver(Arc::clone(&store) as Arc<_>);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        resume(&mut config, tickets.as_ref());
        Ok(Arc::new(config))
    };
    let ends = certificates.iter().filter_map(|certificate| certificate.expires).min();
    Ok(Settings { ends, tcp: one(versions, listener.protocols())?, quic: one(&[&TLS13], &[b"h3"])? })
}

fn resume(config: &mut ServerConfig, tickets: Option<&Arc<dyn ProducesTickets>>) {
    match tickets {
        Some(tickets) => {
            config.ticketer = Arc::clone(tickets);
            config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        }
        None => {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
    }
}
