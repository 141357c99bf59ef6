//! What every store promises of lists, scans and surveys.

use crate::world::{World, ann, at, committed, created, draft, sound, tenant};
use catalog::{
    Asset, Catalog, Change, Cursor, EventKind, Filter, Listing, Order, Page, State, StateKind, StoreError, Visibility,
};

pub(crate) async fn holds(world: &World) {
    filters(&*world.empty().await).await;
    cursors(&*world.empty().await).await;
    scans(&*world.empty().await).await;
}

fn paths(page: &Page<Asset>) -> Vec<&str> {
    page.items.iter().map(|asset| asset.path.as_str()).collect()
}

/// All pages of a listing, of so many each.
async fn all(catalog: &dyn Catalog, order: Order, filter: &Filter, limit: usize) -> Vec<String> {
    let mut listing = Listing { order, limit, after: None, filter: filter.clone() };
    let mut found = Vec::new();
    loop {
        let page = catalog.list(&tenant("main"), &listing).await.expect("a page");
        assert!(page.items.len() <= limit);
        found.extend(paths(&page).into_iter().map(str::to_owned));
        // As a client has it.
        listing.after = page.next.map(|next| next.to_string().parse().expect("a cursor"));
        if listing.after.is_none() {
            return found;
        }
    }
}

async fn filters(catalog: &dyn Catalog) {
    let main = tenant("main");
    let names = ["a.png", "b/1.png", "b/2.png", "b/3.png", "b0.png", "c.png"];
    for (number, name) in names.into_iter().enumerate() {
        let second = i64::try_from(number).expect("a small number");
        let mut asset = draft(&main, name, name, second);
        asset.owner = (number % 2 == 0).then(ann);
        asset.visibility = if number < 3 { Visibility::Public } else { Visibility::Tenant };
        asset.tags = [(number > 1).then_some("sum"), Some("summer")]
            .into_iter()
            .flatten()
            .map(|t| t.parse().expect("well-formed"))
            .collect();
        created(catalog, asset).await;
    }
    created(catalog, draft(&tenant("other"), "b/9.png", "x", 0)).await;
    let mut odd = draft(&main, "b/q.png", "odd", 6);
    odd.state = State::Quarantined { reason: "odd".to_owned() };
    created(catalog, odd).await;
    let c = catalog.find(&main, &"c.png".parse().expect("well-formed")).await.expect("an answer").expect("it is there");
    committed(catalog, Change::delete(&c, at(99), ann(), at(20))).await;

    let live = Filter::default();
    let newest = ["b0.png", "b/3.png", "b/2.png", "b/1.png", "a.png"];
    for limit in [1, 2, 5, 100] {
        assert_eq!(all(catalog, Order::Newest, &live, limit).await, newest);
        let oldest: Vec<&str> = newest.into_iter().rev().collect();
        assert_eq!(all(catalog, Order::Oldest, &live, limit).await, oldest);
        assert_eq!(all(catalog, Order::Path, &live, limit).await, ["a.png", "b/1.png", "b/2.png", "b/3.png", "b0.png"]);
    }
    let oldest = async |filter: Filter| all(catalog, Order::Oldest, &filter, 2).await;
    assert_eq!(oldest(Filter::all()).await, ["a.png", "b/1.png", "b/2.png", "b/3.png", "b0.png", "c.png", "b/q.png"]);
    let states = |states: &[StateKind]| Filter { states: states.to_vec(), ..Filter::default() };
    assert_eq!(oldest(states(&[StateKind::Quarantined])).await, ["b/q.png"]);
    assert_eq!(oldest(states(&[StateKind::Deleted, StateKind::Quarantined])).await, ["c.png", "b/q.png"]);
    assert!(oldest(states(&[])).await.is_empty());
    assert!(all(catalog, Order::Path, &states(&[StateKind::Deleted]), 2).await.is_empty(), "others hold no path");
    let below = Filter { prefix: "b/".parse().ok(), ..Filter::default() };
    assert_eq!(oldest(below.clone()).await, ["b/1.png", "b/2.png", "b/3.png"]);
    assert_eq!(all(catalog, Order::Path, &below, 2).await, ["b/1.png", "b/2.png", "b/3.png"]);
    let sum = Filter { tag: "sum".parse().ok(), ..Filter::default() };
    assert_eq!(oldest(sum).await, ["b/2.png", "b/3.png", "b0.png"], "whole tags only");
    assert_eq!(oldest(Filter { owner: Some(ann()), ..below.clone() }).await, ["b/2.png"]);
    let public = Filter { visibility: Some(Visibility::Public), ..Filter::default() };
    assert_eq!(oldest(public).await, ["a.png", "b/1.png", "b/2.png"]);
    let since = Filter { changed_since: Some(at(4)), ..Filter::all() };
    assert_eq!(oldest(since).await, ["b0.png", "c.png", "b/q.png"]);
}

async fn cursors(catalog: &dyn Catalog) {
    let main = tenant("main");
    for number in 0..6 {
        created(catalog, draft(&main, &format!("{number}0.png"), "x", number * 10)).await;
    }
    for (order, expected) in [
        (Order::Newest, ["50.png", "40.png", "30.png", "20.png", "10.png", "00.png"]),
        (Order::Oldest, ["00.png", "10.png", "20.png", "30.png", "40.png", "50.png"]),
        (Order::Path, ["00.png", "10.png", "20.png", "30.png", "40.png", "50.png"]),
    ] {
        let mut listing = Listing { order, limit: 3, ..Listing::default() };
        let first = catalog.list(&main, &listing).await.expect("an answer");
        assert_eq!(paths(&first), expected[..3]);
        listing.after = first.next;
        let letter = order.letter();
        // Before the place and behind the last page, and the very asset that the cursor names is gone.
        for second in [-5, 99] {
            let name = format!("{}{letter}.png", if second < 0 { "0" } else { "9" });
            created(catalog, draft(&main, &name, "x", second)).await;
        }
        let named = catalog
            .find(&main, &expected[2].parse().expect("well-formed"))
            .await
            .expect("an answer")
            .expect("it is there");
        let deleted = committed(catalog, Change::delete(&named, at(999), ann(), at(100))).await.asset;
        let second = catalog.list(&main, &listing).await.expect("an answer");
        assert_eq!(paths(&second)[..3], expected[3..], "{order:?}");
        committed(catalog, Change::restore(&deleted, ann(), at(101))).await;
        for second in [-5, 99] {
            let name = format!("{}{letter}.png", if second < 0 { "0" } else { "9" });
            let guest = catalog
                .find(&main, &name.parse().expect("well-formed"))
                .await
                .expect("an answer")
                .expect("it is there");
            committed(catalog, Change::erase(&guest, ann(), at(102))).await;
        }
    }
    let listing = Listing { limit: 2, ..Listing::default() };
    let cursor = catalog.list(&main, &listing).await.expect("an answer").next;
    assert!(cursor.is_some());
    for (order, after) in [(Order::Path, cursor.clone()), (Order::Newest, "ff00".parse().ok())] {
        let odd = Listing { order, after, ..listing.clone() };
        assert_eq!(catalog.list(&main, &odd).await, Err(StoreError::BadCursor));
    }
    assert_eq!(catalog.scan(cursor.as_ref(), 5).await, Err(StoreError::BadCursor));
    assert!(catalog.survey(cursor.as_ref(), 5).await.is_err());
}

async fn scans(catalog: &dyn Catalog) {
    let mut ids = Vec::new();
    for number in 0..7 {
        let of = tenant(["one", "two", "three"][number as usize % 3]);
        let asset = created(catalog, draft(&of, &format!("{number}.png"), "x", number)).await;
        ids.push(asset.id);
        if number == 3 {
            committed(catalog, Change::delete(&asset, at(99), ann(), at(20))).await;
        } else {
            committed(catalog, Change::of(&asset, EventKind::Changed, ann(), at(21))).await;
        }
    }
    for limit in [1, 2, 7, 1000] {
        let mut after: Option<Cursor> = None;
        let mut found = Vec::new();
        loop {
            let page = catalog.scan(after.as_ref(), limit).await.expect("an answer");
            found.extend(page.items.iter().map(|asset| asset.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        found.sort();
        assert_eq!(found, ids, "each once, {limit} at a time");
    }
    sound(catalog).await;
}
