//! Any commits against a model of a few lines: the store says and holds what the model does.

use crate::world::{World, ann, at, content, draft, sound};
use catalog::{
    Asset, AssetPath, Catalog, Change, CommitError, EventKind, Expect, Facts, Quota, Revision, State, TenantId,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;

const PATHS: [&str; 3] = ["a.png", "b/c.png", "b/d.png"];
const CONTENTS: [&str; 3] = ["", "two", "three!"];
const QUOTA: Quota = Quota { assets: Some(4), bytes: Some(30) };
/// As `World` has it.
const KEPT: usize = 3;

#[derive(Clone, Debug)]
enum Deed {
    Create(usize, usize),
    Replace(usize),
    Edit,
    Move(usize),
    Delete,
    Restore(usize),
    Quarantine,
    Erase,
}

/// What is done, to which of the assets there have been, with a revision that is right or off, and again or not.
#[derive(Clone, Debug)]
struct Move {
    deed: Deed,
    which: usize,
    stale: bool,
    again: bool,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let deed = prop_oneof![
        4 => (0..PATHS.len(), 0..CONTENTS.len()).prop_map(|(path, content)| Deed::Create(path, content)),
        3 => (0..CONTENTS.len()).prop_map(Deed::Replace),
        1 => Just(Deed::Edit),
        2 => (0..PATHS.len()).prop_map(Deed::Move),
        2 => Just(Deed::Delete),
        2 => (0..PATHS.len()).prop_map(Deed::Restore),
        1 => Just(Deed::Quarantine),
        2 => Just(Deed::Erase),
    ];
    let one = (deed, 0..6_usize, prop::bool::weighted(0.1), prop::bool::weighted(0.2))
        .prop_map(|(deed, which, stale, again)| Move { deed, which, stale, again });
    prop::collection::vec(one, 1..25)
}

/// An asset of the model: its record, and the contents of its versions, newest first.
#[derive(Clone)]
struct Kept {
    asset: Asset,
    contents: Vec<&'static str>,
}

#[derive(Default)]
struct Model {
    /// Those that are there, and `None` for those that have been.
    assets: Vec<Option<Kept>>,
}

impl Model {
    fn there(&self) -> impl Iterator<Item = &Kept> {
        self.assets.iter().flatten()
    }

    fn holder(&self, path: &AssetPath) -> Option<&Kept> {
        self.there().find(|kept| kept.asset.is_live() && kept.asset.path == *path)
    }

    fn bytes(&self) -> usize {
        self.there().flat_map(|kept| &kept.contents).map(|content| content.len()).sum()
    }

    /// What the store has to say: `Ok`, or the name of its error.
    fn apply(&mut self, which: usize, change: &Change, text: &'static str) -> Result<(), &'static str> {
        let before = self.assets.get(which).cloned().flatten();
        let mut kept = match (&before, change.expect) {
            (None, Expect::Absent) => Kept { asset: change.asset.clone(), contents: Vec::new() },
            (Some(kept), Expect::Revision(seen)) if kept.asset.revision == seen => kept.clone(),
            _ => return Err("conflict"),
        };
        let was = kept.asset.state.kind().as_str();
        let fits = match change.kind {
            EventKind::Created => true,
            EventKind::Replaced | EventKind::Changed => was != "deleted",
            EventKind::Moved => was != "deleted" && change.asset.path != kept.asset.path,
            EventKind::Deleted => was != "deleted",
            EventKind::Restored => was != "live",
            EventKind::Quarantined => was == "live",
            EventKind::Erased => true,
        };
        if !fits {
            return Err("invalid");
        }
        let gone = change.kind == EventKind::Erased;
        let other = self.holder(&change.asset.path).is_some_and(|holder| holder.asset.id != change.asset.id);
        if other && change.asset.is_live() && !gone {
            return Err("path-taken");
        }
        if matches!(change.kind, EventKind::Created | EventKind::Replaced) {
            kept.contents.insert(0, text);
            kept.contents.truncate(KEPT);
        }
        let mine = |contents: &[&str]| contents.iter().map(|content| content.len()).sum::<usize>();
        let used = self.bytes() - before.as_ref().map_or(0, |before| mine(&before.contents));
        let more_bytes = mine(&kept.contents) > before.as_ref().map_or(0, |before| mine(&before.contents));
        let full = before.is_none() && self.there().count() >= 4;
        if !gone && (full || more_bytes && used + mine(&kept.contents) > 30) {
            return Err("over-quota");
        }
        kept.asset = change.asset.clone();
        while self.assets.len() <= which {
            self.assets.push(None);
        }
        self.assets[which] = (!gone).then_some(kept);
        Ok(())
    }
}

/// The change that a move means for what there is.
fn change(model: &Model, step: &Move, tenant: &TenantId, second: i64) -> Option<(usize, Change, &'static str)> {
    let named = |index: usize| PATHS[index].parse::<AssetPath>().expect("a path");
    if let Deed::Create(path, text) = step.deed {
        let asset = draft(tenant, PATHS[path], CONTENTS[text], second);
        return Some((model.assets.len(), Change::create(asset, ann()), CONTENTS[text]));
    }
    let which = step.which.checked_rem(model.assets.len())?;
    let seen = &model.assets[which].as_ref()?.asset;
    let now = at(second);
    let mut text = "";
    let mut change = match step.deed {
        Deed::Create(..) => return None,
        Deed::Replace(index) => {
            text = CONTENTS[index];
            Change::replace(seen, content(text), Facts::new(), ann(), now)
        }
        Deed::Edit => {
            let mut change = Change::of(seen, EventKind::Changed, ann(), now);
            change.asset.title = Some(second.to_string());
            change
        }
        Deed::Move(index) => Change::rename(seen, named(index), ann(), now),
        Deed::Delete => Change::delete(seen, at(second + 10), ann(), now),
        Deed::Restore(index) => {
            let mut change = Change::restore(seen, ann(), now);
            change.asset.path = named(index);
            change
        }
        Deed::Quarantine => Change::quarantine(seen, "odd".to_owned(), ann(), now),
        Deed::Erase => Change::erase(seen, ann(), now),
    };
    if step.stale {
        change.expect = Expect::Revision(Revision::try_from(seen.revision.get() + 5).expect("a small number"));
    }
    // A change that says it does one thing and is another is `plan`'s affair; here states fit their kinds.
    if let (EventKind::Changed | EventKind::Replaced | EventKind::Moved, State::Deleted { .. }) =
        (change.kind, &seen.state)
    {
        change.asset.deleted = seen.deleted;
    }
    Some((which, change, text))
}

async fn play(catalog: &dyn Catalog, tenant: &TenantId, steps: &[Move]) {
    let mut model = Model::default();
    for (number, step) in steps.iter().enumerate() {
        let Some((which, change, text)) = change(&model, step, tenant, number as i64) else { continue };
        let change =
            change.within(QUOTA).once(format!("k{number}").parse().expect("a key"), content(&number.to_string()).hash);
        let expected = model.apply(which, &change, text);
        let said = catalog.commit(change.clone()).await;
        assert_eq!(said.as_ref().map(drop).map_err(CommitError::as_str), expected, "{number}: {step:?}: {said:?}");
        if let (Ok(done), Some(Some(kept))) = (&said, model.assets.get_mut(which)) {
            // What the catalog gives: the rest is as it was asked.
            let (revision, version, stamp) = (done.asset.revision, done.asset.version, done.asset.stamp.clone());
            kept.asset = Asset { revision, version, stamp, ..kept.asset.clone() };
            assert_eq!(done.asset, kept.asset);
        }
        if let (true, Ok(done)) = (step.again, &said) {
            let again = catalog.commit(change).await.expect("a repetition");
            assert!(again.repeated && again.asset == done.asset && again.event == done.event);
        }
    }
    compare(catalog, tenant, &model).await;
}

async fn compare(catalog: &dyn Catalog, tenant: &TenantId, model: &Model) {
    for kept in model.there() {
        assert_eq!(catalog.get(tenant, kept.asset.id).await.expect("an answer").as_ref(), Some(&kept.asset));
        let versions = catalog.versions(tenant, kept.asset.id).await.expect("an answer");
        let hashes: Vec<_> = versions.iter().map(|version| version.content.hash).collect();
        assert_eq!(hashes, kept.contents.iter().map(|text| content(text).hash).collect::<Vec<_>>());
    }
    for path in PATHS {
        let path = path.parse().expect("a path");
        let found = catalog.find(tenant, &path).await.expect("an answer");
        assert_eq!(found.as_ref(), model.holder(&path).map(|kept| &kept.asset), "{path}");
    }
    let mut references: BTreeMap<&str, u64> = BTreeMap::new();
    model.there().flat_map(|kept| &kept.contents).for_each(|text| *references.entry(text).or_default() += 1);
    for text in CONTENTS {
        let found = catalog.references(tenant, &content(text).hash).await.expect("an answer");
        assert_eq!(found, references.get(text).copied().unwrap_or_default(), "{text}");
    }
    let usage = catalog.usage(tenant).await.expect("an answer");
    let versions = model.there().map(|kept| kept.contents.len()).sum::<usize>() as u64;
    let counted = (usage.assets, usage.versions, usage.bytes);
    assert_eq!(counted, (model.there().count() as u64, versions, model.bytes() as u64));
}

/// So many games, each of a tenant of its own.
pub(crate) fn holds(runtime: &tokio::runtime::Runtime, world: &World, cases: u32) {
    let catalog = runtime.block_on(world.empty());
    let number = std::cell::Cell::new(0);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let result = TestRunner::new(config).run(&moves(), |steps| {
        number.set(number.get() + 1);
        let tenant: TenantId = format!("game-{}", number.get()).parse().expect("a tenant");
        runtime.block_on(play(&*catalog, &tenant, &steps));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    runtime.block_on(sound(&*catalog));
}
