//! Names as empty objects: their metadata say which content they point to.
//!
//! Invariant: what is written there is the place of a content of the name's own tenant, without the bucket's prefix; so it
//! cannot lead out of it.

use super::{CONTENT, Parts, S3Store};
use crate::{ContentKey, Failure, Later, Name, Names};
use bytes::Bytes;
use catalog::ContentHash;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Bytes of a key, by S3's rules.
const LONGEST: usize = 1024;
/// Names that are looked at together.
const AT_ONCE: usize = 16;

impl Names for S3Store {
    fn fits<'a>(&'a self, name: &'a Name) -> Later<'a, ()> {
        let length = self.key(&name.place()).len();
        Box::pin(async move {
            if length <= LONGEST {
                return Ok(());
            }
            Err(Failure::Name(format!("its key would have {length} bytes, {LONGEST} are allowed")))
        })
    }

    fn link<'a>(&'a self, name: &'a Name, hash: &'a ContentHash) -> Later<'a, ()> {
        let (place, content) = (name.place(), ContentKey::new(name.tenant.clone(), *hash).place());
        self.run(|parts| async move {
            if parts.head(&content).await?.is_none() {
                return Err(Failure::Absent);
            }
            parts.put(&place, Bytes::new(), Some((CONTENT, &content))).await
        })
    }

    fn unlink<'a>(&'a self, name: &'a Name) -> Later<'a, ()> {
        let place = name.place();
        self.run(|parts| async move { parts.delete(&place).await })
    }

    fn resolve<'a>(&'a self, name: &'a Name) -> Later<'a, Option<ContentHash>> {
        let name = name.clone();
        self.run(|parts| async move { parts.target(&name).await })
    }

    fn names<'a>(&'a self, after: Option<&'a Name>, limit: usize) -> Later<'a, Vec<(Name, Option<ContentHash>)>> {
        let after = after.map(Name::place);
        self.run(move |parts| async move {
            let objects = parts.list("names/", after.as_deref(), limit).await?;
            let names: Vec<Name> = objects.iter().filter_map(|(place, _)| Name::at(place)).collect();
            let mut told = Vec::with_capacity(names.len());
            for some in names.chunks(AT_ONCE) {
                told.extend(targets(&parts, some).await?);
            }
            Ok(told)
        })
    }
}

async fn targets(parts: &Arc<Parts>, names: &[Name]) -> Result<Vec<(Name, Option<ContentHash>)>, Failure> {
    let mut asked = JoinSet::new();
    for (at, name) in names.iter().cloned().enumerate() {
        let parts = Arc::clone(parts);
        asked.spawn(async move { parts.target(&name).await.map(|hash| (at, name, hash)) });
    }
    let mut told = Vec::with_capacity(names.len());
    while let Some(one) = asked.join_next().await {
        told.push(one.map_err(|error| Failure::Store(error.to_string()))??);
    }
    told.sort_by_key(|(at, ..)| *at);
    Ok(told.into_iter().map(|(_, name, hash)| (name, hash)).collect())
}

impl Parts {
    async fn target(&self, name: &Name) -> Result<Option<ContentHash>, Failure> {
        let Some(head) = self.head(&name.place()).await? else { return Ok(None) };
        let place = head.metadata.as_ref().and_then(|metadata| metadata.get(CONTENT));
        let content = place.and_then(|place| ContentKey::at(place)).filter(|content| content.tenant == name.tenant);
        Ok(content.map(|content| content.hash))
    }
}
