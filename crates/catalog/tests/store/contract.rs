//! What every store promises of commits, one after the other.

use crate::world::{World, ann, at, committed, content, created, draft, sound, tenant};
use catalog::{
    Asset, Catalog, Change, CommitError, ContentHash, Event, EventKind, Expect, Facts, Held, Quota, Revision, State,
    Usage,
};
use std::time::Duration;

pub(crate) async fn holds(world: &World) {
    life(&*world.empty().await).await;
    refused(&*world.empty().await).await;
    references(&*world.empty().await).await;
    removal(&*world.empty().await).await;
    idempotency(&*world.empty().await).await;
    quotas(&*world.empty().await).await;
    outbox(&*world.empty().await).await;
    due(&*world.empty().await).await;
    anything(&*world.empty().await).await;
    reopened(world).await;
}

async fn life(catalog: &dyn Catalog) {
    let main = tenant("main");
    let first = created(catalog, draft(&main, "cats/tom.png", "one", 0)).await;
    assert_eq!((first.revision.get(), first.version.get()), (1, 1));
    assert_eq!(catalog.get(&main, first.id).await.expect("an answer").as_ref(), Some(&first));
    assert_eq!(catalog.find(&main, &first.path).await.expect("an answer").as_ref(), Some(&first));
    assert_eq!(
        catalog.get(&tenant("other"), first.id).await.expect("an answer"),
        None,
        "tenants do not see each other"
    );
    assert_eq!(catalog.find(&tenant("other"), &first.path).await.expect("an answer"), None);

    let mut edit = Change::of(&first, EventKind::Changed, ann(), at(1));
    edit.asset.title = Some("Tom \u{0}'; DROP TABLE assets".to_owned());
    edit.asset.tags = vec!["köln".parse().expect("well-formed")];
    let edited = committed(catalog, edit).await.asset;
    assert_eq!((edited.revision.get(), edited.version.get()), (2, 1));
    let replaced = committed(catalog, Change::replace(&edited, content("two"), Facts::new(), ann(), at(2))).await.asset;
    assert_eq!((replaced.revision.get(), replaced.version.get()), (3, 2));
    let versions = catalog.versions(&main, first.id).await.expect("an answer");
    let hashes: Vec<ContentHash> = versions.iter().map(|version| version.content.hash).collect();
    assert_eq!(hashes, [content("two").hash, content("one").hash], "newest first");
    let moved =
        committed(catalog, Change::rename(&replaced, "dogs/rex.png".parse().expect("well-formed"), ann(), at(3))).await;
    assert_eq!(moved.event.previous_path.as_ref(), Some(&first.path));
    assert_eq!(catalog.find(&main, &first.path).await.expect("an answer"), None);
    let moved = moved.asset;
    assert_eq!(catalog.find(&main, &moved.path).await.expect("an answer").as_ref(), Some(&moved));
    let deleted = committed(catalog, Change::delete(&moved, at(100), ann(), at(4))).await.asset;
    assert_eq!(catalog.find(&main, &moved.path).await.expect("an answer"), None, "deleted ones free their path");
    assert_eq!(catalog.get(&main, moved.id).await.expect("an answer").as_ref(), Some(&deleted));
    let restored = committed(catalog, Change::restore(&deleted, ann(), at(5))).await.asset;
    assert_eq!(catalog.find(&main, &moved.path).await.expect("an answer").as_ref(), Some(&restored));
    let locked = committed(catalog, Change::quarantine(&restored, "odd".to_owned(), ann(), at(6))).await.asset;
    assert_eq!(catalog.find(&main, &moved.path).await.expect("an answer"), None);
    assert_eq!(catalog.usage(&main).await.expect("an answer"), Usage { assets: 1, versions: 2, bytes: 6 });
    let erased = committed(catalog, Change::erase(&locked, ann(), at(7))).await;
    assert_eq!((erased.event.kind, erased.asset.revision.get()), (EventKind::Erased, 8));
    assert_eq!(catalog.get(&main, first.id).await.expect("an answer"), None);
    assert_eq!(catalog.versions(&main, first.id).await.expect("an answer"), []);
    assert_eq!(catalog.usage(&main).await.expect("an answer"), Usage::default());
    let kinds: Vec<EventKind> = catalog.pending(100).await.expect("an answer").iter().map(|event| event.kind).collect();
    use EventKind::{Changed, Created, Deleted, Erased, Moved, Quarantined, Replaced, Restored};
    assert_eq!(kinds, [Created, Changed, Replaced, Moved, Deleted, Restored, Quarantined, Erased]);
    sound(catalog).await;
    catalog.ready().await.expect("it is there");
}

async fn refused(catalog: &dyn Catalog) {
    let main = tenant("main");
    let tom = created(catalog, draft(&main, "tom.png", "one", 0)).await;
    let rex = created(catalog, draft(&main, "rex.png", "two", 1)).await;
    created(catalog, draft(&tenant("other"), "tom.png", "one", 0)).await;
    let pending = catalog.pending(100).await.expect("an answer").len();
    let taken = catalog.commit(Change::create(draft(&main, "tom.png", "three", 2), ann())).await;
    assert_eq!(taken, Err(CommitError::PathTaken(tom.id)));
    let taken = catalog.commit(Change::rename(&rex, tom.path.clone(), ann(), at(2))).await;
    assert_eq!(taken, Err(CommitError::PathTaken(tom.id)));
    let again = catalog.commit(Change::create(tom.clone(), ann())).await;
    assert_eq!(again, Err(CommitError::Conflict(Some(Box::new(tom.clone())))));
    let mut stale = Change::of(&tom, EventKind::Changed, ann(), at(3));
    stale.expect = Expect::Revision(Revision::try_from(7).expect("a small number"));
    assert_eq!(catalog.commit(stale.clone()).await, Err(CommitError::Conflict(Some(Box::new(tom.clone())))));
    stale.asset.id = catalog::AssetId::new(at(3));
    assert_eq!(catalog.commit(stale).await, Err(CommitError::Conflict(None)));
    let odd = catalog.commit(Change::of(&tom, EventKind::Moved, ann(), at(3))).await;
    assert!(matches!(odd, Err(CommitError::Invalid(_))), "{odd:?}");
    // What lies in quarantine holds no path, and gets none that is taken.
    let mut hidden = draft(&main, "tom.png", "three", 4);
    hidden.state = State::Quarantined { reason: "odd".to_owned() };
    let hidden = created(catalog, hidden).await;
    let released = catalog.commit(Change::restore(&hidden, ann(), at(5))).await;
    assert_eq!(released, Err(CommitError::PathTaken(tom.id)));
    let mut elsewhere = Change::restore(&hidden, ann(), at(5));
    elsewhere.asset.path = "tom-2.png".parse().expect("well-formed");
    committed(catalog, elsewhere).await;
    assert_eq!(catalog.get(&main, tom.id).await.expect("an answer"), Some(tom));
    assert_eq!(catalog.pending(100).await.expect("an answer").len(), pending + 2, "what is refused is no event");
    sound(catalog).await;
}

async fn references(catalog: &dyn Catalog) {
    let main = tenant("main");
    let count = async |text: &str| catalog.references(&main, &content(text).hash).await.expect("an answer");
    let tom = created(catalog, draft(&main, "tom.png", "one", 0)).await;
    let rex = created(catalog, draft(&main, "rex.png", "one", 1)).await;
    created(catalog, draft(&tenant("other"), "tom.png", "one", 0)).await;
    assert_eq!(count("one").await, 2, "of this tenant");
    let mut tom = committed(catalog, Change::replace(&tom, content("two"), Facts::new(), ann(), at(2))).await.asset;
    assert_eq!((count("one").await, count("two").await), (2, 1), "the old version refers to it still");
    let rex = committed(catalog, Change::delete(&rex, at(9), ann(), at(3))).await.asset;
    assert_eq!(count("one").await, 2, "what can be undone keeps its content");
    committed(catalog, Change::erase(&rex, ann(), at(4))).await;
    assert_eq!(count("one").await, 1);
    for text in ["two", "three", "three", "four"] {
        tom = committed(catalog, Change::replace(&tom, content(text), Facts::new(), ann(), at(5))).await.asset;
    }
    // Three are kept.
    assert_eq!(catalog.versions(&main, tom.id).await.expect("an answer").len(), 3);
    assert_eq!((count("one").await, count("two").await, count("three").await, count("four").await), (0, 0, 2, 1));
    assert_eq!(catalog.usage(&main).await.expect("an answer"), Usage { assets: 1, versions: 3, bytes: 14 });
    sound(catalog).await;
    committed(catalog, Change::erase(&tom, ann(), at(6))).await;
    assert_eq!((count("three").await, count("four").await), (0, 0));
    sound(catalog).await;
}

async fn removal(catalog: &dyn Catalog) {
    let main = tenant("main");
    let (one, lost) = (content("one"), content("lost"));
    assert!(!catalog.condemn(&main, &one.hash, at(0)).await.expect("an answer"), "what is not known is not removed");
    assert_eq!(catalog.hold(&main, &one.hash, 3, at(60)).await.expect("an answer"), Held::Ready);
    assert_eq!(catalog.hold(&main, &lost.hash, 4, at(60)).await.expect("an answer"), Held::Ready);
    assert_eq!(
        catalog.hold(&main, &lost.hash, 4, at(50)).await.expect("an answer"),
        Held::Ready,
        "a shorter hold takes nothing"
    );
    let tom = created(catalog, draft(&main, "tom.png", "one", 0)).await;
    assert!(!catalog.condemn(&main, &one.hash, at(99)).await.expect("an answer"), "it is referred to");
    assert!(!catalog.condemn(&main, &lost.hash, at(55)).await.expect("an answer"), "it is held");
    let left = catalog.unreferenced(at(61), 10).await.expect("an answer");
    let left: Vec<_> = left.iter().map(|left| (left.hash, left.bytes)).collect();
    assert_eq!(left, [(lost.hash, 4)], "put, and never committed");
    assert_eq!(catalog.unreferenced(at(59), 10).await.expect("an answer"), []);

    assert!(catalog.condemn(&main, &lost.hash, at(61)).await.expect("an answer"));
    assert_eq!(catalog.hold(&main, &lost.hash, 4, at(99)).await.expect("an answer"), Held::Condemned);
    let refused = catalog.commit(Change::create(draft(&main, "lost.png", "lost", 62), ann())).await;
    assert_eq!(refused, Err(CommitError::Condemned(lost.hash)));
    assert_eq!(catalog.unreferenced(at(61), 10).await.expect("an answer"), [], "somebody is about to remove it");
    assert_eq!(catalog.unreferenced(at(100), 10).await.expect("an answer").len(), 1, "and has not come back");
    catalog.forget(&main, &one.hash).await.expect("an answer");
    assert_eq!(
        catalog.references(&main, &one.hash).await.expect("an answer"),
        1,
        "only what is condemned is forgotten"
    );
    catalog.forget(&main, &lost.hash).await.expect("an answer");
    assert_eq!(catalog.hold(&main, &lost.hash, 4, at(99)).await.expect("an answer"), Held::Ready);
    created(catalog, draft(&main, "lost.png", "lost", 63)).await;

    committed(catalog, Change::erase(&tom, ann(), at(70))).await;
    let left = catalog.unreferenced(at(71), 10).await.expect("an answer");
    assert_eq!((left.len(), left[0].since), (1, at(70)));
    created(catalog, draft(&main, "again.png", "one", 72)).await;
    assert_eq!(catalog.unreferenced(at(99), 10).await.expect("an answer"), []);
    sound(catalog).await;
}

async fn idempotency(catalog: &dyn Catalog) {
    let (main, key) = (tenant("main"), || "k1".parse().expect("well-formed"));
    let print = ContentHash::of(b"request");
    let create = Change::create(draft(&main, "tom.png", "one", 0), ann()).once(key(), print);
    let first = committed(catalog, create.clone()).await;
    committed(catalog, Change::delete(&first.asset, at(99), ann(), at(1))).await;
    let again = committed(catalog, create.clone()).await;
    assert!(again.repeated && !first.repeated);
    assert_eq!((again.asset, again.event), (first.asset.clone(), first.event.clone()), "as it was answered then");
    // A client that tries again does not know the id that was given.
    let retry = Change::create(draft(&main, "tom.png", "one", 5), ann()).once(key(), print);
    assert_eq!(committed(catalog, retry).await.asset.id, first.asset.id);
    let other = Change::create(draft(&main, "rex.png", "one", 5), ann()).once(key(), ContentHash::of(b"other"));
    assert_eq!(catalog.commit(other.clone()).await, Err(CommitError::KeyReused));
    let mut elsewhere = other.clone();
    elsewhere.asset.tenant = tenant("other");
    assert!(!committed(catalog, elsewhere).await.repeated, "keys are a tenant's own");
    let mut later = other;
    later.asset.changed = at(3601);
    assert!(!committed(catalog, later).await.repeated, "after an hour it is forgotten");

    let taken =
        Change::create(draft(&main, "rex.png", "one", 6), ann()).once("k2".parse().expect("well-formed"), print);
    assert!(matches!(catalog.commit(taken.clone()).await, Err(CommitError::PathTaken(_))));
    let mut free = taken;
    free.asset.path = "free.png".parse().expect("well-formed");
    assert!(!committed(catalog, free).await.repeated, "what failed does not use up its key");
    assert_eq!(catalog.usage(&main).await.expect("an answer").assets, 3);
    sound(catalog).await;
}

async fn quotas(catalog: &dyn Catalog) {
    let main = tenant("main");
    let quota = Quota { assets: Some(2), bytes: Some(8) };
    let create = |path: &str, text: &str, second| Change::create(draft(&main, path, text, second), ann()).within(quota);
    let tom = committed(catalog, create("tom.png", "one", 0)).await.asset;
    let Err(CommitError::OverQuota(excess)) = catalog.commit(create("big.png", "sixsix", 1)).await else {
        panic!("too large")
    };
    assert_eq!((excess.of, excess.used, excess.wanted, excess.limit), ("bytes", 3, 9, 8));
    let rex = committed(catalog, create("rex.png", "two", 2)).await.asset;
    let Err(CommitError::OverQuota(excess)) = catalog.commit(create("a.png", "", 3)).await else { panic!("too many") };
    assert_eq!((excess.of, excess.used, excess.wanted, excess.limit), ("assets", 2, 3, 2));
    let replace = Change::replace(&tom, content("four"), Facts::new(), ann(), at(4)).within(quota);
    assert!(matches!(catalog.commit(replace).await, Err(CommitError::OverQuota(_))), "old versions count");
    let none = Quota { assets: Some(0), bytes: Some(0) };
    let mut edit = Change::of(&tom, EventKind::Changed, ann(), at(5)).within(none);
    edit.asset.title = Some("Tom".to_owned());
    committed(catalog, edit).await;
    committed(catalog, Change::erase(&rex, ann(), at(6)).within(none)).await;
    assert_eq!(catalog.usage(&main).await.expect("an answer"), Usage { assets: 1, versions: 1, bytes: 3 });
    created(catalog, draft(&main, "free.png", "as much as there is room for", 7)).await;
    sound(catalog).await;
}

async fn outbox(catalog: &dyn Catalog) {
    assert_eq!(catalog.pending(10).await.expect("an answer"), []);
    assert_eq!(
        (catalog.lag().await.expect("an answer").events, catalog.lag().await.expect("an answer").oldest),
        (0, None)
    );
    let main = tenant("main");
    let mut said: Vec<Event> = Vec::new();
    for number in 0..5 {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok();
        let create = Change::create(draft(&main, &format!("{number}.png"), "one", number), ann()).traced(trace);
        let asset: Asset = {
            let done = committed(catalog, create).await;
            said.push(done.event);
            done.asset
        };
        // A clock that goes backwards does not turn the order of an asset's events.
        said.push(committed(catalog, Change::of(&asset, EventKind::Changed, ann(), at(-50))).await.event);
    }
    let pending = catalog.pending(100).await.expect("an answer");
    assert_eq!(pending.len(), 10);
    for event in &said {
        assert!(pending.contains(event), "{event:?}");
    }
    for asset in said.iter().map(|event| event.asset) {
        let of = pending.iter().filter(|event| event.asset == asset).map(|event| event.revision.get());
        assert_eq!(of.collect::<Vec<_>>(), [1, 2]);
    }
    let lag = catalog.lag().await.expect("an answer");
    assert_eq!((lag.events, lag.oldest), (10, Some(at(0))));
    let few = catalog.pending(3).await.expect("an answer");
    assert_eq!(few[..], pending[..3]);
    catalog.sent(&few).await.expect("an answer");
    assert_eq!(catalog.pending(100).await.expect("an answer")[..], pending[3..]);
    catalog.sent(&pending).await.expect("an answer");
    catalog.sent(&pending).await.expect("an answer");
    assert_eq!(catalog.lag().await.expect("an answer").events, 0);

    let second = Duration::from_secs(1);
    assert!(catalog.lead("one", at(0), second).await.expect("an answer"));
    assert!(!catalog.lead("two", at(0), second).await.expect("an answer"));
    assert!(catalog.lead("one", at(0), second).await.expect("an answer"), "it goes on");
    assert!(catalog.lead("two", at(1), second).await.expect("an answer"), "a lease runs out");
    assert!(!catalog.lead("one", at(1), second).await.expect("an answer"));
    assert!(catalog.lead("two", at(1), Duration::ZERO).await.expect("an answer"));
    assert!(catalog.lead("one", at(1), second).await.expect("an answer"), "a lease is given back");
}

async fn due(catalog: &dyn Catalog) {
    let mut ids = Vec::new();
    for (number, until) in [(0, 30), (1, 10), (2, 20)] {
        let of = tenant(["main", "other", "main"][number as usize]);
        let asset = created(catalog, draft(&of, &format!("{number}.png"), "one", number)).await;
        committed(catalog, Change::delete(&asset, at(until), ann(), at(5))).await;
        ids.push(asset.id);
    }
    let due = async |now, limit| {
        catalog.due(at(now), limit).await.expect("an answer").iter().map(|asset| asset.id).collect::<Vec<_>>()
    };
    assert!(due(9, 10).await.is_empty());
    assert_eq!(due(20, 10).await, [ids[1], ids[2]], "longest over first, the moment itself included");
    assert_eq!(due(99, 1).await, [ids[1]]);
    let asset = catalog.get(&tenant("main"), ids[2]).await.expect("an answer").expect("it is there");
    committed(catalog, Change::restore(&asset, ann(), at(21))).await;
    assert_eq!(due(99, 10).await, [ids[1], ids[0]]);
}

/// Whatever a record may hold comes back as it was.
async fn anything(catalog: &dyn Catalog) {
    let main = tenant("main");
    let mut asset = draft(&main, "a b/ä#?%&/\u{1f600}.png", "one", 0);
    asset.owner = Some("user:#/~".parse().expect("well-formed"));
    asset.title = Some("\u{1f600} ".repeat(150));
    asset.description = Some("\u{0}\u{1}\"\\\n".repeat(1000));
    asset.tags = (0..100).map(|number| format!("tag \u{1f600} {number}").parse().expect("well-formed")).collect();
    asset.facts.insert("nul".to_owned(), serde_json::json!({"\u{0}": [1.5e300, -0.25, null, true, "\u{0}"]}));
    asset.facts.insert("long".to_owned(), serde_json::json!("x".repeat(120_000)));
    let asset = created(catalog, asset).await;
    assert_eq!(catalog.get(&main, asset.id).await.expect("an answer").as_ref(), Some(&asset));
    assert_eq!(catalog.find(&main, &asset.path).await.expect("an answer").as_ref(), Some(&asset));
    let long = "p".repeat(512);
    let longest = created(catalog, draft(&main, &long, "two", 1)).await;
    assert_eq!(catalog.find(&main, &longest.path).await.expect("an answer"), Some(longest));
    sound(catalog).await;
}

/// What was committed is there for whoever opens the store next.
async fn reopened(world: &World) {
    let main = tenant("main");
    let asset = created(&*world.empty().await, draft(&main, "tom.png", "one", 0)).await;
    let again = world.open(&world.latest()).await.expect("its tables are there already");
    assert_eq!(again.get(&main, asset.id).await.expect("an answer"), Some(asset));
}
