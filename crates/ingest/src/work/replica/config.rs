//! `[ingest.replica]`: the second store, and perhaps the second catalog, that have to have what these have.

use aws::Aws;
use catalog::{Catalog, CatalogConfig};
use service::config::{Reader, Section};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::config::{S3StoreConfig, StoreConfig};

/// What is compared with, and when.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct ReplicaConfig {
    pub every: Duration,
    pub repair: bool,
    pub store: StoreConfig,
    pub catalog: Option<CatalogConfig>,
}

impl Section for ReplicaConfig {
    const DOC: &'static str = "The second region, or the copy for bad days: compared with this one by replication-check jobs (docs/ingest.md).";

    fn read(r: &mut Reader<'_>) -> Self {
        let every = r.duration("every", "1d", "0s"..="90d", "How often both are compared; 0s is never by itself.");
        let repair = r.bool(
            "repair",
            false,
            "Whether what is missing there is copied. Contents never change, so that is safe. Nothing is ever removed.",
        );
        let root: Option<PathBuf> = r.optional_parsed("root", "/mnt/copy/store", "The other store: a folder, or");
        let bucket: Option<S3StoreConfig> = r.optional_section("s3");
        if r.is_set("every") && root.is_some() == bucket.is_some() {
            r.reject("root", "neither or both", "root, or [ingest.replica.s3]", "there is one other store");
        }
        let store = StoreConfig { root: root.unwrap_or_default(), bucket };
        Self { every, repair, store, catalog: r.optional_section("catalog") }
    }
}

/// The other side, opened.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Contents and names.
    pub store: Arc<dyn Store>,
    /// Records, where there is a second catalog.
    pub catalog: Option<Arc<dyn Catalog>>,
}

impl ReplicaConfig {
    /// Opens what it names.
    ///
    /// # Errors
    /// In words for the person who wrote the config.
    pub async fn open(&self, aws: &Aws) -> Result<Replica, String> {
        let store = store::open(&self.store, aws).map_err(|error| format!("ingest.replica: {error}"))?;
        let catalog = match &self.catalog {
            Some(config) => {
                let opened = catalog::open(config, aws).await;
                Some(opened.map_err(|error| format!("ingest.replica.catalog: {error}"))?)
            }
            None => None,
        };
        Ok(Replica { store, catalog })
    }
}
