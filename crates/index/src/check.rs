//! Whether the index says what the catalog says, record by record; and what to write where it does not.
//!
//! Both go on changing meanwhile: what differs is looked at again after a while, and only what still differs counts.
//! Memory: some 40 bytes for each document. Invariant: a check without repair writes nothing.

use crate::indexer::{Indexer, store_failed};
use crate::rebuild::engine_failed;
use catalog::{AssetId, Cursor, TenantId};
use finder::{Grant, Outcome, Reach, Tenants, Write};
use jobs::{Ended, Failure, Work};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

/// Records or documents of one page.
const PAGE: usize = 500;
/// Ids that an engine gives documents of at once.
const IDS: usize = 200;
/// How long events that are under way have before what differs is looked at again.
const SETTLE: Duration = Duration::from_secs(3);
/// Differences that a report names; all are counted.
const NAMED: usize = 100;

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Difference {
    /// The record is live, and cannot be found.
    Missing,
    /// It is found as it was at an earlier revision.
    Older,
    /// It is found, and the record is not live, or not there.
    Extra,
}

impl Difference {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Older => "older",
            Self::Extra => "extra",
        }
    }
}

/// One asset that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Whose.
    pub tenant: Option<String>,
    /// The asset.
    pub id: Uuid,
    /// What differs.
    pub difference: Difference,
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Records of the catalog.
    pub records: u64,
    /// Documents of the index.
    pub documents: u64,
    /// Live records that cannot be found.
    pub missing: u64,
    /// Those that are found as they were.
    pub older: u64,
    /// Documents without a live record.
    pub extra: u64,
    /// How many of these were put right.
    pub repaired: u64,
    /// The first hundred of them.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// Whether index and catalog say the same, by now.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.missing + self.older + self.extra == self.repaired
    }
}

/// Each finding on a line of its own, then the counts.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, documents, missing, older, extra, repaired, findings } = self;
        for finding in findings {
            let tenant = finding.tenant.as_deref().unwrap_or("?");
            writeln!(f, "{} {tenant} {}", finding.difference.as_str(), finding.id)?;
        }
        write!(
            f,
            "{records} records, {documents} documents: {missing} missing, {older} older, {extra} extra; {repaired} repaired"
        )
    }
}

/// What a check is asked for: the payload of its job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckRequest {
    /// Whether what differs is put right.
    #[serde(default)]
    pub repair: bool,
}

/// An asset that differed at the first look.
struct Suspect {
    tenant: Option<TenantId>,
    id: Uuid,
}

impl Indexer {
    /// The handler of `index-check` jobs.
    ///
    /// # Errors
    /// Catalog or engine did not answer, or it was told to stop.
    pub async fn check_job(&self, work: Work) -> jobs::Outcome {
        let request: CheckRequest = serde_json::from_value(work.job.payload.clone()).map_err(Failure::never)?;
        let checked = self
            .check(request.repair, SETTLE, |looked| {
                work.progress(json!({"records": looked}));
                work.stop().is_none()
            })
            .await?;
        let Some(checked) = checked else { return Err(Failure::stopped()) };
        let Checked { records, documents, missing, older, extra, repaired, .. } = checked;
        tracing::info!(records, documents, missing, older, extra, repaired, "index checked");
        Ok(Ended::Report(serde_json::to_value(checked).map_err(Failure::never)?))
    }

    /// Compares; `told` hears how many records were looked at and says whether to go on. `None`: it did not.
    ///
    /// # Errors
    /// Catalog or engine did not answer.
    pub async fn check(
        &self,
        repair: bool,
        settle: Duration,
        mut told: impl FnMut(u64) -> bool,
    ) -> Result<Option<Checked>, Failure> {
        let mut documents = self.documents().await?;
        let mut checked = Checked { documents: documents.len() as u64, ..Checked::default() };
        let mut suspects: Vec<Suspect> = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = self.catalog.scan(after.as_ref(), PAGE).await.map_err(|error| store_failed(&error))?;
            checked.records += page.items.len() as u64;
            for asset in &page.items {
                let found = documents.remove(asset.id.as_uuid());
                if found != asset.is_live().then_some(asset.revision.get()) {
                    suspects.push(Suspect { tenant: Some(asset.tenant.clone()), id: *asset.id.as_uuid() });
                }
            }
            if !told(checked.records) {
                return Ok(None);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        suspects.extend(documents.into_keys().map(|id| Suspect { tenant: None, id }));
        if !suspects.is_empty() {
            tokio::time::sleep(settle).await;
            self.name_tenants(&mut suspects).await?;
        }
        for suspects in suspects.chunks(IDS) {
            self.look_again(suspects, repair, &mut checked).await?;
            if !told(checked.records) {
                return Ok(None);
            }
        }
        for (name, count) in [("missing", checked.missing), ("older", checked.older), ("extra", checked.extra)] {
            self.metrics.differs(name, count);
        }
        Ok(Some(checked))
    }

    /// Ids and revisions of all documents.
    async fn documents(&self) -> Result<HashMap<Uuid, u64>, Failure> {
        let mut all = HashMap::new();
        let mut after = None;
        loop {
            let page = self.finder.scan(after, PAGE).await.map_err(|error| engine_failed(&error))?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(*last);
            all.extend(page);
        }
    }

    /// Asks the index whose documents those are that no record claims.
    async fn name_tenants(&self, suspects: &mut [Suspect]) -> Result<(), Failure> {
        let mut nameless: Vec<&mut Suspect> = suspects.iter_mut().filter(|one| one.tenant.is_none()).collect();
        for some in nameless.chunks_mut(IDS) {
            let ids: Vec<Uuid> = some.iter().map(|suspect| suspect.id).collect();
            let found = self.finder.get(&everything(), &ids).await.map_err(|error| engine_failed(&error))?;
            let named: HashMap<Uuid, String> = found.into_iter().map(|found| (found.id, found.tenant)).collect();
            for suspect in some.iter_mut() {
                suspect.tenant = named.get(&suspect.id).and_then(|tenant| tenant.parse().ok());
            }
        }
        Ok(())
    }

    /// What still differs, and puts it right where that is wanted.
    async fn look_again(&self, suspects: &[Suspect], repair: bool, checked: &mut Checked) -> Result<(), Failure> {
        let ids: Vec<Uuid> = suspects.iter().map(|suspect| suspect.id).collect();
        let found = self.finder.get(&everything(), &ids).await.map_err(|error| engine_failed(&error))?;
        let found: HashMap<Uuid, u64> = found.into_iter().map(|document| (document.id, document.revision)).collect();
        let mut writes = Vec::new();
        for suspect in suspects {
            let record = match &suspect.tenant {
                Some(tenant) => {
                    let id = suspect.id.to_string().parse::<AssetId>().map_err(Failure::never)?;
                    self.catalog.get(tenant, id).await.map_err(|error| store_failed(&error))?
                }
                None => None,
            };
            let live = record.as_ref().filter(|asset| asset.is_live()).map(|asset| asset.revision.get());
            let revision = found.get(&suspect.id).copied();
            let difference = match (live, revision) {
                (Some(_), None) => Difference::Missing,
                (Some(live), Some(found)) if found < live => Difference::Older,
                (None, Some(_)) => Difference::Extra,
                _ => continue,
            };
            checked.note(suspect, difference);
            match (&record, &suspect.tenant) {
                (Some(asset), _) => writes.push(self.write_of(asset)),
                // Its record is gone: whatever is found is to go, so the tombstone is above it.
                (None, Some(tenant)) => writes.push(Write::Remove {
                    tenant: tenant.to_string(),
                    id: suspect.id,
                    revision: revision.unwrap_or(0).saturating_add(1),
                }),
                (None, None) => {}
            }
        }
        if repair && !writes.is_empty() {
            let applied = self.finder.apply(writes).await.map_err(|error| engine_failed(&error))?;
            let refused = applied.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Refused(_))).count();
            checked.repaired += (applied.outcomes.len() - refused) as u64;
        }
        Ok(())
    }
}

/// All documents of all tenants: a check is no caller.
fn everything() -> Reach {
    let tenants = Tenants::AllBut(Vec::new());
    Reach::nothing().with(Grant { tenants, visibility: None, owner: None, below: None, beside: Vec::new() })
}

impl Checked {
    fn note(&mut self, suspect: &Suspect, difference: Difference) {
        match difference {
            Difference::Missing => self.missing += 1,
            Difference::Older => self.older += 1,
            Difference::Extra => self.extra += 1,
        }
        if self.findings.len() < NAMED {
            let tenant = suspect.tenant.as_ref().map(ToString::to_string);
            self.findings.push(Finding { tenant, id: suspect.id, difference });
        }
    }
}
