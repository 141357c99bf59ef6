//! The companion as its callers see it: over its router, with a real index below.

mod house;

use finder::{Place, Visibility, Write};
use house::{House, document, put};
use serde_json::Value;

fn paths(answer: &Value) -> Vec<&str> {
    let assets = answer["assets"].as_array().map(Vec::as_slice).unwrap_or_default();
    assets.iter().filter_map(|asset| asset["path"].as_str()).collect()
}

#[tokio::test]
async fn the_document_says_what_is_routed() {
    let house = House::open(&[]);
    let differences = companion::testing::differences(&house.companion).await;
    assert!(differences.is_empty(), "{differences:?}");
}

#[tokio::test]
async fn found_assets_have_all_that_a_page_needs() {
    let house = House::open(&["edge=https://cdn.example/a/"]);
    let mut tom = document(1, "main", "cats/tom.jpg", "Tom the cat");
    tom.thumbhash = Some("nAgK".into());
    tom.place = Place::new(51.13, 1.34);
    house.apply(vec![put(tom), put(document(2, "other", "cats/secret.jpg", "A secret cat"))]).await;
    let answer = house.ask(house.viewer(), "/search/v1/assets?q=cat&facet=type&highlight=true").await;
    assert_eq!(answer.status(), 200, "{}", answer.json());
    let found = answer.json();
    assert_eq!(paths(&found), ["cats/tom.jpg"]);
    assert_eq!(found["total"], serde_json::json!({"value": 1, "exact": true}));
    assert_eq!(found["facets"]["type"][0], serde_json::json!({"value": "image/jpeg", "count": 1}));
    let asset = &found["assets"][0];
    assert_eq!(asset["url"], "https://cdn.example/a/main/cats/tom.jpg?w=320&f=auto");
    assert_eq!(asset["renditions"].as_array().map(Vec::len), Some(5));
    assert!(asset["srcset"].as_str().is_some_and(|srcset| srcset.ends_with("w=1920&f=auto 1920w")));
    assert_eq!((&asset["thumbhash"], &asset["place"]["latitude"]), (&"nAgK".into(), &51.13.into()));
    assert_eq!(asset["highlights"][0]["pieces"][1], serde_json::json!({"text": "cat", "hit": true}));
    assert!(found["tookMs"].is_number());
}

#[tokio::test]
async fn nobody_finds_more_than_they_may_read() {
    let house = House::open(&[]);
    let mut public = document(1, "other", "public.jpg", "A public cat");
    public.visibility = Visibility::Public;
    house.apply(vec![put(public), put(document(2, "main", "mine.jpg", "My cat"))]).await;
    assert_eq!(house.ask("", "/search/v1/assets?q=cat").await.status(), 401);
    assert_eq!(house.ask("", "/search/v1/suggest?q=c").await.status(), 401);
    assert_eq!(house.ask(house.operator(), "/search/v1/assets").await.status(), 403);
    assert_eq!(house.ask("rubbish", "/search/v1/assets").await.status(), 401);
    assert_eq!(paths(&house.ask(house.viewer(), "/search/v1/assets").await.json()), ["mine.jpg"]);
    let foreign = house.ask(house.viewer(), "/search/v1/assets?tenant=other").await;
    assert_eq!((foreign.status(), paths(&foreign.json()).len()), (200, 0));
    let suggested = house.ask(house.viewer(), "/search/v1/suggest?q=publ").await.json();
    assert_eq!(suggested["suggestions"], serde_json::json!([]));
    // What others may not know of is as if it were not there.
    let foreign = house.ask(house.viewer(), "/search/v1/similar?to=00000000-0000-0000-0000-000000000001").await;
    let missing = house.ask(house.viewer(), "/search/v1/similar?to=00000000-0000-0000-0000-000000000009").await;
    assert_eq!((foreign.status(), foreign.json()), (404, missing.json()));
}

#[tokio::test]
async fn pictures_that_look_alike_are_found() {
    let house = House::open(&[]);
    let with = |number, hash| {
        let mut document = document(number, "main", &format!("{number}.jpg"), "");
        document.phash = hash;
        put(document)
    };
    house.apply(vec![with(1, Some(0xff)), with(2, Some(0xfe)), with(3, Some(0xff00)), with(4, None)]).await;
    let like = |number: u32| format!("/search/v1/similar?to=00000000-0000-0000-0000-00000000000{number}");
    let found = house.ask(house.viewer(), &like(1)).await.json();
    assert_eq!((paths(&found), &found["assets"][0]["score"]), (vec!["2.jpg"], &63.into()));
    assert_eq!(paths(&house.ask(house.viewer(), &format!("{}&distance=0", like(1))).await.json()), [""; 0]);
    assert_eq!(house.ask(house.viewer(), &like(4)).await.status(), 409);
}

#[tokio::test]
async fn kept_answers_are_dropped_on_change() {
    let house = House::open(&[]);
    let ask = async || paths(&house.ask(house.viewer(), "/search/v1/assets?q=cat").await.json()).len();
    house.apply(vec![put(document(1, "main", "1.jpg", "cat"))]).await;
    assert_eq!((ask().await, ask().await), (1, 1));
    assert!(house.measured().contains("search_answers_total{from=\"Memory\"} 1"), "{}", house.measured());
    house.apply(vec![put(document(9, "other", "9.jpg", "cat"))]).await;
    assert_eq!(ask().await, 1);
    assert!(house.measured().contains("from=\"Memory\"} 2"), "another tenant's change is none");
    house.apply(vec![put(document(2, "main", "2.jpg", "cat"))]).await;
    assert_eq!(ask().await, 2);
    let gone = Write::Remove { tenant: "main".into(), id: document(1, "main", "", "").id, revision: 2 };
    house.apply(vec![gone]).await;
    assert_eq!(ask().await, 1);
}

#[tokio::test]
async fn several_processes_drop_what_one_of_them_changes() {
    let (Some(redis), Some(server)) = (testkit::Redis::start(&[]), testkit::OpenSearch::start()) else { return };
    let (one, two) = (House::remote(&server, &redis), House::remote(&server, &redis));
    let ask = async |house: &House| {
        let answer = house.ask(house.viewer(), "/search/v1/assets?q=cat").await;
        assert_eq!(answer.status(), 200, "{}", answer.json());
        paths(&answer.json()).len()
    };
    one.apply(vec![put(document(1, "main", "1.jpg", "cat"))]).await;
    assert_eq!(ask(&one).await, 1);
    // What one process computed another one is given.
    let mut tries = 0;
    while !two.measured().contains("from=\"Shared\"} ") {
        assert_eq!(ask(&two).await, 1);
        one.apply(vec![put(document(1, "main", "1.jpg", "cat"))]).await;
        assert_eq!(ask(&one).await, 1);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        tries += 1;
        assert!(tries < 200, "answers are never shared");
    }
    two.apply(vec![put(document(2, "main", "2.jpg", "cat"))]).await;
    assert_eq!((ask(&one).await, ask(&two).await), (2, 2));
    drop(redis);
    two.apply(vec![put(document(3, "main", "3.jpg", "cat"))]).await;
    assert_eq!((ask(&one).await, ask(&two).await), (3, 3), "without Redis nothing is kept, and nothing is wrong");
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let house = House::open(&["limit=100", "text=20"]);
    for (query, field) in [
        ("limit=101", "query.limit"),
        ("q=aaaaaaaaaaaaaaaaaaaaaaaaa", "query.q"),
        ("sort=best", "query.sort"),
        ("sort=colour", "query.sort"),
        ("colour=red", "query.colour"),
        ("colour=ff0000&colourWithin=99", "query.colourWithin"),
        ("colourWithin=9", "query.colour"),
        ("colourName=mauve", "query.colourName"),
        ("near=91,0", "query.near"),
        ("near=1,2&radius=-5", "query.radius"),
        ("box=1,2,3", "query.box"),
        ("near=1,2&box=1,2,3,4", "query.box"),
        ("minWidth=5&maxWidth=4", "query.minWidth"),
        ("minMegapixels=-1", "query.minMegapixels"),
        ("takenFrom=yesterday", "query.takenFrom"),
        ("cursor=abc", "query.cursor"),
        ("facet=names", "query.facet"),
        ("buckets=0", "query.buckets"),
        ("similarTo=tom", "query.similarTo"),
        ("distance=3", "query.similarTo"),
        ("query=cat", "query.query"),
    ] {
        let answer = house.ask(house.viewer(), &format!("/search/v1/assets?{query}")).await;
        let problem = answer.json();
        let named = problem["errors"][0]["field"].as_str().unwrap_or_default();
        assert!(answer.status() == 400 && named.starts_with(field), "{query}: {problem}");
        assert!(
            problem["errors"][0]["allowed"].as_str().is_some_and(|allowed| !allowed.is_empty()),
            "{query}: {problem}"
        );
    }
}

#[tokio::test]
async fn pages_follow_each_other() {
    let house = House::open(&[]);
    house.apply((1..=9).map(|number| put(document(number, "main", &format!("{number}.jpg"), "cat"))).collect()).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.ask(house.viewer(), &format!("/search/v1/assets?q=cat&limit=4{cursor}")).await.json();
        seen.extend(paths(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (1..=9).rev().map(|number| format!("{number}.jpg")).collect::<Vec<_>>());
}

#[tokio::test]
async fn places_are_not_searched_where_the_config_says_so() {
    let house = House::open(&["places=nobody"]);
    let mut tom = document(1, "main", "tom.jpg", "");
    tom.place = Place::new(1.0, 2.0);
    house.apply(vec![put(tom)]).await;
    assert_eq!(house.ask(house.viewer(), "/search/v1/assets?near=1,2").await.status(), 403);
    let found = house.ask(house.viewer(), "/search/v1/assets").await.json();
    assert!(found["assets"][0]["place"].is_null());
}
