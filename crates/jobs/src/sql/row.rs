//! A row of the table, and what it says to handlers and to people.
//!
//! Invariant: a row that cannot be read ends that job, nothing else.

use crate::job::{Job, JobId, JobKind, Lease, Leased, Priority};
use crate::queue::{Depth, KindDepth, Seen, State, moment};
use serde_json::Value;
use std::collections::BTreeMap;

/// As the table has it, with the database's time.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) id: String,
    kind: String,
    tenant: Option<String>,
    priority: i64,
    payload: String,
    trace: Option<String>,
    state: i64,
    attempts: i64,
    created: i64,
    pub(super) not_before: i64,
    due: i64,
    holder: Option<String>,
    stopping: i64,
    ended: Option<i64>,
    reason: Option<String>,
    progress: Option<String>,
    now: i64,
}

impl Row {
    /// What comes first is given out first.
    pub(super) fn order(&self) -> (i64, i64, i64) {
        (self.priority, self.not_before, self.seq)
    }

    /// For its holder; or why it is of no use to anybody.
    pub(super) fn leased(self, token: &str) -> Result<Leased, Unreadable> {
        let unreadable = |problem: &str| Unreadable { id: self.id.clone(), why: format!("cannot be read: {problem}") };
        let id: JobId = self.id.parse().map_err(unreadable)?;
        let kind = self.kind.parse().map_err(unreadable)?;
        let payload = serde_json::from_str(&self.payload).map_err(|error| unreadable(&error.to_string()))?;
        let place = Priority::ranked(self.priority);
        let job = Job {
            id,
            kind,
            tenant: self.tenant,
            payload,
            priority: place,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            created: moment(self.created),
            not_before: moment(self.not_before),
            trace: self.trace,
            progress: self.progress.and_then(|text| serde_json::from_str(&text).ok()),
        };
        Ok(Leased { job, lease: Lease { id, token: token.to_owned(), place, ticket: None } })
    }

    /// For people; `None` where name or kind are none.
    pub(super) fn seen(self) -> Option<Seen> {
        let held = self.holder.is_some() && self.due > self.now;
        let state = match self.state {
            0 if held => State::Running,
            0 if self.due > self.now => State::Delayed,
            0 => State::Ready,
            1 => State::Dead,
            2 => State::Done,
            _ => State::Cancelled,
        };
        Some(Seen {
            id: self.id.parse().ok()?,
            kind: self.kind.parse().ok()?,
            tenant: self.tenant,
            state,
            priority: Priority::ranked(self.priority),
            payload: serde_json::from_str(&self.payload).unwrap_or(Value::String(self.payload)),
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            created: moment(self.created),
            due: moment(self.due),
            ended: self.ended.map(moment),
            reason: self.reason,
            progress: self.progress.and_then(|text| serde_json::from_str(&text).ok()),
            stopping: self.stopping != 0 && state == State::Running,
            trace: self.trace,
        })
    }
}

/// A job that nobody can do.
pub(super) struct Unreadable {
    pub(super) id: String,
    pub(super) why: String,
}

/// One kind's numbers.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct DepthRow {
    kind: String,
    ready: i64,
    leased: i64,
    delayed: i64,
    dead: i64,
    oldest: Option<i64>,
    now: i64,
}

/// All kinds' numbers.
pub(super) fn depth(rows: Vec<DepthRow>) -> Depth {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let kinds: BTreeMap<JobKind, KindDepth> = rows
        .into_iter()
        .filter_map(|row| {
            let oldest = row.oldest.map_or(0, |oldest| (row.now - oldest).max(0));
            let depth = KindDepth {
                ready: count(row.ready),
                leased: count(row.leased),
                delayed: count(row.delayed),
                dead: count(row.dead),
                oldest_seconds: oldest as f64 / 1000.0,
            };
            Some((row.kind.parse().ok()?, depth))
        })
        .collect();
    Depth::of(kinds)
}
