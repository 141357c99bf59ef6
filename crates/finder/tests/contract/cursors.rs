//! Pages that are read while others write.

use crate::documents::{numbered, put};
use crate::engines::Engines;
use finder::{Query, Reach, Sort, Write};
use uuid::Uuid;

async fn walk(engines: &Engines, sort: Sort, text: &str) -> Vec<Uuid> {
    let mut query = Query::new(Reach::nothing().tenant("main"));
    (query.sort, query.limit, query.text) = (sort, 8, text.into());
    let mut seen = Vec::new();
    let mut number = 1000;
    loop {
        let hits = engines.search(&query).await;
        seen.extend(hits.hits.iter().map(|hit| hit.document.id));
        // Something comes and something goes between any two pages.
        let new: Vec<Write> = (0..3)
            .map(|_| {
                number += 1;
                put(&numbered(number, "new.jpg", "cat", &[]))
            })
            .collect();
        engines.apply(&new).await;
        let Some(next) = hits.next else { break };
        query.cursor = Some(next);
        assert!(seen.len() < 1000, "the end is never reached");
    }
    seen
}

#[tokio::test]
async fn nothing_is_repeated_and_nothing_that_was_there_is_skipped() {
    for (sort, text) in [
        (Sort::Relevance, "cat"),
        (Sort::Relevance, ""),
        (Sort::Created, ""),
        (Sort::CreatedDown, "cat"),
        (Sort::Pixels, ""),
        (Sort::BytesDown, ""),
    ] {
        let engines = Engines::start();
        let documents: Vec<_> = (1..=24_u64)
            .map(|number| {
                let mut document = numbered(number, "x.jpg", if number % 3 == 0 { "cat" } else { "cats" }, &["cat"]);
                document.width = 100 + (number % 4) as u32;
                document
            })
            .collect();
        engines.apply(&documents.iter().map(put).collect::<Vec<_>>()).await;
        let seen = walk(&engines, sort, text).await;
        let mut old: Vec<Uuid> = seen.iter().filter(|id| id.as_u128() <= 24).copied().collect();
        old.sort();
        assert_eq!(old, documents.iter().map(|document| document.id).collect::<Vec<_>>(), "{sort:?} {text:?}");
        let mut all = seen.clone();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), seen.len(), "{sort:?} {text:?}: repeated");
    }
}
