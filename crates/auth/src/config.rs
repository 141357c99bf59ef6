//! `[auth]`: how people sign in, how long it lasts, and what is signed with.

use crate::store::Place;
use service::config::{Reader, Secret, Section};
use std::path::PathBuf;
use std::time::Duration;

/// What the binary reads besides what every companion has.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[auth]`.
    pub auth: Auth,
    /// `[access]`.
    pub access: access::config::AccessConfig,
}

impl Section for Config {
    const DOC: &'static str = "Tintype's users, tokens, keys and signed URLs. Every key with its default.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self { auth: r.section("auth"), access: r.section("access") }
    }
}

/// `[auth]`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct Auth {
    pub place: Place,
    pub secret: Option<Secret>,
    pub secret_file: PathBuf,
    pub issuer: String,
    pub sign_up: bool,
    pub sign_up_tenant: String,
    pub access_token: Duration,
    pub session: Duration,
    pub refresh_grace: Duration,
    pub key_notice: Duration,
    pub audit_reads: bool,
    pub passwords: Passwords,
    pub lockout: Lockout,
    pub urls: Vec<UrlKey>,
    pub cloudfront: Option<CloudFront>,
}

impl Section for Auth {
    const DOC: &'static str = "Who signs in, how, and for how long: see docs/auth.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let database: String =
            r.string("database", "data/auth.db", "A file of SQLite, or postgres://user@host/database.");
        let url = r.secret(
            "database_url",
            "In its place, postgres://user:password@host/database. Better in the environment: TINTYPE__AUTH__DATABASE_URL.",
        );
        let url = url.as_ref().map(Secret::expose);
        if url.is_some_and(|url| !is_postgres(url)) {
            r.reject("database_url", "(hidden)", "a URL beginning with postgres://", "");
        }
        let user = database.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
        if is_postgres(&database) && user.is_some_and(|(user, _)| user.contains(':')) {
            r.reject("database", "(hidden)", "no password", "put the URL into database_url, which is not printed");
        }
        let place = place(url.map_or(database, str::to_owned));
        let secret = r.secret("secret", "The installation's secret, at least 32 characters; better in secret_file.");
        if secret.as_ref().is_some_and(|secret| secret.expose().len() < crate::seal::SHORTEST) {
            r.reject("secret", "(hidden)", "at least 32 characters", "make one with: openssl rand -hex 32");
        }
        let public: String = r.string(
            "public_url",
            "http://127.0.0.1:8085",
            "Where this service is found from outside; tokens name <public_url>/auth/v1 as their issuer.",
        );
        if !public.starts_with("http://") && !public.starts_with("https://") {
            r.reject("public_url", &public, "a URL beginning with https:// or http://", "");
        }
        Self {
            place,
            secret,
            secret_file: r.parsed(
                "secret_file",
                "data/auth.secret",
                "Or the file that has it; made where there is none. API keys, sessions and signing keys depend on it.",
            ),
            issuer: format!("{}/auth/v1", public.trim_end_matches('/')),
            sign_up: r.bool("sign_up", false, "Whether people may make their own accounts, as viewers."),
            sign_up_tenant: r.string("sign_up_tenant", "main", "The tenant that they are of then."),
            access_token: r.duration("access_token", "15m", "10s"..="1h", "How long an access token is good."),
            session: r.duration("session", "30d", "1m"..="365d", "How long a session lasts that is not refreshed."),
            refresh_grace: r.duration(
                "refresh_grace",
                "10s",
                "0s"..="5m",
                "How long a refresh token that was exchanged is taken once more: two tabs, or an answer that was lost. \
                 Later it ends the session.",
            ),
            key_notice: r.duration(
                "key_notice",
                "10m",
                "0s"..="1d",
                "How long a new signing key is published before it signs, so that everybody has it.",
            ),
            audit_reads: r.bool("audit_reads", false, "Whether decisions about reading are in the audit log, too."),
            passwords: r.section("passwords"),
            lockout: r.section("lockout"),
            urls: r.tables("urls", &[]),
            cloudfront: r.optional_section("cloudfront"),
        }
    }
}

fn is_postgres(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

fn place(database: String) -> Place {
    match database.as_str() {
        ":memory:" => Place::Memory,
        url if is_postgres(url) => Place::Postgres(database),
        _ => Place::Sqlite(database.into()),
    }
}

/// `[auth.passwords]`.
#[derive(Clone, Copy, Debug)]
pub struct Passwords {
    /// Bytes that one hash takes.
    pub memory: u64,
    /// Passes over them.
    pub rounds: u32,
    /// Hashes at work at once.
    pub at_once: usize,
    /// Least characters of a password.
    pub shortest: usize,
}

impl Section for Passwords {
    const DOC: &'static str = "Argon2id (RFC 9106); the defaults are OWASP's.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            memory: r.bytes("memory", "19MiB", "64KiB"..="1GiB", "Memory of one hash."),
            rounds: r.int("rounds", 2, 1..=20, "Passes over it."),
            at_once: r.int("at_once", 2, 1..=64, "Hashes at work at once; others wait up to 5 s, then 503."),
            shortest: r.int("shortest", 12, 8..=64, "Least characters of a new password."),
        }
    }
}

/// `[auth.lockout]`.
#[derive(Clone, Copy, Debug)]
pub struct Lockout {
    /// The time in which failures count.
    pub window: Duration,
    /// For one account from one network.
    pub account_network: i64,
    /// For one account from everywhere.
    pub account: i64,
    /// For one network and all accounts.
    pub network: i64,
}

impl Section for Lockout {
    const DOC: &'static str = "Failures to sign in, after which no password is looked at until the window is over.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            window: r.duration("window", "15m", "1s"..="1d", "The time in which failures count."),
            account_network: r.int("account_network", 5, 1..=1000, "For one account from one client network."),
            account: r.int(
                "account",
                50,
                1..=100_000,
                "For one account from everywhere: high, since anybody can lock somebody out with it.",
            ),
            network: r.int("network", 100, 1..=100_000, "For one client network and all accounts."),
        }
    }
}

/// `[[auth.urls]]`.
#[derive(Clone, Debug)]
pub struct UrlKey {
    /// Whose URLs.
    pub tenant: String,
    /// The key's name at the edge.
    pub kid: String,
    /// Its secret, here.
    pub secret: Option<Secret>,
    /// Or in a file.
    pub secret_file: Option<PathBuf>,
    /// What comes before the picture's name.
    pub base: String,
    /// Longest time that a URL is good.
    pub longest: Duration,
}

impl Section for UrlKey {
    const DOC: &'static str = "A key of the edge's [[signing.keys]], with which URLs of a tenant are signed.";

    fn read(r: &mut Reader<'_>) -> Self {
        let key = Self {
            tenant: r.string(
                "tenant",
                "main",
                "Whose URLs; * for those of all tenants without a key of their own: the tenant's name then follows the base.",
            ),
            kid: r.string("kid", "k1", "The key's name at the edge."),
            secret: r.secret("secret", "Its secret, as at the edge; better in secret_file."),
            secret_file: r.optional_parsed("secret_file", "k1.key", "The file that has it."),
            base: r.string(
                "base",
                "/a/main",
                "What comes before a picture's name: a path, or a URL whose path is the edge's.",
            ),
            longest: r.duration("longest", "7d", "1m"..="366d", "Longest time that a URL is good."),
        };
        if key.secret.is_some() == key.secret_file.is_some() && r.is_set("kid") {
            r.reject("secret", "(hidden)", "one of secret, secret_file", "as in the edge's [[signing.keys]]");
        }
        key
    }
}

/// `[auth.cloudfront]`.
#[derive(Clone, Debug)]
pub struct CloudFront {
    /// The public key's id.
    pub key_pair_id: String,
    /// The private key, PEM.
    pub private_key_file: PathBuf,
    /// Where pictures are at the distribution.
    pub base: String,
}

impl Section for CloudFront {
    const DOC: &'static str = "CloudFront's signed URLs and cookies, in place of the edge's.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            key_pair_id: r.string("key_pair_id", "K2JCJMDEHXQW5F", "The public key's id, in a trusted key group."),
            private_key_file: r.parsed(
                "private_key_file",
                "cloudfront.pem",
                "Its private key: RSA or P-256, PKCS#8 PEM.",
            ),
            base: r.string(
                "base",
                "https://d111111abcdef8.cloudfront.net/a",
                "What comes before a tenant and a picture's name.",
            ),
        }
    }
}
