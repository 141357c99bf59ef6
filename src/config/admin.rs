//! `[admin]` and `[proof]`: who may act on the admin listener, and who proves to come through the CDN.

use crate::secret::Source;
use crate::server::tls::config::CertificateConfig;
use crate::server::tls::{ClientAuth, Credentials, Listener, MinVersion, Terms};
use http::HeaderName;
use service::config::{Reader, Section};
use service::health::reachable;
use service::tls::{self, Trust};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Longest time for a handshake with the admin listener.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// As many as it serves connections.
const HANDSHAKES: usize = 64;

/// The admin listener's doors.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct AdminConfig {
    pub open_reads: bool,
    pub audit_file: Option<PathBuf>,
    pub tls: AdminTlsConfig,
    pub tokens: Vec<TokenConfig>,
    pub clients: Vec<ClientConfig>,
}

impl Section for AdminConfig {
    const DOC: &'static str =
        "Who may act on the admin listener (server.admin), and where acts are written down: see docs/access.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            open_reads: r.bool("open_reads", true, "/healthz, /readyz and /metrics answer without a token."),
            audit_file: r.optional_parsed(
                "audit_file",
                "/var/log/tintype/audit.jsonl",
                "A file to which each act is added, a line of JSON each; the log has them in any case.",
            ),
            tls: r.section("tls"),
            tokens: r.tables("tokens", &[]),
            clients: r.tables("clients", &[]),
        };
        super::only_once(r, "tokens", config.tokens.iter().map(|token| token.name.as_str()));
        super::only_once(r, "clients", config.clients.iter().map(|client| client.name.as_str()));
        config.check_clients(r);
        config
    }
}

impl AdminConfig {
    fn check_clients(&self, r: &mut Reader<'_>) {
        let tls = &self.tls;
        if let (Some(_), None) = (self.clients.first(), &tls.client_ca) {
            let hint = "such as admin.tls.client_ca = \"ops-ca.pem\"";
            r.reject("tls.client_ca", "none", "a file of authorities, where there are admin.clients", hint);
        }
        // A door before tokens is what may be meant; one that nobody needs and nothing counts is not.
        let before_tokens = !self.tokens.is_empty() && tls.client_auth == ClientAuth::Required;
        if tls.client_ca.is_some() && self.clients.is_empty() && !before_tokens {
            let allowed = "at least one, where there is admin.tls.client_ca";
            let hint = "add [[admin.clients]] with name and certificates; or admin.tokens, and \
                        admin.tls.client_auth = \"required\", for a token and a certificate";
            r.reject("clients", "none", allowed, hint);
        }
    }

    /// How a client on this machine, with the server's own configuration, reaches the listener at `address`: `None` for
    /// cleartext. It believes the very certificates that are configured.
    ///
    /// # Errors
    /// A certificate cannot be read.
    pub fn client(
        &self,
        address: SocketAddr,
        own: Option<rustls::sign::CertifiedKey>,
    ) -> Result<Option<tls::Client>, String> {
        if self.tls.certificates.is_empty() {
            return Ok(None);
        }
        let mut known = Vec::new();
        for certificate in &self.tls.certificates {
            let chain = tls::chain(&certificate.cert).map_err(|error| format!("admin.tls.certificates: {error}"))?;
            known.extend(chain.into_iter().take(1));
        }
        let config = Arc::new(tls::client(&Trust::Exactly(known), own)?);
        Ok(Some(tls::Client { config, name: reachable(address).ip().into() }))
    }
}

/// TLS of the admin listener.
#[derive(Clone, Debug)]
pub struct AdminTlsConfig {
    pub certificates: Vec<CertificateConfig>,
    pub client_ca: Option<PathBuf>,
    pub client_auth: ClientAuth,
    pub min_version: MinVersion,
    pub reload: Duration,
}

impl Section for AdminTlsConfig {
    const DOC: &'static str =
        "TLS on the admin listener, which then answers nothing in cleartext. In force where there is a certificate.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            certificates: r.tables("certificates", &[]),
            client_ca: r.optional_parsed("client_ca", "ops-ca.pem", "Authorities (PEM) whose certificates may be shown by those of [[admin.clients]]."),
            client_auth: r.choice("client_auth", ClientAuth::Optional, "With client_ca: whether nobody gets in without a certificate, also for health and metrics, or one that is shown must be right."),
            min_version: r.choice("min_version", MinVersion::Tls12, "The oldest version spoken."),
            reload: r.duration("reload", "10s", "1s"..="1d", "How often the files are looked at for changes, as in [tls]; SIGHUP looks at once."),
        };
        if let (true, Some(file)) = (config.certificates.is_empty(), &config.client_ca) {
            let hint = "such as certificates = [{ cert = \"cert.pem\", key = \"key.pem\" }]";
            r.reject("client_ca", file.display(), "nothing, where there are no admin.tls.certificates", hint);
        }
        if config.client_auth == ClientAuth::Required && config.client_ca.is_none() {
            let hint = "such as client_ca = \"ops-ca.pem\"";
            r.reject("client_auth", "required", "optional, where there is no client_ca", hint);
        }
        config
    }
}

impl AdminTlsConfig {
    /// Reads the files; `None` where none are configured.
    ///
    /// # Errors
    /// One is missing or wrong.
    pub(crate) fn open(&self, now: SystemTime) -> Result<Option<Credentials>, String> {
        if self.certificates.is_empty() {
            return Ok(None);
        }
        let terms = Terms {
            min_version: self.min_version,
            certificates: self.certificates.clone(),
            client_ca: self.client_ca.clone(),
            client_auth: self.client_auth,
            // Few come, and each shall show its certificate anew.
            tickets: false,
            reload: self.reload,
            handshake_timeout: HANDSHAKE,
            max_handshakes: HANDSHAKES,
        };
        Credentials::open(Listener::Admin, &terms, now).map(Some)
    }
}

/// Somebody who is known by a certificate.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub name: String,
    pub certificates: Vec<String>,
}

impl Section for ClientConfig {
    const DOC: &'static str =
        "Who may act by a client certificate that an authority of admin.tls.client_ca signed, with a token's rights.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            name: r.required("name", "deploy", "Who holds it: the audit log's name for them."),
            certificates: r.list("certificates", &[], "Names in the certificate, one of which it has: DNS or common (deploy.example.org, *.ops.example.org), or a URI (spiffe://example.org/deploy)."),
        };
        if config.certificates.is_empty() {
            r.reject("certificates", "[]", "at least one name", "such as [\"deploy.example.org\"]");
        }
        for name in config.certificates.iter().filter(|name| matches!(name.as_str(), "" | "*" | "*.")) {
            r.reject(
                "certificates",
                name,
                "a name, or *. and a domain",
                "whom an authority certifies is no matter of its own word",
            );
        }
        config
    }
}

/// A token of the admin listener.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    pub name: String,
    pub secret: Source,
}

impl Section for TokenConfig {
    const DOC: &'static str = "A token, for Authorization: Bearer. Without any, and without [[admin.clients]], whoever reaches the listener may act: for loopback only.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            name: r.required("name", "ops", "Who holds it: the audit log's name for them."),
            secret: Source::read(r),
        }
    }
}

/// What the CDN sends to show that a request came through it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct ProofConfig {
    pub header: HeaderName,
    pub certificates: Vec<String>,
    pub values: Vec<ValueConfig>,
}

impl Section for ProofConfig {
    const DOC: &'static str = "Requests must show that they come through your CDN. In force where there are values or certificates: see docs/access.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            header: r.parsed(
                "header",
                "x-origin-verify",
                "The header that the CDN adds, with one of the values below.",
            ),
            certificates: r.list(
                "certificates",
                &[],
                "Or names (DNS or common) in a client certificate that an authority of tls.client_ca signed: \
                 cdn.example.org, *.example.org.",
            ),
            values: r.tables("values", &[]),
        };
        if matches!(config.header.as_str(), "host" | "authorization" | "cookie" | "accept" | "referer" | "origin") {
            r.reject("header", config.header.as_str(), "a header of its own", "such as x-origin-verify");
        }
        config
    }
}

/// A value of that header.
#[derive(Clone, Debug)]
pub struct ValueConfig {
    pub secret: Source,
}

impl Section for ValueConfig {
    const DOC: &'static str = "A value that the CDN may send; several while it is exchanged.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self { secret: Source::read(r) }
    }
}
