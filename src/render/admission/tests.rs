//! Who gets a permit and who does not, by a real clock with waits that end by events where that is possible.

use super::*;

const MIB: u64 = 1 << 20;
const LONG: Duration = Duration::from_secs(5);

fn admission(threads: usize, memory: u64, queue: usize, patience: Duration) -> Admission {
    Admission::new(Budgets { threads, memory, queue, patience }, Instant::now)
}

fn tenant(name: &str) -> Arc<str> {
    name.into()
}

async fn ask(admission: &Admission, memory: u64, millis: u64) -> Result<Permit, Shed> {
    ask_as(admission, "default", memory, millis).await
}

async fn ask_as(admission: &Admission, name: &str, memory: u64, millis: u64) -> Result<Permit, Shed> {
    admission.admit(Ask { tenant: &tenant(name), memory, work: Duration::from_millis(millis) }).await
}

async fn until_waiting(admission: &Admission, count: usize) {
    while admission.waiting() < count {
        tokio::task::yield_now().await;
    }
}

fn name(result: &Result<Permit, Shed>) -> &'static str {
    result.as_ref().map_or_else(|shed| shed.as_str(), |_| "admitted")
}

#[tokio::test]
async fn workers_and_queue_are_bounded() {
    let admission = admission(1, 64 * MIB, 1, LONG);
    let first = ask(&admission, MIB, 10).await.unwrap();
    let second = tokio::spawn({
        let admission = admission.clone();
        async move { ask(&admission, MIB, 10).await.map(drop) }
    });
    until_waiting(&admission, 1).await;
    assert_eq!(name(&ask(&admission, MIB, 10).await), "queue_full");
    assert_eq!((admission.rendering(), admission.backlog()), (1, Duration::from_millis(10)));
    drop(first);
    assert_eq!(second.await.unwrap(), Ok(()));
    assert_eq!((admission.waiting(), admission.rendering(), admission.memory()), (0, 0, 0));
}

#[tokio::test]
async fn memory_is_a_budget() {
    let admission = admission(4, 10 * MIB, 4, Duration::from_millis(20));
    let _large = ask(&admission, 8 * MIB, 1).await.unwrap();
    assert_eq!(name(&ask(&admission, 4 * MIB, 1).await), "queue_timeout");
    assert!(ask(&admission, 2 * MIB, 1).await.is_ok());
    let too_dear = Shed::TooDear { needs: 11 * MIB, budget: 10 * MIB };
    assert_eq!(ask(&admission, 11 * MIB, 1).await.err(), Some(too_dear));
}

#[tokio::test]
async fn a_wait_that_is_dropped_leaves_the_queue() {
    let admission = admission(1, 64 * MIB, 1, LONG);
    let first = ask(&admission, MIB, 1).await.unwrap();
    let dropped = tokio::time::timeout(Duration::from_millis(5), ask(&admission, MIB, 1)).await;
    assert!(dropped.is_err());
    assert_eq!(admission.waiting(), 0);
    drop(first);
    assert!(ask(&admission, MIB, 1).await.is_ok());
}

#[tokio::test]
async fn who_would_wait_too_long_is_refused_at_once() {
    let admission = admission(2, 64 * MIB, 100, LONG);
    let _busy = (ask(&admission, MIB, 6_000).await.unwrap(), ask(&admission, MIB, 6_000).await.unwrap());
    let Err(Shed::TooLate { wait, retry }) = ask(&admission, MIB, 10).await else { panic!("six seconds a thread") };
    assert!(wait > LONG && wait <= Duration::from_secs(6), "{wait:?}");
    assert_eq!(retry, SHORTEST_RETRY);
    assert_eq!(admission.waiting(), 0);
}

#[tokio::test]
async fn a_tenant_that_floods_does_not_hold_up_another() {
    let admission = admission(1, 64 * MIB, 100, LONG);
    let busy = ask(&admission, MIB, 100).await.unwrap();
    let flood: Vec<_> = (0..60)
        .map(|_| {
            let admission = admission.clone();
            tokio::spawn(async move { name(&ask_as(&admission, "flood", MIB, 1_000).await) })
        })
        .collect();
    until_waiting(&admission, 5).await;
    let other = tokio::spawn({
        let admission = admission.clone();
        async move { ask_as(&admission, "other", MIB, 1_000).await }
    });
    until_waiting(&admission, 6).await;
    drop(busy);
    let mut ends = Vec::new();
    for task in flood {
        ends.push(task.await.unwrap());
    }
    assert!(ends.contains(&"queue_deadline"), "five seconds of its own are enough: {ends:?}");
    assert_eq!(name(&other.await.unwrap()), "admitted");
}

#[tokio::test]
async fn what_nobody_waits_for_gets_what_is_left_over() {
    let admission = admission(1, 10 * MIB, 10, LONG);
    let busy = ask(&admission, 2 * MIB, 1).await.unwrap();
    let idle = tokio::spawn({
        let admission = admission.clone();
        async move { admission.left_over(9 * MIB).await }
    });
    tokio::task::yield_now().await;
    assert!(!admission.is_quiet() && !idle.is_finished());
    drop(busy);
    let left_over = idle.await.unwrap();
    assert!(admission.is_quiet());
    assert_eq!((admission.memory(), admission.rendering()), (9 * MIB, 0), "no worker is taken");
    admission.quiet().await;
    let next = tokio::spawn({
        let admission = admission.clone();
        async move { ask(&admission, 2 * MIB, 1).await.map(drop) }
    });
    until_waiting(&admission, 1).await;
    drop(left_over);
    assert_eq!(next.await.unwrap(), Ok(()));
    assert_eq!(admission.memory(), 0);
}

#[tokio::test]
async fn what_renders_take_is_learnt() {
    let admission = admission(1, 64 * MIB, 10, LONG);
    for _ in 0..60 {
        ask(&admission, MIB, 400).await.unwrap().took(Duration::from_millis(800));
    }
    assert!((1.9..2.1).contains(&admission.slowness()), "{}", admission.slowness());
    let _busy = ask(&admission, MIB, 4_000).await.unwrap();
    assert_eq!(name(&ask(&admission, MIB, 1).await), "queue_deadline", "four seconds are eight here");
}
