//! Whether another store, and another catalog, have what these have: contents, then names, then records, page by page.
//!
//! Reads both sides while they go on changing: what differs is looked at again after a while, and only what still differs
//! counts. Owns where a check stands, which it says as its progress, so that another attempt goes on there. Invariants: a check
//! without repair writes nothing; a repair copies what is missing there, and removes nothing, but a broken copy
//! that a whole one takes the place of.

mod compare;
pub mod config;
mod copy;

pub use config::{Replica, ReplicaConfig};

use crate::desk::Desk;
use jobs::{Ended, Failure, JobKind, NewJob, Priority, Work};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use utoipa::ToSchema;

/// How long what is under way has before a difference counts.
const SETTLE: Duration = Duration::from_secs(3);
/// Differences that a report names; all are counted.
const NAMED: usize = 50;

/// What is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Originals.
    #[default]
    Contents,
    /// Published names.
    Names,
    /// What the other side has and this one has not.
    Others,
    /// Records, where there is a second catalog.
    Records,
    /// It is done.
    Nothing,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Difference {
    /// It is not there.
    Missing,
    /// It is there, and is another: of another length, leading elsewhere, at another revision.
    Different,
    /// It is there and not here.
    Extra,
    /// It is here, and its bytes are no longer those of its name: nothing that should be copied.
    Damaged,
}

impl Difference {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
            Self::Extra => "extra",
            Self::Damaged => "damaged",
        }
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is.
    pub what: What,
    /// `tenant/hash`, `tenant/path`, or `tenant/id`.
    pub name: String,
    /// How it differs.
    pub difference: Difference,
}

/// Where a check stands; at its end what it came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// What is being compared.
    pub at: What,
    /// The last one that was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Contents of this store that were looked for.
    pub contents: u64,
    /// Names, likewise.
    pub names: u64,
    /// Records, likewise.
    pub records: u64,
    /// What was not there.
    pub missing: u64,
    /// What was another.
    pub different: u64,
    /// What is only there.
    pub extra: u64,
    /// What cannot be copied since it is damaged here.
    pub damaged: u64,
    /// What was copied or linked.
    pub repaired: u64,
    /// The first fifty of what differs.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// Whether the other side has all of it, by now. What it has beside that does not matter.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.missing + self.different + self.damaged == self.repaired
    }

    fn note(&mut self, what: What, name: String, difference: Difference) {
        match difference {
            Difference::Missing => self.missing += 1,
            Difference::Different => self.different += 1,
            Difference::Extra => self.extra += 1,
            Difference::Damaged => self.damaged += 1,
        }
        if self.findings.len() < NAMED {
            self.findings.push(Finding { what, name, difference });
        }
    }
}

/// What a check is asked for: the payload of its job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckRequest {
    /// Whether what is missing there is copied.
    #[serde(default)]
    pub repair: bool,
}

/// The job of a check: one at a time.
#[must_use]
pub fn job(request: CheckRequest) -> NewJob {
    let payload = json!({ "repair": request.repair });
    NewJob::new(JobKind::REPLICATION_CHECK, payload).priority(Priority::Background).key("replication-check")
}

/// A check of a desk's parts against another side's.
#[derive(Clone, Debug)]
pub struct Check {
    desk: Desk,
    replica: Replica,
    repair: bool,
    settle: Duration,
}

/// The handler.
pub(super) async fn check(desk: Desk, replica: Replica, work: Work) -> Result<Ended, Failure> {
    let request: CheckRequest = serde_json::from_value(work.job.payload.clone()).map_err(Failure::never)?;
    let before = work.job.progress.clone().and_then(|said| serde_json::from_value(said).ok());
    let mut checked: Checked = before.unwrap_or_default();
    let metrics = desk.metrics.clone();
    let check = Check::new(desk, replica, request.repair, SETTLE);
    check.sweep().await?;
    while checked.at != What::Nothing {
        checked = check.step(checked).await?;
        work.progress(serde_json::to_value(&checked).map_err(Failure::never)?);
        if work.stop().is_some() {
            return Err(Failure::stopped());
        }
    }
    metrics.compared(&checked);
    let Checked { contents, names, records, missing, different, extra, damaged, repaired, .. } = checked;
    tracing::info!(contents, names, records, missing, different, extra, damaged, repaired, "replica checked");
    Ok(Ended::Report(serde_json::to_value(&checked).map_err(Failure::never)?))
}

impl Check {
    /// Of these; `settle` is how long what is under way has.
    #[must_use]
    pub const fn new(desk: Desk, replica: Replica, repair: bool, settle: Duration) -> Self {
        Self { desk, replica, repair, settle }
    }

    /// From the beginning to the end, for commands and tests.
    ///
    /// # Errors
    /// One side does not answer.
    pub async fn all(&self) -> Result<Checked, Failure> {
        self.sweep().await?;
        let mut checked = Checked::default();
        while checked.at != What::Nothing {
            checked = self.step(checked).await?;
        }
        Ok(checked)
    }
}

#[cfg(test)]
mod tests;
