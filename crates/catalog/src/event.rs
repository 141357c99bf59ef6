//! What happened to an asset, as the outbox and the queue carry it.
//!
//! An event says that there is something new to see, and where; who consumes it reads the record, which may be newer still.
//! Invariant: events of one asset have growing revisions and are handed out in that order, each at least once.

use crate::name::{AssetId, AssetPath, EventId, Revision, Subject, TenantId, TraceParent, Version};
use crate::schema::Schema;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One change of one asset. Its readers leave aside fields that they do not know: see [`crate::schema`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The version of this format.
    pub schema: Schema,
    /// Which event: what is handed out twice has the same.
    pub id: EventId,
    /// Grows along the events of one asset; between assets it says roughly which came first. Given by the store.
    pub seq: u64,
    /// Whose.
    pub tenant: TenantId,
    /// Which asset.
    pub asset: AssetId,
    /// Its path after the change.
    pub path: AssetPath,
    /// Its path before, where it held another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<AssetPath>,
    /// The record's revision after the change.
    pub revision: Revision,
    /// The content's version after the change.
    pub version: Version,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Subject,
    /// The request's place in a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum EventKind {
    /// It came to be, live or in quarantine.
    Created,
    /// It has other content.
    Replaced,
    /// What is said of it is other: title, tags, facts, owner, visibility.
    Changed,
    /// It has another path.
    Moved,
    /// It is gone for all, but can be brought back.
    Deleted,
    /// It is live again, after deletion or quarantine; perhaps at another path.
    Restored,
    /// Its record and all its versions are gone.
    Erased,
    /// It was live, and is in quarantine now.
    Quarantined,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Replaced,
        Self::Changed,
        Self::Moved,
        Self::Deleted,
        Self::Restored,
        Self::Erased,
        Self::Quarantined,
    ];

    /// Its name in JSON, logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced => "replaced",
            Self::Changed => "changed",
            Self::Moved => "moved",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Erased => "erased",
            Self::Quarantined => "quarantined",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn wire() -> Value {
        json!({
            "schema": 1, "id": "019384a1-7c00-7abc-8def-0123456789ab", "seq": 4, "tenant": "main",
            "asset": "019384a1-7c00-7abc-8def-0123456789aa", "path": "a.jpg", "revision": 2, "version": 1,
            "kind": "changed", "at": "2026-11-22T09:00:00Z", "actor": "user:ann"
        })
    }

    #[test]
    fn the_wire_form_is_pinned() {
        let event: Event = serde_json::from_value(wire()).unwrap();
        assert_eq!(event.kind, EventKind::Changed);
        assert_eq!(serde_json::to_value(&event).unwrap(), wire());
    }

    #[test]
    fn a_newer_field_is_left_aside_and_a_newer_schema_refused() {
        let mut newer = wire();
        newer["addedLater"] = json!({"x": 1});
        assert!(serde_json::from_value::<Event>(newer).is_ok());
        for (field, value) in [("schema", json!(2)), ("kind", json!("teleported"))] {
            let mut other = wire();
            other[field] = value;
            let error = serde_json::from_value::<Event>(other).unwrap_err().to_string();
            assert!(error.contains("schema 2 is not known") || error.contains("teleported"), "{error}");
        }
    }

    #[test]
    fn names_are_those_of_the_wire() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.as_str()));
        }
        for state in crate::StateKind::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), json!(state.as_str()));
        }
    }
}
