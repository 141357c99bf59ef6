//! What every queue promises, as tests: each implementation runs them all, against the real server.
//!
//! `unit` is the shortest time that the queue can tell apart: leases and delays are multiples of it.

use crate::job::{JobId, JobKind, Leased, MAX_PAYLOAD, NewJob, Priority};
use crate::queue::{Cancel, Filter, Held, MOST, Queue, QueueError, Seen, State, Take};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const A: JobKind = JobKind::of("a");
const B: JobKind = JobKind::of("b");
/// Long enough that no lease ends by itself within a test.
const LONG: Duration = Duration::from_secs(600);

/// Runs all promises, each on an empty queue.
pub(crate) async fn holds<F: Future<Output = Arc<dyn Queue>>>(unit: Duration, empty: impl Fn() -> F) {
    delivers(unit, true, &empty).await;
    cancellation(&*empty().await, unit).await;
    keys_and_names(&*empty().await).await;
    depths_and_lists(&*empty().await).await;
    reports(&*empty().await, unit).await;
    schedules(&*empty().await, unit).await;
}

/// The promises of queues that deliver and do not remember: what they refuse to tell is passed over. `once`: whether
/// consumers that ask at the same moment never get the same job.
pub(crate) async fn delivers<F: Future<Output = Arc<dyn Queue>>>(unit: Duration, once: bool, empty: impl Fn() -> F) {
    order_and_priorities(&*empty().await).await;
    a_job_is_told_whole(&*empty().await).await;
    nobody_else_within_a_lease(empty().await, once).await;
    leases_run_out(&*empty().await, unit).await;
    delays_and_retries(&*empty().await, unit).await;
    death_and_replay(&*empty().await).await;
    poison(&*empty().await).await;
    waiting(empty().await).await;
}

/// A job as it can be seen, where the queue tells.
async fn told(queue: &dyn Queue, id: JobId) -> Option<Option<Seen>> {
    match queue.get(id).await {
        Err(QueueError::Refused(_)) => None,
        seen => Some(seen.expect("asked")),
    }
}

fn job(kind: JobKind, payload: Value) -> NewJob {
    NewJob::new(kind, payload)
}

async fn send(queue: &dyn Queue, jobs: Vec<NewJob>) -> Vec<JobId> {
    queue.send(jobs).await.expect("taken in")
}

/// What is due now, held for `lease`. SQS gives some of what there is: it is asked until it has been silent.
async fn take(queue: &dyn Queue, kinds: &[JobKind], max: usize, lease: Duration) -> Vec<Leased> {
    let mut all = Vec::new();
    let mut silent = 0;
    while all.len() < max && silent < 2 {
        let take = Take { kinds: kinds.to_vec(), max: max - all.len(), lease, wait: Duration::ZERO };
        let some = queue.receive(&take).await.expect("asked");
        silent = if some.is_empty() { silent + 1 } else { 0 };
        all.extend(some);
    }
    all
}

async fn one(queue: &dyn Queue, kind: JobKind, lease: Duration) -> Option<Leased> {
    take(queue, &[kind], 1, lease).await.pop()
}

fn numbers(taken: &[Leased]) -> Vec<i64> {
    taken.iter().filter_map(|leased| leased.job.payload.as_i64()).collect()
}

async fn order_and_priorities(queue: &dyn Queue) {
    send(
        queue,
        vec![
            job(A, json!(6)).priority(Priority::Low),
            job(A, json!(4)).priority(Priority::Background),
            job(A, json!(1)),
            job(A, json!(5)).priority(Priority::Background),
            job(A, json!(2)),
            job(B, json!(9)),
            job(A, json!(3)),
        ],
    )
    .await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.extend(numbers(&take(queue, &[A], 1, LONG).await));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
    assert_eq!(one(queue, A, LONG).await, None, "the other kind is not asked for");
    assert_eq!(numbers(&take(queue, &[A, B], 10, LONG).await), [9]);
}

async fn a_job_is_told_whole(queue: &dyn Queue) {
    let trace = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let payload = json!({"text": "é \u{0} \"\\ \u{1f5bc}", "list": [1, 2.5, null, true], "deep": {"a": {"b": []}}});
    let new = job(A, payload).tenant("main").priority(Priority::Background).trace(trace);
    let ids = send(queue, vec![new.clone()]).await;
    assert_eq!(ids, [new.id]);
    let job = one(queue, A, LONG).await.expect("due").job;
    assert_eq!((job.id, &job.kind, job.tenant.as_deref()), (new.id, &A, Some("main")));
    assert_eq!((job.payload, job.priority, job.attempts, job.trace), (new.payload, new.priority, 1, new.trace));
    let age = jiff::Timestamp::now().duration_since(job.created);
    assert!(age.as_secs().abs() < 300, "{age:?}");
}

async fn nobody_else_within_a_lease(queue: Arc<dyn Queue>, once: bool) {
    let all: BTreeSet<JobId> =
        send(&*queue, (0..60).map(|number| job(A, json!(number))).collect()).await.into_iter().collect();
    let mut consumers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let queue = Arc::clone(&queue);
        consumers.spawn(async move { take(&*queue, &[A], 60, LONG).await });
    }
    let mut taken = Vec::new();
    while let Some(some) = consumers.join_next().await {
        taken.extend(some.expect("no panic").into_iter().map(|leased| leased.job.id));
    }
    assert!(taken.len() == 60 || !once, "each once: {}", taken.len());
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), all);
}

async fn leases_run_out(queue: &dyn Queue, unit: Duration) {
    send(queue, vec![job(A, json!(1))]).await;
    let dead = one(queue, A, unit * 2).await.expect("due");
    assert_eq!(one(queue, A, LONG).await, None);
    tokio::time::sleep(unit * 3).await;
    let alive = one(queue, A, unit * 4).await.expect("what a dead consumer held is due again");
    assert_eq!((alive.job.id, alive.job.attempts), (dead.job.id, 2));
    assert_eq!(queue.extend(&dead.lease, LONG, None).await, Ok(Held::Lost));
    assert_eq!(queue.done(&dead.lease, None).await, Ok(false), "who lost it cannot end it");
    assert_eq!(queue.bury(&dead.lease, "late").await, Ok(false));
    assert_eq!(queue.retry(&dead.lease, Duration::ZERO, "late").await, Ok(false));
    assert_eq!(queue.give_back(&dead.lease).await, Ok(false));
    for _ in 0..3 {
        tokio::time::sleep(unit * 2).await;
        assert_eq!(queue.extend(&alive.lease, unit * 4, None).await, Ok(Held::Yes));
        assert_eq!(one(queue, A, LONG).await, None, "it is held");
    }
    assert_eq!(queue.done(&alive.lease, None).await, Ok(true));
    assert_eq!(queue.done(&alive.lease, None).await, Ok(false));
    assert_eq!(queue.extend(&alive.lease, unit, None).await, Ok(Held::Lost));
    assert_eq!(told(queue, alive.job.id).await.flatten(), None, "done without a report is gone");
}

async fn delays_and_retries(queue: &dyn Queue, unit: Duration) {
    send(queue, vec![job(A, json!(1)).delay(unit * 3)]).await;
    assert_eq!(one(queue, A, LONG).await, None);
    tokio::time::sleep(unit * 4).await;
    let first = one(queue, A, LONG).await.expect("due by now");
    assert_eq!(queue.retry(&first.lease, unit * 3, "not yet").await, Ok(true));
    assert_eq!(one(queue, A, LONG).await, None, "it rests");
    if let Some(seen) = told(queue, first.job.id).await {
        let seen = seen.expect("there");
        assert_eq!((seen.state, seen.reason.as_deref()), (State::Delayed, Some("not yet")));
    }
    tokio::time::sleep(unit * 4).await;
    let second = one(queue, A, LONG).await.expect("due again");
    assert_eq!(second.job.attempts, 2);
    assert_eq!(queue.give_back(&second.lease).await, Ok(true));
    let third = one(queue, A, LONG).await.expect("at once");
    assert_eq!(third.job.attempts, 2, "what was not begun is not counted");
}

async fn death_and_replay(queue: &dyn Queue) {
    let ids = send(queue, vec![job(A, json!(1)).tenant("main"), job(A, json!(2)).tenant("main")]).await;
    for leased in take(queue, &[A], 2, LONG).await {
        assert_eq!(queue.bury(&leased.lease, &format!("bad {}", leased.job.payload)).await, Ok(true));
    }
    assert_eq!(one(queue, A, LONG).await, None);
    let filter = Filter { states: vec![State::Dead], ..Filter::default() };
    let dead = queue.jobs(&filter, None, 10).await.expect("asked");
    let told: BTreeSet<_> = dead.iter().filter_map(|job| Some((job.id, job.reason.clone()?))).collect();
    assert_eq!(told, BTreeSet::from([(ids[0], "bad 1".to_owned()), (ids[1], "bad 2".to_owned())]));
    assert!(dead.iter().all(|job| job.ended.is_some() && job.attempts == 1));
    assert_eq!(queue.depth().await.expect("asked").dead, 2);
    assert_eq!(queue.replay(&[ids[1], JobId::new()]).await, Ok(1));
    assert_eq!(queue.replay(&[ids[1]]).await, Ok(0), "it is not dead");
    let again = one(queue, A, LONG).await.expect("due");
    assert_eq!((again.job.id, again.job.attempts, again.job.payload), (ids[1], 1, json!(2)));
    assert_eq!(queue.depth().await.expect("asked").dead, 1);
    if let Err(QueueError::Refused(_)) = queue.cancel(ids[0]).await {
        return;
    }
    assert_eq!(queue.depth().await.expect("asked").dead, 0);
    assert_eq!(queue.replay(&[ids[0]]).await, Ok(0));
}

async fn cancellation(queue: &dyn Queue, unit: Duration) {
    let ids = send(queue, vec![job(A, json!(1)), job(B, json!(2)), job(B, json!(3)).delay(LONG)]).await;
    assert_eq!(queue.cancel(ids[0]).await, Ok(Cancel::Removed));
    assert_eq!(queue.cancel(ids[2]).await, Ok(Cancel::Removed));
    assert_eq!(one(queue, A, LONG).await, None, "what waited is never begun");
    assert_eq!(queue.cancel(ids[0]).await, Ok(Cancel::None));
    assert_eq!(queue.cancel(JobId::new()).await, Ok(Cancel::None));
    let running = one(queue, B, LONG).await.expect("due");
    assert_eq!(queue.extend(&running.lease, LONG, None).await, Ok(Held::Yes));
    assert_eq!(queue.cancel(ids[1]).await, Ok(Cancel::Asked));
    assert_eq!(queue.extend(&running.lease, LONG, None).await, Ok(Held::Cancelled));
    assert!(queue.get(ids[1]).await.expect("asked").expect("there").stopping);
    assert_eq!(queue.stopped(&running.lease).await, Ok(true));
    let seen = queue.get(ids[1]).await.expect("asked").expect("to be seen for a while");
    assert_eq!((seen.state, seen.stopping), (State::Cancelled, false));
    // Cancelled, and then failed or its holder died: it is not begun again.
    let ids = send(queue, vec![job(A, json!(4)), job(A, json!(5))]).await;
    let failing = one(queue, A, LONG).await.expect("due");
    let dying = one(queue, A, unit * 2).await.expect("due");
    for id in &ids {
        assert_eq!(queue.cancel(*id).await, Ok(Cancel::Asked));
    }
    assert_eq!(queue.retry(&failing.lease, Duration::ZERO, "failed").await, Ok(true));
    assert_eq!(queue.get(failing.job.id).await.expect("asked").expect("there").state, State::Cancelled);
    tokio::time::sleep(unit * 3).await;
    assert_eq!(one(queue, A, LONG).await, None);
    queue.sweep(LONG).await.expect("swept");
    assert_eq!(queue.get(dying.job.id).await.expect("asked").expect("there").state, State::Cancelled);
}

async fn keys_and_names(queue: &dyn Queue) {
    let first = send(queue, vec![job(A, json!(1)).key("k"), job(A, json!(2)).key("k")]).await;
    assert_eq!(first[0], first[1], "the second is the first");
    let named = job(A, json!(3));
    assert_eq!(send(queue, vec![named.clone()]).await, send(queue, vec![named]).await);
    let taken = take(queue, &[A], 10, LONG).await;
    assert_eq!(numbers(&taken), [1, 3]);
    assert_eq!(send(queue, vec![job(A, json!(4)).key("k")]).await, [first[0]], "also while it runs");
    assert_eq!(queue.done(&taken[0].lease, None).await, Ok(true));
    send(queue, vec![job(A, json!(5)).key("k")]).await;
    let next = one(queue, A, LONG).await.expect("the key is free again");
    assert_eq!(next.job.payload, json!(5));
    assert_eq!(queue.bury(&next.lease, "dead").await, Ok(true));
    send(queue, vec![job(A, json!(6)).key("k")]).await;
    assert_eq!(queue.replay(&[next.job.id]).await, Ok(1), "the key of a dead job is free");
    let both: BTreeSet<i64> = numbers(&take(queue, &[A], 10, LONG).await).into_iter().collect();
    assert_eq!(both, BTreeSet::from([5, 6]));
}

async fn depths_and_lists(queue: &dyn Queue) {
    let mut jobs: Vec<NewJob> = (0..4).map(|number| job(A, json!(number)).tenant("one")).collect();
    jobs.push(job(B, json!(9)).tenant("two"));
    jobs.push(job(B, json!(10)).delay(LONG));
    let ids = send(queue, jobs).await;
    let taken = take(queue, &[A], 2, LONG).await;
    assert_eq!(queue.bury(&taken[0].lease, "why").await, Ok(true));
    let depth = queue.depth().await.expect("asked");
    assert_eq!((depth.ready, depth.leased, depth.delayed, depth.dead), (3, 1, 1, 1));
    let of = |kind: &JobKind| depth.kinds.get(kind).copied().expect("told by kind");
    assert_eq!((of(&A).ready, of(&A).leased, of(&A).dead, of(&B).ready, of(&B).delayed), (2, 1, 1, 1, 1));
    assert!((0.0..60.0).contains(&depth.oldest_seconds), "{depth:?}");
    let list = async |filter: Filter| {
        let seen = queue.jobs(&filter, None, MOST).await.expect("asked");
        seen.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let states = |state| Filter { states: vec![state], ..Filter::default() };
    assert_eq!(list(Filter::default()).await, ids, "the oldest first");
    assert_eq!(list(states(State::Running)).await, [taken[1].job.id]);
    assert_eq!(list(states(State::Dead)).await, [taken[0].job.id]);
    assert_eq!(list(states(State::Delayed)).await, [ids[5]]);
    assert_eq!(list(states(State::Ready)).await, [ids[2], ids[3], ids[4]]);
    assert_eq!(list(Filter { tenant: Some("two".into()), ..Filter::default() }).await, [ids[4]]);
    assert_eq!(list(Filter { kinds: vec![B], ..Filter::default() }).await, ids[4..]);
    let mut pages = Vec::new();
    while let page = queue.jobs(&Filter::default(), pages.last().copied(), 4).await.expect("asked")
        && !page.is_empty()
    {
        pages.extend(page.into_iter().map(|job| job.id));
    }
    assert_eq!(pages, ids);
}

async fn reports(queue: &dyn Queue, unit: Duration) {
    let ids = send(queue, vec![job(A, json!(1)).key("k")]).await;
    let running = one(queue, A, LONG).await.expect("due");
    assert_eq!(queue.extend(&running.lease, LONG, Some(&json!({"done": 3}))).await, Ok(Held::Yes));
    assert_eq!(queue.extend(&running.lease, LONG, None).await, Ok(Held::Yes));
    let seen = queue.get(ids[0]).await.expect("asked").expect("there");
    assert_eq!((seen.state, seen.progress), (State::Running, Some(json!({"done": 3}))));
    assert_eq!(queue.give_back(&running.lease).await, Ok(true));
    let running = one(queue, A, LONG).await.expect("due again");
    assert_eq!(running.job.progress, Some(json!({"done": 3})), "whoever goes on knows how far it came");
    assert_eq!(queue.done(&running.lease, Some(&json!({"all": 7}))).await, Ok(true));
    let seen = queue.get(ids[0]).await.expect("asked").expect("to be seen for a while");
    assert_eq!((seen.state, seen.progress), (State::Done, Some(json!({"all": 7}))));
    assert_eq!((queue.depth().await.expect("asked").ready, one(queue, A, LONG).await), (0, None));
    send(queue, vec![job(A, json!(2)).key("k")]).await;
    assert!(one(queue, A, LONG).await.is_some(), "its key is free");
    queue.sweep(LONG).await.expect("swept");
    assert!(queue.get(ids[0]).await.expect("asked").is_some());
    tokio::time::sleep(unit * 2).await;
    queue.sweep(unit).await.expect("swept");
    assert_eq!(queue.get(ids[0]).await, Ok(None), "gone after its time");
}

async fn poison(queue: &dyn Queue) {
    let refused = queue.send(vec![job(A, json!(1)), job(A, json!("x".repeat(MAX_PAYLOAD)))]).await;
    assert!(matches!(&refused, Err(QueueError::Refused(text)) if text.contains("at most")), "{refused:?}");
    let many = (0..=MOST).map(|number| job(A, json!(number))).collect();
    assert!(matches!(queue.send(many).await, Err(QueueError::Refused(_))));
    assert!(matches!(queue.send(vec![job(A, json!(1)).tenant("a\0b")]).await, Err(QueueError::Refused(_))));
    assert_eq!(one(queue, A, LONG).await, None, "all or none");
    assert_eq!(send(queue, vec![]).await, []);
    for payload in [json!("x".repeat(MAX_PAYLOAD - 2)), json!(null), json!("\u{0}\u{ffff}<]]>'; DROP TABLE jobs; --")] {
        send(queue, vec![job(A, payload.clone())]).await;
        let leased = one(queue, A, LONG).await.expect("due");
        assert_eq!(leased.job.payload, payload);
        assert_eq!(queue.bury(&leased.lease, "\0'\u{1f4a3}").await, Ok(true));
        let seen = queue.get(leased.job.id).await.expect("asked").expect("there");
        assert_eq!((seen.payload, seen.reason.as_deref()), (payload, Some(" '\u{1f4a3}")));
    }
}

async fn schedules(queue: &dyn Queue, unit: Duration) {
    let due = || job(A, json!(1));
    let mut ticks = 0;
    for _ in 0..5 {
        ticks += u32::from(queue.tick("s", LONG, due()).await.expect("asked"));
    }
    assert_eq!(ticks, 1, "once in the period");
    assert_eq!(queue.tick("other", unit * 2, due()).await, Ok(true));
    tokio::time::sleep(unit * 3).await;
    assert_eq!(queue.tick("other", unit * 2, due()).await, Ok(true), "and again in the next");
    assert_eq!(queue.tick("s", unit, due()).await, Ok(true), "a shorter period counts at once");
    assert_eq!(take(queue, &[A], 10, LONG).await.len(), 4);
}

async fn waiting(queue: Arc<dyn Queue>) {
    let consumer = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move {
            let take = Take { kinds: vec![A], max: 5, lease: LONG, wait: Duration::from_secs(15) };
            let began = std::time::Instant::now();
            (queue.receive(&take).await.expect("asked").len(), began.elapsed())
        }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    send(&*queue, vec![job(A, json!(1))]).await;
    let (count, waited) = consumer.await.expect("no panic");
    assert_eq!(count, 1);
    assert!(waited < Duration::from_secs(14), "whoever waits is told: {waited:?}");
}
