//! Writes in bulk, each under its revision as an external version: the server keeps the highest, in whatever order they
//! come.
//!
//! Invariant: a request has at most 8 MB or 5,000 writes, unless one write alone is larger; each item's fate is read.

use super::rest::{Kind, Rest, expect};
use super::shape;
use crate::error::FinderError;
use crate::record::Record;
use crate::write::Outcome;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const MAX_BYTES: usize = 8 << 20;
const MAX_WRITES: usize = 5_000;
/// Rounds in which what the server was too busy for is sent again.
const ROUNDS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(200);

/// One of `_bulk`'s items: what is sent.
struct Item {
    at: usize,
    lines: String,
}

/// Sends all records to `alias`; outcomes in their order. `None` where there is no such alias.
pub(super) async fn send(
    rest: &Rest,
    alias: &str,
    refresh: &str,
    records: &[Record],
) -> Result<Option<Vec<Outcome>>, FinderError> {
    let mut outcomes = vec![None; records.len()];
    let mut waiting = Vec::with_capacity(records.len());
    for (at, record) in records.iter().enumerate() {
        waiting.push(Item { at, lines: lines(alias, record)? });
    }
    for round in 0..ROUNDS {
        let mut busy = Vec::new();
        for part in parts(waiting) {
            if !send_part(rest, refresh, part, &mut outcomes, &mut busy).await? {
                return Ok(None);
            }
        }
        waiting = busy;
        if waiting.is_empty() || round + 1 == ROUNDS {
            break;
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(round)).await;
    }
    let missing = || FinderError::Unavailable("OpenSearch is too busy for all of a batch".into());
    outcomes.into_iter().collect::<Option<Vec<Outcome>>>().ok_or_else(missing).map(Some)
}

fn lines(alias: &str, record: &Record) -> Result<String, FinderError> {
    let action = json!({ "index": {
        "_index": alias, "_id": record.id, "version": record.revision, "version_type": "external", "require_alias": true,
    } });
    Ok(format!("{action}\n{}\n", shape::document(record)?))
}

fn parts(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut parts: Vec<Vec<Item>> = Vec::new();
    let mut bytes = 0;
    for item in items {
        let full = parts.last().is_none_or(|part| part.len() >= MAX_WRITES || bytes + item.lines.len() > MAX_BYTES);
        if full {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += item.lines.len();
        if let Some(part) = parts.last_mut() {
            part.push(item);
        }
    }
    parts
}

/// `false` where there is no such alias.
async fn send_part(
    rest: &Rest,
    refresh: &str,
    part: Vec<Item>,
    outcomes: &mut [Option<Outcome>],
    busy: &mut Vec<Item>,
) -> Result<bool, FinderError> {
    let body: String = part.iter().map(|item| item.lines.as_str()).collect();
    let path = format!("/_bulk?refresh={refresh}");
    let answer = rest.send(Method::POST, &path, Kind::Lines, Bytes::from(body)).await?;
    let answer = expect("_bulk", answer)?;
    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if items.len() != part.len() {
        return Err(FinderError::Broken(format!("_bulk answered {} of {} writes", items.len(), part.len())));
    }
    for (item, said) in part.into_iter().zip(items) {
        let said = &said["index"];
        match said["status"].as_u64().unwrap_or(0) {
            200 | 201 => outcomes[item.at] = Some(Outcome::Written),
            409 => outcomes[item.at] = Some(Outcome::Older),
            404 => return Ok(false),
            429 | 503 => busy.push(item),
            _ => outcomes[item.at] = Some(Outcome::Refused(why(said))),
        }
    }
    Ok(true)
}

fn why(said: &Value) -> String {
    let reason = said["error"]["reason"].as_str().unwrap_or("no reason given");
    reason.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::{Item, MAX_BYTES, MAX_WRITES, parts};

    #[test]
    fn requests_have_a_largest_size() {
        let items = |count: usize, bytes: usize| (0..count).map(|at| Item { at, lines: "x".repeat(bytes) }).collect();
        let sizes = |items| parts(items).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(items(MAX_WRITES + 1, 1)), [MAX_WRITES, 1]);
        assert_eq!(sizes(items(3, MAX_BYTES / 2)), [2, 1]);
        assert_eq!(sizes(items(2, MAX_BYTES + 1)), [1, 1]);
        assert!(parts(Vec::new()).is_empty());
    }
}
