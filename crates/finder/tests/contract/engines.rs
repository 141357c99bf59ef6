//! The engines that every question is put to.

use finder::{
    Embedded, EmbeddedSetting, Finder, FinderError, Hits, OpenSearch, OpenSearchSetting, Query, Refresh, Write,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// All engines that run here, each empty.
pub(crate) struct Engines {
    pub(crate) all: Vec<(&'static str, Arc<dyn Finder>)>,
    _folder: TempDir,
    _server: Option<testkit::OpenSearch>,
}

pub(crate) fn setting(folder: &Path) -> EmbeddedSetting {
    EmbeddedSetting {
        folder: folder.to_owned(),
        memory: 15_000_000,
        linger: Duration::from_millis(1),
        searches: 4,
        timeout: Duration::from_secs(20),
    }
}

pub(crate) fn remote(server: &testkit::OpenSearch, name: &str) -> OpenSearchSetting {
    OpenSearchSetting {
        server: server.url().parse().expect("a URL"),
        authorization: None,
        name: name.to_owned(),
        shards: 1,
        replicas: 0,
        refresh: Refresh::Now,
        timeout: Duration::from_secs(20),
        tries: 2,
        changes: None,
    }
}

impl Engines {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let embedded = Embedded::open(setting(folder.path())).expect("an index");
        let mut all: Vec<(&'static str, Arc<dyn Finder>)> = vec![("tantivy", Arc::new(embedded))];
        let server = testkit::OpenSearch::start();
        if let Some(server) = &server {
            static NUMBER: AtomicU32 = AtomicU32::new(0);
            let name = format!("assets-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
            all.push(("opensearch", Arc::new(OpenSearch::new(remote(server, &name)).expect("a client"))));
        }
        Self { all, _folder: folder, _server: server }
    }

    /// Writes the same to all.
    pub(crate) async fn apply(&self, writes: &[Write]) {
        for (name, engine) in &self.all {
            let applied = engine.apply(writes.to_vec()).await.expect("a batch is taken");
            assert_eq!(applied.refused().next(), None, "{name}");
        }
    }

    /// The one answer that all give.
    pub(crate) async fn search(&self, query: &Query) -> Hits {
        self.try_search(query).await.unwrap_or_else(|error| panic!("{query:?}: {error}"))
    }

    pub(crate) async fn try_search(&self, query: &Query) -> Result<Hits, FinderError> {
        let mut first: Option<Hits> = None;
        for (name, engine) in &self.all {
            let hits = engine.search(query).await?;
            match &first {
                None => first = Some(hits),
                Some(first) => assert_eq!(&hits, first, "{name} says otherwise to {query:?}"),
            }
        }
        Ok(first.expect("there is an engine"))
    }
}

pub(crate) fn paths(hits: &Hits) -> Vec<&str> {
    hits.hits.iter().map(|hit| hit.document.path.as_str()).collect()
}
