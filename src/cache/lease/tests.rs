//! Against the real server, and a cluster of three: who gets the turn, who waits, and what a late holder can still do.

use super::*;
use crate::cache::redis::Ask;
use crate::cache::redis::tests::redis;
use crate::cache::redis::tier::Entries;
use crate::cache::tier::Tier;
use bytes::Bytes;
use tokio::task::JoinHandle;

const LONG: Duration = Duration::from_secs(60);
const NAME: Name = [9; 32];
const TIMES: Times = Times { lease: Duration::from_secs(30), wait: LONG };

/// One instance.
struct Instance {
    redis: Redis,
    leases: Leases,
    entries: Arc<Entries>,
    /// Hears what others publish, as the server's listener does.
    hearing: JoinHandle<()>,
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}

async fn instance(urls: &[String], times: Times) -> Instance {
    let redis = redis(urls).expect("an address");
    let leases = Leases::new(redis.clone(), times);
    let mut subscription = redis.subscribe(vec![leases.channel()]).await.expect("subscribed");
    let hears = leases.clone();
    let hearing = tokio::spawn(async move {
        while let Some(message) = subscription.next().await {
            hears.heard(&message.payload);
        }
    });
    Instance { entries: Arc::new(Entries::new(redis.clone(), 300_000)), redis, leases, hearing }
}

impl Instance {
    async fn turn(&self) -> Turn<Bytes> {
        self.leases.turn(NAME, || async { self.entries.get(&NAME).await.expect("read") }).await
    }

    async fn mine(&self) -> Holding {
        match self.turn().await {
            Turn::Work(holding) if holding.name().is_some() => holding,
            other => panic!("{other:?}"),
        }
    }

    async fn store(&self, text: &'static str, holding: &Holding) -> Result<(), Failure> {
        self.entries
            .put_fenced(&NAME, Bytes::from_static(text.as_bytes()), LONG, holding.token().expect("a lease"))
            .await
    }

    async fn tell(&self, command: &str, what: &str) -> i64 {
        let key = self.redis.key_beside(&NAME, what);
        self.redis.ask(Ask::new(command).arg(&key[..]), LONG).await.expect("told")
    }

    /// Until somebody waits for the lease.
    async fn until_waiting(&self) {
        while self.tell("EXISTS", "waiting").await == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn is_leased<T>(turn: &Turn<T>) -> bool {
    matches!(turn, Turn::Work(holding) if holding.name() == Some(NAME))
}

fn is_alone<T>(turn: &Turn<T>) -> bool {
    matches!(turn, Turn::Work(holding) if holding.name().is_none())
}

async fn one_works_the_others_find(urls: &[String]) {
    let (one, two) = (instance(urls, TIMES).await, Arc::new(instance(urls, TIMES).await));
    let holding = one.mine().await;
    let waiting = tokio::spawn({
        let two = Arc::clone(&two);
        async move { two.turn().await }
    });
    two.until_waiting().await;
    one.store("picture", &holding).await.expect("stored");
    holding.stored();
    let turn = tokio::time::timeout(LONG, waiting).await.expect("woken").expect("no panic");
    assert!(matches!(turn, Turn::Found(bytes) if bytes == "picture"));
    assert_eq!((one.leases.count(Event::Won), two.leases.count(Event::Waited)), (1, 1));
    while one.tell("EXISTS", "lease").await == 1 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(matches!(one.turn().await, Turn::Found(_)), "what is there is no work");
}

#[tokio::test]
async fn others_wait_for_the_result() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    one_works_the_others_find(&[server.url()]).await;
}

#[tokio::test]
async fn others_wait_for_the_result_in_a_cluster() {
    let Some(cluster) = testkit::redis::Cluster::start() else { return };
    one_works_the_others_find(&cluster.urls()).await;
}

/// The holder is frozen for longer than its lease; another makes the result; then the first thaws and writes.
#[tokio::test]
async fn a_late_holder_cannot_write_over_a_newer_result() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    let urls = [server.url()];
    let (one, two) = (instance(&urls, TIMES).await, instance(&urls, TIMES).await);
    let late = one.mine().await;
    // As its lease's end does.
    assert_eq!(one.tell("DEL", "lease").await, 1);
    let next = two.mine().await;
    assert!(next.token() > late.token());
    assert_eq!(one.store("too late", &late).await, Err(Failure::Outdated), "even before the newer result is there");
    two.store("newer", &next).await.expect("stored");
    assert_eq!(one.store("too late", &late).await, Err(Failure::Outdated));
    assert_eq!(two.entries.get(&NAME).await, Ok(Some("newer".into())));
    // What it gives back is not its own any more.
    late.nothing();
    next.stored();
    while two.tell("EXISTS", "lease").await == 1 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // The server forgets the tokens; they grow all the same.
    assert_eq!(two.tell("DEL", "fence").await, 1);
    two.entries.remove(&NAME).await.expect("removed");
    assert!(two.mine().await.token() > Some(two.leases.count(Event::Won)), "by the server's clock");
}

#[tokio::test]
async fn a_lease_is_renewed_while_the_work_runs_and_lost_when_another_has_it() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    let times = Times { lease: Duration::from_millis(300), wait: LONG };
    let one = instance(&[server.url()], times).await;
    let holding = one.mine().await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(one.tell("EXISTS", "lease").await, 1, "well beyond its first 300 ms");
    }
    assert!(!holding.is_lost());
    one.tell("DEL", "lease").await;
    while !holding.is_lost() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(one.leases.count(Event::Lost), 1);
}

#[tokio::test]
async fn whoever_gives_up_lets_the_next_take_over() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    let urls = [server.url()];
    let (one, two) = (instance(&urls, TIMES).await, Arc::new(instance(&urls, TIMES).await));
    let holding = one.mine().await;
    let waiting = tokio::spawn({
        let two = Arc::clone(&two);
        async move { two.turn().await }
    });
    two.until_waiting().await;
    drop(holding);
    let turn = tokio::time::timeout(LONG, waiting).await.expect("woken").expect("no panic");
    assert!(is_leased(&turn), "{turn:?}");
}

#[tokio::test]
async fn where_there_will_be_nothing_each_works_alone() {
    let Some(server) = testkit::Redis::start(&[]) else { return };
    let urls = [server.url()];
    let (one, two) = (instance(&urls, TIMES).await, Arc::new(instance(&urls, TIMES).await));
    let holding = one.mine().await;
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let two = Arc::clone(&two);
            tokio::spawn(async move { is_alone(&two.turn().await) })
        })
        .collect();
    two.until_waiting().await;
    holding.nothing();
    for waiting in waiting {
        assert!(tokio::time::timeout(LONG, waiting).await.expect("woken").expect("no panic"));
    }
    assert_eq!(two.leases.count(Event::Alone), 3, "none waits for another");
}

#[tokio::test]
async fn the_wait_has_an_end_and_a_dead_redis_is_not_waited_for() {
    let Some(mut server) = testkit::Redis::start(&[]) else { return };
    let times = Times { wait: Duration::from_millis(100), ..TIMES };
    let (one, two) = (instance(&[server.url()], TIMES).await, instance(&[server.url()], times).await);
    let holding = one.mine().await;
    assert!(is_alone(&two.turn().await));
    assert_eq!(two.leases.count(Event::WaitedInVain), 1);
    server.kill();
    assert!(is_alone(&two.turn().await));
    assert_eq!(two.leases.count(Event::Unavailable), 1);
    drop(holding);
}
