//! Against the real server, and a cluster: what is told, what is missed and caught up, and what a loss does.

use super::*;
use crate::cache::Label;
use crate::cache::redis::Ask;
use crate::cache::redis::tests::redis;

const LONG: Duration = Duration::from_secs(60);

fn ledger(urls: &[String], most: usize) -> Ledger {
    let redis = (!urls.is_empty()).then(|| redis(urls).expect("an address"));
    Ledger::new(Arc::new(Marks::new(most)), redis, Limits { most, keep: LONG * 60 })
}

fn label(tag: &str) -> Label {
    Label::new("web", "a/b.jpg", "", [tag].into_iter())
}

fn since(ledger: &Ledger, tag: &str) -> u64 {
    ledger.0.marks.since(&label(tag))
}

async fn told_and_remembered(urls: &[String]) {
    let (one, two) = (ledger(urls, 100), ledger(urls, 100));
    let shared = two.0.redis.as_ref().expect("given");
    let mut heard = shared.subscribe(vec![two.channel().expect("shared")]).await.expect("subscribed");
    one.announce(&[Scope::tag("a"), Scope::prefix("web", "x/")], UNIX_EPOCH).await.expect("told");
    let first = since(&one, "a");
    assert!(first > 1_700_000_000_000_000, "by the server's clock: {first}");
    let message = tokio::time::timeout(LONG, heard.next()).await.expect("heard").expect("connected");
    assert_eq!((two.heard(&message), two.heard(&message)), (Heard::Purge, Heard::Nothing));
    assert_eq!((since(&two, "a"), two.0.marks.generation()), (first, first));

    // While the second is away, two more; it hears the last of them only.
    one.announce(&[Scope::tag("b")], UNIX_EPOCH).await.expect("told");
    one.announce(&[Scope::tag("c")], UNIX_EPOCH).await.expect("told");
    tokio::time::timeout(LONG, heard.next()).await.expect("heard").expect("connected");
    let message = tokio::time::timeout(LONG, heard.next()).await.expect("heard").expect("connected");
    assert_eq!(two.heard(&message), Heard::Missed);
    assert_eq!(two.0.marks.generation(), first, "it does not claim to know what it missed");
    assert_eq!((since(&two, "b"), since(&two, "c")), (0, since(&one, "c")));
    assert_eq!(two.catch_up().await, Ok(true));
    assert_eq!((since(&two, "b"), two.0.marks.generation()), (since(&one, "b"), since(&one, "c")));
    assert_eq!(two.catch_up().await, Ok(false));

    // One that begins now knows all of it.
    let third = ledger(urls, 100);
    assert_eq!(third.catch_up().await, Ok(true));
    assert_eq!(third.0.marks.all(), one.0.marks.all());
}

#[tokio::test]
async fn purges_are_told_and_remembered() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    told_and_remembered(&[server.url()]).await;
}

#[tokio::test]
async fn purges_are_told_and_remembered_in_a_cluster() {
    let Some(cluster) = testkit::redis::Cluster::start() else { return };
    told_and_remembered(&cluster.urls()).await;
}

#[tokio::test]
async fn who_was_away_too_long_forgets_everything() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    let (one, two) = (ledger(&[server.url()], 10), ledger(&[server.url()], 10));
    one.announce(&[Scope::tag("first")], UNIX_EPOCH).await.expect("told");
    two.catch_up().await.expect("read");
    let generation = two.0.marks.generation();
    for number in 0..30 {
        one.announce(&[Scope::tag(&format!("{number}"))], UNIX_EPOCH).await.expect("told");
    }
    assert_eq!(two.catch_up().await, Ok(true));
    assert!(since(&two, "unheard of") > generation, "everything that it had is void");
    assert!(since(&two, "29") > since(&two, "unheard of") && since(&two, "29") == since(&one, "29"));
}

#[tokio::test]
async fn a_redis_that_is_away_is_told_later_and_one_that_forgot_is_told_again() {
    let Some(mut server) = testkit::Redis::start(&[]) else { return };
    let (one, two) = (ledger(&[server.url()], 5000), ledger(&[server.url()], 5000));
    one.announce(&[Scope::tag("a")], UNIX_EPOCH).await.expect("told");
    two.catch_up().await.expect("read");
    server.kill();
    let many: Vec<_> = (0..2500).map(|number| Scope::tag(&format!("b{number}"))).collect();
    assert!(one.announce(&many, UNIX_EPOCH).await.is_err());
    let local = since(&one, "b2000");
    assert!(local > since(&one, "a") && one.pending() == 2500, "it holds here at once");
    server.restart();
    while one.catch_up().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(one.pending(), 0);
    while two.catch_up().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(since(&two, "b0") > local && since(&two, "b2499") > local);
    assert_eq!(since(&one, "b2499"), since(&two, "b2499"));

    let key = one.0.redis.as_ref().expect("given").key("{purges}:set");
    let gone: i64 = two.0.redis.as_ref().expect("given").ask(Ask::new("DEL").arg(key), LONG).await.expect("forgotten");
    assert_eq!(gone, 1);
    one.catch_up().await.expect("told again");
    let third = ledger(&[server.url()], 5000);
    third.catch_up().await.expect("read");
    assert_eq!(third.0.marks.all(), one.0.marks.all());
    assert_eq!(third.0.marks.generation(), one.0.marks.generation());
}

#[tokio::test]
async fn without_redis_it_numbers_by_itself() {
    let alone = ledger(&[], 10);
    let at = UNIX_EPOCH + Duration::from_secs(1);
    alone.announce(&[Scope::tag("a")], at).await.expect("done");
    alone.announce(&[Scope::tag("b")], at).await.expect("done");
    assert_eq!((since(&alone, "a"), since(&alone, "b"), alone.0.marks.generation()), (1_000_000, 1_000_001, 1_000_001));
    assert_eq!((alone.catch_up().await, alone.is_shared(), alone.channel()), (Ok(false), false, None));
}

#[tokio::test]
async fn a_loss_that_another_purge_hides_is_noticed() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    let (one, two) = (ledger(&[server.url()], 100), ledger(&[server.url()], 100));
    one.announce(&[Scope::tag("a")], UNIX_EPOCH).await.expect("told");
    one.catch_up().await.expect("read");
    assert!(server.tell("FLUSHALL").starts_with("+OK"));
    two.announce(&[Scope::tag("b")], UNIX_EPOCH).await.expect("told");
    one.announce(&[Scope::tag("c")], UNIX_EPOCH).await.expect("told");
    one.catch_up().await.expect("told again");
    let third = ledger(&[server.url()], 100);
    third.catch_up().await.expect("read");
    assert_eq!(third.0.marks.all(), one.0.marks.all());
    assert_eq!(third.0.marks.len(), 3);
}
