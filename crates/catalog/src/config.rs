//! `[catalog]`: which store, and its bounds.
//!
//! Owns the keys. Does not open anything ([`crate::open()`] does). Invariant: passwords are never printed.

use crate::change::Quota;
use crate::name::Region;
use aws::{Access, Patience};
use service::config::{Choice, Reader, Secret, Section};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// `[catalog]`.
#[derive(Clone, Debug)]
pub struct CatalogConfig {
    /// Which store.
    pub kind: Kind,
    /// Where this instance stands, for the stamps of what it writes.
    pub region: Region,
    /// For any call.
    pub timeout: Duration,
    /// How long idempotency keys are remembered.
    pub idempotency: Duration,
    /// Contents of one asset that are kept, the current one among them.
    pub versions: u32,
    /// What a tenant may have, where nothing else is said.
    pub quota: Quota,
    /// Of SQLite.
    pub sqlite: SqliteConfig,
    /// Of PostgreSQL.
    pub postgres: PostgresConfig,
    /// Of DynamoDB.
    pub dynamodb: DynamoConfig,
}

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
    /// A service of AWS, or what speaks like it.
    Dynamodb,
}

impl Choice for Kind {
    const NAMES: &'static [(&'static str, Self)] =
        &[("sqlite", Self::Sqlite), ("postgres", Self::Postgres), ("dynamodb", Self::Dynamodb)];
}

impl Section for CatalogConfig {
    const DOC: &'static str = "The catalog: records of assets, and their events. See docs/catalog.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            kind: r.choice("kind", Kind::Sqlite, "Which store: a file, a PostgreSQL server, or DynamoDB."),
            region: r.parsed(
                "region",
                "local",
                "Where this instance stands, in the stamps of what it writes; one name for all instances of a region.",
            ),
            timeout: r.duration("timeout", "10s", "100ms"..="5m", "Longest time for any call of the store."),
            idempotency: r.duration(
                "idempotency",
                "1d",
                "1m"..="30d",
                "How long idempotency keys are remembered: a repeated request is answered as the first one was.",
            ),
            versions: r.int(
                "versions",
                10,
                1..=40,
                "Contents of one asset that are kept, the current one among them; older ones go with the next replacement.",
            ),
            quota: r.section::<QuotaConfig>("quota").0,
            sqlite: r.section("sqlite"),
            postgres: r.section("postgres"),
            dynamodb: r.section("dynamodb"),
        };
        let other = match config.kind {
            Kind::Sqlite => None,
            Kind::Postgres => config.postgres.both_passwords(),
            Kind::Dynamodb => None,
        };
        if let Some(key) = other {
            r.reject(key, "[redacted]", "one of password and password_file", "");
        }
        config
    }
}

struct QuotaConfig(Quota);

impl Section for QuotaConfig {
    const DOC: &'static str =
        "What each tenant may have, where nothing else is said for it. Left out: as much as there is room.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self(Quota {
            assets: r.optional_int("assets", 0..=1_000_000_000_000, 100_000, "Assets, deleted ones included."),
            bytes: r.optional_bytes("bytes", "0B"..="1000TiB", "100GiB", "Bytes of all versions of all assets."),
        })
    }
}

/// `[catalog.sqlite]`.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// The file.
    pub path: PathBuf,
    /// Connections that read.
    pub readers: u32,
}

impl SqliteConfig {
    /// The path of a database that is gone with the process.
    pub const MEMORY: &'static str = ":memory:";
}

impl Section for SqliteConfig {
    const DOC: &'static str =
        "For kind = \"sqlite\". One process at a time should use the file: it waits for others, but not gladly.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            path: r.parsed(
                "path",
                "data/catalog.db",
                "The file; made when it is not there, on a local disk. \":memory:\": gone with the process.",
            ),
            readers: r.int("readers", 4, 1..=64, "Connections that read, beside the one that writes."),
        }
    }
}

/// `[catalog.postgres]`.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// A host's name or address, or the folder of a Unix socket.
    pub host: String,
    /// The port.
    pub port: u16,
    /// As whom.
    pub user: String,
    /// Which database.
    pub database: String,
    /// The password …
    pub password: Option<Secret>,
    /// … or where it is written.
    pub password_file: Option<PathBuf>,
    /// How far the connection is secured.
    pub tls: Tls,
    /// Certificate authorities beside the well-known ones.
    pub ca_file: Option<PathBuf>,
    /// Connections at most.
    pub connections: u32,
}

impl PostgresConfig {
    fn both_passwords(&self) -> Option<&'static str> {
        (self.password.is_some() && self.password_file.is_some()).then_some("postgres.password")
    }
}

/// How far a connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    Disable,
    /// Encrypted, to whomever.
    Require,
    /// Encrypted, to a server that an authority certifies under that name.
    VerifyFull,
}

impl Choice for Tls {
    const NAMES: &'static [(&'static str, Self)] =
        &[("verify-full", Self::VerifyFull), ("require", Self::Require), ("disable", Self::Disable)];
}

impl Section for PostgresConfig {
    const DOC: &'static str =
        "For kind = \"postgres\" (12 or later). Tables are made and brought up to date at the start.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            host: r.string("host", "127.0.0.1", "Name or address, or the folder of a Unix socket."),
            port: r.int("port", 5432, 1..=65535, "The port."),
            user: r.string("user", "tintype", "As whom."),
            database: r.string("database", "tintype", "Which database; it must be there."),
            password: r.secret("password", "Better in the environment: TINTYPE__CATALOG__POSTGRES__PASSWORD."),
            password_file: r.optional_parsed(
                "password_file",
                "/run/secrets/catalog",
                "A file with the password instead; white space at its end does not count. Read at the start.",
            ),
            tls: r.choice(
                "tls",
                Tls::VerifyFull,
                "verify-full checks the server's certificate and name, require does not, disable sends all in cleartext. \
                 Unix sockets have none.",
            ),
            ca_file: r.optional_parsed(
                "ca_file",
                "/etc/tintype/rds.pem",
                "Certificate authorities (PEM) to check it by, beside the well-known ones.",
            ),
            connections: r.int("connections", 10, 1..=1000, "Connections of this instance at most."),
        }
    }
}

/// `[catalog.dynamodb]`.
#[derive(Clone, Debug)]
pub struct DynamoConfig {
    /// The table.
    pub table: TableName,
    /// Whether it is made when it is not there.
    pub create: bool,
    /// How long a request may take, and how often it is repeated.
    pub patience: Patience,
    /// Where it is, and as whom it is asked.
    pub access: Access,
}

impl Section for DynamoConfig {
    const DOC: &'static str = "For kind = \"dynamodb\".";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            table: r.parsed("table", "tintype-catalog", "The table: see docs/catalog.md for its keys and indexes."),
            create: r.bool(
                "create",
                false,
                "Make the table at the start when it is not there, paid by request; else that is an error.",
            ),
            patience: Patience {
                connect: r.duration("connect_timeout", "2s", "100ms"..="1m", "Longest wait for a connection."),
                response: r.duration(
                    "response_timeout",
                    "3s",
                    "100ms"..="1m",
                    "Longest wait for an answer to one try.",
                ),
                whole: r.duration("request_timeout", "8s", "100ms"..="5m", "For all tries of one request together."),
                retries: r.int("retries", 3, 0..=10, "Tries after the first, of what may pass."),
            },
            access: Access::read(r),
        }
    }
}

/// The name of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName(String);

impl TableName {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TableName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if (3..=255).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err("is a table's name of 3 to 255 letters, digits, - . _")
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(sets: &[&str]) -> Result<(CatalogConfig, String), String> {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        let loaded = service::config::load::<CatalogConfig>(None, [], &sets).map_err(|errors| errors.to_string())?;
        let effective = loaded.effective().to_owned();
        Ok((loaded.config, effective))
    }

    #[test]
    fn without_a_word_it_is_a_file() {
        let (config, text) = load(&[]).unwrap();
        assert_eq!((config.kind, config.sqlite.path.to_str()), (Kind::Sqlite, Some("data/catalog.db")));
        assert!(text.contains("kind = \"sqlite\"") && text.contains("[postgres]"), "{text}");
    }

    #[test]
    fn passwords_are_not_printed() {
        let (config, text) = load(&["kind=postgres", "postgres.password=tell-nobody"]).unwrap();
        assert!(!text.contains("tell-nobody") && !format!("{config:?}").contains("tell-nobody"));
        let error = load(&["kind=postgres", "postgres.password=tell-nobody", "postgres.password_file=/x"]).unwrap_err();
        assert!(error.contains("password_file") && !error.contains("tell-nobody"), "{error}");
    }

    #[test]
    fn faults_name_the_key() {
        for (set, expected) in [
            ("kind=mysql", "\"sqlite\", \"postgres\", \"dynamodb\""),
            ("versions=41", "1 to 40"),
            ("dynamodb.table=a b", "table's name"),
            ("region=EU", "1 to 63"),
        ] {
            let error = load(&[set]).unwrap_err();
            assert!(error.contains(expected), "{set}: {error}");
        }
    }
}
