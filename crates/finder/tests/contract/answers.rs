//! Questions with known answers.

use crate::documents::{put, some, time};
use crate::engines::{Engines, paths};
use finder::{
    Alike, Area, ColourName, Facet, Near, NearTo, Orientation, Place, Prompt, Query, Reach, Sort, SuggestionKind, Total,
};

fn everything() -> Query {
    Query::new(Reach::nothing().tenant("main"))
}

fn of(text: &str) -> Query {
    let mut query = everything();
    query.text = text.into();
    query
}

async fn filled() -> Engines {
    let engines = Engines::start();
    engines.apply(&some().iter().map(put).collect::<Vec<_>>()).await;
    engines
}

#[tokio::test]
async fn words_rank_by_where_they_are_and_how_well_they_match() {
    let engines = filled().await;
    let (light, tom, kit, gif) = ("sea/light.jpg", "cats/tom.jpg", "cats/small/kit.jpg", "misc/lighthouse.gif");
    for (text, expected) in [
        // Title, tags, description, path.
        ("lighthouse", &[light, kit, tom, gif][..]),
        ("lighthouse ", &[light, kit, tom, gif]),
        ("LIGHTHOUSE", &[light, kit, tom, gif]),
        // One and two errors.
        ("lighthose", &[light, kit, tom, gif]),
        ("lihgthose", &[light, kit, tom, gif]),
        // The beginning, and a mistyped beginning. A mistyped one is worth the same in titles and tags.
        ("lighth", &[light, kit, tom, gif]),
        ("ligthh", &[kit, light]),
        // All words have to be there.
        ("lighthouse dusk", &[light]),
        ("dover lighthouse", &[tom]),
        ("lighthouse -dusk", &[kit, tom, gif]),
        ("-lighthouse tom", &[]),
        ("creme brulee", &["sea/boat.png"]),
        ("猫", &["nacht.jpg"]),
        ("450d rex", &["dogs/rex.jpg"]),
        ("macro", &[kit]),
        // The newest first among equals.
        ("cat", &[tom, "nacht.jpg", kit]),
        ("nothing of this kind", &[]),
        ("...", &["nacht.jpg", "misc/new.jpg", "misc/old.jpg", gif, "sea/boat.png", "dogs/rex.jpg", kit, tom, light]),
    ] {
        let hits = engines.search(&of(text)).await;
        assert_eq!(paths(&hits), expected, "{text:?}");
        assert_eq!(hits.total, Total { value: expected.len() as u64, exact: true }, "{text:?}");
    }
}

#[tokio::test]
async fn filters_leave_what_they_say() {
    let engines = filled().await;
    let check = async |change: &dyn Fn(&mut Query), expected: &[&str]| {
        let mut query = everything();
        query.sort = Sort::Created;
        change(&mut query);
        assert_eq!(paths(&engines.search(&query).await), expected, "{query:?}");
    };
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    check(&|q| q.tags = words(&["cat", "PET"]), &["cats/tom.jpg"]).await;
    check(&|q| q.any_tags = words(&["dog", "sea"]), &["sea/light.jpg", "dogs/rex.jpg"]).await;
    check(&|q| (q.tags, q.no_tags) = (words(&["cat"]), words(&["pet", "macro"])), &["nacht.jpg"]).await;
    check(&|q| q.tags = words(&["new york"]), &["misc/old.jpg", "misc/new.jpg"]).await;
    check(&|q| q.types = words(&["image/png", "IMAGE/GIF"]), &["sea/boat.png", "misc/lighthouse.gif"]).await;
    check(&|q| q.cameras = words(&["Canon EOS 450D"]), &["dogs/rex.jpg", "misc/old.jpg"]).await;
    check(&|q| q.cameras = words(&["Canon"]), &[]).await;
    check(&|q| q.orientations = vec![Orientation::Portrait, Orientation::Square], &["sea/light.jpg", "sea/boat.png"])
        .await;
    check(&|q| q.colours = vec![ColourName::Red], &["sea/light.jpg", "cats/tom.jpg"]).await;
    check(&|q| q.colours = vec![ColourName::White], &[]).await;
    check(&|q| q.years = vec![2001, 2019], &["sea/light.jpg", "misc/old.jpg"]).await;
    check(&|q| q.animated = Some(true), &["misc/lighthouse.gif"]).await;
    check(&|q| q.folder = Some("cats".into()), &["cats/tom.jpg", "cats/small/kit.jpg"]).await;
    check(&|q| q.folder = Some("cats/small/".into()), &["cats/small/kit.jpg"]).await;
    check(&|q| q.folder = Some("cat".into()), &[]).await;
    check(&|q| q.owner = Some("bob".into()), &["misc/new.jpg"]).await;
    check(&|q| q.taken.from = Some(time("2010-01-01T00:00:00Z")), &["sea/light.jpg"]).await;
    check(&|q| q.taken.to = Some(time("2001-01-01T00:00:00Z")), &["misc/old.jpg"]).await;
    check(&|q| q.created.to = Some(time("2023-11-14T22:14:20Z")), &["sea/light.jpg"]).await;
    check(
        &|q| (q.bytes.from, q.bytes.to) = (Some(1_000_003), Some(1_000_004)),
        &["cats/small/kit.jpg", "dogs/rex.jpg"],
    )
    .await;
    check(&|q| q.pixels.to = Some(1_000_000), &["sea/boat.png", "nacht.jpg"]).await;
    check(&|q| q.width.to = Some(999), &["nacht.jpg"]).await;
    check(&|q| q.height.from = Some(4000), &["sea/light.jpg"]).await;
}

#[tokio::test]
async fn orders_are_total() {
    let engines = filled().await;
    let check = async |sort: Sort, first: &[&str]| {
        let mut query = everything();
        query.sort = sort;
        let hits = engines.search(&query).await;
        assert_eq!(paths(&hits)[..first.len()], *first, "{sort:?}");
        assert_eq!(hits.hits.len(), 9);
    };
    check(Sort::Relevance, &["nacht.jpg", "misc/new.jpg"]).await;
    check(Sort::CreatedDown, &["nacht.jpg", "misc/new.jpg"]).await;
    check(Sort::Changed, &["sea/light.jpg", "cats/tom.jpg"]).await;
    check(Sort::ChangedDown, &["nacht.jpg"]).await;
    check(Sort::Taken, &["misc/old.jpg", "sea/light.jpg", "cats/tom.jpg"]).await;
    check(Sort::TakenDown, &["nacht.jpg"]).await;
    check(Sort::Bytes, &["sea/light.jpg", "cats/tom.jpg"]).await;
    check(Sort::BytesDown, &["nacht.jpg"]).await;
    // Of equal ones the newest first.
    check(Sort::Pixels, &["nacht.jpg", "sea/boat.png", "misc/new.jpg"]).await;
    check(Sort::PixelsDown, &["misc/new.jpg", "misc/old.jpg"]).await;
    check(Sort::Width, &["nacht.jpg", "sea/boat.png", "sea/light.jpg"]).await;
    check(Sort::WidthDown, &["misc/new.jpg"]).await;
    check(Sort::Height, &["nacht.jpg", "sea/boat.png"]).await;
    check(Sort::HeightDown, &["sea/light.jpg", "misc/new.jpg"]).await;
}

#[tokio::test]
async fn facets_count_what_was_found() {
    let engines = filled().await;
    let mut query = everything();
    query.facets = Facet::ALL.to_vec();
    query.limit = 0;
    query.buckets = 3;
    let hits = engines.search(&query).await;
    assert!(hits.hits.is_empty() && hits.next.is_none() && hits.total.value == 9);
    let of = |facet: Facet| {
        let buckets = hits.facets.get(&facet).expect("it was asked for");
        buckets.iter().map(|bucket| (bucket.value.as_str(), bucket.count)).collect::<Vec<_>>()
    };
    assert_eq!(of(Facet::Tags), [("cat", 3), ("new york", 2), ("pet", 2)]);
    assert_eq!(of(Facet::Type), [("image/jpeg", 7), ("image/gif", 1), ("image/png", 1)]);
    assert_eq!(of(Facet::Camera), [("Canon EOS 450D", 2)]);
    assert_eq!(of(Facet::Orientation), [("landscape", 7), ("portrait", 1), ("square", 1)]);
    assert_eq!(of(Facet::Colour), [("red", 2), ("blue", 1), ("green", 1)]);
    assert_eq!(of(Facet::Year), [("2023", 7), ("2001", 1), ("2019", 1)]);
    query.text = "holiday".into();
    let hits = engines.search(&query).await;
    assert_eq!(hits.total.value, 2);
    assert_eq!(hits.facets[&Facet::Tags].first().map(|bucket| bucket.count), Some(2));
}

#[tokio::test]
async fn colours_are_found_by_nearness() {
    let engines = filled().await;
    let near = |colour: &str, within: f32, to: NearTo| {
        let mut query = everything();
        query.near = Some(Near { colour: colour.parse().expect("a colour"), within, to });
        query.sort = Sort::Colour;
        query
    };
    let hits = engines.search(&near("#ff0000", 40.0, NearTo::Palette)).await;
    assert_eq!(paths(&hits), ["sea/light.jpg", "cats/tom.jpg"]);
    assert!(hits.hits[0].score > hits.hits[1].score);
    assert_eq!(paths(&engines.search(&near("#ff0000", 5.0, NearTo::Palette)).await), ["sea/light.jpg"]);
    assert_eq!(paths(&engines.search(&near("#ffffff", 10.0, NearTo::Palette)).await), [""; 0], "a small share is none");
    assert_eq!(paths(&engines.search(&near("#802080", 10.0, NearTo::Average)).await), ["cats/tom.jpg"]);
}

#[tokio::test]
async fn likeness_is_counted_in_bits() {
    let engines = filled().await;
    let mut query = everything();
    query.alike = Some(Alike { hash: 0xf0f0_f0f0_f0f0_f0f0, within: 15 });
    query.sort = Sort::Likeness;
    let hits = engines.search(&query).await;
    assert_eq!(paths(&hits), ["sea/light.jpg", "cats/tom.jpg"]);
    assert_eq!(hits.hits.iter().map(|hit| hit.score).collect::<Vec<_>>(), [Some(64), Some(62)]);
    query.without = Some(hits.hits[0].document.id);
    query.alike = Some(Alike { hash: 0xf0f0_f0f0_f0f0_f0f0, within: 1 });
    assert!(engines.search(&query).await.hits.is_empty());
}

#[tokio::test]
async fn places_are_found_for_members_only() {
    let engines = filled().await;
    let place = |latitude, longitude| Place::new(latitude, longitude).expect("it exists");
    let mut query = everything();
    query.sort = Sort::Created;
    query.area = Some(Area::Round { centre: place(51.13, 1.34), metres: 1000.0 });
    assert_eq!(paths(&engines.search(&query).await), ["sea/light.jpg"]);
    query.area = Some(Area::Round { centre: place(51.13, 1.34), metres: 300_000.0 });
    assert_eq!(paths(&engines.search(&query).await), ["sea/light.jpg", "cats/tom.jpg"]);
    query.area = Some(Area::Box { south_west: place(-20.0, 179.0), north_east: place(-10.0, -179.0) });
    assert_eq!(paths(&engines.search(&query).await), ["cats/small/kit.jpg", "dogs/rex.jpg"]);
    let mut public = some()[0].clone();
    (public.revision, public.visibility) = (2, finder::Visibility::Public);
    engines.apply(&[put(&public)]).await;
    let mut stranger = Query::new(Reach::nothing().public());
    assert_eq!(paths(&engines.search(&stranger).await), ["sea/light.jpg"]);
    stranger.area = Some(Area::Round { centre: place(51.13, 1.34), metres: 1000.0 });
    assert!(engines.search(&stranger).await.hits.is_empty(), "where it was taken is not public");
}

#[tokio::test]
async fn words_are_shown_where_they_were_found() {
    let engines = filled().await;
    let mut query = of("lighthouse");
    query.highlight = true;
    let hits = engines.search(&query).await;
    let shown = &hits.hits[2].highlights;
    assert_eq!(shown.len(), 1);
    let text: String = shown[0].pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert_eq!((shown[0].field.as_str(), text.as_str()), ("description", some()[1].description.as_str()));
    assert_eq!(
        shown[0].pieces.iter().filter(|piece| piece.hit).map(|piece| piece.text.as_str()).collect::<Vec<_>>(),
        ["lighthouse"]
    );
}

#[tokio::test]
async fn what_is_typed_is_completed() {
    let engines = filled().await;
    let mut secret = crate::documents::numbered(99, "x.jpg", "Lightning secret", &["light-secret"]);
    secret.tenant = "other".into();
    engines.apply(&[put(&secret)]).await;
    let check = async |text: &str, expected: &[(&str, SuggestionKind, u64)]| {
        for (name, engine) in &engines.all {
            let prompt = Prompt::new(Reach::nothing().tenant("main"), text);
            let found = engine.suggest(&prompt).await.expect("an answer");
            let found: Vec<_> = found.iter().map(|one| (one.text.as_str(), one.kind, one.count)).collect();
            assert_eq!(found, expected, "{name}: {text:?}");
        }
    };
    check("light", &[("lighthouse", SuggestionKind::Tag, 1)]).await;
    check("new y", &[("new york", SuggestionKind::Tag, 2)]).await;
    check("HOLI", &[("holiday", SuggestionKind::Word, 1), ("holidays", SuggestionKind::Word, 1)]).await;
    check("tom c", &[("tom cat", SuggestionKind::Word, 1)]).await;
    check("rex c", &[]).await;
    check("", &[]).await;
    check("tom ", &[]).await;
}

#[tokio::test]
async fn the_last_words_of_all_are_completed() {
    let engines = Engines::start();
    engines.apply(&[put(&crate::documents::numbered(1, "x.jpg", "zebra", &["zoo"]))]).await;
    for (typed, expected) in [("ze", &["zebra"][..]), ("zo", &["zoo"]), ("zz", &[]), ("zebraz", &[]), ("a", &[])] {
        for (name, engine) in &engines.all {
            let prompt = Prompt::new(Reach::nothing().tenant("main"), typed);
            let found = engine.suggest(&prompt).await.expect("an answer");
            assert_eq!(found.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), expected, "{name}: {typed}");
        }
    }
}

#[tokio::test]
async fn what_is_beyond_the_limits_is_refused() {
    let engines = Engines::start();
    let check = async |change: &dyn Fn(&mut Query), field: &str| {
        let mut query = everything();
        change(&mut query);
        let error = engines.try_search(&query).await.expect_err("a refusal");
        assert!(matches!(&error, finder::FinderError::Query(rejected) if rejected.field == field), "{error}");
    };
    check(&|q| q.text = "x".repeat(501), "text").await;
    check(&|q| q.tags = vec!["x".into(); 51], "tags").await;
    check(&|q| q.limit = 201, "limit").await;
    check(&|q| q.buckets = 0, "buckets").await;
    check(&|q| q.cursor = Some("x".into()), "cursor").await;
    check(&|q| q.sort = Sort::Colour, "sort").await;
    check(&|q| q.sort = Sort::Likeness, "sort").await;
    check(&|q| q.alike = Some(Alike { hash: 1, within: 16 }), "distance").await;
    check(&|q| (q.width.from, q.width.to) = (Some(2), Some(1)), "width").await;
}
