//! One page at a time: what is here, and whether it is there.
//!
//! Invariant: where a page differs both sides are asked again, after what was under way has had its time.

use super::copy::Copied;
use super::{Check, Checked, Difference, What};
use crate::Trouble;
use catalog::{Asset, Cursor};
use jobs::Failure;
use store::{ContentKey, Name};

/// Contents, names or records of one page.
const PAGE: usize = 500;

/// Where a page ended.
type Page = Option<String>;

fn later(trouble: impl Into<Trouble>) -> Failure {
    Failure::later(trouble.into())
}

impl Check {
    /// Compares one page more.
    ///
    /// # Errors
    /// One side does not answer; or what was said of the check before is no place.
    pub async fn step(&self, mut checked: Checked) -> Result<Checked, Failure> {
        let after = match checked.at {
            What::Contents => self.contents(&mut checked).await?,
            What::Names => self.names(&mut checked).await?,
            What::Others => self.others(&mut checked).await?,
            What::Records => self.records(&mut checked).await?,
            What::Nothing => None,
        };
        if after.is_none() {
            checked.at = match checked.at {
                What::Contents => What::Names,
                What::Names => What::Others,
                What::Others if self.replica.catalog.is_some() => What::Records,
                What::Others | What::Records | What::Nothing => What::Nothing,
            };
        }
        checked.after = after;
        Ok(checked)
    }

    async fn contents(&self, checked: &mut Checked) -> Result<Page, Failure> {
        let after = checked.after.as_deref().map(content).transpose()?;
        let page = self.desk.store.contents(after.as_ref(), PAGE).await.map_err(later)?;
        checked.contents += page.len() as u64;
        let mut differing = Vec::new();
        for key in &page {
            if self.content_differs(key).await?.is_some() {
                differing.push(key);
            }
        }
        self.wait_for(differing.len()).await;
        for key in differing {
            let Some(difference) = self.content_differs(key).await? else { continue };
            let copied = if self.repair { self.copy(key).await.map_err(later)? } else { Copied::No };
            let difference = if copied == Copied::Damaged { Difference::Damaged } else { difference };
            if copied != Copied::Gone {
                checked.note(What::Contents, text(key), difference);
                checked.repaired += u64::from(copied == Copied::Yes);
            }
        }
        Ok(page.last().map(text))
    }

    async fn content_differs(&self, key: &ContentKey) -> Result<Option<Difference>, Failure> {
        let there = self.replica.store.look(key).await.map_err(later)?;
        let here = self.desk.store.look(key).await.map_err(later)?;
        Ok(match (here, there) {
            (Some(_), None) => Some(Difference::Missing),
            (Some(here), Some(there)) if here != there => Some(Difference::Different),
            _ => None,
        })
    }

    async fn names(&self, checked: &mut Checked) -> Result<Page, Failure> {
        let after = checked.after.as_deref().map(name).transpose()?;
        let page = self.desk.store.names(after.as_ref(), PAGE).await.map_err(later)?;
        checked.names += page.len() as u64;
        let mut differing = Vec::new();
        for (name, _) in &page {
            if self.name_differs(name).await?.is_some() {
                differing.push(name);
            }
        }
        self.wait_for(differing.len()).await;
        for name in differing {
            let Some(difference) = self.name_differs(name).await? else { continue };
            // With a catalog of its own the other side publishes by itself.
            let wanted = self.repair && self.replica.catalog.is_none();
            let repaired = wanted && self.link(name).await.map_err(later)?;
            checked.note(What::Names, path(name), difference);
            checked.repaired += u64::from(repaired);
        }
        Ok(page.last().map(|(name, _)| path(name)))
    }

    async fn name_differs(&self, name: &Name) -> Result<Option<Difference>, Failure> {
        let there = self.replica.store.resolve(name).await.map_err(later)?;
        let here = self.desk.store.resolve(name).await.map_err(later)?;
        Ok(match (here, there) {
            (Some(_), None) => Some(Difference::Missing),
            (Some(here), Some(there)) if here != there => Some(Difference::Different),
            _ => None,
        })
    }

    /// Names that only the other side has: shown there, and nowhere here.
    async fn others(&self, checked: &mut Checked) -> Result<Page, Failure> {
        let after = checked.after.as_deref().map(name).transpose()?;
        let page = self.replica.store.names(after.as_ref(), PAGE).await.map_err(later)?;
        let mut differing = Vec::new();
        for (name, _) in &page {
            if self.desk.store.resolve(name).await.map_err(later)?.is_none() {
                differing.push(name);
            }
        }
        self.wait_for(differing.len()).await;
        for name in differing {
            let here = self.desk.store.resolve(name).await.map_err(later)?;
            let there = self.replica.store.resolve(name).await.map_err(later)?;
            if here.is_none() && there.is_some() {
                checked.note(What::Names, path(name), Difference::Extra);
            }
        }
        Ok(page.last().map(|(name, _)| path(name)))
    }

    async fn records(&self, checked: &mut Checked) -> Result<Page, Failure> {
        let after: Option<Cursor> =
            checked.after.as_deref().map(|text| text.parse().map_err(Failure::never)).transpose()?;
        let page = self.desk.catalog.scan(after.as_ref(), PAGE).await.map_err(later)?;
        checked.records += page.items.len() as u64;
        let mut differing = Vec::new();
        for asset in &page.items {
            if self.record_differs(asset).await?.is_some() {
                differing.push(asset);
            }
        }
        self.wait_for(differing.len()).await;
        for asset in differing {
            let now = self.desk.catalog.get(&asset.tenant, asset.id).await.map_err(later)?;
            let Some(now) = now else { continue };
            if let Some(difference) = self.record_differs(&now).await? {
                checked.note(What::Records, format!("{}/{}", now.tenant, now.id), difference);
            }
        }
        Ok(page.next.map(|next| next.to_string()))
    }

    async fn record_differs(&self, asset: &Asset) -> Result<Option<Difference>, Failure> {
        let Some(catalog) = &self.replica.catalog else { return Ok(None) };
        let there = catalog.get(&asset.tenant, asset.id).await.map_err(later)?;
        Ok(match there {
            None => Some(Difference::Missing),
            Some(there) if there.stamp.vector != asset.stamp.vector || there.content != asset.content => {
                Some(Difference::Different)
            }
            Some(_) => None,
        })
    }

    async fn wait_for(&self, differing: usize) {
        if differing > 0 {
            tokio::time::sleep(self.settle).await;
        }
    }
}

fn text(key: &ContentKey) -> String {
    format!("{}/{}", key.tenant, key.hash)
}

fn path(name: &Name) -> String {
    format!("{}/{}", name.tenant, name.path)
}

const NO_PLACE: &str = "what was said of the check before is no place to go on from";

fn content(text: &str) -> Result<ContentKey, Failure> {
    let key =
        text.split_once('/').and_then(|(tenant, hash)| Some(ContentKey::new(tenant.parse().ok()?, hash.parse().ok()?)));
    key.ok_or_else(|| Failure::never(NO_PLACE))
}

fn name(text: &str) -> Result<Name, Failure> {
    let name =
        text.split_once('/').and_then(|(tenant, path)| Some(Name::new(tenant.parse().ok()?, path.parse().ok()?)));
    name.ok_or_else(|| Failure::never(NO_PLACE))
}
