//! What a change does to a record: decided once, without any store, and carried out by each of them.
//!
//! Pure. Invariant: two stores that are asked the same of the same record come to the same record, event and refusal.

use crate::asset::{Asset, State, StoredVersion};
use crate::change::{Change, Expect, Quota};
use crate::error::{CommitError, Excess, Flaw};
use crate::event::{Event, EventKind};
use crate::name::{AssetPath, EventId, Region, Version};
use crate::schema::Schema;
use crate::stamp::Stamp;
use crate::store::Usage;

/// Characters of a title.
const TITLE: usize = 300;
/// Characters of a description.
const DESCRIPTION: usize = 5_000;
/// Characters of a reason for quarantine.
const REASON: usize = 1_000;
/// Tags of one asset.
const TAGS: usize = 100;
/// Bytes of the facts as JSON. DynamoDB takes 400 KB for the whole record.
const FACTS: usize = 128 << 10;

/// What is to be done, all at once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The record as it will be; where `gone`, as it will have been.
    pub(crate) asset: Asset,
    /// The event, but for its `seq`.
    pub(crate) event: Event,
    /// Whether record and versions go.
    pub(crate) gone: bool,
    /// The path it will hold.
    pub(crate) takes: Option<AssetPath>,
    /// The path it held, where it will not hold it any more.
    pub(crate) frees: Option<AssetPath>,
    /// The version that it adds.
    pub(crate) adds: Option<StoredVersion>,
}

/// Decides what `change` does to `current`.
pub(crate) fn plan(current: Option<&Asset>, change: &Change, region: &Region) -> Result<Plan, CommitError> {
    let expected = match (change.expect, current) {
        (Expect::Absent, None) => true,
        (Expect::Revision(seen), Some(now)) => now.revision == seen,
        _ => false,
    };
    if !expected {
        return Err(CommitError::Conflict(current.cloned().map(Box::new)));
    }
    sound(change, current).map_err(CommitError::Invalid)?;
    let mut asset = change.asset.clone();
    asset.stamp = match current {
        None => Stamp::first(region, asset.changed),
        Some(now) => now.stamp.next(region, asset.changed),
    };
    asset.revision = asset.stamp.vector.revision();
    asset.version = match (current, change.kind) {
        (None, _) => Version::FIRST,
        (Some(now), EventKind::Replaced) => now.version.next(),
        (Some(now), _) => now.version,
    };
    asset.changed = current.map_or(asset.changed, |now| asset.changed.max(now.changed));
    let gone = change.kind == EventKind::Erased;
    let held = current.filter(|now| now.is_live()).map(|now| now.path.clone());
    let holds = Some(asset.path.clone()).filter(|_| asset.is_live() && !gone);
    let adds = matches!(change.kind, EventKind::Created | EventKind::Replaced).then(|| StoredVersion {
        version: asset.version,
        content: asset.content.clone(),
        at: asset.changed,
        actor: change.actor.clone(),
    });
    let event = event(&asset, current, change);
    let frees = held.clone().filter(|path| holds.as_ref() != Some(path));
    let takes = holds.filter(|path| held.as_ref() != Some(path));
    Ok(Plan { asset, event, gone, takes, frees, adds })
}

fn event(asset: &Asset, current: Option<&Asset>, change: &Change) -> Event {
    let before = current.map(|now| &now.path).filter(|path| **path != asset.path);
    Event {
        schema: Schema::default(),
        id: EventId::new(asset.changed),
        seq: 0,
        tenant: asset.tenant.clone(),
        asset: asset.id,
        path: asset.path.clone(),
        previous_path: before.cloned(),
        revision: asset.revision,
        version: asset.version,
        kind: change.kind,
        at: asset.changed,
        actor: change.actor.clone(),
        trace: change.trace.clone(),
    }
}

fn flaw(field: &'static str, problem: impl Into<String>) -> Flaw {
    Flaw { field, problem: problem.into() }
}

/// Whether the record may be as it shall be, and whether the step there is of the kind that it says.
fn sound(change: &Change, current: Option<&Asset>) -> Result<(), Flaw> {
    let asset = &change.asset;
    bounded(asset)?;
    if matches!(asset.state, State::Deleted { .. }) != asset.deleted.is_some() {
        return Err(flaw("deleted", "is set where the state is deleted, and only there"));
    }
    let Some(now) = current else {
        return match (change.kind, &asset.state) {
            (EventKind::Created, State::Live | State::Quarantined { .. }) => Ok(()),
            (EventKind::Created, State::Deleted { .. }) => Err(flaw("state", "a new asset is live or quarantined")),
            _ => Err(flaw("kind", "what is not there can only be created")),
        };
    };
    if asset.tenant != now.tenant || asset.created != now.created {
        return Err(flaw("created", "tenant and moment of creation stay as they were"));
    }
    if change.kind != EventKind::Replaced && asset.content != now.content {
        return Err(flaw("content", "changes when it is replaced, and only then"));
    }
    if !matches!(change.kind, EventKind::Moved | EventKind::Restored) && asset.path != now.path {
        return Err(flaw("path", "changes when the asset is moved or restored, and only then"));
    }
    step(change, now)
}

fn step(change: &Change, now: &Asset) -> Result<(), Flaw> {
    let (before, after) = (&now.state, &change.asset.state);
    let fits = match change.kind {
        EventKind::Created => return Err(flaw("kind", "what is there cannot be created")),
        EventKind::Replaced | EventKind::Changed | EventKind::Moved => {
            before == after && !matches!(before, State::Deleted { .. })
        }
        EventKind::Deleted => {
            matches!((before, after), (State::Live | State::Quarantined { .. }, State::Deleted { .. }))
        }
        EventKind::Restored => {
            matches!((before, after), (State::Quarantined { .. } | State::Deleted { .. }, State::Live))
        }
        EventKind::Quarantined => matches!((before, after), (State::Live, State::Quarantined { .. })),
        EventKind::Erased => before == after,
    };
    if !fits {
        let (kind, before, after) = (change.kind.as_str(), before.kind().as_str(), after.kind().as_str());
        return Err(flaw("state", format!("an asset that is {before} cannot be {after} by being {kind}")));
    }
    if change.kind == EventKind::Moved && change.asset.path == now.path {
        return Err(flaw("path", "is where it is to be moved to"));
    }
    match after {
        State::Deleted { until } if change.kind == EventKind::Deleted && *until < change.asset.changed => {
            Err(flaw("until", "lies before the deletion"))
        }
        _ => Ok(()),
    }
}

fn bounded(asset: &Asset) -> Result<(), Flaw> {
    let longer = |text: Option<&String>, most: usize| text.is_some_and(|text| text.chars().count() > most);
    if longer(asset.title.as_ref(), TITLE) {
        return Err(flaw("title", format!("has at most {TITLE} characters")));
    }
    if longer(asset.description.as_ref(), DESCRIPTION) {
        return Err(flaw("description", format!("has at most {DESCRIPTION} characters")));
    }
    if asset.tags.len() > TAGS {
        return Err(flaw("tags", format!("are at most {TAGS}, not {}", asset.tags.len())));
    }
    let mut sorted: Vec<_> = asset.tags.iter().collect();
    sorted.sort();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(flaw("tags", format!("have {:?} twice", twice[0].as_str())));
    }
    if let State::Quarantined { reason } = &asset.state
        && !(1..=REASON).contains(&reason.chars().count())
    {
        return Err(flaw("reason", format!("has 1 to {REASON} characters")));
    }
    if i64::try_from(asset.content.bytes).is_err() {
        return Err(flaw("bytes", "are more than any store holds"));
    }
    let facts = serde_json::to_vec(&asset.facts).map_or(usize::MAX, |json| json.len());
    if facts > FACTS {
        return Err(flaw("facts", format!("are at most {FACTS} bytes as JSON, not {facts}")));
    }
    Ok(())
}

/// What a commit adds to a tenant's usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) assets: i64,
    pub(crate) versions: i64,
    pub(crate) bytes: i64,
}

impl Delta {
    /// Of a plan, and of the versions (by their bytes) that go with it.
    pub(crate) fn of(plan: &Plan, dropped: &[u64]) -> Self {
        let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let created = i64::from(plan.event.kind == EventKind::Created) - i64::from(plan.gone);
        let added = plan.adds.as_ref().map_or(0, |version| size(version.content.bytes));
        let removed = dropped.iter().fold(0_i64, |sum, bytes| sum.saturating_add(size(*bytes)));
        let count = i64::try_from(dropped.len()).unwrap_or(i64::MAX);
        Self {
            assets: created,
            versions: i64::from(plan.adds.is_some()).saturating_sub(count),
            bytes: added.saturating_sub(removed),
        }
    }

    pub(crate) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// Whether the tenant may have what it would have. What does not grow is not refused: a tenant above its quota can still
    /// delete and edit.
    pub(crate) fn fits(self, before: Usage, quota: Quota) -> Result<(), CommitError> {
        let checks =
            [("assets", before.assets, self.assets, quota.assets), ("bytes", before.bytes, self.bytes, quota.bytes)];
        for (of, used, more, limit) in checks {
            let wanted = used.saturating_add_signed(more);
            match limit {
                Some(limit) if more > 0 && wanted > limit => {
                    return Err(CommitError::OverQuota(Excess { of, used, wanted, limit }));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::Content;
    use crate::name::{ContentHash, Revision};
    use jiff::Timestamp;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn content(bytes: &[u8]) -> Content {
        Content {
            hash: ContentHash::of(bytes),
            bytes: bytes.len() as u64,
            media_type: "image/png".parse().unwrap(),
            width: 1,
            height: 1,
            frames: 1,
        }
    }

    fn live() -> Asset {
        Asset::new("main".parse().unwrap(), "a.png".parse().unwrap(), content(b"one"), at(0))
    }

    fn run(current: Option<&Asset>, change: &Change) -> Result<Plan, CommitError> {
        plan(current, change, &Region::here())
    }

    fn ann() -> crate::Subject {
        "user:ann".parse().unwrap()
    }

    #[test]
    fn a_life_of_an_asset() {
        let created = run(None, &Change::create(live(), ann())).unwrap();
        assert_eq!((created.takes.as_ref().map(AssetPath::as_str), &created.frees), (Some("a.png"), &None));
        assert_eq!(created.adds.as_ref().unwrap().version, Version::FIRST);
        let first = created.asset;
        let replaced =
            run(Some(&first), &Change::replace(&first, content(b"two"), crate::Facts::new(), ann(), at(1))).unwrap();
        assert_eq!((replaced.asset.revision.get(), replaced.asset.version.get()), (2, 2));
        assert_eq!((&replaced.takes, &replaced.frees), (&None, &None));
        let second = replaced.asset;
        let deleted = run(Some(&second), &Change::delete(&second, at(100), ann(), at(2))).unwrap();
        assert_eq!(deleted.frees.as_ref().map(AssetPath::as_str), Some("a.png"));
        let third = deleted.asset;
        let restored = run(Some(&third), &Change::restore(&third, ann(), at(3))).unwrap();
        assert!(restored.takes.is_some() && restored.asset.deleted.is_none());
        let erased = run(Some(&third), &Change::erase(&third, ann(), at(3))).unwrap();
        assert!(erased.gone && erased.takes.is_none() && erased.event.kind == EventKind::Erased);
        assert_eq!(erased.asset.revision.get(), 4);
    }

    #[test]
    fn what_was_not_seen_is_not_overwritten() {
        let asset = run(None, &Change::create(live(), ann())).unwrap().asset;
        let mut stale = Change::of(&asset, EventKind::Changed, ann(), at(1));
        stale.expect = Expect::Revision(Revision::try_from(9).unwrap());
        assert!(matches!(run(Some(&asset), &stale), Err(CommitError::Conflict(Some(_)))));
        assert!(matches!(run(None, &stale), Err(CommitError::Conflict(None))));
        assert!(matches!(
            run(Some(&asset), &Change::create(asset.clone(), ann())),
            Err(CommitError::Conflict(Some(_)))
        ));
    }

    #[test]
    fn a_change_does_what_it_says() {
        let asset = run(None, &Change::create(live(), ann())).unwrap().asset;
        let refused = |change: &Change, field: &str| match run(Some(&asset), change) {
            Err(CommitError::Invalid(flaw)) => assert_eq!(flaw.field, field, "{flaw:?}"),
            other => panic!("{field}: {other:?}"),
        };
        let of = |kind| Change::of(&asset, kind, ann(), at(1));
        refused(&of(EventKind::Moved), "path");
        refused(&of(EventKind::Deleted), "state");
        refused(&of(EventKind::Restored), "state");
        refused(&of(EventKind::Quarantined), "state");
        refused(&of(EventKind::Created), "kind");
        let mut sly = of(EventKind::Changed);
        sly.asset.content = content(b"other");
        refused(&sly, "content");
        let mut sly = of(EventKind::Changed);
        sly.asset.path = "b.png".parse().unwrap();
        refused(&sly, "path");
        let mut sly = of(EventKind::Changed);
        sly.asset.tags = vec!["a".parse().unwrap(), "a".parse().unwrap()];
        refused(&sly, "tags");
        let mut sly = of(EventKind::Changed);
        sly.asset.title = Some("x".repeat(301));
        refused(&sly, "title");
        refused(&Change::quarantine(&asset, String::new(), ann(), at(1)), "reason");
        refused(&Change::delete(&asset, at(0), ann(), at(1)), "until");
    }

    #[test]
    fn quotas_refuse_growth_only() {
        let before = Usage { assets: 3, versions: 3, bytes: 100 };
        let quota = Quota { assets: Some(3), bytes: Some(50) };
        let delta = |assets, bytes| Delta { assets, versions: 0, bytes };
        assert!(delta(0, 0).fits(before, quota).is_ok() && delta(-1, -5).fits(before, quota).is_ok());
        let Err(CommitError::OverQuota(excess)) = delta(0, 1).fits(before, quota) else { panic!("above") };
        assert_eq!((excess.of, excess.used, excess.wanted, excess.limit), ("bytes", 100, 101, 50));
        assert!(matches!(delta(1, 0).fits(before, quota), Err(CommitError::OverQuota(_))));
    }
}
