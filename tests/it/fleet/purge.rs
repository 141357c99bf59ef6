//! Purges, as somebody sees them who asks any instance of a fleet before and after.

use super::{Instance, eventually, shared, web};
use crate::server::cache;
use serde_json::json;
use testkit::redis::Cluster;
use testkit::s3::Inside;
use testkit::{Act, Origin, Redis, picture};

const TARGET: &str = "/web/2024/a.png?w=20&f=webp&tags=sale,summer";

/// An origin whose pictures are fresh for a day.
fn origin() -> Origin {
    let origin = Origin::new();
    show(&origin, 0);
    origin
}

/// From now on it has other pictures; nobody is told.
fn show(origin: &Origin, turn: u64) {
    for (number, name) in ["/2024/a.png", "/2024/b.png", "/2023/c.png"].into_iter().enumerate() {
        let picture = picture::noise(60, 40, turn * 9 + number as u64);
        origin.on(name, [Act::ok(&[("cache-control", "max-age=86400")], picture)]);
    }
}

fn pair(redis: &Redis, origin: &Origin) -> (Instance, Instance) {
    let sets = [&shared(redis)[..], &web(origin)];
    (Instance::start(&sets), Instance::start(&sets))
}

/// Both have it in memory.
fn warm(one: &Instance, two: &Instance, target: &str) -> Vec<u8> {
    let made = one.get(target);
    assert_eq!(made.status, 200, "{}", made.text());
    eventually("the second has it too", || two.get(target).body == made.body);
    assert_eq!(cache(&one.get(target)), "tintype; hit; detail=memory");
    eventually("in memory", || cache(&two.get(target)) == "tintype; hit; detail=memory");
    made.body
}

/// After the purge that `body` asks the first for, neither answers with what was there before.
fn gone_by(body: &str) {
    let Some(redis) = Redis::start(&[]) else { return };
    let origin = origin();
    let (one, two) = pair(&redis, &origin);
    let old = warm(&one, &two, TARGET);
    let asked = origin.count("/2024/a.png");
    show(&origin, 1);
    assert_eq!((one.get(TARGET).body == old, two.get(TARGET).body == old), (true, true), "it is fresh for a day");
    let (status, answer) = one.purge(body);
    assert_eq!((status, &answer["fleet"]["told"]), (200, &json!(true)), "{answer:#}");
    assert_eq!(answer["tiers"]["memory"], json!({"removed": 1, "originals": 1}), "{answer:#}");
    assert_eq!(answer["tiers"]["redis"], json!({"void": true}));
    let new = one.get(TARGET);
    assert_ne!(new.body, old, "{body}: the asked instance has forgotten it at once");
    eventually("the other instance forgets", || two.get(TARGET).body == new.body);
    assert!(origin.count("/2024/a.png") > asked, "the original is asked for anew");
    for _ in 0..3 {
        assert_eq!((one.get(TARGET).body == new.body, two.get(TARGET).body == new.body), (true, true), "it stays away");
    }
}

#[test]
fn by_the_url_of_any_rendition() {
    gone_by(r#"{"url": "/web/2024/a.png?w=999"}"#);
}

#[test]
fn by_source() {
    gone_by(r#"{"source": {"route": "/web/", "path": "2024/a.png"}}"#);
    gone_by(r#"{"source": {"origin": "web", "path": "2024/a.png"}}"#);
}

#[test]
fn by_tag() {
    gone_by(r#"{"tag": ["elsewhere", "SUMMER"]}"#);
    gone_by(r#"{"tag": "src:2024/a.png"}"#);
}

#[test]
fn by_prefix() {
    gone_by(r#"{"prefix": "http://any.example/web/202"}"#);
    gone_by(r#"{"prefix": "/we"}"#);
}

#[test]
fn all_of_it() {
    gone_by(r#"{"all": true}"#);
}

#[test]
fn only_one_rendition() {
    let Some(redis) = Redis::start(&[]) else { return };
    let origin = origin();
    let (one, two) = pair(&redis, &origin);
    let other = "/web/2024/a.png?w=30&f=webp";
    warm(&one, &two, TARGET);
    let beside = warm(&one, &two, other);
    let (status, answer) = one.purge(r#"{"url": "/web/2024/a.png?f=webp&w=20", "only": true}"#);
    assert_eq!((status, &answer["tiers"]["memory"]["removed"]), (200, &json!(1)), "{answer:#}");
    eventually("the other instance clears it away", || two.metric("tintype_cache_memory_entries") == 1.0);
    let fills = one.fills();
    assert_eq!((one.get(other).body, two.get(other).body), (beside.clone(), beside), "others stay as they are");
    assert_eq!(one.fills(), fills);
    assert_eq!(one.get(TARGET).status, 200);
    assert_eq!(one.fills(), fills + 1.0, "the purged one is made anew");
}

#[test]
fn others_stay() {
    let Some(redis) = Redis::start(&[]) else { return };
    let origin = origin();
    let (one, two) = pair(&redis, &origin);
    for target in ["/web/2024/b.png?w=20", "/web/2023/c.png?w=20"] {
        warm(&one, &two, target);
    }
    let (status, answer) = one.purge(r#"{"prefix": "/web/2024/b", "tag": "winter"}"#);
    assert_eq!((status, &answer["tiers"]["memory"]["removed"]), (200, &json!(1)), "{answer:#}");
    let fills = one.fills();
    assert_eq!(cache(&one.get("/web/2023/c.png?w=20")), "tintype; hit; detail=memory");
    assert_eq!(one.fills(), fills);
}

#[test]
fn a_dry_run_does_nothing() {
    let Some(redis) = Redis::start(&[]) else { return };
    let origin = origin();
    let (one, two) = pair(&redis, &origin);
    warm(&one, &two, TARGET);
    let (status, answer) = one.purge(r#"{"tag": "sale", "dry_run": true}"#);
    assert_eq!((status, &answer["tiers"]["memory"]["removed"], &answer["purged"]), (200, &json!(1), &json!(0)));
    assert_eq!(cache(&one.get(TARGET)), "tintype; hit; detail=memory");
    assert_eq!(one.metric("tintype_purges_remembered"), 0.0);
}

#[test]
fn what_means_nothing_is_refused_by_name() {
    let origin = origin();
    let one = Instance::start(&[&web(&origin)]);
    let (status, answer) = one.purge(r#"{"url": ["/web/2024/a.png", "/nowhere/a.png", "ftp://x/y"], "tag": "a,b"}"#);
    assert_eq!((status, &answer["purged"], &answer["refused"]), (207, &json!(1), &json!(3)), "{answer:#}");
    assert_eq!(answer["items"][1]["error"], json!("no route of this server begins with this host and path"));
    assert_eq!(one.purge(r#"{"source": {"origin": "nobody", "path": "a"}}"#).0, 400);
    assert_eq!(one.purge("not JSON").0, 400);
}

/// Messages, marks and leases over the nodes of a cluster.
#[test]
fn a_cluster_does_as_one_node() {
    let Some(cluster) = Cluster::start() else { return };
    let origin = origin();
    let urls = [format!("cache.redis.urls={}", cluster.urls()[..2].join(","))];
    let times = ["cache.redis.timeout=5s".to_owned(), "cache.redis.wait=60s".to_owned()];
    let sets = [&urls[..], &times, &web(&origin)];
    let (one, two) = (Instance::start(&sets), Instance::start(&sets));
    let old = warm(&one, &two, TARGET);
    assert_eq!(one.fills() + two.fills(), 1.0, "one made it, the other found it");
    show(&origin, 1);
    let (status, answer) = one.purge(r#"{"prefix": "/web/2024/"}"#);
    assert_eq!((status, &answer["fleet"]["told"]), (200, &json!(true)), "{answer:#}");
    let new = one.get(TARGET);
    assert_ne!(new.body, old);
    eventually("the other instance forgets", || two.get(TARGET).body == new.body);
}

/// What was purged while an instance could not hear is gone when it hears again.
#[test]
fn a_purge_that_was_missed_is_caught_up() {
    let Some(redis) = Redis::start(&[]) else { return };
    let origin = origin();
    let (one, two) = pair(&redis, &origin);
    let mut old = warm(&one, &two, TARGET);
    for round in 0..3 {
        show(&origin, round + 1);
        // All connections of both are cut, those for messages too, in the middle of it.
        for kind in ["pubsub", "normal"] {
            let _ = redis.tell(&format!("CLIENT KILL TYPE {kind} SKIPME yes"));
        }
        let (status, answer) = one.purge(r#"{"source": {"route": "/web/", "path": "2024/a.png"}}"#);
        assert_eq!(status, 200, "{round}: {answer:#}");
        let new = one.get(TARGET);
        assert_ne!(new.body, old);
        eventually("the other catches up", || two.get(TARGET).body == new.body);
        old = new.body;
    }
    two.until("tintype_fleet_heard", 1.0);
}

/// Redis is down while somebody purges, and comes back without its memory.
#[test]
fn a_purge_without_redis_is_told_when_it_is_back() {
    let Some(mut redis) = Redis::start(&[]) else { return };
    let origin = origin();
    let (one, two) = pair(&redis, &origin);
    let old = warm(&one, &two, TARGET);
    show(&origin, 1);
    redis.kill();
    let (status, answer) = one.purge(r#"{"tag": "sale"}"#);
    assert_eq!((status, &answer["fleet"]["told"]), (502, &json!(false)), "{answer:#}");
    let new = one.get(TARGET);
    assert_ne!(new.body, old, "here it holds at once");
    assert_eq!(two.get(TARGET).body, old, "the other cannot know");
    redis.restart();
    eventually("the other is told", || two.get(TARGET).body != old);
    one.until("tintype_fleet_heard", 1.0);
    assert_eq!(one.metric("tintype_purges_untold"), 0.0);
}

/// An instance that begins after the purge finds nothing of before it in any tier.
#[test]
fn what_a_purge_reached_does_not_come_back_by_a_new_instance() {
    let Some(redis) = Redis::start(&[]) else { return };
    let origin = origin();
    let (one, two) = pair(&redis, &origin);
    let other = "/web/2024/a.png?w=40&tags=sale";
    warm(&one, &two, other);
    one.until("tintype_tier_events_total{tier=\"redis\",event=\"written\"}", 1.0);
    // The picture stays the same: without the mark a third instance would find it in Redis, under the same key.
    assert_eq!(one.purge(r#"{"tag": "sale"}"#).0, 200);
    let third = Instance::start(&[&shared(&redis), &web(&origin)]);
    let reply = third.get(other);
    assert_eq!((reply.status, third.fills()), (200, 1.0), "made anew, not found");
    assert_eq!(third.metric("tintype_tier_events_total{tier=\"redis\",event=\"purged\"}"), 1.0);
}

/// A bucket is not looked through: what is void there is not found, and goes when it is asked for.
#[test]
fn the_bucket_too() {
    let Some(redis) = Redis::start(&[]) else { return };
    let bucket = Inside::start(&["renditions"]);
    let s3 = testkit::s3::sets("cache.s3", "cache.s3", bucket.address, "renditions");
    let origin = origin();
    // Entries this large go to the bucket only.
    let small = ["cache.redis.max_entry=1KiB".to_owned()];
    let sets = [&shared(&redis)[..], &web(&origin), &s3, &small];
    let target = "/web/2024/a.png?f=png&tags=sale";
    let one = Instance::start(&sets);
    assert_eq!(one.get(target).status, 200);
    one.until("tintype_tier_events_total{tier=\"object\",event=\"written\"}", 1.0);
    let two = Instance::start(&sets);
    assert!(cache(&two.get(target)).contains("detail=object"), "found there");
    assert_eq!(two.fills(), 0.0);
    let (status, answer) = one.purge(r#"{"tag": "sale"}"#);
    assert_eq!((status, &answer["tiers"]["object"]), (200, &json!({"void": true})), "{answer:#}");
    let third = Instance::start(&sets);
    assert_eq!((third.get(target).status, third.fills()), (200, 1.0), "the same picture, made anew");
    assert_eq!(third.metric("tintype_tier_events_total{tier=\"object\",event=\"purged\"}"), 1.0);
}

/// Without Redis there is one instance; its disk is swept.
#[test]
fn the_disk_is_swept() {
    let origin = origin();
    let folder = tempfile::tempdir().expect("a folder");
    let disk = [format!("cache.disk.path={}", folder.path().display()), "cache.disk.timeout=30s".to_owned()];
    let one = Instance::start(&[&web(&origin), &disk]);
    for target in [TARGET, "/web/2024/b.png?w=20", "/web/2023/c.png?w=20"] {
        assert_eq!(one.get(target).status, 200);
    }
    one.until("tintype_tier_events_total{tier=\"disk\",event=\"written\"}", 3.0);
    let (status, answer) = one.purge(r#"{"prefix": "/web/2024/"}"#);
    assert_eq!(
        (status, &answer["tiers"]["disk"], &answer["fleet"]["alone"]),
        (200, &json!({"removed": 2}), &json!(true))
    );
    let again = Instance::start(&[&web(&origin), &disk]);
    assert_eq!(again.metric("tintype_tier_events_total{tier=\"disk\",event=\"hit\"}"), 0.0);
    assert_eq!(again.get(TARGET).status, 200);
    assert_eq!(again.fills(), 1.0, "also for one that begins now");
}

/// Runs `tintype purge` against the instance.
fn command(instance: &Instance, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tintype"));
    command.args(["purge", "--admin", &instance.process.admin.to_string()]).args(arguments);
    let output = command.stdin(std::process::Stdio::null()).output().expect("it can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_command_purges_and_says_what_it_did() {
    let origin = origin();
    let one = Instance::start(&[&web(&origin)]);
    for target in [TARGET, "/web/2024/b.png?w=20", "/web/2023/c.png?w=20"] {
        assert_eq!(one.get(target).status, 200);
    }
    let (code, out, _) = command(&one, &["--prefix", "/web/2024/", "--dry-run"]);
    assert_eq!((code, out.trim()), (Some(0), "would purge 2 renditions and 2 originals in memory here"));
    let (code, out, _) = command(&one, &["/web/2024/a.png", "--tag", "nobody-has-it"]);
    assert_eq!((code, out.trim()), (Some(0), "purged 2: 1 renditions and 1 originals in memory here"));
    let (code, out, err) = command(&one, &["/nowhere/a.png", "--source", "2024/b.png", "--origin", "web"]);
    assert_eq!((code, out.trim()), (Some(1), "purged 1: 1 renditions and 1 originals in memory here"));
    assert!(err.contains("/nowhere/a.png: no route"), "{err}");
    // Longer than one request may be.
    let list = tempfile::NamedTempFile::new().expect("a file");
    let lines: String = (0..2500).map(|number| format!("/web/2023/{number}.png\n")).collect();
    std::fs::write(list.path(), lines + "/web/2023/c.png\n").expect("written");
    let (code, out, _) = command(&one, &["--file", list.path().to_str().expect("a path")]);
    assert_eq!((code, out.trim()), (Some(0), "purged 2501: 1 renditions and 1 originals in memory here"));
    let (code, _, err) = command(&one, &[]);
    assert!(code == Some(1) && err.contains("nothing is named"), "{err}");
    let (code, _, err) = command(&one, &["--tag", "x", "--set", "server.admin=127.0.0.1:1", "--admin", "127.0.0.1:1"]);
    assert!(code != Some(0) && !err.is_empty());
}
