//! The audit log: who did, or tried, what to what, and what came of it. Each row is sealed together with the one before it.
//!
//! Invariants: an act that changes something is not answered before it is noted; no secret, token or password is noted; a row
//! that was changed, taken out or put in is found, unless it is the last and the head was changed with the secret at hand.

use crate::seal::Seals;
use crate::store::{Link, NewLink, Store, StoreError};

/// How many rows are looked at with one question.
const PAGE: i64 = 1000;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed.
    Denied,
    /// It did not succeed: a wrong password, a token that was used before.
    Failed,
}

impl Outcome {
    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// What an examination of the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Rows that were looked at.
    pub rows: i64,
    /// The first that is wrong, and how.
    pub broken: Option<(i64, &'static str)>,
}

/// A row's hash: of all that it says, and of the hash before it.
fn seal(seals: &Seals, seq: i64, noted: &NewLink, before: &str) -> String {
    let NewLink { at, tenant, actor, act, target, outcome, detail, network, request } = noted;
    let (seq, at) = (seq.to_string(), at.to_string());
    seals.chain(&[before, &seq, &at, tenant, actor, act, target, outcome, detail, network, request])
}

/// Notes something.
///
/// # Errors
/// The database: what was to be noted must not be done then.
pub async fn note(store: &Store, seals: &Seals, noted: &NewLink) -> Result<i64, StoreError> {
    store.add_link(noted, |seq, noted, before| seal(seals, seq, noted, before)).await
}

/// Goes through the whole chain.
///
/// # Errors
/// The database.
pub async fn examine(store: &Store, seals: &Seals) -> Result<Examined, StoreError> {
    // The head first: rows that are added meanwhile are beyond it.
    let (last, head) = store.head().await?;
    let (mut place, mut before) = (0, String::new());
    loop {
        let links = store.links_after(place, PAGE).await?;
        if links.is_empty() {
            let broken = (place < last).then_some((place + 1, "rows are missing at the end"));
            return Ok(Examined { rows: place, broken });
        }
        for Link { seq, noted, hash } in links {
            if seq != place + 1 {
                return Ok(Examined { rows: place, broken: Some((place + 1, "a row is missing")) });
            }
            if seal(seals, seq, &noted, &before) != hash {
                return Ok(Examined { rows: place, broken: Some((seq, "the row was changed, or one before it")) });
            }
            if seq == last && hash != head {
                return Ok(Examined { rows: seq, broken: Some((seq, "the end of the chain was changed")) });
            }
            (place, before) = (seq, hash);
        }
    }
}
