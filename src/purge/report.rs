//! What a purge's answer says, and which status that is.
//!
//! Knows no HTTP beside the number. Invariant: what failed is named; a status below 300 means that all was done.

use super::request::Item;
use super::resolve::Meaning;
use super::sweep::Swept;
use crate::cache::{Place, tiers};
use serde_json::{Map, Value, json};

/// What was done.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) items: Vec<(Item, Result<Meaning, String>)>,
    pub(super) dry_run: bool,
    pub(super) memory: Swept,
    pub(super) tiers: Vec<(Place, tiers::Swept)>,
    /// Whether the other instances know; `None` where there is no way to tell them.
    pub(super) told: Option<Result<(), String>>,
    /// Paths and tags that the CDN will be told, where there is one.
    pub(super) cdn: Option<Result<usize, String>>,
}

impl Report {
    /// 200: all of it. 207: some things could not be understood. 400: none could. 502: somebody could not be told, or a tier
    /// could not be looked through.
    pub(super) fn status(&self) -> u16 {
        let refused = self.items.iter().filter(|(_, meaning)| meaning.is_err()).count();
        let failed = self.tiers.iter().any(|(_, swept)| matches!(swept, tiers::Swept::Failed(_)));
        let untold = matches!(self.told, Some(Err(_))) || matches!(self.cdn, Some(Err(_)));
        match refused {
            refused if refused == self.items.len() => 400,
            _ if failed || untold => 502,
            0 => 200,
            _ => 207,
        }
    }

    /// In a line: what was named, without queries, in which signatures may be.
    pub(super) fn summary(&self) -> String {
        const SHOWN: usize = 10;
        let shown =
            self.items.iter().take(SHOWN).map(|(item, _)| item.to_string().chars().take(200).collect::<String>());
        let mut text = shown.collect::<Vec<_>>().join(", ");
        if let Some(more) = self.items.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            text = format!("{text}, and {more} more");
        }
        if self.dry_run { format!("{text} (dry run)") } else { text }
    }

    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let items: Vec<Value> = self.items.iter().map(|(item, meaning)| self::item(item, meaning.as_ref())).collect();
        let understood = self.items.iter().filter(|(_, meaning)| meaning.is_ok()).count();
        let mut tiers = Map::new();
        let Swept { renditions, originals } = self.memory;
        tiers.insert("memory".into(), json!({"removed": renditions, "originals": originals}));
        for (place, swept) in &self.tiers {
            tiers.insert(place.as_str().into(), tier(swept));
        }
        let mut report = json!({
            "purged": if self.dry_run { 0 } else { understood },
            "refused": self.items.len() - understood,
            "dry_run": self.dry_run,
            "tiers": tiers,
            "items": items,
        });
        report["fleet"] = match &self.told {
            None => json!({"told": false, "alone": true}),
            Some(Ok(())) => json!({"told": true}),
            Some(Err(why)) => json!({"told": false, "failed": why, "retried": true}),
        };
        match &self.cdn {
            None => {}
            Some(Ok(queued)) => report["cdn"] = json!({"queued": queued}),
            Some(Err(why)) => report["cdn"] = json!({"failed": why}),
        }
        report
    }
}

fn tier(swept: &tiers::Swept) -> Value {
    match swept {
        tiers::Swept::Removed(count) => json!({"removed": count}),
        // Not looked through: void all the same, and removed when next asked for.
        tiers::Swept::Void => json!({"void": true}),
        tiers::Swept::Failed(failure) => json!({"void": true, "failed": failure.to_string()}),
    }
}

fn item(item: &Item, meaning: Result<&Meaning, &String>) -> Value {
    let mut value = match item {
        Item::Url(url) => json!({"url": url}),
        Item::Only(url) => json!({"url": url, "only": true}),
        Item::Source(source) => json!({"source": source.path}),
        Item::Tag(tag) => json!({"tag": tag}),
        Item::Prefix(prefix) => json!({"prefix": prefix}),
        Item::All => json!({"all": true}),
    };
    match meaning {
        Ok(meaning) => value["cdn"] = json!(meaning.cdn),
        Err(why) => value["error"] = json!(why),
    }
    value
}
