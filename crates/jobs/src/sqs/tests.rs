//! SQS as moto speaks it: what it promises, and what it refuses.

use super::*;
use crate::contract;
use serde_json::json;
use testkit::s3::{self, Moto};

const A: JobKind = JobKind::of("a");
const LONG: Duration = Duration::from_secs(600);

fn queue(moto: &Moto, aws: &Aws, prefix: &str, more: &[&str]) -> Arc<SqsQueue> {
    let mut sets = vec![
        format!("sqs.endpoint=http://{}", moto.address),
        "sqs.region=us-east-1".to_owned(),
        format!("sqs.access_key_id={}", s3::KEY_ID),
        format!("sqs.secret_access_key={}", s3::SECRET),
        format!("sqs.prefix={prefix}"),
    ];
    sets.extend(more.iter().map(|set| (*set).to_owned()));
    let loaded =
        service::config::load::<crate::config::JobsConfig>(None, [], &sets).map_err(|errors| errors.to_string());
    Arc::new(SqsQueue::new(aws, &loaded.expect("sound").config.sqs).expect("a client"))
}

async fn one(queue: &dyn Queue, lease: Duration) -> Option<Leased> {
    let take = Take { kinds: vec![A], max: 1, lease, wait: Duration::ZERO };
    queue.receive(&take).await.expect("asked").pop()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_promises() {
    let Some(moto) = Moto::start(&[]) else { return };
    let aws = Aws::new();
    let number = std::sync::atomic::AtomicU32::new(0);
    // Of a standard queue SQS promises that a message comes at least once, and moto makes use of that.
    contract::delivers(Duration::from_secs(1), false, async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        queue(&moto, &aws, &format!("t{number}-"), &["sqs.create=true"]) as Arc<dyn Queue>
    })
    .await;
}

#[tokio::test]
async fn what_it_cannot_do_is_refused_in_words() {
    let Some(moto) = Moto::start(&[]) else { return };
    let aws = Aws::new();
    let queue = queue(&moto, &aws, "t-", &["sqs.create=true"]);
    let ids = queue.send(vec![NewJob::new(A, json!(1))]).await.unwrap();
    let words = |error: QueueError| match error {
        QueueError::Refused(text) => text,
        QueueError::Store(text) => panic!("refused, not failed: {text}"),
    };
    assert!(words(queue.cancel(ids[0]).await.unwrap_err()).contains("nothing is cancelled"));
    assert!(words(queue.get(ids[0]).await.unwrap_err()).contains("dead jobs only"));
    assert!(words(queue.jobs(&Filter::default(), None, 10).await.unwrap_err()).contains("state=dead"));
    let tick = queue.tick("gc", LONG, NewJob::new(A, json!(1))).await;
    assert!(words(tick.unwrap_err()).contains("EventBridge"));
    // Without leave to make queues, a missing one is named.
    let other = self::queue(&moto, &aws, "other-", &[]);
    let error = words(other.send(vec![NewJob::new(A, json!(1))]).await.unwrap_err());
    assert!(error.contains("no queue other-a-dead"), "{error}");
}

/// A message that others sent, one that is nonsense, and one that nobody survives.
#[tokio::test]
async fn messages_of_all_sorts() {
    let Some(moto) = Moto::start(&[]) else { return };
    let aws = Aws::new();
    let queue = queue(&moto, &aws, "t-", &["sqs.create=true", "sqs.receives=2"]);
    queue.send(vec![NewJob::new(A, json!("deadly"))]).await.unwrap();
    for _ in 0..2 {
        assert!(one(&*queue, Duration::from_secs(1)).await.is_some());
        tokio::time::sleep(Duration::from_millis(1300)).await;
    }
    assert_eq!(one(&*queue, LONG).await, None, "SQS has moved it");
    for body in ["nonsense", "{\"kind\":\"a\",\"payload\":{\"x\":1}}"] {
        let client = queue.client().await.unwrap();
        let url = queue.places.queue(client, &A, Priority::Live).await.unwrap();
        client.send_message().queue_url(url).message_body(body).send().await.unwrap();
    }
    let mut found = Vec::new();
    for _ in 0..3 {
        found.extend(one(&*queue, LONG).await.map(|leased| leased.job.payload));
    }
    assert_eq!(found, [json!({"x": 1})]);
    let filter = Filter { states: vec![State::Dead], ..Filter::default() };
    let dead = queue.jobs(&filter, None, 10).await.unwrap();
    let told: Vec<_> = dead.iter().map(|job| (job.payload.clone(), job.reason.clone().unwrap_or_default())).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|(payload, why)| *payload == json!("nonsense") && why.starts_with("cannot be read")));
    assert!(told.iter().any(|(payload, why)| *payload == json!("deadly") && why.starts_with("received too often")));
}
