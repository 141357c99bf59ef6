//! What a job is: its kind, what it is about, how urgent it is; and who holds it.
//!
//! Knows no queue. Invariant: a kind is a short name of lower-case letters, digits and hyphens, safe in metrics and URLs.

use crate::sqs::Ticket;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

/// Longest payload as JSON, bytes. SQS takes messages of 256 KiB at least; the rest of the job needs room beside it.
pub const MAX_PAYLOAD: usize = 192 << 10;
/// Longest reason that is kept, bytes: what is longer is cut.
pub const MAX_REASON: usize = 2_000;
/// Longest key of a job, bytes.
pub const MAX_KEY: usize = 200;

/// What a job does: `[a-z][a-z0-9-]{0,47}`. The handler that is registered for it does it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^[a-z][a-z0-9-]{0,47}$", example = "index")]
pub struct JobKind(Cow<'static, str>);

impl JobKind {
    /// Puts one asset's record into the index of search; payload: the event.
    pub const INDEX: Self = Self::of("index");
    /// Links or unlinks a published name and purges it; payload: the event.
    pub const PUBLISH: Self = Self::of("publish");
    /// Asks the edge for renditions before anybody else does.
    pub const WARM: Self = Self::of("warm");
    /// Makes an original smaller without changing a pixel.
    pub const RECOMPRESS: Self = Self::of("recompress");
    /// Tells a subscriber of an event.
    pub const WEBHOOK: Self = Self::of("webhook");
    /// Removes contents that no record names, and uploads that nobody finished.
    pub const COLLECT: Self = Self::of("collect");
    /// Ends deleted assets whose time of undo is over.
    pub const ERASE: Self = Self::of("erase");
    /// Compares records with the objects that the store has.
    pub const REPLICATION_CHECK: Self = Self::of("replication-check");
    /// Fills a new generation of the index from the catalog.
    pub const REBUILD: Self = Self::of("rebuild");
    /// Compares records with the index, one by one.
    pub const INDEX_CHECK: Self = Self::of("index-check");

    /// A kind by its name, for constants.
    ///
    /// # Panics
    /// Where the name is none: see the type. In a constant that is an error of the build.
    #[must_use]
    pub const fn of(name: &'static str) -> Self {
        assert!(is_kind(name.as_bytes()), "a kind is 1 to 48 of a-z, 0-9 and -, and begins with a letter");
        Self(Cow::Borrowed(name))
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_kind(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        let inner = at > 0 && (name[at].is_ascii_digit() || name[at] == b'-');
        if !(name[at].is_ascii_lowercase() || inner) {
            return false;
        }
        at += 1;
    }
    !name.is_empty() && name.len() <= 48
}

impl FromStr for JobKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_kind(text.as_bytes()) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err("is not 1 to 48 of a-z, 0-9 and - that begin with a letter")
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for JobKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|problem| D::Error::custom(format!("{text:?} {problem}")))
    }
}

/// The name of one job: a UUID version 7, so that names sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Uuid)]
pub struct JobId(pub Uuid);

impl JobId {
    /// One that nobody has.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl Default for JobId {
    fn default() -> Self {
        Self::new()
    }
}

impl FromStr for JobId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| "is not a UUID")
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How urgent a job is. What is more urgent is taken first, also where something else has waited longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Somebody sees whether it is done: publishing, indexing.
    #[default]
    Live,
    /// It should be done soon.
    Background,
    /// It may wait until there is nothing else.
    Low,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Live, Self::Background, Self::Low];

    /// The name in metrics, queues' names and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Background => "background",
            Self::Low => "low",
        }
    }

    /// 0 is the most urgent.
    #[must_use]
    pub(crate) const fn rank(self) -> i64 {
        self as i64
    }

    /// The reverse of [`Self::rank`]; what is unknown is not urgent.
    pub(crate) fn ranked(rank: i64) -> Self {
        Self::ALL.into_iter().find(|priority| priority.rank() == rank).unwrap_or(Self::Low)
    }
}

/// A job to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Its name; sending it again under the same name sends it once, as long as the queue still has it.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Whose it is; `None`: the whole installation's, which only operators see.
    pub tenant: Option<String>,
    /// What the handler needs to know; at most [`MAX_PAYLOAD`] as JSON.
    pub payload: Value,
    /// How urgent it is.
    pub priority: Priority,
    /// How long it waits at least before it may be taken.
    pub delay: Duration,
    /// As long as a job with this key waits or runs, no other with it is taken in; at most [`MAX_KEY`] bytes.
    pub key: Option<String>,
    /// The place in a trace (W3C `traceparent`) that the work belongs to.
    pub trace: Option<String>,
}

impl NewJob {
    /// A live job of no tenant, without delay.
    #[must_use]
    pub fn new(kind: JobKind, payload: Value) -> Self {
        Self {
            id: JobId::new(),
            kind,
            tenant: None,
            payload,
            priority: Priority::Live,
            delay: Duration::ZERO,
            key: None,
            trace: None,
        }
    }

    /// Under a name that the sender chose, so that a repeated sending can be told.
    #[must_use]
    pub fn named(self, id: Uuid) -> Self {
        Self { id: JobId(id), ..self }
    }

    /// Whose it is.
    #[must_use]
    pub fn tenant(self, tenant: impl fmt::Display) -> Self {
        Self { tenant: Some(tenant.to_string()), ..self }
    }

    /// How urgent it is.
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// How long it waits at least.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Of which only one may wait or run.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// The place in a trace.
    #[must_use]
    pub fn trace(self, trace: Option<String>) -> Self {
        Self { trace, ..self }
    }

    /// Refuses what no queue takes.
    ///
    /// # Errors
    /// The payload or the key is too long; in words.
    pub fn check(&self) -> Result<(), String> {
        let long = self.payload.to_string().len();
        if long > MAX_PAYLOAD {
            return Err(format!(
                "the payload of a job has at most {MAX_PAYLOAD} bytes, this one ({}) {long}",
                self.kind
            ));
        }
        let nul = |text: &Option<String>| text.as_deref().is_some_and(|text| text.contains('\0'));
        if nul(&self.key) || nul(&self.tenant) || nul(&self.trace) {
            return Err(format!("key, tenant and trace of a job ({}) have no zero characters", self.kind));
        }
        match &self.key {
            Some(key) if key.is_empty() || key.len() > MAX_KEY => {
                Err(format!("the key of a job has 1 to {MAX_KEY} bytes, this one ({}) {}", self.kind, key.len()))
            }
            _ => Ok(()),
        }
    }
}

/// A job as a handler gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Whose it is.
    pub tenant: Option<String>,
    /// What the sender said.
    pub payload: Value,
    /// How urgent it is.
    pub priority: Priority,
    /// How often it has been begun, this time included.
    pub attempts: u32,
    /// When it was sent.
    pub created: Timestamp,
    /// From when on it could be taken, this time.
    pub not_before: Timestamp,
    /// The place in a trace that it belongs to.
    pub trace: Option<String>,
    /// What the attempt before said of its progress, where the queue remembers: long work goes on from there.
    pub progress: Option<Value>,
}

/// Proof of who holds a job. What it says is the queue's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub id: JobId,
    /// What only this holder knows.
    pub(crate) token: String,
    /// Where the queue has it, where there are several places.
    pub(crate) place: Priority,
    /// What SQS does not remember.
    pub(crate) ticket: Option<Box<Ticket>>,
}

/// A job that is held until its lease ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Leased {
    /// The job.
    pub job: Job,
    /// For telling the queue what became of it.
    pub lease: Lease,
}

/// A reason as it is kept: of [`MAX_REASON`] at most, cut at a character, without what PostgreSQL's texts cannot have.
pub(crate) fn kept(reason: &str) -> String {
    let end = (0..=MAX_REASON.min(reason.len())).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or(0);
    reason[..end].replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_are_short_names() {
        for name in ["index", "replication-check", "a1", &"a".repeat(48)] {
            assert_eq!(name.parse::<JobKind>().unwrap().as_str(), name);
        }
        for name in ["", "Index", "1a", "-a", "a_b", "a/b", "é", &"a".repeat(49)] {
            assert!(name.parse::<JobKind>().is_err(), "{name}");
            assert!(serde_json::from_value::<JobKind>(json!(name)).is_err(), "{name}");
        }
        assert_eq!(serde_json::from_value::<JobKind>(json!("index")).unwrap(), JobKind::INDEX);
        assert_eq!(serde_json::to_value(JobKind::REPLICATION_CHECK).unwrap(), json!("replication-check"));
    }

    #[test]
    fn too_much_is_refused_in_words() {
        let job = NewJob::new(JobKind::INDEX, json!("x".repeat(MAX_PAYLOAD)));
        assert!(job.check().unwrap_err().contains(&format!("{}", MAX_PAYLOAD + 2)));
        assert_eq!(NewJob::new(JobKind::INDEX, json!("x".repeat(MAX_PAYLOAD - 2))).check(), Ok(()));
        assert!(NewJob::new(JobKind::INDEX, json!(1)).key("").check().is_err());
        assert!(NewJob::new(JobKind::INDEX, json!(1)).key("k".repeat(201)).check().is_err());
    }

    #[test]
    fn reasons_are_cut_at_characters() {
        assert_eq!(kept("short\0"), "short ");
        let long = "é".repeat(MAX_REASON);
        assert_eq!(kept(&long).len(), MAX_REASON);
        assert_eq!(kept(&format!("x{long}")).len(), MAX_REASON - 1);
    }

    #[test]
    fn ranks_are_read_back() {
        for priority in Priority::ALL {
            assert_eq!(Priority::ranked(priority.rank()), priority);
        }
    }
}
