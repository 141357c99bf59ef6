//! Uploads that take several requests, as they are kept with what is staged: where they go, how long they are, what became of
//! them.
//!
//! Invariants: a note says all there is to know, so that any instance can go on after any end of another one; only who began an
//! upload may go on with it.

use crate::Trouble;
use crate::admission::Admitted;
use crate::desk::Desk;
use crate::intake::Intake;
use bytes::Bytes;
use catalog::{AssetId, Revision};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Failure, StageId};
use utoipa::ToSchema;

/// What is kept of an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Session {
    /// Of this form.
    pub(crate) schema: u8,
    /// What is known beside the bytes.
    pub(crate) intake: Intake,
    /// Bytes of the whole.
    pub(crate) length: u64,
    /// A part of a later concatenation, which is not published by itself.
    pub(crate) partial: bool,
    /// Put together from these.
    pub(crate) parts: Vec<String>,
    /// `Upload-Metadata` as it was sent.
    pub(crate) metadata: Option<String>,
    /// Until when it is kept.
    pub(crate) expires: Timestamp,
    /// What became of it.
    pub(crate) outcome: Option<Outcome>,
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum Outcome {
    /// It is a picture now.
    Published {
        /// Which.
        asset: AssetId,
        /// At which revision.
        revision: Revision,
    },
    /// It is kept, and shown to nobody, until somebody has looked into it.
    Quarantined {
        /// Which.
        asset: AssetId,
        /// Why.
        reason: String,
    },
    /// It is none that is taken.
    Refused {
        /// As in problem documents.
        code: String,
        /// In words.
        detail: String,
    },
}

impl Outcome {
    pub(crate) fn of(admitted: &Admitted) -> Self {
        let asset = &admitted.asset;
        match &asset.state {
            catalog::State::Quarantined { reason } => Self::Quarantined { asset: asset.id, reason: reason.clone() },
            _ => Self::Published { asset: asset.id, revision: asset.revision },
        }
    }
}

impl Session {
    pub(crate) fn new(intake: Intake, length: u64, expires: Timestamp) -> Self {
        Self { schema: 1, intake, length, partial: false, parts: Vec::new(), metadata: None, expires, outcome: None }
    }
}

impl Desk {
    /// Writes what is known of an upload.
    pub(crate) async fn remember(&self, stage: &StageId, session: &Session) -> Result<(), Failure> {
        let text = serde_json::to_vec(session).map_err(|error| Failure::Store(error.to_string()))?;
        self.store.note(stage, Bytes::from(text)).await
    }

    /// What is known of an upload; `None` where there is none, or it has expired.
    pub(crate) async fn recall(&self, stage: &StageId, now: Timestamp) -> Result<Option<Session>, Failure> {
        let note = match self.store.noted(stage).await? {
            None => self.store.noted(&ended(stage)).await?,
            note => note,
        };
        let Some(note) = note else { return Ok(None) };
        let session: Session = serde_json::from_slice(&note).map_err(|error| Failure::Store(error.to_string()))?;
        Ok(Some(session).filter(|session| session.expires > now))
    }

    /// Takes an upload whose last byte has come, and remembers what became of it. May be asked again after any failure.
    pub(crate) async fn complete(&self, stage: &StageId, session: &Session) -> Result<Admitted, Trouble> {
        let result = self.admit(stage, &session.intake).await;
        let outcome = match &result {
            Ok(admitted) => Outcome::of(admitted),
            Err(trouble) if trouble.passes() => return result,
            Err(trouble) => {
                let code = crate::api::refusal::code_of(trouble).name().to_owned();
                Outcome::Refused { code, detail: trouble.to_string() }
            }
        };
        // What became of it is for those who ask, under a name that is not counted among uploads under way.
        let told = Session { outcome: Some(outcome), ..session.clone() };
        let remembered = match self.remember(&ended(stage), &told).await {
            Ok(()) => self.store.discard(stage).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = remembered {
            tracing::warn!(%stage, %failure, "what became of an upload cannot be asked for later");
        }
        result
    }

    /// Takes all away that is known of an upload.
    pub(crate) async fn forget(&self, stage: &StageId) -> Result<(), Failure> {
        self.store.discard(&ended(stage)).await?;
        self.store.discard(stage).await
    }
}

/// Where it is noted what became of an upload.
fn ended(stage: &StageId) -> StageId {
    let name: String = format!("ended-{stage}").chars().take(64).collect();
    name.parse().expect("letters and hyphens before a stage's name")
}

/// Uploads that somebody writes to at this moment, in this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locks(Arc<Mutex<HashSet<StageId>>>);

/// The right to write to an upload.
#[derive(Debug)]
pub(crate) struct Locked {
    locks: Locks,
    stage: StageId,
}

impl Locks {
    /// `None` where somebody else has it.
    pub(crate) fn take(&self, stage: &StageId) -> Option<Locked> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(stage.clone()).then(|| Locked { locks: self.clone(), stage: stage.clone() })
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.locks.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.stage);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writes_at_a_time() {
        let (locks, one, two) = (Locks::default(), "a".parse().unwrap(), "b".parse().unwrap());
        let held = locks.take(&one);
        assert!(held.is_some() && locks.take(&one).is_none() && locks.take(&two).is_some());
        drop(held);
        assert!(locks.take(&one).is_some());
    }
}
