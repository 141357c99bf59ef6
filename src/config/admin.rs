//! `[admin]` and `[proof]`: who may act on the admin listener, and who proves to come through the CDN.

use crate::secret::Source;
use http::HeaderName;
use service::config::{Reader, Section};
use std::path::PathBuf;

/// The admin listener's doors.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct AdminConfig {
    pub open_reads: bool,
    pub audit_file: Option<PathBuf>,
    pub tokens: Vec<TokenConfig>,
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
            tokens: r.tables("tokens", &[]),
        };
        super::only_once(r, "tokens", config.tokens.iter().map(|token| token.name.as_str()));
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
    const DOC: &'static str = "A token, for Authorization: Bearer. Without any, whoever reaches the listener may act, which is for loopback only.";

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
