//! One job, from being taken to its end: the handler in a task of its own, heartbeats beside it, and a word to the queue.
//!
//! Invariants: whoever lost the lease says nothing more; a panic costs the job an attempt, and nobody else anything; a job
//! that was begun too often without an end is dead before it is begun again.

use super::work::{Ended, Failure, Handler, Outcome, Stop, Then, Work};
use super::{Policy, Shared};
use crate::job::{Lease, Leased};
use crate::queue::{Held, QueueError};
use service::otlp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;
use tracing::Instrument as _;

/// How long a cancelled job's handler may go on.
const CANCEL_GRACE: Duration = Duration::from_secs(5);
/// How often the end of a job is told to a queue that does not answer.
const TELLINGS: u32 = 4;

/// How an attempt came to its end.
enum End {
    /// The handler said so.
    Said(Outcome),
    /// It panicked, in these words.
    Panicked(String),
    /// It took longer than the policy allows.
    Late,
    /// It was cancelled, and did not stop in time.
    Cut,
    /// The process ends.
    Drained,
    /// Somebody else has the job.
    Lost,
}

/// Does one job.
pub(super) async fn see_to(
    shared: Shared,
    policy: Policy,
    handler: Arc<dyn Handler>,
    leased: Leased,
    permit: OwnedSemaphorePermit,
) {
    let Leased { job, lease } = leased;
    let kind = job.kind.clone();
    if job.attempts > policy.attempts {
        let why = format!("begun {} times, and whoever began it was gone before its end", job.attempts - 1);
        let told = tell(|| shared.queue.bury(&lease, &why)).await;
        tracing::error!(job = %job.id, %kind, told, why, "a job is dead");
        shared.metrics.ended(&kind, "dead", Duration::ZERO);
        return;
    }
    let attempt = job.attempts;
    let caller = job.trace.as_deref().and_then(|trace| otlp::Propagation::W3c.read(trace));
    let id = job.id;
    let span = otlp::enter(
        caller,
        || tracing::info_span!(target: otlp::TARGET, "job", job = %id, kind = %kind, attempt, failed = tracing::field::Empty),
    );
    let running = shared.metrics.begun(&kind);
    let began = Instant::now();
    let work = Work::new(job);
    let task = tokio::spawn(handler.handle(work.clone()).instrument(span.clone()));
    let end = attend(&shared, &policy, &work, &lease, task).await;
    let outcome = settle(&shared, &policy, &work, &lease, end).await;
    if !matches!(outcome, "done" | "given-back") {
        span.record(otlp::FAILED, true);
    }
    drop(running);
    drop(permit);
    shared.metrics.ended(&kind, outcome, began.elapsed());
}

/// Aborts the handler when the one who waits for it goes.
struct Guard(AbortHandle);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for the handler's end, and holds the job meanwhile.
async fn attend(shared: &Shared, policy: &Policy, work: &Work, lease: &Lease, mut task: JoinHandle<Outcome>) -> End {
    let _aborts = Guard(task.abort_handle());
    let late = tokio::time::sleep(policy.limit);
    let mut beat = tokio::time::interval_at(Instant::now() + policy.beat(), policy.beat());
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut held_until = Instant::now() + policy.lease;
    // Far away until there is a reason.
    let mut cut = std::pin::pin!(tokio::time::sleep(policy.limit + CANCEL_GRACE));
    let mut why = End::Late;
    let (mut draining, mut cancelled) = (false, false);
    let mut late = std::pin::pin!(late);
    loop {
        tokio::select! {
            biased;
            ended = &mut task => return match ended {
                Ok(outcome) => End::Said(outcome),
                Err(error) => End::Panicked(panic_text(error)),
            },
            () = &mut cut => return why,
            () = &mut late => return End::Late,
            () = shared.drain.draining(), if !draining => {
                draining = true;
                work.tell(Stop::Draining);
                if !cancelled {
                    why = End::Drained;
                    cut.as_mut().reset(Instant::now() + shared.grace);
                }
            }
            _ = beat.tick() => {
                let (said, asked) = (work.said(), Instant::now());
                let extending = shared.queue.extend(lease, policy.lease, said.as_ref());
                // A queue that says nothing must not keep the job longer than its lease.
                let answer = tokio::time::timeout_at(held_until.max(asked + policy.beat()), extending).await;
                match answer.unwrap_or_else(|_| Err(QueueError::Store("no answer in time".to_owned()))) {
                    Ok(Held::Yes) => held_until = asked + policy.lease,
                    Ok(Held::Cancelled) => {
                        held_until = asked + policy.lease;
                        if !cancelled {
                            cancelled = true;
                            work.tell(Stop::Cancelled);
                            why = End::Cut;
                            cut.as_mut().reset(Instant::now() + CANCEL_GRACE);
                        }
                    }
                    Ok(Held::Lost) => return End::Lost,
                    Err(problem) => {
                        tracing::warn!(job = %lease.id, %problem, "a lease cannot be extended");
                        if Instant::now() >= held_until {
                            return End::Lost;
                        }
                    }
                }
            }
        }
    }
}

fn panic_text(error: tokio::task::JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else { return "its task was ended".to_owned() };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_else(|| "no message".to_owned()))
}

/// Tells the queue, the log and the metrics; the outcome's name.
async fn settle(shared: &Shared, policy: &Policy, work: &Work, lease: &Lease, end: End) -> &'static str {
    let queue = &shared.queue;
    let job = &work.job;
    let failure = match end {
        End::Lost => {
            tracing::warn!(job = %job.id, kind = %job.kind, "a job's lease was lost: another consumer has it");
            return "lost";
        }
        End::Drained => {
            tell(|| queue.give_back(lease)).await;
            return "given-back";
        }
        End::Cut => {
            tell(|| queue.stopped(lease)).await;
            return "cancelled";
        }
        End::Said(Ok(Ended::Done)) => {
            return if tell(|| queue.done(lease, None)).await { "done" } else { "lost" };
        }
        End::Said(Ok(Ended::Report(report))) => {
            return if tell(|| queue.done(lease, Some(&report))).await { "done" } else { "lost" };
        }
        End::Said(Err(failure)) if failure.then == Then::Stopped => match work.stop() {
            Some(Stop::Cancelled) => {
                tell(|| queue.stopped(lease)).await;
                return "cancelled";
            }
            Some(Stop::Draining) => {
                tell(|| queue.give_back(lease)).await;
                return "given-back";
            }
            None => Failure::later("it stopped without being told to"),
        },
        End::Said(Err(failure)) => failure,
        End::Panicked(text) => Failure::later(text),
        End::Late => Failure::later(format!("not done within {}", service::config::format_duration(policy.limit))),
    };
    let reason = failure.reason.as_str();
    if failure.then == Then::Bury || job.attempts >= policy.attempts {
        let told = tell(|| queue.bury(lease, reason)).await;
        tracing::error!(job = %job.id, kind = %job.kind, attempts = job.attempts, reason, told, "a job is dead");
        return "dead";
    }
    let rest = match failure.then {
        Then::After(rest) => rest.max(policy.rest_after(1)),
        _ => policy.rest_after(job.attempts),
    };
    tell(|| queue.retry(lease, rest, reason)).await;
    tracing::warn!(job = %job.id, kind = %job.kind, attempt = job.attempts, rest_ms = rest.as_millis() as u64, reason, "a job failed");
    "failed"
}

/// Says it until the queue answers, a few times; otherwise the lease runs out, and the job is done again.
async fn tell<'a, F>(mut say: impl FnMut() -> F) -> bool
where
    F: Future<Output = Result<bool, QueueError>> + 'a,
{
    for telling in 1..=TELLINGS {
        match say().await {
            Ok(known) => return known,
            Err(problem) => {
                tracing::warn!(%problem, "the end of a job cannot be told");
                if telling < TELLINGS {
                    tokio::time::sleep(Duration::from_millis(100) * 3_u32.pow(telling - 1)).await;
                }
            }
        }
    }
    false
}
