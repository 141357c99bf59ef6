//! Holds store and catalog against each other: nothing lost, nothing left over, nothing dangling.
//!
//! For tests that kill processes, and for operators after a restore. Reads only. Best asked while nothing is uploaded: what is
//! under way shows as a finding. Invariant: memory is bounded by the names of what there is, not by its bytes.

use catalog::{Asset, Catalog, ContentHash, Filter, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use store::{ContentKey, Name, Store};

/// Rows or names at once.
const PAGE: usize = 500;

/// What does not agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Contents that versions refer to and that are not there.
    pub lost: Vec<ContentKey>,
    /// Contents that are there in another length than the catalog says.
    pub damaged: Vec<ContentKey>,
    /// Contents that are there and that the catalog does not know.
    pub stray: Vec<ContentKey>,
    /// Names that no live asset has, or that lead to something else than its content.
    pub dangling: Vec<Name>,
    /// Live assets whose name is not there.
    pub unpublished: Vec<Name>,
    /// How many live assets, names and contents were looked at.
    pub seen: (usize, usize, usize),
}

impl Findings {
    /// Whether all agrees.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.lost.is_empty()
            && self.damaged.is_empty()
            && self.stray.is_empty()
            && self.dangling.is_empty()
            && self.unpublished.is_empty()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (assets, names, contents) = self.seen;
        write!(f, "{assets} live assets, {names} names, {contents} contents")?;
        let keys = |keys: &[ContentKey]| keys.iter().map(|key| format!("{}/{}", key.tenant, key.hash)).collect();
        let names = |names: &[Name]| names.iter().map(|name| format!("{}/{}", name.tenant, name.path)).collect();
        let parts: [(&str, Vec<String>); 5] = [
            ("lost", keys(&self.lost)),
            ("damaged", keys(&self.damaged)),
            ("stray", keys(&self.stray)),
            ("dangling", names(&self.dangling)),
            ("unpublished", names(&self.unpublished)),
        ];
        for (what, all) in parts.iter().filter(|(_, all)| !all.is_empty()) {
            write!(f, "; {what}: {}", all.join(", "))?;
        }
        Ok(())
    }
}

/// Looks at everything.
///
/// # Errors
/// One of them does not answer.
pub async fn check(catalog: &dyn Catalog, store: &dyn Store) -> Result<Findings, String> {
    let mut findings = Findings::default();
    let known = known(catalog).await?;
    let there = contents(store).await?;
    for (key, bytes) in &known.referenced {
        match store.look(key).await.map_err(|failure| failure.to_string())? {
            None => findings.lost.push(key.clone()),
            Some(length) if length != *bytes => findings.damaged.push(key.clone()),
            Some(_) => {}
        }
    }
    findings.stray = there.iter().filter(|key| !known.contents.contains(*key)).cloned().collect();
    let mut names = 0;
    let mut after: Option<Name> = None;
    let mut missing = known.live.clone();
    loop {
        let page = store.names(after.as_ref(), PAGE).await.map_err(|failure| failure.to_string())?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        for (name, hash) in page {
            names += 1;
            if missing.remove(&name) != hash || hash.is_none() {
                findings.dangling.push(name);
            }
        }
    }
    findings.unpublished = missing.into_keys().collect();
    findings.seen = (known.live.len(), names, there.len());
    Ok(findings)
}

/// What the catalog says.
#[derive(Debug, Default)]
struct Known {
    /// By version rows, with their lengths.
    referenced: BTreeMap<ContentKey, u64>,
    /// All of which it knows something.
    contents: BTreeSet<ContentKey>,
    /// Names that are published, and the contents behind them.
    live: BTreeMap<Name, ContentHash>,
}

async fn known(catalog: &dyn Catalog) -> Result<Known, String> {
    let mut known = Known::default();
    let mut after = None;
    loop {
        let page = catalog.survey(after.as_ref(), PAGE).await.map_err(|error| error.to_string())?;
        for row in page.items {
            known.take(row);
        }
        after = page.next;
        if after.is_none() {
            return Ok(known);
        }
    }
}

impl Known {
    fn take(&mut self, row: Row) {
        match row {
            Row::Asset(asset) if Filter::default().takes(&asset) => {
                let Asset { tenant, path, content, .. } = *asset;
                self.live.insert(Name::new(tenant, path), content.hash);
            }
            Row::Version { tenant, hash, bytes, .. } => {
                self.contents.insert(ContentKey::new(tenant.clone(), hash));
                self.referenced.insert(ContentKey::new(tenant, hash), bytes);
            }
            Row::Content { tenant, hash, .. } => {
                self.contents.insert(ContentKey::new(tenant, hash));
            }
            Row::Asset(_) | Row::Path { .. } | Row::Usage { .. } => {}
        }
    }
}

async fn contents(store: &dyn Store) -> Result<BTreeSet<ContentKey>, String> {
    let mut all = BTreeSet::new();
    let mut after: Option<ContentKey> = None;
    loop {
        let page = store.contents(after.as_ref(), PAGE).await.map_err(|failure| failure.to_string())?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.clone());
        all.extend(page);
    }
}
