//! The whole configuration: the edge's, the companions', and what is this binary's own.
//!
//! The edge's keys stand where they stand in its own `config.toml`, so that one can be taken over; so do the companions'.
//! Invariant: paths that nobody has written are in the one data folder.

use catalog::config::CatalogConfig;
use companion::Limits;
use finder::FinderConfig;
use ingest::IngestConfig;
use jobs::JobsConfig;
use search::SearchConfig;
use service::config::{Reader, Section};
use service::network::Network;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::StoreConfig;
use tintype::config::{Config as EdgeConfig, SigningMode};

/// Where the defaults of the companions have their data.
const DATA: &str = "data";

/// Everything that can be configured.
#[derive(Debug)]
#[expect(missing_docs, reason = "each section is described where it is read")]
pub struct Config {
    pub edge: EdgeConfig,
    pub platform: Platform,
    pub requests: Limits,
    pub auth: auth::Config,
    pub catalog: CatalogConfig,
    pub store: StoreConfig,
    pub jobs: JobsConfig,
    pub finder: FinderConfig,
    pub ingest: IngestConfig,
    pub index: index::Config,
    pub search: SearchConfig,
}

/// `[platform]`.
#[derive(Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct Platform {
    pub data: PathBuf,
    pub route: String,
    pub signed: bool,
    pub url_key: PathBuf,
    pub connections: usize,
    pub head_timeout: Duration,
    pub limit_loopback: bool,
}

impl Section for Platform {
    const DOC: &'static str = "What there is once, for all parts.";

    fn read(r: &mut Reader<'_>) -> Self {
        let platform = Self {
            data: r.parsed(
                "data",
                DATA,
                "The folder of all data whose place nobody has written elsewhere. Back it up.",
            ),
            route: r.string("route", "/a/", "Path prefix of published pictures: /a/<tenant>/<name>."),
            signed: r.bool(
                "signed",
                true,
                "Whether URLs of published pictures must be signed: nobody sees a picture by guessing its name, or has others \
                 made than were asked for here. See docs/standalone.md.",
            ),
            url_key: r.parsed(
                "url_key",
                "data/url.key",
                "The file of the key that signs them; made where there is none. Another key makes void what the one before signed.",
            ),
            connections: r.int("connections", 4096, 1..=1_000_000, "Connections open at once; further ones wait."),
            head_timeout: r.duration(
                "head_timeout",
                "15s",
                "1s"..="10m",
                "Longest wait for a request's head; also ends idle connections.",
            ),
            limit_loopback: r.bool(
                "limit_loopback",
                false,
                "Whether requests.rate holds for this machine, too. A proxy on it belongs into requests.trusted_proxies: its \
                 clients are limited one by one then, whatever is said here.",
            ),
        };
        let reserved = ["/auth/", "/ingest/", "/index/", "/search/", "/console/"];
        let fine = platform.route.starts_with('/') && platform.route.ends_with('/') && platform.route.len() > 2;
        if !fine || reserved.iter().any(|reserved| platform.route.starts_with(reserved)) {
            let allowed = "a path with a slash at both ends, and none of the platform's own";
            r.reject("route", &platform.route, allowed, "such as /a/");
        }
        platform
    }
}

impl Section for Config {
    const DOC: &'static str = "Tintype, all in one process: every key with its default. The edge's keys come first, then the platform's.\n\
        Override with TINTYPE__PLATFORM__DATA=… in the environment or --set platform.data=… on the command line.\n\
        `tintype-standalone check-config --config FILE` tells what is wrong with a file. See docs/standalone.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let mut config = Self {
            edge: EdgeConfig::read_open(r),
            platform: r.section("platform"),
            requests: r.section("requests"),
            auth: auth::Config::read(r),
            catalog: r.section("catalog"),
            store: r.section("store"),
            jobs: r.section("jobs"),
            finder: r.section("finder"),
            ingest: r.section("ingest"),
            index: r.section("index"),
            search: r.section("search"),
        };
        config.refuse(r);
        config.settle();
        config
    }
}

impl Config {
    fn refuse(&mut self, r: &mut Reader<'_>) {
        if let Some(address) = self.edge.tls.listen.first() {
            let hint = "put a proxy that speaks TLS in front, and name it in server.trusted_proxies and requests.trusted_proxies";
            r.reject("tls.listen", address, "nothing: tintype-standalone listens in cleartext", hint);
        }
        if let Some(socket) = self.edge.server.listen.iter().find(|address| address.ip().is_none()) {
            r.reject("server.listen", socket, "an address and a port: tintype-standalone has no Unix sockets", "");
        }
        if self.platform.signed && self.edge.signing.host {
            let allowed = "false, because the URLs of published pictures are signed without a host";
            r.reject("signing.host", "true", allowed, "or platform.signed = false, and keys of your own");
        }
        if r.is_sound() {
            self.guard(r);
        }
    }

    /// Where others can reach this server, all that it serves is signed: the samples, too.
    fn guard(&mut self, r: &mut Reader<'_>) {
        let signing = self.edge.signing.mode == SigningMode::Required;
        match self.edge.guarded_address().map(ToString::to_string) {
            Some(address) if !self.platform.signed && !signing => r.reject(
                "platform.signed",
                "false",
                format!("true, because the server listens on {address}, which others can reach"),
                "unsigned URLs let anybody see every picture whose name they guess; if that is meant, write \
                 signing.unsigned_beyond_loopback = true",
            ),
            Some(_) if self.platform.signed => {
                self.edge.signing.mode = SigningMode::Required;
                self.edge.refuse_unsigned(r);
            }
            _ => self.edge.refuse_unsigned(r),
        }
    }

    /// Puts what has been left to its default into the one folder, and under the one route.
    fn settle(&mut self) {
        let data = self.platform.data.clone();
        let below = |path: &mut PathBuf| {
            if let Ok(rest) = path.strip_prefix(DATA) {
                *path = data.join(rest);
            }
        };
        if let auth::store::Place::Sqlite(path) = &mut self.auth.auth.place {
            below(path);
        }
        for path in [
            &mut self.platform.url_key,
            &mut self.auth.auth.secret_file,
            &mut self.catalog.sqlite.path,
            &mut self.store.root,
            &mut self.jobs.path,
            &mut self.finder.folder,
        ] {
            below(path);
        }
        if !self.platform.limit_loopback {
            let own = ["127.0.0.0/8", "::1/128"].map(str::parse::<Network>);
            self.requests.exempt.extend(own.into_iter().flatten());
        }
        self.search.edge.clone_from(&self.platform.route);
        self.ingest.edge.prefix.clone_from(&self.platform.route);
        self.ingest.edge.origin = crate::edge::ORIGIN.to_owned();
    }

    /// Folders that are written to.
    pub(crate) fn written(&self) -> impl Iterator<Item = &Path> {
        let replica = self.ingest.replica.as_ref().filter(|replica| replica.store.bucket.is_none());
        let replica = replica.map(|replica| &*replica.store.root);
        [&*self.platform.data, &*self.store.root, &*self.finder.folder].into_iter().chain(replica)
    }
}
