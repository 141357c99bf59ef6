//! Queues of Amazon SQS, one for each kind and priority, and one for each kind's dead jobs.
//!
//! SQS delivers; it does not remember. So what it cannot do is refused in words: jobs that wait are neither listed nor
//! cancelled, keys are not looked at, reports are not kept, and nothing is scheduled (docs/jobs.md says what does it
//! there). Invariants: a message is deleted only once what follows from it is sent; a holder whose time is over by its own
//! clock says nothing more.

mod dead;
mod message;
mod place;
#[cfg(test)]
mod tests;

use crate::config::SqsConfig;
use crate::job::{Job, JobId, JobKind, Lease, Leased, NewJob, Priority, kept};
use crate::queue::{Cancel, Depth, Filter, Held, KindDepth, Later, Queue, QueueError, Seen, State, Take, check};
use aws::{Aws, Patience, Service};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, SendMessageBatchRequestEntry};
use jiff::Timestamp;
use message::Envelope;
use place::Places;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Messages of one call.
const BATCH: usize = 10;
/// Bytes of one call's messages: SQS takes 256 KiB everywhere.
const BATCH_BYTES: usize = 250 << 10;
/// Longest delay of a sent message; what is later is sent on when it comes out.
const LONGEST_DELAY: Duration = Duration::from_secs(900);
/// Longest time in flight since a message was received.
const LONGEST_HOLD: Duration = Duration::from_secs(12 * 3600 - 60);
/// Longest wait of one receiving: other priorities are looked at in between.
const LONG_POLL: Duration = Duration::from_secs(5);

/// What is waited for at most: a long poll, and an answer behind it.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    response: Duration::from_secs(25),
    whole: Duration::from_secs(40),
    retries: 2,
};

/// Jobs in SQS.
#[derive(Debug)]
pub struct SqsQueue {
    service: Service<Client>,
    places: Places,
}

/// What a holder needs beside its name: SQS knows the message only.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    kind: JobKind,
    envelope: Envelope,
    attempts: u32,
    received: Instant,
    until: Arc<Mutex<Instant>>,
}

impl PartialEq for Ticket {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.until, &other.until)
    }
}

impl Eq for Ticket {}

impl Ticket {
    fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, until: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

pub(super) fn failed(what: &str, fault: impl std::fmt::Display) -> QueueError {
    QueueError::Store(format!("SQS: {what}: {fault}"))
}

fn refused<T>(what: &str) -> Result<T, QueueError> {
    Err(QueueError::Refused(format!("a queue in SQS {what}; with jobs.queue = \"postgres\" this works (docs/jobs.md)")))
}

/// Whole seconds, as SQS counts; what is left of one is a second.
fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs() + u64::from(time.subsec_nanos() > 0)).unwrap_or(i32::MAX)
}

impl SqsQueue {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// A file of certificates that cannot be used.
    pub fn new(aws: &Aws, config: &SqsConfig) -> Result<Self, QueueError> {
        aws.check(&config.access).map_err(QueueError::Refused)?;
        let service = Service::new(aws, config.access.clone(), PATIENCE, Client::new);
        service.announce("jobs.sqs");
        Ok(Self { service, places: Places::new(config) })
    }

    async fn client(&self) -> Result<&Client, QueueError> {
        self.service.client().await.map_err(|fault| failed("no client", fault))
    }

    /// Sends envelopes to one queue.
    async fn put(&self, kind: &JobKind, priority: Priority, envelopes: &[Envelope]) -> Result<(), QueueError> {
        let client = self.client().await?;
        let url = self.places.queue(client, kind, priority).await?;
        let now = Timestamp::now();
        let mut rest = envelopes;
        while !rest.is_empty() {
            let bodies: Vec<String> = rest.iter().take(BATCH).map(Envelope::write).collect();
            let mut bytes = 0;
            let fit = bodies.iter().take_while(|body| {
                bytes += body.len();
                bytes <= BATCH_BYTES
            });
            let count = fit.count().max(1);
            let mut sending = client.send_message_batch().queue_url(&url);
            for (at, (envelope, body)) in rest.iter().zip(&bodies).take(count).enumerate() {
                let delay = seconds(envelope.remaining(now).min(LONGEST_DELAY));
                let entry = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(body);
                let entry = entry.delay_seconds(delay).build().map_err(|error| failed("a message", error))?;
                sending = sending.entries(entry);
            }
            let sent = sending.send().await.map_err(|error| failed("sending", aws::Fault::of(&error)))?;
            if let Some(first) = sent.failed().first() {
                return Err(failed("sending", first.message().unwrap_or_else(|| first.code())));
            }
            rest = &rest[count..];
        }
        Ok(())
    }

    /// Some of what a queue has; waits for it.
    async fn pull(
        &self,
        kind: &JobKind,
        priority: Priority,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Leased>, QueueError> {
        let client = self.client().await?;
        let url = self.places.queue(client, kind, priority).await?;
        let asked = Instant::now();
        let received = client
            .receive_message()
            .queue_url(&url)
            .max_number_of_messages(max.clamp(1, BATCH) as i32)
            .visibility_timeout(seconds(lease.min(LONGEST_HOLD)))
            .wait_time_seconds(seconds(wait.min(LONG_POLL)))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await
            .map_err(|error| failed("receiving", aws::Fault::of(&error)))?;
        let mut all = Vec::new();
        for message in received.messages.unwrap_or_default() {
            all.extend(self.open(kind, priority, message, asked, lease).await?);
        }
        Ok(all)
    }

    /// A message → a job; what is not due yet is sent on, and what cannot be read is dead.
    async fn open(
        &self,
        kind: &JobKind,
        place: Priority,
        message: Message,
        asked: Instant,
        lease: Duration,
    ) -> Result<Option<Leased>, QueueError> {
        let Some(handle) = message.receipt_handle else { return Ok(None) };
        let body = message.body.unwrap_or_default();
        let counted = message.attributes.as_ref();
        let counted = counted.and_then(|all| all.get(&MessageSystemAttributeName::ApproximateReceiveCount));
        let received: u32 = counted.and_then(|count| count.parse().ok()).unwrap_or(1);
        let envelope = match Envelope::read(&body) {
            Ok(envelope) => envelope,
            Err(problem) => {
                self.bury_text(kind, &body, &format!("cannot be read: {problem}"), received).await?;
                self.delete(kind, place, &handle).await?;
                return Ok(None);
            }
        };
        if envelope.remaining(Timestamp::now()) > Duration::from_secs(1) {
            self.put(kind, place, std::slice::from_ref(&envelope)).await?;
            self.delete(kind, place, &handle).await?;
            return Ok(None);
        }
        let attempts = envelope.begun + received;
        let job = envelope.job(attempts);
        let until = Arc::new(Mutex::new(asked + lease));
        let ticket = Ticket { kind: kind.clone(), envelope, attempts, received: asked, until };
        let lease = Lease { id: job.id, token: handle, place, ticket: Some(Box::new(ticket)) };
        Ok(Some(Leased { job, lease }))
    }

    async fn delete(&self, kind: &JobKind, place: Priority, handle: &str) -> Result<(), QueueError> {
        let client = self.client().await?;
        let url = self.places.queue(client, kind, place).await?;
        let deleting = client.delete_message().queue_url(&url).receipt_handle(handle).send().await;
        deleting.map(drop).map_err(|error| failed("deleting", aws::Fault::of(&error)))
    }

    /// When the message shows itself again; `false`: it is not ours any more.
    async fn hide(&self, lease: &Lease, ticket: &Ticket, time: Duration) -> Result<bool, QueueError> {
        let client = self.client().await?;
        let url = self.places.queue(client, &ticket.kind, lease.place).await?;
        let hiding = client.change_message_visibility().queue_url(&url).receipt_handle(&lease.token);
        match hiding.visibility_timeout(seconds(time)).send().await {
            Ok(_) => Ok(true),
            Err(error) => match aws::Fault::of(&error) {
                aws::Fault::Answered(answer) if answer.status == 400 && answer.code.contains("NotInflight") => {
                    Ok(false)
                }
                aws::Fault::Answered(answer) if answer.code.contains("ReceiptHandleIsInvalid") => Ok(false),
                fault => Err(failed("holding", fault)),
            },
        }
    }

    /// Its ticket, while it is held.
    fn held(lease: &Lease) -> Option<&Ticket> {
        lease.ticket.as_deref().filter(|ticket| Instant::now() < ticket.until())
    }

    /// Sends `envelope` in its place, and takes it out.
    async fn replace(&self, lease: &Lease, ticket: &Ticket, envelope: Envelope) -> Result<bool, QueueError> {
        self.put(&ticket.kind, lease.place, &[envelope]).await?;
        self.delete(&ticket.kind, lease.place, &lease.token).await?;
        ticket.hold(Instant::now());
        Ok(true)
    }
}

impl Queue for SqsQueue {
    fn send(&self, jobs: Vec<NewJob>) -> Later<'_, Vec<JobId>> {
        Box::pin(async move {
            check(&jobs)?;
            let ids = jobs.iter().map(|job| job.id).collect();
            let mut places: BTreeMap<(JobKind, Priority), Vec<Envelope>> = BTreeMap::new();
            for job in jobs {
                places.entry((job.kind.clone(), job.priority)).or_default().push(Envelope::of(job, Timestamp::now()));
            }
            for ((kind, priority), envelopes) in places {
                self.put(&kind, priority, &envelopes).await?;
            }
            Ok(ids)
        })
    }

    fn receive<'a>(&'a self, take: &'a Take) -> Later<'a, Vec<Leased>> {
        Box::pin(async move {
            let end = Instant::now() + take.wait.min(Duration::from_secs(20));
            loop {
                for priority in Priority::ALL {
                    let mut all = Vec::new();
                    for kind in &take.kinds {
                        let some = self.pull(kind, priority, take.max - all.len(), take.lease, Duration::ZERO).await?;
                        all.extend(some);
                        if all.len() >= take.max {
                            break;
                        }
                    }
                    if !all.is_empty() {
                        return Ok(all);
                    }
                }
                let left = end.saturating_duration_since(Instant::now());
                let Some(kind) = take.kinds.first().filter(|_| !left.is_zero()) else { return Ok(Vec::new()) };
                // What is urgent is waited for; the rest is looked at every few seconds.
                let some = self.pull(kind, Priority::Live, take.max, take.lease, left).await?;
                if !some.is_empty() {
                    return Ok(some);
                }
            }
        })
    }

    fn extend<'a>(&'a self, lease: &'a Lease, by: Duration, _progress: Option<&'a Value>) -> Later<'a, Held> {
        Box::pin(async move {
            let Some(ticket) = Self::held(lease) else { return Ok(Held::Lost) };
            let now = Instant::now();
            let left = (ticket.received + LONGEST_HOLD).saturating_duration_since(now);
            let by = by.min(left);
            if by.is_zero() || !self.hide(lease, ticket, by).await? {
                return Ok(Held::Lost);
            }
            ticket.hold(now + by);
            Ok(Held::Yes)
        })
    }

    fn done<'a>(&'a self, lease: &'a Lease, _report: Option<&'a Value>) -> Later<'a, bool> {
        Box::pin(async move {
            let Some(ticket) = Self::held(lease) else { return Ok(false) };
            self.delete(&ticket.kind, lease.place, &lease.token).await?;
            ticket.hold(Instant::now());
            Ok(true)
        })
    }

    fn retry<'a>(&'a self, lease: &'a Lease, after: Duration, _why: &'a str) -> Later<'a, bool> {
        Box::pin(async move {
            let Some(ticket) = Self::held(lease) else { return Ok(false) };
            let hidden = self.hide(lease, ticket, after.min(LONGEST_HOLD)).await?;
            ticket.hold(Instant::now());
            Ok(hidden)
        })
    }

    fn give_back<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool> {
        Box::pin(async move {
            let Some(ticket) = Self::held(lease) else { return Ok(false) };
            // SQS counts every receiving: a new message counts from there.
            let begun = ticket.attempts.saturating_sub(1);
            self.replace(lease, ticket, Envelope { begun, ..ticket.envelope.clone() }).await
        })
    }

    fn bury<'a>(&'a self, lease: &'a Lease, why: &'a str) -> Later<'a, bool> {
        Box::pin(async move {
            let Some(ticket) = Self::held(lease) else { return Ok(false) };
            self.bury_text(&ticket.kind, &ticket.envelope.write(), &kept(why), ticket.attempts).await?;
            self.delete(&ticket.kind, lease.place, &lease.token).await?;
            ticket.hold(Instant::now());
            Ok(true)
        })
    }

    fn stopped<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool> {
        self.done(lease, None)
    }

    fn cancel(&self, _id: JobId) -> Later<'_, Cancel> {
        Box::pin(async { refused("cannot be asked for one job: nothing is cancelled there") })
    }

    fn replay<'a>(&'a self, ids: &'a [JobId]) -> Later<'a, u64> {
        Box::pin(self.revive(ids))
    }

    fn depth(&self) -> Later<'_, Depth> {
        Box::pin(async move {
            let client = self.client().await?;
            let mut kinds: BTreeMap<JobKind, KindDepth> = BTreeMap::new();
            for (kind, priority, url) in self.places.known() {
                let counts = place::counts(client, &url).await?;
                let depth = kinds.entry(kind).or_default();
                match priority {
                    Some(_) => {
                        depth.ready += counts.visible;
                        depth.leased += counts.in_flight;
                        depth.delayed += counts.delayed;
                    }
                    None => depth.dead += counts.visible + counts.in_flight,
                }
            }
            Ok(Depth::of(kinds))
        })
    }

    fn get(&self, id: JobId) -> Later<'_, Option<Seen>> {
        Box::pin(async move {
            match self.buried(&[]).await?.into_iter().find(|seen| seen.id == id) {
                Some(seen) => Ok(Some(seen)),
                None => refused("tells of dead jobs only, and this one is not among them"),
            }
        })
    }

    fn jobs<'a>(&'a self, filter: &'a Filter, after: Option<JobId>, limit: usize) -> Later<'a, Vec<Seen>> {
        Box::pin(async move {
            if filter.states != [State::Dead] {
                return refused("tells of dead jobs only: ask for state=dead");
            }
            let mut seen = self.buried(&filter.kinds).await?;
            seen.retain(|job| filter.tenant.is_none() || job.tenant == filter.tenant);
            seen.retain(|job| after.is_none_or(|after| job.id > after));
            seen.sort_by_key(|job| job.id);
            seen.truncate(limit);
            Ok(seen)
        })
    }

    fn tick<'a>(&'a self, name: &'a str, _every: Duration, _job: NewJob) -> Later<'a, bool> {
        Box::pin(
            async move { refused(&format!("schedules nothing ({name}): let EventBridge Scheduler send its message")) },
        )
    }

    fn sweep(&self, _keep: Duration) -> Later<'_, u64> {
        Box::pin(async { Ok(0) })
    }

    fn name(&self) -> &'static str {
        "sqs"
    }
}

/// What a handler gets of an envelope.
impl Envelope {
    fn job(&self, attempts: u32) -> Job {
        Job {
            id: self.id,
            kind: self.kind.clone(),
            tenant: self.tenant.clone(),
            payload: self.payload.clone(),
            priority: self.priority,
            attempts,
            created: self.created,
            not_before: self.not_before,
            trace: self.trace.clone(),
            progress: None,
        }
    }
}
