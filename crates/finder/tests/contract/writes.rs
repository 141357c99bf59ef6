//! The highest revision holds, in whatever order writes come and however often.

use crate::documents::{numbered, put};
use crate::engines::{Engines, paths};
use finder::{Outcome, Query, Reach, Write};
use uuid::Uuid;

fn revision(revision: u64, title: &str) -> Write {
    let mut document = numbered(5, "a.jpg", title, &[]);
    document.revision = revision;
    put(&document)
}

fn removal(revision: u64) -> Write {
    Write::Remove { tenant: "main".into(), id: Uuid::from_u128(5), revision }
}

async fn titles(engines: &Engines) -> Vec<String> {
    let hits = engines.search(&Query::new(Reach::nothing().tenant("main"))).await;
    hits.hits.iter().map(|hit| hit.document.title.clone()).collect()
}

#[tokio::test]
async fn in_one_batch_and_over_batches() {
    let engines = Engines::start();
    for (_, engine) in &engines.all {
        let batch = vec![revision(2, "two"), revision(3, "three"), revision(1, "one"), revision(3, "again")];
        let applied = engine.apply(batch).await.expect("a batch");
        assert_eq!(
            applied.outcomes.iter().filter(|outcome| **outcome == Outcome::Older).count() + applied.written(),
            4
        );
    }
    assert_eq!(titles(&engines).await, ["three"]);
    for (name, engine) in &engines.all {
        for (write, expected) in [
            (revision(3, "late"), Outcome::Older),
            (revision(4, "four"), Outcome::Written),
            (removal(3), Outcome::Older),
            (removal(6), Outcome::Written),
            (revision(5, "a ghost"), Outcome::Older),
            (removal(6), Outcome::Older),
        ] {
            let applied = engine.apply(vec![write.clone()]).await.expect("a batch");
            assert_eq!(applied.outcomes, [expected], "{name}: {write:?}");
        }
        let stats = engine.stats().await.expect("an answer");
        assert_eq!((stats.documents, stats.tombstones, stats.needs_rebuild), (0, 1, false), "{name}");
        assert_eq!(engine.scan(None, 10).await.expect("an answer"), [], "{name}");
    }
    assert_eq!(titles(&engines).await, [""; 0]);
    for (_, engine) in &engines.all {
        engine.apply(vec![revision(7, "restored")]).await.expect("a batch");
    }
    assert_eq!(titles(&engines).await, ["restored"]);
}

#[tokio::test]
async fn all_are_walked_in_order() {
    let engines = Engines::start();
    let writes: Vec<Write> = (1..=25).map(|number| put(&numbered(number, "x.jpg", "", &[]))).collect();
    engines.apply(&writes).await;
    for (name, engine) in &engines.all {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = engine.scan(after, 10).await.expect("an answer");
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            seen.extend(page.iter().map(|(id, revision)| (id.as_u128(), *revision)));
        }
        assert_eq!(seen, (1..=25).map(|number| (number, 1)).collect::<Vec<_>>(), "{name}");
    }
}

#[tokio::test]
async fn hostile_documents_are_cut_not_refused() {
    let engines = Engines::start();
    let mut document = numbered(1, "x.jpg", &"tale ".repeat(1000), &[]);
    document.description = "long ".repeat(10_000) + &"y".repeat(100_000);
    document.tags = (0..1000).map(|tag| format!("tag {tag} {}", "z".repeat(200))).collect();
    document.camera = Some("c".repeat(40_000));
    document.path = format!("{}x.jpg", "a/".repeat(250));
    document.phash = Some(0);
    engines.apply(&[put(&document)]).await;
    let mut query = Query::new(Reach::nothing().tenant("main"));
    query.text = "tale long".into();
    let hits = engines.search(&query).await;
    assert_eq!(paths(&hits).len(), 1);
    let kept = &hits.hits[0].document;
    assert_eq!((kept.title.chars().count(), kept.tags.len(), kept.phash), (500, 200, None));
}
