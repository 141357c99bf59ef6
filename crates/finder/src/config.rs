//! `[finder]`: which engine, and where it is.
//!
//! Invariant: what is opened is what the section says; nothing falls back to another engine.

use crate::error::FinderError;
use crate::opensearch::{OpenSearch, Refresh, Setting as OpenSearchSetting};
use crate::seam::Finder;
use crate::shared::Shared;
use crate::tantivy::{Embedded, Setting as EmbeddedSetting};
use http::{HeaderValue, Uri};
use service::config::{Choice, Reader, Secret, Section};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// tantivy, in a folder of this process.
    Tantivy,
    /// OpenSearch, over HTTP.
    OpenSearch,
}

impl Choice for Engine {
    const NAMES: &'static [(&'static str, Self)] = &[("tantivy", Self::Tantivy), ("opensearch", Self::OpenSearch)];
}

impl Choice for Refresh {
    const NAMES: &'static [(&'static str, Self)] = &[("wait", Self::Wait), ("now", Self::Now)];
}

/// `[finder]`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct FinderConfig {
    pub engine: Engine,
    pub folder: PathBuf,
    pub memory: u64,
    pub linger: Duration,
    pub searches: usize,
    pub timeout: Duration,
    pub server: Uri,
    pub authorization: Option<Secret>,
    pub name: String,
    pub shards: u32,
    pub replicas: u32,
    pub refresh: Refresh,
    pub tries: u32,
    pub redis: Option<Secret>,
}

impl Section for FinderConfig {
    const DOC: &'static str = "The search index.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            engine: r.choice(
                "engine",
                Engine::Tantivy,
                "tantivy: in a folder of this process, for one process; opensearch: over HTTP, for any number.",
            ),
            folder: r.parsed("folder", "data/index", "tantivy: where the index is kept."),
            memory: r.bytes("memory", "64MiB", "15MiB"..="4GiB", "tantivy: memory of the writer."),
            linger: r.duration(
                "linger",
                "5ms",
                "0ms"..="1s",
                "tantivy: how long a batch waits for others that share its commit.",
            ),
            searches: r.int("searches", 8, 1..=256, "tantivy: most searches at once; others wait."),
            timeout: r.duration("timeout", "5s", "50ms"..="1m", "Longest search, and longest request to OpenSearch."),
            server: r.parsed("server", "http://127.0.0.1:9200", "opensearch: the server, or what balances several."),
            authorization: r.secret(
                "authorization",
                "opensearch: the Authorization field, such as \"Basic …\". Requests are not signed for AWS: let the \
                 domain's access policy admit this network, or use its own users.",
            ),
            name: r.string("name", "tintype", "opensearch: the index's alias; indices' names begin so."),
            shards: r.int("shards", 1, 1..=64, "opensearch: shards of a new index. Counts of facets are exact with one."),
            replicas: r.int("replicas", 1, 0..=8, "opensearch: copies of each shard of a new index."),
            refresh: r.choice(
                "refresh",
                Refresh::Wait,
                "opensearch: wait: a write is acknowledged when it is found, within a second; now: it is found at once, \
                 which costs.",
            ),
            tries: r.int("tries", 3, 1..=10, "opensearch: tries of a request that it was too busy for."),
            redis: r.secret(
                "redis",
                "URL of a Redis that tells processes of changes, so that answers can be kept: redis://HOST:PORT. With \
                 tantivy it is not needed.",
            ),
        };
        let fine = |name: &str| {
            let mut bytes = name.bytes();
            name.len() <= 60
                && bytes.next().is_some_and(|b| b.is_ascii_lowercase())
                && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        };
        if !fine(&config.name) {
            r.reject("name", &config.name, "1 to 60 of a–z 0–9 - _, a letter first", "");
        }
        if config.server.scheme().is_none() || config.server.authority().is_none() {
            r.reject("server", &config.server, "http:// or https://, a host, and a port", "");
        }
        config
    }
}

/// An index, and what is shared over it.
#[derive(Clone)]
pub struct Opened {
    /// The index.
    pub finder: Arc<dyn Finder>,
    /// Redis, where there is one.
    pub shared: Option<Shared>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl FinderConfig {
    /// Opens the index. Blocks for tantivy's files; needs a runtime.
    ///
    /// # Errors
    /// As [`Embedded::open`] and [`OpenSearch::new`]; an URL of Redis or a field that cannot be used.
    pub fn open(&self) -> Result<Opened, FinderError> {
        let shared = self.redis.as_ref().map(|url| Shared::new(url.expose(), &self.name)).transpose()?;
        let finder: Arc<dyn Finder> = match self.engine {
            Engine::Tantivy => Arc::new(Embedded::open(self.embedded())?),
            Engine::OpenSearch => Arc::new(OpenSearch::new(self.opensearch(shared.clone())?)?),
        };
        Ok(Opened { finder, shared })
    }

    fn embedded(&self) -> EmbeddedSetting {
        EmbeddedSetting {
            folder: self.folder.clone(),
            memory: usize::try_from(self.memory).unwrap_or(usize::MAX),
            linger: self.linger,
            searches: self.searches,
            timeout: self.timeout,
        }
    }

    fn opensearch(&self, shared: Option<Shared>) -> Result<OpenSearchSetting, FinderError> {
        let field = |secret: &Secret| {
            let bad = |_| FinderError::Broken("finder.authorization: holds characters that no header can".into());
            let mut value = HeaderValue::try_from(secret.expose()).map_err(bad)?;
            value.set_sensitive(true);
            Ok::<_, FinderError>(value)
        };
        Ok(OpenSearchSetting {
            server: self.server.clone(),
            authorization: self.authorization.as_ref().map(field).transpose()?,
            name: self.name.clone(),
            shards: self.shards,
            replicas: self.replicas,
            refresh: self.refresh,
            timeout: self.timeout,
            tries: self.tries,
            changes: shared.map(|shared| Arc::new(shared) as Arc<dyn crate::changes::Changes>),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Engine, FinderConfig};
    use service::config;

    #[test]
    fn the_defaults_are_an_index_in_a_folder() {
        let loaded = config::load::<FinderConfig>(None, [], &[]).expect("the defaults");
        assert_eq!((loaded.config.engine, loaded.config.folder.to_str()), (Engine::Tantivy, Some("data/index")));
    }

    #[test]
    fn what_no_index_can_have_is_refused() {
        for set in ["name=Assets", "name=_x", "server=search:9200x", "server=/x", "shards=0", "memory=\"1MiB\""] {
            let errors = config::load::<FinderConfig>(None, [], &[set.to_owned()]).err();
            assert!(errors.is_some(), "{set}");
        }
    }
}
