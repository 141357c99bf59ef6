//! Against the real server, and a cluster of three.

use super::tier::Entries;
use super::*;
use crate::cache::config::CacheConfig;
use crate::cache::contract;
use crate::cache::tier::Tier;
use bytes::Bytes;
use std::time::Instant;

const LONG: Duration = Duration::from_secs(60);

/// As the config makes it, with time for a busy machine.
pub(crate) fn redis(urls: &[String]) -> Result<Redis, String> {
    let mut sets = vec![
        format!("redis.urls={}", urls.join(",")),
        "redis.connections=3".to_owned(),
        "redis.timeout=30s".to_owned(),
        "redis.connect_timeout=30s".to_owned(),
    ];
    if urls.iter().any(|url| url.contains("name-and-password")) {
        sets.extend(["redis.username=default".to_owned(), "redis.password=open-sesame".to_owned()]);
    }
    let config = service::config::load::<CacheConfig>(None, [], &sets).map_err(|errors| errors.to_string())?;
    Redis::new(&config.config.redis.expect("given"))
}

fn tier(urls: &[String]) -> Result<Entries, String> {
    Ok(Entries::new(redis(urls)?, 300_000))
}

#[tokio::test]
async fn the_contract_holds() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    contract::holds(&tier(&[server.url()]).expect("an address"), 300_000).await;
    assert!(server.tell("DBSIZE").starts_with(':'));
}

#[tokio::test]
async fn it_comes_back_after_a_crash() {
    let Some(mut server) = testkit::Redis::start(&[]) else { return };
    let tier = tier(&[server.url()]).expect("an address");
    let bytes = Bytes::from_static(b"x");
    tier.put(&[1; 32], bytes.clone(), LONG).await.expect("put");
    server.kill();
    assert!(tier.get(&[1; 32]).await.is_err(), "an answer, not a hang");
    server.restart();
    let began = Instant::now();
    while tier.put(&[1; 32], bytes.clone(), LONG).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(tier.get(&[1; 32]).await, Ok(Some(bytes)));
}

/// As after a fail-over that left the connections open: the other end is there, and answers nothing.
#[tokio::test]
async fn connections_without_answers_are_left_for_fresh_ones() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    let proxy = testkit::Proxy::new(server.address);
    let tier = tier(&[format!("redis://{}", proxy.address)]).expect("an address");
    assert_eq!(tier.get(&[1; 32]).await, Ok(None));
    proxy.set(testkit::Fault::Silent);
    for _ in 0..6 {
        let asked = tokio::time::timeout(Duration::from_millis(20), tier.get(&[1; 32])).await;
        assert!(asked.is_err(), "no answer");
    }
    let before = proxy.connections();
    proxy.set(testkit::Fault::Pass);
    assert_eq!(tier.get(&[1; 32]).await, Ok(None));
    assert!(proxy.connections() > before, "over a fresh one");
}

/// With a password and a client's certificate; an authority that nobody knows is none, and a name must fit.
#[tokio::test]
async fn the_contract_holds_over_tls() {
    let authority = testkit::certificate::Authority::new();
    let Some(server) = testkit::Redis::start_tls(&authority, &["--requirepass", "open-sesame"]) else { return };
    let files = tempfile::tempdir().expect("a folder");
    let (certificate, key) = authority.certify(&["client.example"]);
    let other = testkit::certificate::Authority::new().pem();
    let file = |name: &str, content: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path.display().to_string()
    };
    let sets = |ca: &str, url: &str| {
        vec![
            format!("redis.urls={url}"),
            "redis.password=open-sesame".to_owned(),
            "redis.timeout=30s".to_owned(),
            "redis.connect_timeout=30s".to_owned(),
            format!("redis.ca_file={}", file("ca", ca)),
            format!("redis.cert_file={}", file("cert", &certificate)),
            format!("redis.key_file={}", file("key", &key)),
        ]
    };
    let open = |sets: &[String]| {
        let config = service::config::load::<CacheConfig>(None, [], sets).map_err(|errors| errors.to_string())?;
        Redis::new(&config.config.redis.expect("given")).map(|redis| Entries::new(redis, 300_000))
    };
    contract::holds(&open(&sets(&authority.pem(), &server.url())).expect("certificates"), 300_000).await;
    for (ca, url) in [(other, server.url()), (authority.pem(), server.url().replace("127.0.0.1", "localhost"))] {
        let stranger = open(&sets(&ca, &url)).expect("certificates");
        assert!(matches!(stranger.get(&[1; 32]).await, Err(Failure::Refused(_))), "{url}");
    }
    let wrong = |sets: &[String]| open(sets).map(drop).expect_err("refused");
    assert!(wrong(&sets("no certificate", &server.url())).contains("ca_file"));
    assert!(wrong(&sets(&authority.pem(), &server.url())[..6]).contains("belong together"));
    assert!(wrong(&sets(&authority.pem(), &server.url().replace("rediss", "redis"))).contains("rediss://"));
    assert!(wrong(&sets(&authority.pem(), &format!("{}/#insecure", server.url()))).contains("#insecure"));
}

#[tokio::test]
async fn a_password_is_needed_and_never_told() {
    let Some(server) = testkit::Redis::start(&["--requirepass", "open-sesame"]) else { return };
    let with = |password: &str| tier(&[format!("redis://:{password}@{}", server.address)]).expect("an address");
    assert_eq!(with("open-sesame").get(&[1; 32]).await, Ok(None));
    let Err(Failure::Refused(why)) = with("not-it-at-all").get(&[1; 32]).await else { panic!("refused") };
    assert!(!why.contains("not-it"), "{why}");
    let broken = tier(&["redis//:secret@host".into()]).expect_err("no address");
    assert!(broken.contains("redis://") && !broken.contains("secret"), "{broken}");
}

#[tokio::test]
async fn the_contract_holds_for_a_cluster() {
    let Some(cluster) = testkit::redis::Cluster::start() else { return };
    // Two of three: the third is learnt.
    contract::holds(&tier(&cluster.urls()[..2]).expect("addresses"), 300_000).await;
}

#[tokio::test]
async fn a_full_server_says_so() {
    let Some(server) = testkit::Redis::start(&["--maxmemory", "2mb", "--maxmemory-policy", "noeviction"]) else {
        return;
    };
    let tier = tier(&[server.url()]).expect("an address");
    let mut results = Vec::new();
    for number in 0..20 {
        results.push(tier.put(&[number; 32], vec![0; 250_000].into(), LONG).await);
    }
    assert_eq!(results.last(), Some(&Err(Failure::Full)));
}

/// Commands, scripts over keys beside each other, and messages: what others build upon.
async fn serves_others(redis: &Redis) {
    let name = [7; 32];
    let (own, beside) = (redis.key_of(&name), redis.key_beside(&name, "count"));
    assert!(own.starts_with(b"tintype:0707") && beside.starts_with(b"{tintype:0707"));
    let script = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('INCR', KEYS[2])";
    for turn in 1..=3_u64 {
        let ask = Ask::script(script, &[own.clone(), beside.clone()]).arg("x").once();
        assert_eq!(redis.ask::<u64>(ask, LONG).await, Ok(turn), "in one piece, also in a cluster");
    }
    let channel = redis.key("news");
    let mut news = redis.subscribe(vec![channel.clone()]).await.expect("subscribed");
    assert!(news.is_alive(LONG).await);
    let heard: i64 = redis.ask(Ask::new("PUBLISH").arg(&channel[..]).arg("hello"), LONG).await.expect("published");
    assert!(heard >= 0);
    let message = tokio::time::timeout(LONG, news.next()).await.expect("heard").expect("still connected");
    assert_eq!(message, Message { channel, payload: b"hello".to_vec() });
}

#[tokio::test]
async fn scripts_and_messages() {
    let Some(mut server) = testkit::Redis::start(&[]) else { return };
    let redis = redis(&[server.url()]).expect("an address");
    serves_others(&redis).await;
    let mut news = redis.subscribe(vec![redis.key("news")]).await.expect("subscribed");
    server.kill();
    assert_eq!(tokio::time::timeout(LONG, news.next()).await.expect("an end, not a hang"), None);
    assert!(!news.is_alive(LONG).await && redis.subscribe(vec![redis.key("news")]).await.is_err());
}

#[tokio::test]
async fn scripts_and_messages_in_a_cluster() {
    let Some(cluster) = testkit::redis::Cluster::start() else { return };
    serves_others(&redis(&cluster.urls()[..2]).expect("addresses")).await;
}

/// Whoever asks from another runtime neither drives the connections nor takes them along.
#[tokio::test]
async fn connections_outlive_the_runtime_that_used_them_first() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    let redis = redis(&[server.url()]).expect("an address");
    let first = redis.clone();
    let joined = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(first.ask::<String>(Ask::new("PING"), LONG))
    });
    while !joined.is_finished() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(joined.join().expect("no panic").as_deref(), Ok("PONG"));
    for _ in 0..6 {
        assert_eq!(redis.ask::<String>(Ask::new("PING"), LONG).await.as_deref(), Ok("PONG"));
    }
}
