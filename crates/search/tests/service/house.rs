//! A companion over an index of its own, and callers with keys.

use access::{ApiKey, Caller, Door, Keys, KeysFuture, Kind, Policies, Role};
use companion::Companion;
use companion::testing::{Answered, ask_json};
use finder::{
    Document, Embedded, EmbeddedSetting, Finder, OpenSearch, OpenSearchSetting, Refresh, Shared, Visibility, Write,
};
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use search::SearchConfig;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// Two keys.
#[derive(Debug)]
struct Ring(Vec<(String, Caller)>);

impl Keys for Ring {
    fn find<'a>(&'a self, key: &'a ApiKey) -> KeysFuture<'a> {
        let found = self.0.iter().find(|(text, _)| *text == key.expose()).map(|(_, caller)| caller.clone());
        Box::pin(async move { Ok(found) })
    }
}

pub(crate) struct House {
    pub(crate) companion: Companion,
    finder: Arc<dyn Finder>,
    registry: Registry,
    keys: [String; 2],
    _folder: Option<TempDir>,
}

impl House {
    /// Over an embedded index; `sets` are keys of `[search]`.
    pub(crate) fn open(sets: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let setting = EmbeddedSetting {
            folder: folder.path().to_owned(),
            memory: 15_000_000,
            linger: Duration::from_millis(1),
            searches: 4,
            timeout: Duration::from_secs(20),
        };
        let finder = Arc::new(Embedded::open(setting).expect("an index"));
        Self { _folder: Some(folder), ..Self::over(finder, None, sets) }
    }

    /// Over an index that others have too.
    pub(crate) fn remote(server: &testkit::OpenSearch, redis: &testkit::Redis) -> Self {
        let shared = Shared::new(&redis.url(), "assets").expect("a URL of Redis");
        let setting = OpenSearchSetting {
            server: server.url().parse().expect("a URL"),
            authorization: None,
            name: "assets".into(),
            shards: 1,
            replicas: 0,
            refresh: Refresh::Now,
            timeout: Duration::from_secs(20),
            tries: 2,
            changes: Some(Arc::new(shared.clone())),
        };
        Self::over(Arc::new(OpenSearch::new(setting).expect("a client")), Some(shared), &["keep=5m"])
    }

    fn over(finder: Arc<dyn Finder>, shared: Option<Shared>, sets: &[&str]) -> Self {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        let config = service::config::load::<SearchConfig>(None, [], &sets).expect("a sound config").config;
        let keys = [(), ()].map(|()| ApiKey::generate().expect("the system has random bytes").expose());
        let ring = Ring(vec![
            (keys[0].clone(), Caller::new(Kind::User, "ann", "main", &[Role::Viewer])),
            (keys[1].clone(), Caller::new(Kind::User, "olga", "", &[Role::Operator])),
        ]);
        let door = Arc::new(Door::new(Policies::builtin().expect("sound policies")).with_keys(Arc::new(ring)));
        let base = companion::testing::base(&["rate=0.0"]).with_door(Arc::clone(&door));
        let mut registry = Registry::default();
        let parts = search::Parts { door, finder: Arc::clone(&finder), shared, base };
        let companion = search::build(&config, parts, &mut registry).expect("a companion");
        Self { companion, finder, registry, keys, _folder: None }
    }

    pub(crate) fn viewer(&self) -> &str {
        &self.keys[0]
    }

    pub(crate) fn operator(&self) -> &str {
        &self.keys[1]
    }

    pub(crate) async fn apply(&self, writes: Vec<Write>) {
        let applied = self.finder.apply(writes).await.expect("a batch is taken");
        assert_eq!(applied.refused().next(), None);
    }

    pub(crate) async fn ask(&self, token: &str, path: &str) -> Answered {
        ask_json(&self.companion, "GET", path, token, &serde_json::Value::Null).await
    }

    /// The metrics as text.
    pub(crate) fn measured(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("texts can be written");
        text
    }
}

pub(crate) fn document(number: u32, tenant: &str, path: &str, title: &str) -> Document {
    let created = Timestamp::from_second(1_700_000_000 + i64::from(number)).expect("a time of this century");
    Document {
        tenant: tenant.into(),
        id: Uuid::from_u128(u128::from(number)),
        revision: 1,
        version: 1,
        path: path.into(),
        title: title.into(),
        description: String::new(),
        tags: Vec::new(),
        derived_tags: Vec::new(),
        media_type: "image/jpeg".into(),
        width: 4000,
        height: 3000,
        bytes: 1_000_000,
        frames: 1,
        camera: None,
        lens: None,
        taken: None,
        created,
        changed: created,
        average: None,
        palette: Vec::new(),
        phash: None,
        place: None,
        visibility: Visibility::Tenant,
        owner: "ann".into(),
        thumbhash: None,
    }
}

pub(crate) fn put(document: Document) -> Write {
    Write::Put(Box::new(document))
}
