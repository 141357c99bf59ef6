//! The desk where uploads are taken and pictures are changed: what all ways of uploading share.
//!
//! Owns no connection and no file. Does not know HTTP. See [`crate::admission`] for the order of things.

use crate::config::IngestConfig;
use crate::inspect::pool::Inspectors;
use crate::metric::Metrics;
use crate::publish::Publisher;
use crate::{Parts, Trouble};
use bytes::Bytes;
use catalog::{Asset, Catalog, Content, Facts, TenantId};
use jobs::Queue;
use std::sync::Arc;
use store::{ContentKey, Failure, StageId, Store};
use tokio::sync::Notify;
use uuid::Uuid;

/// What all uploads share. Clones share it, too.
#[derive(Clone, Debug)]
pub struct Desk {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) inspectors: Inspectors,
    /// One more, for originals that are packed anew: uploads do not wait for it.
    pub(crate) packer: Inspectors,
    pub(crate) publisher: Publisher,
    pub(crate) config: Arc<IngestConfig>,
    pub(crate) metrics: Metrics,
    /// There may be events to hand on.
    pub(crate) awake: Arc<Notify>,
}

impl Desk {
    /// Of parts.
    #[must_use]
    pub fn new(config: &IngestConfig, parts: &Parts, metrics: Metrics) -> Self {
        let inspect = &config.inspect;
        let inspectors = |workers| Inspectors::new(workers, inspect.limits.clone(), inspect.deadline, config.private);
        Self {
            catalog: Arc::clone(&parts.catalog),
            store: Arc::clone(&parts.store),
            queue: Arc::clone(&parts.queue),
            inspectors: inspectors(inspect.workers),
            packer: inspectors(1),
            publisher: Publisher::new(Arc::clone(&parts.catalog), Arc::clone(&parts.store), parts.edge.clone()),
            config: Arc::new(config.clone()),
            metrics,
            awake: Arc::new(Notify::new()),
        }
    }

    /// Records.
    #[must_use]
    pub fn catalog(&self) -> &dyn Catalog {
        &*self.catalog
    }

    /// Contents and names.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The name of a new upload of a tenant, which tells whose it is and when it began.
    #[must_use]
    pub fn stage(&self, tenant: &TenantId) -> StageId {
        let name = format!("{}-{}", mark(tenant), Uuid::now_v7());
        name.parse().expect("hexadecimal digits and hyphens")
    }

    /// Whether a tenant may begin another upload.
    ///
    /// # Errors
    /// The store does not say.
    pub async fn has_room(&self, tenant: &TenantId) -> Result<bool, Failure> {
        let mark = mark(tenant);
        let after = mark.parse().expect("hexadecimal digits");
        let under_way = self.store.stages(Some(&after), self.config.uploads).await?;
        Ok(under_way.iter().filter(|stage| stage.as_str().starts_with(&mark)).count() < self.config.uploads)
    }

    /// Content and facts of what an asset had once, looked at anew.
    pub(crate) async fn look_again(&self, asset: &Asset, content: &Content) -> Result<Facts, Trouble> {
        let slot = self.inspectors.turn().await;
        let bytes = self.content(&asset.tenant, content).await?;
        Ok(self.inspectors.inspect(slot, bytes, Default::default()).await?.facts)
    }

    /// The bytes of a content.
    pub(crate) async fn content(&self, tenant: &TenantId, content: &Content) -> Result<Bytes, Failure> {
        let key = ContentKey::new(tenant.clone(), content.hash);
        let most = usize::try_from(content.bytes).map_err(|_| Failure::Full)?;
        self.store.read(&key, 0, most).await
    }
}

/// What the names of a tenant's uploads begin with.
fn mark(tenant: &TenantId) -> String {
    catalog::ContentHash::of(tenant.as_str().as_bytes()).to_string().chars().take(12).collect()
}
