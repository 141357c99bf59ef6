//! What is asked of the catalog: one change of one asset, all or nothing.
//!
//! Owns the request and its answer; what follows from it is decided in `plan`. Invariant: whoever changes says what they
//! have seen ([`Expect`]), so that nobody overwrites what they do not know.

use crate::asset::{Asset, Content, State};
use crate::event::{Event, EventKind};
use crate::name::{AssetPath, ContentHash, IdempotencyKey, Revision, Subject, TraceParent};
use jiff::Timestamp;

/// One change of one asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The asset as it shall be. Its `changed` is the moment of the change. `revision`, `version` and `stamp` are given by the
    /// catalog, whatever stands here; `id`, `tenant` and `created` must be what they were.
    pub asset: Asset,
    /// What there must be now.
    pub expect: Expect,
    /// What is to happen; the catalog refuses a change that does something else.
    pub kind: EventKind,
    /// Who does it.
    pub actor: Subject,
    /// For a request that may be repeated.
    pub idempotency: Option<Idempotency>,
    /// The request's place in a trace.
    pub trace: Option<TraceParent>,
    /// What the tenant may have; `None`: as the catalog's configuration says.
    pub quota: Option<Quota>,
}

/// What there must be for a change to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No asset of that id.
    Absent,
    /// The asset, at that revision.
    Revision(Revision),
}

/// What makes a repetition known as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// What the client calls its request; of the tenant. Kept for `catalog.idempotency`.
    pub key: IdempotencyKey,
    /// What the request asks: the hash of whatever must be the same when the key is.
    pub fingerprint: ContentHash,
}

/// The most that a tenant may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Assets, whatever their state.
    pub assets: Option<u64>,
    /// Bytes of all versions of all assets together. What two assets share counts twice.
    pub bytes: Option<u64>,
}

/// What has been done.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    /// The asset as it is now; of an erased one, as it was last.
    pub asset: Asset,
    /// What others will hear.
    pub event: Event,
    /// Whether it had been done before, under the same key: this is what was answered then.
    pub repeated: bool,
}

impl Change {
    /// A new asset, live or in quarantine.
    #[must_use]
    pub fn create(asset: Asset, actor: Subject) -> Self {
        Self {
            asset,
            expect: Expect::Absent,
            kind: EventKind::Created,
            actor,
            idempotency: None,
            trace: None,
            quota: None,
        }
    }

    /// A change of an asset that was read before; the fields are yours to set.
    #[must_use]
    pub fn of(seen: &Asset, kind: EventKind, actor: Subject, at: Timestamp) -> Self {
        let asset = Asset { changed: at, ..seen.clone() };
        Self { expect: Expect::Revision(seen.revision), kind, ..Self::create(asset, actor) }
    }

    /// Other content, with what is known of it.
    #[must_use]
    pub fn replace(seen: &Asset, content: Content, facts: crate::Facts, actor: Subject, at: Timestamp) -> Self {
        let mut change = Self::of(seen, EventKind::Replaced, actor, at);
        (change.asset.content, change.asset.facts) = (content, facts);
        change
    }

    /// Another path.
    #[must_use]
    pub fn rename(seen: &Asset, path: AssetPath, actor: Subject, at: Timestamp) -> Self {
        let mut change = Self::of(seen, EventKind::Moved, actor, at);
        change.asset.path = path;
        change
    }

    /// Gone for all, and to be undone until then.
    #[must_use]
    pub fn delete(seen: &Asset, until: Timestamp, actor: Subject, at: Timestamp) -> Self {
        let mut change = Self::of(seen, EventKind::Deleted, actor, at);
        (change.asset.state, change.asset.deleted) = (State::Deleted { until }, Some(at));
        change
    }

    /// Live again, where it was; set another path where that has been taken.
    #[must_use]
    pub fn restore(seen: &Asset, actor: Subject, at: Timestamp) -> Self {
        let mut change = Self::of(seen, EventKind::Restored, actor, at);
        (change.asset.state, change.asset.deleted) = (State::Live, None);
        change
    }

    /// Out of sight.
    #[must_use]
    pub fn quarantine(seen: &Asset, reason: String, actor: Subject, at: Timestamp) -> Self {
        let mut change = Self::of(seen, EventKind::Quarantined, actor, at);
        change.asset.state = State::Quarantined { reason };
        change
    }

    /// Gone for good.
    #[must_use]
    pub fn erase(seen: &Asset, actor: Subject, at: Timestamp) -> Self {
        Self::of(seen, EventKind::Erased, actor, at)
    }

    /// For a request that may be repeated.
    #[must_use]
    pub fn once(mut self, key: IdempotencyKey, fingerprint: ContentHash) -> Self {
        self.idempotency = Some(Idempotency { key, fingerprint });
        self
    }

    /// Within a trace.
    #[must_use]
    pub fn traced(mut self, trace: Option<TraceParent>) -> Self {
        self.trace = trace;
        self
    }

    /// Within what the tenant may have.
    #[must_use]
    pub const fn within(mut self, quota: Quota) -> Self {
        self.quota = Some(quota);
        self
    }
}
