//! Whoever asks whatever: what is counted, listed, valued or proposed is what they may read, and all of it.

use crate::documents::{numbered, put};
use crate::engines::Engines;
use finder::{Document, Facet, Prompt, Query, Reach, Visibility};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use uuid::Uuid;

const TENANTS: [&str; 3] = ["one", "two", "three"];
const PEOPLE: [&str; 3] = ["ann", "bob", "cy"];
const WORDS: [&str; 5] = ["amber", "ambers", "basalt", "coral", "corals"];

fn document() -> impl Strategy<Value = (usize, usize, bool, Vec<usize>, usize)> {
    (0..3_usize, 0..3_usize, any::<bool>(), proptest::collection::vec(0..WORDS.len(), 0..3), 0..WORDS.len())
}

fn reach() -> impl Strategy<Value = Reach> {
    proptest::collection::vec((0..4, 0..3_usize, 0..3_usize), 0..3).prop_map(|grants| {
        grants.iter().fold(Reach::nothing(), |reach, (kind, tenant, person)| match kind {
            0 => reach.tenant(TENANTS[*tenant]),
            1 => reach.owned(TENANTS[*tenant], PEOPLE[*person]),
            2 => reach.public_of(TENANTS[*tenant]),
            _ => reach.public(),
        })
    })
}

fn documents(shapes: &[(usize, usize, bool, Vec<usize>, usize)]) -> Vec<Document> {
    let of = |(number, (tenant, owner, public, tags, title)): (usize, &(usize, usize, bool, Vec<usize>, usize))| {
        let tags: Vec<&str> = tags.iter().map(|tag| WORDS[*tag]).collect();
        let mut document = numbered(number as u64 + 1, "x.jpg", WORDS[*title], &tags);
        (document.tenant, document.owner) = (TENANTS[*tenant].into(), PEOPLE[*owner].into());
        document.visibility = if *public { Visibility::Public } else { Visibility::Tenant };
        document
    };
    shapes.iter().enumerate().map(of).collect()
}

async fn check(engines: &Engines, documents: &[Document], reach: &Reach, text: &str) {
    let seen: Vec<&Document> = documents.iter().filter(|document| reach.shows(document)).collect();
    let matches = |document: &&&Document| {
        let words = document.tags.iter().chain([&document.title]);
        words.into_iter().any(|word| word.starts_with(text))
    };
    let mut query = Query::new(reach.clone());
    query.text = format!("{text} ").trim_start().to_owned();
    query.facets = vec![Facet::Tags];
    query.limit = 200;
    let hits = engines.search(&query).await;
    let expected: Vec<Uuid> = if text.is_empty() {
        seen.iter().map(|document| document.id).collect()
    } else {
        // The five words are two errors apart at most where they begin alike: then both find each other.
        seen.iter().filter(matches).map(|document| document.id).collect()
    };
    let mut found: Vec<Uuid> = hits.hits.iter().map(|hit| hit.document.id).collect();
    found.sort();
    assert_eq!(found, expected, "{reach:?} {text:?}");
    assert_eq!(hits.total.value as usize, expected.len());
    let mut tags: BTreeMap<String, u64> = BTreeMap::new();
    for document in seen.iter().filter(|document| expected.contains(&document.id)) {
        document.all_tags().into_iter().for_each(|tag| *tags.entry(tag).or_default() += 1);
    }
    let counted: BTreeMap<String, u64> =
        hits.facets[&Facet::Tags].iter().map(|bucket| (bucket.value.clone(), bucket.count)).collect();
    assert_eq!(counted, tags, "{reach:?} {text:?}");
    for (name, engine) in &engines.all {
        let ids: Vec<Uuid> = documents.iter().map(|document| document.id).collect();
        let got = engine.get(reach, &ids).await.expect("an answer");
        assert_eq!(got, seen.iter().map(|document| (*document).clone()).collect::<Vec<_>>(), "{name}");
        for proposal in engine.suggest(&Prompt::new(reach.clone(), "c")).await.expect("an answer") {
            let has =
                |document: &&&Document| document.all_tags().contains(&proposal.text) || document.title == proposal.text;
            assert!(seen.iter().any(|document| has(&document)), "{name} proposes {proposal:?} to {reach:?}");
        }
    }
}

#[test]
fn only_what_may_be_read() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let engines = runtime.block_on(async { Engines::start() });
    let mut runner = TestRunner::new(Config { cases: 12, ..Config::default() });
    let revision = std::cell::Cell::new(1);
    let cases = (proptest::collection::vec(document(), 24..25), proptest::collection::vec(reach(), 5));
    let outcome = runner.run(&cases, |(shapes, reaches)| {
        // The same ids each time, replaced by the next revision.
        revision.set(revision.get() + 1);
        let mut documents = documents(&shapes);
        documents.iter_mut().for_each(|document| document.revision = revision.get());
        runtime.block_on(async {
            engines.apply(&documents.iter().map(put).collect::<Vec<_>>()).await;
            for reach in &reaches {
                for text in ["", "amber", "coral", "basalt"] {
                    check(&engines, &documents, reach, text).await;
                }
            }
        });
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
