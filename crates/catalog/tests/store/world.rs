//! What the tests of stores have in common: moments, contents, callers, and the stores themselves.

use catalog::{Asset, Catalog, CatalogConfig, Change, Committed, Content, ContentHash, StoreError, Subject, TenantId};
use jiff::Timestamp;
use sqlx::{Connection, Executor};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use testkit::Postgres;
use testkit::s3::Moto;

/// A server, or none, that gives empty catalogs.
pub(crate) enum World {
    Sqlite(tempfile::TempDir, AtomicU32),
    Postgres(Postgres, AtomicU32),
    Dynamo(Moto, AtomicU32),
}

impl World {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a folder"), AtomicU32::new(0))
    }

    pub(crate) fn postgres() -> Option<Self> {
        Postgres::start().map(|server| Self::Postgres(server, AtomicU32::new(0)))
    }

    pub(crate) fn dynamo() -> Option<Self> {
        Moto::start_ordered().map(|server| Self::Dynamo(server, AtomicU32::new(0)))
    }

    /// An empty catalog: three versions of each asset, keys for an hour.
    pub(crate) async fn empty(&self) -> Arc<dyn Catalog> {
        self.number().fetch_add(1, Ordering::Relaxed);
        let name = self.latest();
        if let Self::Postgres(server, _) = self {
            let url = server.url(Postgres::DATABASE);
            let mut connection = sqlx::PgConnection::connect(&url).await.expect("a connection");
            connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database");
        }
        self.open(&name).await.expect("a catalog")
    }

    fn number(&self) -> &AtomicU32 {
        match self {
            Self::Sqlite(_, number) | Self::Postgres(_, number) | Self::Dynamo(_, number) => number,
        }
    }

    /// The name of the catalog that was given last.
    pub(crate) fn latest(&self) -> String {
        format!("catalog{}", self.number().load(Ordering::Relaxed))
    }

    /// The catalog of that name, once more.
    pub(crate) async fn open(&self, name: &str) -> Result<Arc<dyn Catalog>, StoreError> {
        let mut sets = vec!["versions=3".to_owned(), "idempotency=1h".to_owned(), "timeout=60s".to_owned()];
        match self {
            Self::Sqlite(folder, _) => {
                sets.push(format!("sqlite.path={}", folder.path().join("new").join(name).display()));
            }
            Self::Postgres(server, _) => sets.extend([
                "kind=postgres".to_owned(),
                format!("postgres.port={}", server.address.port()),
                format!("postgres.user={}", Postgres::USER),
                format!("postgres.database={name}"),
                "postgres.tls=disable".to_owned(),
            ]),
            Self::Dynamo(server, _) => sets.extend([
                "kind=dynamodb".to_owned(),
                "dynamodb.create=true".to_owned(),
                format!("dynamodb.table={name}"),
                format!("dynamodb.endpoint=http://{}", server.address),
                format!("dynamodb.access_key_id={}", testkit::s3::KEY_ID),
                format!("dynamodb.secret_access_key={}", testkit::s3::SECRET),
                "dynamodb.response_timeout=50s".to_owned(),
                "dynamodb.request_timeout=50s".to_owned(),
                "dynamodb.connect_timeout=50s".to_owned(),
            ]),
        }
        let loaded = service::config::load::<CatalogConfig>(None, [], &sets).expect("a configuration");
        catalog::open(&loaded.config, &aws::Aws::new()).await
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a moment")
}

pub(crate) fn tenant(name: &str) -> TenantId {
    name.parse().expect("a tenant")
}

pub(crate) fn ann() -> Subject {
    "user:ann".parse().expect("a subject")
}

pub(crate) fn content(text: &str) -> Content {
    Content {
        hash: ContentHash::of(text.as_bytes()),
        bytes: text.len() as u64,
        media_type: "image/png".parse().expect("a type"),
        width: 4,
        height: 3,
        frames: 1,
    }
}

/// A new asset that is nowhere yet.
pub(crate) fn draft(tenant: &TenantId, path: &str, text: &str, second: i64) -> Asset {
    Asset::new(tenant.clone(), path.parse().expect("a path"), content(text), at(second))
}

pub(crate) async fn created(catalog: &dyn Catalog, asset: Asset) -> Asset {
    committed(catalog, Change::create(asset, ann())).await.asset
}

pub(crate) async fn committed(catalog: &dyn Catalog, change: Change) -> Committed {
    let told = format!("{} {}", change.kind.as_str(), change.asset.path);
    catalog.commit(change).await.unwrap_or_else(|error| panic!("{told}: {error}"))
}

/// Nothing in it contradicts anything else in it.
pub(crate) async fn sound(catalog: &dyn Catalog) {
    let found = catalog::check::check(catalog).await.expect("a survey");
    assert!(found.is_empty(), "{found:#?}");
}
