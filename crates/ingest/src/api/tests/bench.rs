//! A companion on a folder, SQLite and keys for each role.

use crate::config::IngestConfig;
use crate::desk::Desk;
use crate::{Parts, checker};
use access::{ApiKey, Caller, Door, Keys, KeysFuture, Kind, Policies, Role};
use axum::body::Body;
use catalog::Catalog;
use catalog::config::CatalogConfig;
use companion::Companion;
use companion::testing::{Answered, ask};
use http::Request;
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use store::{FolderStore, Store};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Nobody,
    Viewer,
    Editor,
    Admin,
    /// An editor of another tenant.
    Stranger,
    Operator,
}

#[derive(Debug)]
struct Known(HashMap<String, Caller>);

impl Keys for Known {
    fn find<'a>(&'a self, key: &'a ApiKey) -> KeysFuture<'a> {
        Box::pin(async move { Ok(self.0.get(key.id()).cloned()) })
    }
}

pub(crate) struct Bench {
    pub(crate) companion: Companion,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) desk: Desk,
    tokens: HashMap<Who, String>,
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut IngestConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = Arc::new(FolderStore::open(&folder.path().join("store")).expect("a store"));
        Self::of(folder, store, aws::Aws::new(), change).await
    }

    pub(crate) async fn of(
        folder: tempfile::TempDir,
        store: Arc<dyn Store>,
        aws: aws::Aws,
        change: impl FnOnce(&mut IngestConfig),
    ) -> Self {
        Self::at(folder, store, aws, ":memory:", change).await
    }

    /// With a catalog in a file: one in memory does not survive a transaction that is cut off.
    pub(crate) async fn on_disk(change: impl FnOnce(&mut IngestConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = Arc::new(FolderStore::open(&folder.path().join("store")).expect("a store"));
        let catalog = folder.path().join("catalog.db").display().to_string();
        Self::at(folder, store, aws::Aws::new(), &catalog, change).await
    }

    async fn at(
        folder: tempfile::TempDir,
        store: Arc<dyn Store>,
        aws: aws::Aws,
        catalog: &str,
        change: impl FnOnce(&mut IngestConfig),
    ) -> Self {
        let mut config = service::config::load::<IngestConfig>(None, [], &[]).expect("defaults").config;
        change(&mut config);
        let sets = [format!("sqlite.path={catalog}")];
        let of = service::config::load::<CatalogConfig>(None, [], &sets).expect("sound").config;
        let catalog = catalog::open(&of, &aws).await.expect("a catalog");
        let queue = jobs::SqliteQueue::open(&folder.path().join("jobs.db")).await.expect("a queue");
        let (mut known, mut tokens) = (HashMap::new(), HashMap::new());
        for (who, subject, tenant, role) in [
            (Who::Viewer, "vera", "main", Role::Viewer),
            (Who::Editor, "eddy", "main", Role::Editor),
            (Who::Admin, "anna", "main", Role::Admin),
            (Who::Stranger, "stan", "other", Role::Editor),
            (Who::Operator, "olga", "", Role::Operator),
        ] {
            let key = ApiKey::generate().expect("random bytes");
            known.insert(key.id().to_owned(), Caller::new(Kind::Key, subject, tenant, &[role]));
            tokens.insert(who, key.expose());
        }
        let door = Arc::new(Door::new(Policies::builtin().expect("sound")).with_keys(Arc::new(Known(known))));
        let base = companion::testing::base(&["rate=0.0"]).with_door(Arc::clone(&door));
        let parts = Parts {
            catalog: Arc::clone(&catalog),
            store: Arc::clone(&store),
            queue: Arc::new(queue),
            door,
            edge: None,
            aws,
            replica: None,
            jobs: service::config::load(None, [], &[]).expect("defaults").config,
            runners: jobs::Metrics::default(),
        };
        let desk = Desk::new(&config, &parts, Default::default());
        let companion = super::super::build(&config, parts, &base, &mut Default::default()).expect("a companion");
        Self { companion, catalog, store, desk, tokens, folder }
    }

    pub(crate) async fn ask(
        &self,
        who: Who,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = self.tokens.get(&who) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        ask(&self.companion, request.body(body.into()).expect("a sound request")).await
    }

    pub(crate) async fn json(
        &self,
        who: Who,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &Value,
    ) -> Answered {
        let fields = [fields, &[("content-type", "application/json")]].concat();
        self.ask(who, method, path, &fields, body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, bytes: &[u8]) -> Answered {
        self.ask(Who::Editor, "PUT", &format!("/ingest/v1/files/{path}"), &[], bytes.to_vec()).await
    }

    /// What the edge would show.
    pub(crate) fn shown(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.root().join("names/main").join(path)).ok()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Store and catalog agree.
    pub(crate) async fn is_sound(&self) {
        let findings = checker::check(&*self.catalog, &*self.store).await.expect("both answer");
        assert!(findings.is_sound(), "{findings}");
    }
}

/// A small PNG, different for each seed.
pub(crate) fn png(seed: u32) -> Vec<u8> {
    testkit::picture::noise(12, 8, seed.into())
}
