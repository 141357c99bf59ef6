//! A generation that is built behind the one that is searched.

use crate::documents::{numbered, put};
use crate::engines::{Engines, paths};
use finder::{FinderError, Generation, Query, Reach, Write};
use uuid::Uuid;

#[tokio::test]
async fn nobody_notices_until_the_switch() {
    let engines = Engines::start();
    let query = Query::new(Reach::nothing().tenant("main"));
    let old: Vec<Write> = (1..=3).map(|number| put(&numbered(number, &format!("old/{number}.jpg"), "", &[]))).collect();
    engines.apply(&old).await;
    let mut built = Vec::new();
    for (name, engine) in &engines.all {
        let abandoned = engine.begin_rebuild().await.expect("a generation");
        let generation = engine.begin_rebuild().await.expect("another one");
        assert_ne!(abandoned, generation, "{name}");
        let refused = engine.apply_to(&abandoned, Vec::new()).await;
        assert!(matches!(refused, Err(FinderError::Generation(_))), "{name}");
        built.push(generation);
    }
    // While it is built, events go to both: a change, a removal, something new.
    let mut changed = numbered(2, "changed.jpg", "", &[]);
    changed.revision = 2;
    let removed = Write::Remove { tenant: "main".into(), id: Uuid::from_u128(3), revision: 2 };
    engines.apply(&[put(&changed), removed, put(&numbered(4, "new.jpg", "", &[]))]).await;
    let before = engines.search(&query).await;
    assert_eq!(paths(&before), ["new.jpg", "changed.jpg", "old/1.jpg"]);
    for ((name, engine), generation) in engines.all.iter().zip(&built) {
        // The catalog's scan is older than what events brought.
        let scan = (1..=3).map(|number| put(&numbered(number, &format!("scan/{number}.jpg"), "", &[]))).collect();
        let applied = engine.apply_to(generation, scan).await.expect("a batch");
        assert_eq!(applied.written(), 1, "{name}: {applied:?}");
        assert_eq!(engine.stats().await.expect("an answer").building.as_ref(), Some(generation), "{name}");
    }
    assert_eq!(engines.search(&query).await, before);
    for ((name, engine), generation) in engines.all.iter().zip(&built) {
        let epoch = engine.epoch(Some(&["main"])).await.expect("an answer");
        engine.switch(generation).await.expect("a switch");
        engine.switch(generation).await.expect("asked again");
        assert!(engine.switch(&Generation::named("g99999999")).await.is_err(), "{name}");
        let after = engine.epoch(Some(&["main"])).await.expect("an answer");
        assert!(epoch.is_none() || epoch != after, "{name}: kept answers are void");
        let stats = engine.stats().await.expect("an answer");
        assert_eq!((&stats.current, stats.building), (generation, None), "{name}");
        assert_eq!(engine.drop_old().await.expect("an answer"), 1, "{name}");
        assert_eq!(engine.drop_old().await.expect("an answer"), 0, "{name}");
    }
    assert_eq!(paths(&engines.search(&query).await), ["new.jpg", "changed.jpg", "scan/1.jpg"]);
    engines.apply(&[put(&numbered(5, "later.jpg", "", &[]))]).await;
    assert_eq!(engines.search(&query).await.total.value, 4);
}
