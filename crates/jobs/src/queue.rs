//! The one trait of all queues: what they promise, how they fail, and what can be seen of them.
//!
//! Knows no store and no handler; one contract suite (`contract`) holds all implementations. Invariants: what was sent is
//! given out at least once, by order of priority and then of due time; within a lease nobody else gets it; whoever has lost
//! a lease can change nothing any more.

use crate::job::{JobId, JobKind, Lease, Leased, NewJob, Priority};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;
use utoipa::ToSchema;

/// A future that a trait object can give.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, QueueError>> + Send + 'a>>;

/// Most jobs of one sending, one receiving and one page.
pub const MOST: usize = 500;

/// Jobs that wait, are delayed, are held, are dead.
pub trait Queue: fmt::Debug + Send + Sync {
    /// Takes all of them in, or none; gives their names in order. Where a key is taken already, or the name known, that is
    /// the name of the job that is there.
    fn send(&self, jobs: Vec<NewJob>) -> Later<'_, Vec<JobId>>;

    /// Gives out what is due, the most urgent first and then what was due first, and counts an attempt. Waits a while for
    /// it where there is nothing. May give fewer than there are. Where the future is dropped, what it may have taken rests
    /// until its lease ends.
    fn receive<'a>(&'a self, take: &'a Take) -> Later<'a, Vec<Leased>>;

    /// Holds the job for `by` from now on, and keeps what is said of its progress.
    fn extend<'a>(&'a self, lease: &'a Lease, by: Duration, progress: Option<&'a Value>) -> Later<'a, Held>;

    /// The job is done. With a report it can be seen for a while; without one it is gone. `false`: the lease was lost.
    fn done<'a>(&'a self, lease: &'a Lease, report: Option<&'a Value>) -> Later<'a, bool>;

    /// The attempt failed; the job is due again `after` a while. `false`: the lease was lost.
    fn retry<'a>(&'a self, lease: &'a Lease, after: Duration, why: &'a str) -> Later<'a, bool>;

    /// The job was not begun, or not to its end: it is due at once, and the attempt is not counted. `false`: likewise.
    fn give_back<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool>;

    /// The job cannot be done: it is dead, and can be seen and replayed. `false`: likewise.
    fn bury<'a>(&'a self, lease: &'a Lease, why: &'a str) -> Later<'a, bool>;

    /// The job was cancelled while it ran, and has stopped. `false`: likewise.
    fn stopped<'a>(&'a self, lease: &'a Lease) -> Later<'a, bool>;

    /// Cancels a job: one that waits or is dead is taken out, one that runs is asked to stop.
    fn cancel(&self, id: JobId) -> Later<'_, Cancel>;

    /// Makes dead jobs due again, as if they had never been begun; how many there were of these.
    fn replay<'a>(&'a self, ids: &'a [JobId]) -> Later<'a, u64>;

    /// What there is.
    fn depth(&self) -> Later<'_, Depth>;

    /// One job, as it can be seen.
    fn get(&self, id: JobId) -> Later<'_, Option<Seen>>;

    /// Jobs as they can be seen, the oldest first, a page of at most `limit` (≤ [`MOST`]).
    fn jobs<'a>(&'a self, filter: &'a Filter, after: Option<JobId>, limit: usize) -> Later<'a, Vec<Seen>>;

    /// Sends the job if nobody has done so under this name for `every`; whether it did. However many instances ask, one
    /// of them does.
    fn tick<'a>(&'a self, name: &'a str, every: Duration, job: NewJob) -> Later<'a, bool>;

    /// Takes out what ended longer than `keep` ago and was left to be seen; how many.
    fn sweep(&self, keep: Duration) -> Later<'_, u64>;

    /// Which queue this is, in logs: `sqlite`, `postgres`, `sqs`.
    fn name(&self) -> &'static str;
}

/// What is asked for by [`Queue::receive`].
#[derive(Clone, Debug)]
pub struct Take {
    /// Jobs of these kinds.
    pub kinds: Vec<JobKind>,
    /// At most so many, and never more than [`MOST`].
    pub max: usize,
    /// How long they are held.
    pub lease: Duration,
    /// How long to wait where there is nothing; queues may wait less, none more than 20 s.
    pub wait: Duration,
}

/// What an extension says of the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Go on.
    Yes,
    /// It is held, and shall be stopped.
    Cancelled,
    /// Somebody else has it, or it is gone: stop at once, and say nothing.
    Lost,
}

/// What became of a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// It waited, was delayed or dead, and never runs (again).
    Removed,
    /// It runs, and was asked to stop.
    Asked,
    /// There is none of this name, or it has ended.
    None,
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is due, and waits for a consumer.
    Ready,
    /// It becomes due later.
    Delayed,
    /// A consumer holds it.
    Running,
    /// It failed too often, or for good.
    Dead,
    /// It has ended, with a report.
    Done,
    /// It was cancelled.
    Cancelled,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Ready, Self::Delayed, Self::Running, Self::Dead, Self::Done, Self::Cancelled];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Delayed => "delayed",
            Self::Running => "running",
            Self::Dead => "dead",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A job as people see it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
pub struct Seen {
    /// Its name.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Whose it is; null: the installation's.
    pub tenant: Option<String>,
    /// Where it is.
    pub state: State,
    /// How urgent it is.
    pub priority: Priority,
    /// What the sender said.
    pub payload: Value,
    /// How often it has been begun.
    pub attempts: u32,
    /// When it was sent.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// From when on it may be taken, or until when it is held.
    #[schema(value_type = String, format = DateTime)]
    pub due: Timestamp,
    /// When it ended: died, was done or cancelled.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended: Option<Timestamp>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// How far it has come, in the handler's words; behind the end what it reported.
    pub progress: Option<Value>,
    /// Whether it runs and was asked to stop.
    pub stopping: bool,
    /// The place in a trace that it belongs to.
    pub trace: Option<String>,
}

/// Which jobs. What is not named does not matter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states; empty: in any.
    pub states: Vec<State>,
    /// Of one of these kinds; empty: of any.
    pub kinds: Vec<JobKind>,
    /// Whose.
    pub tenant: Option<String>,
}

/// How many jobs there are where.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Depth {
    /// Due, and waiting for a consumer: what tells how many consumers are needed.
    pub ready: u64,
    /// Held by consumers.
    pub leased: u64,
    /// Due later.
    pub delayed: u64,
    /// Dead.
    pub dead: u64,
    /// How long the one that has waited longest is due, seconds.
    pub oldest_seconds: f64,
    /// The same by kind, where the queue can tell.
    pub kinds: BTreeMap<JobKind, KindDepth>,
}

/// How many jobs of one kind there are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KindDepth {
    /// Due, and waiting.
    pub ready: u64,
    /// Held.
    pub leased: u64,
    /// Due later.
    pub delayed: u64,
    /// Dead.
    pub dead: u64,
    /// How long the one that has waited longest is due, seconds.
    pub oldest_seconds: f64,
}

impl Depth {
    /// The sums of kinds.
    pub(crate) fn of(kinds: BTreeMap<JobKind, KindDepth>) -> Self {
        let mut depth = Self::default();
        for kind in kinds.values() {
            depth.ready += kind.ready;
            depth.leased += kind.leased;
            depth.delayed += kind.delayed;
            depth.dead += kind.dead;
            depth.oldest_seconds = depth.oldest_seconds.max(kind.oldest_seconds);
        }
        Self { kinds, ..depth }
    }
}

/// Why a queue did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueError {
    /// What was asked for is against the rules; in words, for whoever asked.
    Refused(String),
    /// The store did not do it; in words, for the log. Asking again may help.
    Store(String),
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(problem) => f.write_str(problem),
            Self::Store(problem) => write!(f, "the queue does not answer: {problem}"),
        }
    }
}

impl std::error::Error for QueueError {}

/// What every queue looks at before it takes jobs in.
pub(crate) fn check(jobs: &[NewJob]) -> Result<(), QueueError> {
    if jobs.len() > MOST {
        return Err(QueueError::Refused(format!("at most {MOST} jobs are sent at once, not {}", jobs.len())));
    }
    jobs.iter().try_for_each(NewJob::check).map_err(QueueError::Refused)
}

/// Milliseconds, the unit of every store.
pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}

/// A store's milliseconds since 1970.
pub(crate) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}
