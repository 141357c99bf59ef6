//! Originals packed anew: what stays, what is saved, what a kill leaves.

use super::{ACTOR, FACT, Outcome, run};
use crate::api::tests::bench::{Bench, Who};
use crate::work;
use catalog::{Asset, AssetPath, Event, TenantId};
use imaging::{Limits, Scratch, Want, Watch};
use std::task::Poll;
use std::time::Duration;

/// A picture that is packed badly, with EXIF.
fn original() -> Vec<u8> {
    testkit::picture::placed(320, 200)
}

async fn bench() -> Bench {
    Bench::with(|config| config.recompress = true).await
}

async fn asset(bench: &Bench, path: &str) -> Asset {
    let (tenant, path): (TenantId, AssetPath) =
        ("main".parse().expect("sound names"), path.parse().expect("sound names"));
    bench.catalog.find(&tenant, &path).await.expect("it answers").expect("it is there")
}

/// The last event of an asset.
async fn event(bench: &Bench, asset: &Asset) -> Event {
    let events = bench.catalog.pending(100).await.expect("it answers");
    events.into_iter().rev().find(|event| event.asset == asset.id).expect("nobody has handed it on")
}

fn pixels(file: &[u8]) -> Vec<u8> {
    let limits = Limits::default();
    let probe = imaging::probe(file, &limits).expect("a picture");
    let decoded = imaging::decode(file, &probe, &Want::EVERYTHING, &limits, &Watch::new(), &mut Scratch::new(0));
    decoded.expect("a whole picture").bitmap.into_pixels()
}

#[tokio::test]
async fn the_same_picture_in_fewer_bytes() {
    let bench = bench().await;
    let answer = bench.ask(Who::Editor, "PUT", "/ingest/v1/files/a.png?title=A&tags=x", &[], original()).await;
    assert_eq!(answer.status(), 201, "{}", answer.json());
    let before = asset(&bench, "a.png").await;
    let made = event(&bench, &before).await;
    let outcome = run(&bench.desk, &made).await.unwrap();
    let Outcome::Saved { before: bytes, after } = outcome else { panic!("{outcome:?}") };
    assert!(bytes == original().len() as u64 && after * 100 < bytes * 95, "{after} of {bytes}");
    let shown = bench.shown("a.png").unwrap();
    assert_eq!((shown.len() as u64, pixels(&shown)), (after, pixels(&original())));
    let now = asset(&bench, "a.png").await;
    assert_eq!((now.version.get(), now.content.bytes, now.id), (2, after, before.id));
    assert_eq!((&now.title, &now.tags, &now.owner), (&before.title, &before.tags, &before.owner));
    assert_eq!(now.facts["exif"], before.facts["exif"]);
    assert_eq!(now.facts["private"], before.facts["private"], "the place is still in the file");
    assert_eq!(now.facts[FACT]["from"], before.content.hash.to_string());
    assert_eq!(event(&bench, &now).await.actor.as_str(), ACTOR);
    bench.is_sound().await;

    let again = run(&bench.desk, &made).await.unwrap();
    assert_eq!(again, Outcome::left("it has changed since"), "a job that comes twice");
    let own = run(&bench.desk, &event(&bench, &now).await).await.unwrap();
    assert_eq!(own, Outcome::left("it has been packed anew before"));
    let restore = format!("/ingest/v1/assets/{}/versions/1/restore", now.id);
    assert_eq!(bench.ask(Who::Editor, "POST", &restore, &[], "").await.status(), 200);
    let back = asset(&bench, "a.png").await;
    let undone = run(&bench.desk, &event(&bench, &back).await).await.unwrap();
    assert_eq!(undone, Outcome::left("somebody has taken the former content back"));
    assert_eq!(bench.shown("a.png"), Some(original()));
}

#[tokio::test]
async fn what_is_not_worth_it_or_has_changed_stays() {
    let bench = bench().await;
    let noise = testkit::picture::noise(64, 64, 1);
    bench.put("noise.png", &noise).await;
    let there = asset(&bench, "noise.png").await;
    let outcome = run(&bench.desk, &event(&bench, &there).await).await.unwrap();
    assert!(matches!(&outcome, Outcome::Left(_)), "{outcome:?}");
    assert_eq!((asset(&bench, "noise.png").await.revision, bench.shown("noise.png")), (there.revision, Some(noise)));

    bench.put("a.png", &original()).await;
    let made = event(&bench, &asset(&bench, "a.png").await).await;
    bench.put("a.png", &testkit::picture::gradient(300, 200)).await;
    assert_eq!(run(&bench.desk, &made).await.unwrap(), Outcome::left("it has changed since"));
    let id = asset(&bench, "a.png").await.id;
    bench.ask(Who::Editor, "DELETE", &format!("/ingest/v1/assets/{id}"), &[], "").await;
    assert_eq!(run(&bench.desk, &made).await.unwrap(), Outcome::left("it has changed since"));
    bench.is_sound().await;
}

/// Somebody edits while it is being packed: their change is there, and the original stays.
#[tokio::test]
async fn an_editor_wins() {
    let bench = bench().await;
    bench.put("a.png", &original()).await;
    let seen = asset(&bench, "a.png").await;
    let edited = bench
        .json(
            Who::Editor,
            "PATCH",
            &format!("/ingest/v1/assets/{}", seen.id),
            &[("if-match", "*")],
            &serde_json::json!({ "title": "New" }),
        )
        .await;
    assert_eq!(edited.status(), 200);
    let packed = testkit::picture::gradient(320, 200);
    let outcome = super::replace(&bench.desk, &seen, packed.into()).await.unwrap();
    assert!(matches!(&outcome, Outcome::Left(why) if why.contains("revision 2")), "{outcome:?}");
    let now = asset(&bench, "a.png").await;
    assert_eq!((now.title.as_deref(), now.version.get(), bench.shown("a.png")), (Some("New"), 1, Some(original())));
    bench.is_sound().await;
}

/// Dropped at each of its awaits in turn, as a kill would end it: what there is afterwards is the one or the other.
#[tokio::test]
async fn a_kill_leaves_nothing_dangling() {
    let mut ended = false;
    for steps in 0..200 {
        let bench = Bench::on_disk(|config| (config.recompress, config.grace) = (true, Duration::ZERO)).await;
        bench.put("a.png", &original()).await;
        let made = event(&bench, &asset(&bench, "a.png").await).await;
        let mut left = steps;
        let mut running = Box::pin(run(&bench.desk, &made));
        ended = std::future::poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(false);
            }
            left -= 1;
            running.as_mut().poll(cx).map(|done| matches!(done, Ok(Outcome::Saved { .. })))
        })
        .await;
        drop(running);
        // What was begun on other threads comes to its end.
        tokio::time::sleep(Duration::from_millis(10)).await;
        work::settle(&bench.desk).await.expect("published");
        work::sweep(&bench.desk).await.expect("collected");
        bench.is_sound().await;
        let now = asset(&bench, "a.png").await;
        assert_eq!(bench.shown("a.png").map(|shown| shown.len() as u64), Some(now.content.bytes), "at step {steps}");
        if ended {
            assert_eq!(now.version.get(), 2);
            break;
        }
    }
    assert!(ended, "it comes to its end");
}
