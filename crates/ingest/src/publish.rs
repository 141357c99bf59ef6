//! Published names, made what the records say.
//!
//! Owns no state: a name is made to be what the catalog says at that moment, whoever asks and however often; so it does not
//! matter in which order the jobs of events come, or whether they come twice. Invariant: whoever changed a name last has looked
//! at the catalog afterwards.

use crate::edge::Edge;
use catalog::{AssetPath, Catalog, Event, TenantId};
use std::sync::Arc;
use store::{Name, Store};

/// How often a name may change under one's hands.
const ROUNDS: usize = 20;

/// Publishes. Clones share it.
#[derive(Clone, Debug)]
pub struct Publisher {
    catalog: Arc<dyn Catalog>,
    store: Arc<dyn Store>,
    edge: Option<Arc<dyn Edge>>,
}

impl Publisher {
    /// Of parts.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>, store: Arc<dyn Store>, edge: Option<Arc<dyn Edge>>) -> Self {
        Self { catalog, store, edge }
    }

    /// Makes the names of an event what the records say by now, then tells the edge.
    ///
    /// # Errors
    /// What could not be done; it may go well later.
    pub async fn publish(&self, event: &Event) -> Result<(), String> {
        let paths = std::iter::once(&event.path).chain(&event.previous_path);
        let mut names = Vec::new();
        for path in paths {
            names.push(self.settle(&event.tenant, path).await?);
        }
        match &self.edge {
            Some(edge) => edge.purge(&names).await,
            None => Ok(()),
        }
    }

    /// Links or unlinks a name.
    ///
    /// # Errors
    /// What could not be done.
    pub async fn settle(&self, tenant: &TenantId, path: &AssetPath) -> Result<Name, String> {
        let name = Name::new(tenant.clone(), path.clone());
        let mut wanted = self.wanted(&name).await?;
        for _ in 0..ROUNDS {
            let there = self.store.resolve(&name).await.map_err(|failure| failure.to_string())?;
            if there != wanted {
                let done = match &wanted {
                    Some(hash) => self.store.link(&name, hash).await,
                    None => self.store.unlink(&name).await,
                };
                done.map_err(|failure| format!("{}: {failure}", name.path))?;
            }
            let now = self.wanted(&name).await?;
            if now == wanted {
                return Ok(name);
            }
            wanted = now;
        }
        Err(format!("{} keeps changing", name.path))
    }

    async fn wanted(&self, name: &Name) -> Result<Option<catalog::ContentHash>, String> {
        let holder = self.catalog.find(&name.tenant, &name.path).await.map_err(|error| error.to_string())?;
        Ok(holder.map(|asset| asset.content.hash))
    }
}
