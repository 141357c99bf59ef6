//! Tells CloudFront what has been purged: tags and paths, gathered into few requests, behind the answer.
//!
//! The only folder that names its client. Does not know what the names mean. Invariants: what waits has a bound, and is asked
//! for until CloudFront has taken it or has refused it for good; then the log says so.

mod queue;

pub(crate) use queue::Queue;

use super::config::CloudfrontConfig;
use aws::{Aws, Fault, Patience, Service};
use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfront::types::{InvalidationBatch, Paths};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long is waited for CloudFront.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    response: Duration::from_secs(20),
    whole: Duration::from_secs(30),
    retries: 0,
};
/// First pause after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause: with 15 wildcards in progress CloudFront takes no more for a minute or so.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The way to one distribution. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Cloudfront(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    service: Service<Client>,
    distribution: String,
    gather: Duration,
    queue: Queue,
    /// For names of requests: CloudFront takes one that it knows for a repetition.
    instance: u64,
    requests: AtomicU64,
    counts: [AtomicU64; Event::ALL.len()],
}

/// What became of a request, for counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// CloudFront has taken it.
    Sent,
    /// It will be said again.
    Retried,
    /// CloudFront has refused it for good.
    Refused,
}

impl Event {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Sent, Self::Retried, Self::Refused];

    /// The name in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Retried => "retried",
            Self::Refused => "refused",
        }
    }
}

impl Cloudfront {
    /// Starts to work; asks nothing before the first purge, but looks for credentials.
    ///
    /// # Errors
    /// No threads.
    pub(crate) fn start(config: &CloudfrontConfig, aws: &Aws) -> Result<Self, String> {
        let mut access = config.access.clone();
        // CloudFront is one for all regions, and signed for this one.
        access.region = access.region.or_else(|| "us-east-1".parse().ok());
        let service = Service::new(aws, access, PATIENCE, Client::new);
        service.announce("purge.cloudfront");
        let cloudfront = Self(Arc::new(Parts {
            service,
            distribution: config.distribution.clone(),
            gather: config.gather,
            queue: Queue::new(config.queue),
            instance: RandomState::new().hash_one(std::process::id()),
            requests: AtomicU64::new(0),
            counts: Default::default(),
        }));
        let handle = aws.handle().map_err(|fault| fault.to_string())?;
        handle.spawn(cloudfront.clone().run());
        Ok(cloudfront)
    }

    /// Takes these up, to be told behind the answer.
    ///
    /// # Errors
    /// So many wait already that not all of them fit; none was taken.
    pub(crate) fn invalidate(&self, items: impl Iterator<Item = String>) -> Result<usize, String> {
        self.0.queue.add(items)
    }

    /// How many tags and paths wait.
    pub(crate) fn waiting(&self) -> usize {
        self.0.queue.len()
    }

    /// How often it happened since the start.
    pub(crate) fn count(&self, event: Event) -> u64 {
        self.0.counts[event as usize].load(Ordering::Relaxed)
    }

    /// Waits until nothing waits any more, at most for `limit`.
    pub(crate) async fn settle(&self, limit: Duration) -> bool {
        let settled = async {
            while self.waiting() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(limit, settled).await.is_ok()
    }

    fn happened(&self, event: Event) {
        self.0.counts[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    async fn run(self) {
        loop {
            self.0.queue.filled().await;
            // One purge seldom comes alone, and requests are what CloudFront counts.
            tokio::time::sleep(self.0.gather).await;
            while let Some(batch) = self.0.queue.next() {
                self.tell(batch).await;
                tokio::time::sleep(self.0.gather).await;
            }
        }
    }

    /// Until CloudFront has taken it, or says that it never will.
    async fn tell(&self, batch: Vec<String>) {
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        let name = format!("tintype-{:016x}-{number}", self.0.instance);
        let mut pause = FIRST_PAUSE;
        loop {
            match self.ask(&batch, &name).await {
                Ok(id) => {
                    tracing::info!(distribution = self.0.distribution, items = batch.len(), id, "told CloudFront");
                    self.happened(Event::Sent);
                    self.0.queue.done(&batch);
                    return;
                }
                Err(fault) if is_final(&fault) => {
                    tracing::error!(distribution = self.0.distribution, items = ?batch, %fault, "CloudFront refuses");
                    self.happened(Event::Refused);
                    self.0.queue.refused(batch);
                    return;
                }
                Err(fault) => {
                    tracing::warn!(distribution = self.0.distribution, %fault, ?pause, "CloudFront is told later");
                    self.happened(Event::Retried);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn ask(&self, batch: &[String], name: &str) -> Result<String, Fault> {
        let client = self.0.service.client().await?;
        let count = i32::try_from(batch.len()).unwrap_or(i32::MAX);
        let broken = |error: aws_sdk_cloudfront::error::BuildError| Fault::Config(error.to_string());
        let paths = Paths::builder().quantity(count).set_items(Some(batch.to_vec())).build().map_err(broken)?;
        let batch = InvalidationBatch::builder().paths(paths).caller_reference(name).build().map_err(broken)?;
        let asked = client.create_invalidation().distribution_id(&self.0.distribution).invalidation_batch(batch);
        let answer = asked.send().await.map_err(|error| Fault::of(&error))?;
        Ok(answer.invalidation().map(|invalidation| invalidation.id().to_owned()).unwrap_or_default())
    }
}

/// Whether asking again is no use: it says so itself, and not that there is too much at the moment.
fn is_final(fault: &Fault) -> bool {
    let Fault::Answered(answer) = fault else { return false };
    let passes = answer.status == 429 || answer.code.contains("Throttl") || answer.code.starts_with("TooMany");
    (400..500).contains(&answer.status) && !passes && !answer.code.starts_with("ExpiredToken")
}
