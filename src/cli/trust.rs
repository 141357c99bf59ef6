//! Whom a command believes to be the admin listener, and what certificate it shows there.
//!
//! Knows no requests. Invariants: verification cannot be switched off; without `--ca` the server of the configuration at hand
//! has to hold a key of that configuration's own certificates, any other one a certificate of the system's authorities.

use super::Failure;
use crate::config::Config;
use clap::Args;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use service::health::reachable;
use service::tls::{self, Client, Trust};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;

/// For TLS on the admin listener.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct TrustArguments {
    /// Authorities (PEM) that certify the admin listener; without them the configuration's own certificate is believed, and
    /// with --admin the system's authorities.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A client certificate for the admin listener (PEM), as [[admin.clients]] of the server names it.
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key (PEM), not encrypted.
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
}

/// Where the admin listener is, and how it is spoken to.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) address: SocketAddr,
    /// `None` for cleartext.
    pub(super) tls: Option<Client>,
}

impl TrustArguments {
    /// The listener that `--admin` names, or the configuration.
    ///
    /// # Errors
    /// What names none, or a file that is wrong.
    pub(super) fn place(&self, named: Option<&str>, config: &Config) -> Result<Place, Failure> {
        match named {
            Some(named) => self.named(named, config),
            None => self.configured(config),
        }
    }

    fn configured(&self, config: &Config) -> Result<Place, Failure> {
        let address = reachable(config.server.admin);
        let secure = !config.admin.tls.certificates.is_empty();
        let tls = match (secure, &self.ca) {
            (true, None) => config.admin.client(address, self.own()?).map_err(Failure::Failed)?,
            (true, Some(_)) => Some(Client { config: Arc::new(self.client()?), name: address.ip().into() }),
            (false, None) if self.cert.is_none() => None,
            (false, _) => {
                let text = "--ca, --cert: the configuration has no admin.tls, so its admin listener speaks cleartext; \
                            name another one with --admin https://HOST:PORT";
                return Err(Failure::Failed(text.to_owned()));
            }
        };
        Ok(Place { address, tls })
    }

    fn named(&self, named: &str, config: &Config) -> Result<Place, Failure> {
        let wrong =
            || Failure::Failed(format!("--admin: {named} is no address such as 127.0.0.1:9001 or https://edge:9001"));
        let (scheme, rest) = named.split_once("://").map_or((None, named), |(scheme, rest)| (Some(scheme), rest));
        let rest = rest.trim_end_matches('/');
        let asked = self.ca.is_some() || self.cert.is_some();
        let secure = match scheme {
            Some("https") => true,
            Some("http") if asked => {
                return Err(Failure::Failed("--ca and --cert are for https:// addresses".to_owned()));
            }
            Some("http") => false,
            Some(_) => return Err(wrong()),
            None => asked || !config.admin.tls.certificates.is_empty(),
        };
        let address = rest.to_socket_addrs().ok().and_then(|mut all| all.next()).ok_or_else(wrong)?;
        if !secure {
            return Ok(Place { address, tls: None });
        }
        let host = rest.rsplit_once(':').map_or(rest, |(host, _)| host).trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| wrong())?;
        Ok(Place { address, tls: Some(Client { config: Arc::new(self.client()?), name }) })
    }

    fn client(&self) -> Result<rustls::ClientConfig, Failure> {
        let trust = self.ca.as_deref().map_or(Trust::System, Trust::File);
        tls::client(&trust, self.own()?).map_err(Failure::Failed)
    }

    fn own(&self) -> Result<Option<CertifiedKey>, Failure> {
        let both = self.cert.as_deref().zip(self.key.as_deref());
        both.map(|(cert, key)| tls::certified(cert, key)).transpose().map_err(Failure::Failed)
    }
}
