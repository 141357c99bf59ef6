//! Likeness beside a comparison of everything with everything: nothing is missed, nothing is added.

use crate::documents::{numbered, put};
use crate::engines::Engines;
use finder::{Alike, MAX_DISTANCE, Query, Reach, Sort};

/// Numbers that look like chance and are the same every time (splitmix64).
fn chance(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

#[tokio::test]
async fn recall_is_whole_at_every_distance() {
    let engines = Engines::start();
    let mut chance = chance(7);
    let centre = chance();
    let mut documents = Vec::new();
    for number in 0..300_u64 {
        let flips = (0..number % 24).fold(0_u64, |flips, _| flips | 1 << (chance() % 64));
        let mut document = numbered(number + 1, "x.jpg", "", &[]);
        document.phash = Some(centre ^ flips);
        documents.push(document);
    }
    engines.apply(&documents.iter().map(put).collect::<Vec<_>>()).await;
    for within in 0..=MAX_DISTANCE {
        let mut query = Query::new(Reach::nothing().tenant("main"));
        query.alike = Some(Alike { hash: centre, within });
        (query.sort, query.limit) = (Sort::Likeness, 200);
        let hits = engines.search(&query).await;
        let distance = |hash: Option<u64>| (hash.expect("each has one") ^ centre).count_ones();
        let expected = documents.iter().filter(|document| distance(document.phash) <= u32::from(within)).count();
        assert_eq!(hits.total.value as usize, expected, "within {within}");
        let distances: Vec<u32> = hits.hits.iter().map(|hit| distance(hit.document.phash)).collect();
        assert!(distances.is_sorted(), "{distances:?}");
    }
}
