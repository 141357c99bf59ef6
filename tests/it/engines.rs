//! `render.avif_engine`: who encodes AVIF is the operator's choice, and renditions of one engine are none of the other,
//! not even where two servers share what they keep.

use crate::server::{Server, cache, sets};
use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::encode::avif::Engine;
use imaging::{Limits, Scratch, Setup, Watch};
use testkit::{Folder, Redis, picture};
use tintype::config::Config;

const TARGET: &str = "/img/a.png?w=40&f=avif";

fn original() -> Vec<u8> {
    picture::noise(80, 60, 1)
}

fn server(sets: &[&str]) -> Server {
    let folder = Folder::new();
    folder.put("a.png", original());
    Server::over(folder, sets)
}

/// What the engine makes of it, without a server.
fn made_by(engine: Engine) -> Vec<u8> {
    let transform = parse(Some("w=40&f=avif"), &Presets::none()).expect("a valid query").transform;
    let variant = Variant { transform, class: FormatClass::Baseline };
    let setup = Setup { avif: engine, ..Setup::default() };
    imaging::render(&original(), &variant, &setup, &Watch::new(), &mut Scratch::new(0)).expect("renders").bytes
}

#[test]
fn the_configured_engine_writes_and_names_its_renditions() {
    let (usual, other) = (server(&[]), server(&["render.avif_engine=rav1e"]));
    let (by_libaom, by_rav1e) = (usual.get(TARGET), other.get(TARGET));
    for reply in [&by_libaom, &by_rav1e] {
        assert_eq!((reply.status, reply.field("content-type")), (200, "image/avif"), "{}", reply.text());
        let seen = imaging::probe(&reply.body, &Limits::default()).expect("an AVIF");
        assert_eq!((seen.width, seen.height), (40, 30));
    }
    assert_eq!((&by_libaom.body, &by_rav1e.body), (&made_by(Engine::Libaom), &made_by(Engine::Rav1e)));
    assert_ne!(by_libaom.field("etag"), by_rav1e.field("etag"));
    let stale = other.get_with(TARGET, &[("if-none-match", by_libaom.field("etag"))]);
    assert_eq!(stale.status, 200, "who holds libaom's has not got rav1e's");
    // All else is the same.
    let webp = "/img/a.png?w=40&f=webp";
    assert_eq!(usual.get(webp).field("etag"), other.get(webp).field("etag"));
}

#[test]
fn what_the_other_engine_made_is_not_found_in_a_shared_tier() {
    let Some(redis) = Redis::start(&[]) else { return };
    let urls = format!("cache.redis.urls={}", redis.url());
    let shared = [urls.as_str(), "cache.redis.timeout=30s"];
    let folder = Folder::new();
    folder.put("a.png", original());
    let root = format!("origins.0.root={}", folder.root().display());
    let over = |engine| Server::start(&[shared[0], shared[1], &root, engine]);

    let usual = over("render.avif_engine=libaom");
    usual.get("/img/a.png?w=40&f=webp");
    let by_libaom = usual.get(TARGET);
    usual.until("tintype_tier_events_total{tier=\"redis\",event=\"written\"}", 2.0);

    let other = over("render.avif_engine=rav1e");
    let by_rav1e = other.get(TARGET);
    assert_eq!(cache(&by_rav1e), "tintype; fwd=miss; stored");
    assert_ne!((&by_rav1e.body, by_rav1e.field("etag")), (&by_libaom.body, by_libaom.field("etag")));
    assert_eq!(cache(&other.get("/img/a.png?w=40&f=webp")), "tintype; hit; detail=redis", "no AVIF, no difference");

    let again = over("render.avif_engine=libaom").get(TARGET);
    assert_eq!((cache(&again).as_str(), &again.body), ("tintype; hit; detail=redis", &by_libaom.body));
}

#[test]
fn without_loss_rav1e_says_what_to_ask_instead() {
    let server = server(&["render.avif_engine=rav1e"]);
    let refused = server.get("/img/a.png?f=avif&lossless=1");
    assert!((400..500).contains(&refused.status), "{}", refused.status);
    assert!(refused.text().contains("f=png") && refused.text().contains("rav1e"), "{}", refused.text());
    let negotiated = server.get_with("/img/a.png?w=40&f=auto&lossless=1", &[("accept", "image/avif,image/webp,*/*")]);
    assert_eq!((negotiated.status, negotiated.field("content-type")), (200, "image/webp"));
}

#[test]
fn an_engine_that_does_not_exist_is_told_with_those_that_do() {
    let loaded = service::config::load::<Config>(None, [], &sets(&Folder::new(), &["render.avif_engine=svt"]));
    let error = loaded.map(|_| ()).expect_err("no such engine").to_string();
    assert!(error.contains("render.avif_engine") && error.contains("libaom") && error.contains("rav1e"), "{error}");
}
