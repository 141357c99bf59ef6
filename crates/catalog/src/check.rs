//! Checks a catalog against itself: records against versions, versions against references, paths against their holders,
//! usage against what there is.
//!
//! Knows the catalog by its trait only, and neither object store nor index. Invariant: on a catalog at rest every
//! inconsistency is found, and only such; while others write, what is found must be looked at again.

use crate::error::StoreError;
use crate::listing::Listing;
use crate::name::{AssetId, AssetPath, ContentHash, TenantId, Version};
use crate::store::{Catalog, Row, Usage};
use std::collections::BTreeMap;
use std::fmt;

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inconsistency {
    /// A version of an asset that is not there.
    StrayVersion(TenantId, AssetId, Version),
    /// An asset whose current content is no version of it.
    NoVersion(TenantId, AssetId),
    /// An asset whose current version is of other content.
    OtherContent(TenantId, AssetId, Version),
    /// A path that is held by an asset that is not there, not live, or elsewhere.
    StrayPath(TenantId, AssetPath, AssetId),
    /// A live asset that does not hold its path.
    NoPath(TenantId, AssetId),
    /// A content with another number of references than there are versions with it.
    References {
        /// Whose.
        tenant: TenantId,
        /// Which.
        hash: ContentHash,
        /// What the catalog says.
        said: u64,
        /// What there is.
        found: u64,
    },
    /// A tenant with another usage than there is.
    Usage {
        /// Whose.
        tenant: TenantId,
        /// Of what: `assets`, `versions` or `bytes`.
        of: &'static str,
        /// What the catalog says.
        said: u64,
        /// What there is.
        found: u64,
    },
    /// A record whose revision is not that of its vector.
    Revision(TenantId, AssetId),
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StrayVersion(tenant, asset, version) => {
                write!(f, "{tenant}: version {version} of the asset {asset}, which is not there")
            }
            Self::NoVersion(tenant, asset) => write!(f, "{tenant}: the asset {asset} lacks its current version"),
            Self::OtherContent(tenant, asset, version) => {
                write!(f, "{tenant}: version {version} of the asset {asset} has other content than the asset")
            }
            Self::StrayPath(tenant, path, asset) => {
                write!(f, "{tenant}: the path {path} is held by {asset}, which is not live there")
            }
            Self::NoPath(tenant, asset) => write!(f, "{tenant}: the live asset {asset} does not hold its path"),
            Self::References { tenant, hash, said, found } => {
                write!(f, "{tenant}: the content {hash} is said to have {said} references, and has {found}")
            }
            Self::Usage { tenant, of, said, found } => {
                write!(f, "{tenant} is said to have {said} {of}, and has {found}")
            }
            Self::Revision(tenant, asset) => write!(f, "{tenant}: the revision of {asset} is not that of its stamp"),
        }
    }
}

/// What a record says of itself, in short.
struct Said {
    version: Version,
    hash: ContentHash,
    path: Option<AssetPath>,
    versioned: bool,
    holds: bool,
}

#[derive(Default)]
struct Gathered {
    assets: BTreeMap<(TenantId, AssetId), Said>,
    versions: Vec<(TenantId, AssetId, Version, ContentHash, u64)>,
    paths: Vec<(TenantId, AssetPath, AssetId)>,
    references: BTreeMap<(TenantId, ContentHash), u64>,
    usage: BTreeMap<TenantId, Usage>,
    found: Vec<Inconsistency>,
}

/// Reads the whole catalog (some hundred bytes of memory for each asset), and tells everything that is wrong, in order.
///
/// # Errors
/// The store did not answer, or holds what cannot be read.
pub async fn check(catalog: &dyn Catalog) -> Result<Vec<Inconsistency>, StoreError> {
    let mut gathered = Gathered::default();
    let mut after = None;
    loop {
        let page = catalog.survey(after.as_ref(), Listing::MOST).await?;
        page.items.into_iter().for_each(|row| gathered.add(row));
        after = page.next;
        if after.is_none() {
            return Ok(gathered.judge());
        }
    }
}

impl Gathered {
    fn add(&mut self, row: Row) {
        match row {
            Row::Asset(asset) => {
                if asset.revision != asset.stamp.vector.revision() {
                    self.found.push(Inconsistency::Revision(asset.tenant.clone(), asset.id));
                }
                let path = asset.is_live().then_some(asset.path);
                let (version, hash) = (asset.version, asset.content.hash);
                let said = Said { version, hash, path, versioned: false, holds: false };
                self.assets.insert((asset.tenant, asset.id), said);
            }
            Row::Version { tenant, asset, version, hash, bytes } => {
                self.versions.push((tenant, asset, version, hash, bytes));
            }
            Row::Path { tenant, path, asset } => self.paths.push((tenant, path, asset)),
            Row::Content { tenant, hash, references } => {
                self.references.insert((tenant, hash), references);
            }
            Row::Usage { tenant, usage } => {
                self.usage.insert(tenant, usage);
            }
        }
    }

    fn judge(mut self) -> Vec<Inconsistency> {
        let mut found = std::mem::take(&mut self.found);
        let (mut references, mut usage) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, Usage>::new());
        for (tenant, asset, version, hash, bytes) in self.versions {
            *references.entry((tenant.clone(), hash)).or_default() += 1;
            let used = usage.entry(tenant.clone()).or_default();
            used.versions += 1;
            used.bytes = used.bytes.saturating_add(bytes);
            match self.assets.get_mut(&(tenant.clone(), asset)) {
                None => found.push(Inconsistency::StrayVersion(tenant, asset, version)),
                Some(said) if said.version == version => {
                    said.versioned = true;
                    if said.hash != hash {
                        found.push(Inconsistency::OtherContent(tenant, asset, version));
                    }
                }
                Some(_) => {}
            }
        }
        for (tenant, path, asset) in self.paths {
            match self.assets.get_mut(&(tenant.clone(), asset)) {
                Some(said) if said.path.as_ref() == Some(&path) => said.holds = true,
                _ => found.push(Inconsistency::StrayPath(tenant, path, asset)),
            }
        }
        for ((tenant, asset), said) in self.assets {
            usage.entry(tenant.clone()).or_default().assets += 1;
            if !said.versioned {
                found.push(Inconsistency::NoVersion(tenant.clone(), asset));
            }
            if said.path.is_some() && !said.holds {
                found.push(Inconsistency::NoPath(tenant, asset));
            }
        }
        references_differ(&self.references, &references, &mut found);
        usages_differ(&self.usage, &usage, &mut found);
        found.sort();
        found
    }
}

type References = BTreeMap<(TenantId, ContentHash), u64>;

fn references_differ(said: &References, found: &References, into: &mut Vec<Inconsistency>) {
    for key in said.keys().chain(found.keys().filter(|key| !said.contains_key(key))) {
        let count = |map: &References| map.get(key).copied().unwrap_or_default();
        let (said, found) = (count(said), count(found));
        if said != found {
            let (tenant, hash) = key.clone();
            into.push(Inconsistency::References { tenant, hash, said, found });
        }
    }
}

fn usages_differ(said: &BTreeMap<TenantId, Usage>, found: &BTreeMap<TenantId, Usage>, into: &mut Vec<Inconsistency>) {
    for tenant in said.keys().chain(found.keys().filter(|tenant| !said.contains_key(*tenant))) {
        let usage = |map: &BTreeMap<TenantId, Usage>| map.get(tenant).copied().unwrap_or_default();
        let (said, found) = (usage(said), usage(found));
        let numbers = |usage: Usage| [("assets", usage.assets), ("versions", usage.versions), ("bytes", usage.bytes)];
        for ((of, said), (_, found)) in numbers(said).into_iter().zip(numbers(found)) {
            if said != found {
                into.push(Inconsistency::Usage { tenant: tenant.clone(), of, said, found });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_does_not_add_up_is_told() {
        let tenant: TenantId = "main".parse().unwrap();
        let at = jiff::Timestamp::UNIX_EPOCH;
        let (id, stray) = (AssetId::new(at), AssetId::new(at));
        let path: AssetPath = "a.png".parse().unwrap();
        let content = crate::Content {
            hash: ContentHash::of(b"x"),
            bytes: 10,
            media_type: "image/png".parse().unwrap(),
            width: 1,
            height: 1,
            frames: 1,
        };
        let hash = content.hash;
        let mut asset = crate::Asset::new(tenant.clone(), path.clone(), content, at);
        asset.id = id;
        let version =
            |asset, hash| Row::Version { tenant: tenant.clone(), asset, version: Version::FIRST, hash, bytes: 10 };
        let holds = |asset| Row::Path { tenant: tenant.clone(), path: path.clone(), asset };
        let refers = |references| Row::Content { tenant: tenant.clone(), hash, references };
        let has = |usage| Row::Usage { tenant: tenant.clone(), usage };
        let judged = |rows: Vec<Row>| {
            let mut gathered = Gathered::default();
            rows.into_iter().for_each(|row| gathered.add(row));
            gathered.judge()
        };
        let record = Row::Asset(Box::new(asset.clone()));
        let usage = Usage { assets: 1, versions: 1, bytes: 10 };
        let sound = vec![record.clone(), version(id, hash), holds(id), refers(1), has(usage)];
        assert_eq!(judged(sound), []);
        let bad = judged(vec![record.clone(), version(stray, hash), holds(stray), refers(2), has(Usage::default())]);
        assert_eq!(bad.len(), 8, "{bad:#?}");
        let other = judged(vec![record, version(id, ContentHash::of(b"y")), holds(id), has(usage)]);
        assert!(matches!(other[..], [Inconsistency::OtherContent(..), Inconsistency::References { .. }]), "{other:#?}");
        asset.revision = asset.revision.next();
        let told = judged(vec![Row::Asset(Box::new(asset))]);
        assert!(told.iter().any(|told| matches!(told, Inconsistency::Revision(..))));
    }
}
