//! A job as the body of a message, and a dead one.
//!
//! Others may send such messages too (EventBridge Scheduler, scripts): kind and payload are enough. Invariant: unknown
//! fields are refused, so that a message of a later release is not done by half.

use crate::job::{JobId, JobKind, NewJob, Priority};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// The body of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Envelope {
    #[serde(default)]
    pub(super) id: JobId,
    pub(super) kind: JobKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<String>,
    #[serde(default)]
    pub(super) payload: Value,
    #[serde(default)]
    pub(super) priority: Priority,
    #[serde(default = "Timestamp::now")]
    pub(super) created: Timestamp,
    #[serde(default = "Timestamp::now")]
    pub(super) not_before: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<String>,
    /// Attempts that were made with earlier messages of the same job.
    #[serde(default)]
    pub(super) begun: u32,
}

/// The body of a message in a queue of dead jobs that we put there; those that SQS moved itself are envelopes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Dead {
    /// The message as it was.
    pub(super) body: String,
    pub(super) reason: String,
    pub(super) ended: Timestamp,
    pub(super) attempts: u32,
}

impl Envelope {
    pub(super) fn of(job: NewJob, now: Timestamp) -> Self {
        let NewJob { id, kind, tenant, payload, priority, delay, key: _, trace } = job;
        let not_before = now.checked_add(jiff::SignedDuration::try_from(delay).unwrap_or_default()).unwrap_or(now);
        Self { id, kind, tenant, payload, priority, created: now, not_before, trace, begun: 0 }
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    pub(super) fn read(body: &str) -> Result<Self, String> {
        serde_json::from_str(body).map_err(|error| error.to_string())
    }

    /// How long it has to wait yet.
    pub(super) fn remaining(&self, now: Timestamp) -> Duration {
        Duration::try_from(self.not_before.duration_since(now)).unwrap_or_default()
    }
}
