//! OpenSearch (and what speaks its REST interface): several processes write and search one index.
//!
//! Generations are indices `<name>-g00000001` …; the alias `<name>` is the current one, `<name>-building` the one that is
//! being built. Invariant: writes name an alias and demand that it is one, so that no index comes to be by mistake.

mod bulk;
mod rest;
mod shape;
mod translate;

use crate::changes::Changes;
use crate::document::Document;
use crate::error::FinderError;
use crate::hits::Hits;
use crate::plan::{Completion, Found, Plan, only_count, page};
use crate::query::Query;
use crate::reach::Reach;
use crate::record::{Record, records};
use crate::seam::{Answer, Finder, Generation, MAX_IDS, Stats};
use crate::suggest::{Prompt, Suggestion};
use crate::write::{Applied, Outcome, Write};
use http::{HeaderValue, Method, StatusCode, Uri};
use rest::{Rest, expect};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// How the server is asked.
#[derive(Clone)]
pub struct Setting {
    /// Such as `https://search.internal:9200`.
    pub server: Uri,
    /// The `Authorization` field, where the server wants one.
    pub authorization: Option<HeaderValue>,
    /// The alias of the current generation; the indices' names begin so.
    pub name: String,
    /// Of a new generation.
    pub shards: u32,
    /// Of a new generation.
    pub replicas: u32,
    /// Whether a write waits until it is found.
    pub refresh: Refresh,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Tries of a request that the server was not there or too busy for.
    pub tries: u32,
    /// What tells other processes of changes; without it answers cannot be kept.
    pub changes: Option<Arc<dyn Changes>>,
}

/// When what was written is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// A write is acknowledged when it is found: at the index's next refresh, within a second.
    #[default]
    Wait,
    /// At once: for tests, and where little is written.
    Now,
}

impl Refresh {
    fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait_for",
            Self::Now => "true",
        }
    }
}

/// The engine.
pub struct OpenSearch {
    rest: Rest,
    setting: Setting,
    ready: OnceCell<()>,
}

impl std::fmt::Debug for OpenSearch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSearch")
            .field("server", &self.setting.server)
            .field("name", &self.setting.name)
            .finish_non_exhaustive()
    }
}

impl OpenSearch {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// Where the system's certificates cannot be read.
    pub fn new(setting: Setting) -> Result<Self, FinderError> {
        let rest = Rest::new(&setting.server, setting.authorization.clone(), setting.timeout, setting.tries)?;
        Ok(Self { rest, setting, ready: OnceCell::new() })
    }

    fn building_alias(&self) -> String {
        format!("{}-building", self.setting.name)
    }

    /// Makes the first generation where there is none.
    async fn ready(&self) -> Result<(), FinderError> {
        let make = async || {
            let name = &self.setting.name;
            if self.target(name).await?.is_some() {
                return Ok(());
            }
            let (status, answer) = self.make(&format!("{name}-g00000001"), name).await?;
            // Another process may have been quicker.
            if status.is_success() || self.target(name).await?.is_some() {
                return Ok(());
            }
            Err(FinderError::Broken(format!("the index cannot be made: {status}: {}", rest::reason(&answer))))
        };
        self.ready.get_or_try_init(make).await.copied()
    }

    async fn make(&self, index: &str, alias: &str) -> Result<(StatusCode, Value), FinderError> {
        let body = shape::index(self.setting.shards, self.setting.replicas, alias);
        self.rest.json(Method::PUT, &format!("/{index}"), &body).await
    }

    /// The index that an alias names.
    async fn target(&self, alias: &str) -> Result<Option<String>, FinderError> {
        let (status, answer) = self.rest.bare(Method::GET, &format!("/_alias/{alias}")).await?;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = expect("_alias", (status, answer))?;
        Ok(answer.as_object().and_then(|indices| indices.keys().next().cloned()))
    }

    /// All generations' names.
    async fn names(&self) -> Result<Vec<String>, FinderError> {
        let path = format!("/{}-g*/_alias", self.setting.name);
        let (status, answer) = self.rest.bare(Method::GET, &path).await?;
        if status == StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        let answer = expect("_alias", (status, answer))?;
        let mut names: Vec<String> = answer.as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default();
        names.retain(|name| self.number(name).is_some());
        names.sort();
        Ok(names)
    }

    fn number(&self, index: &str) -> Option<u64> {
        index.strip_prefix(&self.setting.name)?.strip_prefix("-g")?.parse().ok()
    }

    async fn delete(&self, index: &str) -> Result<(), FinderError> {
        let (status, answer) = self.rest.bare(Method::DELETE, &format!("/{index}")).await?;
        if status == StatusCode::NOT_FOUND { Ok(()) } else { expect("delete", (status, answer)).map(drop) }
    }

    async fn run(&self, plan: &Plan) -> Result<Found, FinderError> {
        self.ready().await?;
        let body = translate::request(plan, self.setting.timeout.as_millis());
        let answer = self.rest.json(Method::POST, &format!("/{}/_search", self.setting.name), &body).await?;
        translate::found(plan, expect("_search", answer)?)
    }

    async fn write(&self, alias: &str, refresh: &str, records: &[Record]) -> Result<Vec<Outcome>, FinderError> {
        let sent = bulk::send(&self.rest, alias, refresh, records).await?;
        sent.ok_or_else(|| FinderError::Unavailable(format!("there is no alias {alias}")))
    }

    async fn tell(&self, tenants: Option<&BTreeSet<String>>) {
        let Some(changes) = &self.setting.changes else { return };
        let tenants: Option<Vec<&str>> = tenants.map(|tenants| tenants.iter().map(String::as_str).collect());
        // What cannot be told goes out of date by itself: answers are kept for a bounded time.
        if let Err(error) = changes.bump(tenants.as_deref()).await {
            tracing::warn!(%error, "others are not told of changes in the search index");
        }
    }
}

/// Of the writes of one asset in a batch only the last highest is sent; what became of the others is known before.
fn newest(records: Vec<Record>) -> (Vec<Record>, Vec<Option<usize>>) {
    let mut best: std::collections::HashMap<Uuid, (usize, u64)> = std::collections::HashMap::new();
    for (at, record) in records.iter().enumerate() {
        let known = best.entry(record.id).or_insert((at, record.revision));
        if record.revision > known.1 {
            *known = (at, record.revision);
        }
    }
    let (mut kept, mut places) = (Vec::with_capacity(best.len()), Vec::with_capacity(records.len()));
    for (at, record) in records.into_iter().enumerate() {
        let wins = best.get(&record.id).is_some_and(|(winner, _)| *winner == at);
        places.push(wins.then_some(kept.len()));
        if wins {
            kept.push(record);
        }
    }
    (kept, places)
}

/// What became of all writes of a batch, by what became of those that were sent.
fn outcomes(places: Vec<Option<usize>>, sent: &[Outcome]) -> Applied {
    let of = |place: Option<usize>| place.and_then(|at| sent.get(at).cloned()).unwrap_or(Outcome::Older);
    Applied { outcomes: places.into_iter().map(of).collect() }
}

impl Finder for OpenSearch {
    fn apply(&self, writes: Vec<Write>) -> Answer<'_, Applied> {
        Box::pin(async move {
            let tenants: BTreeSet<String> = writes.iter().map(|write| write.tenant().to_owned()).collect();
            let (records, places) = newest(records(writes)?);
            self.ready().await?;
            let building = self.building_alias();
            if self.target(&building).await?.is_some() {
                // It may be switched to between both: then the alias is gone, and the current one is the new one.
                bulk::send(&self.rest, &building, "false", &records).await?;
            }
            let sent = self.write(&self.setting.name, self.setting.refresh.as_str(), &records).await?;
            self.tell(Some(&tenants)).await;
            Ok(outcomes(places, &sent))
        })
    }

    fn search<'a>(&'a self, query: &'a Query) -> Answer<'a, Hits> {
        Box::pin(async move { Ok(page(query, self.run(&Plan::of(query)?).await?)) })
    }

    fn suggest<'a>(&'a self, prompt: &'a Prompt) -> Answer<'a, Vec<Suggestion>> {
        Box::pin(async move {
            let Some(completion) = Completion::of(prompt)? else { return Ok(Vec::new()) };
            let [tags, words] = completion.plans();
            let (tags, words) = tokio::try_join!(self.run(&tags), self.run(&words))?;
            Ok(completion.finish(only_count(tags)?, only_count(words)?))
        })
    }

    fn get<'a>(&'a self, reach: &'a Reach, ids: &'a [Uuid]) -> Answer<'a, Vec<Document>> {
        Box::pin(async move {
            let ids = ids.get(..MAX_IDS).unwrap_or(ids);
            let mut found = self.run(&Plan::of_ids(reach, ids)).await?.documents;
            let place = |id: &Uuid| ids.iter().position(|wanted| wanted == id);
            found.sort_by_key(|(_, document)| place(&document.id));
            Ok(found.into_iter().map(|(_, document)| document).collect())
        })
    }

    fn scan(&self, after: Option<Uuid>, limit: usize) -> Answer<'_, Vec<(Uuid, u64)>> {
        Box::pin(async move {
            self.ready().await?;
            let mut body = json!({
                "size": limit.min(10_000), "_source": ["revision"], "track_total_hits": false,
                "query": { "term": { "gone": false } }, "sort": [{ "id": "asc" }],
            });
            if let Some(after) = after {
                body["search_after"] = json!([after]);
            }
            let answer = self.rest.json(Method::POST, &format!("/{}/_search", self.setting.name), &body).await?;
            let answer = expect("_search", answer)?;
            let pair = |hit: &Value| Some((hit["_id"].as_str()?.parse().ok()?, hit["_source"]["revision"].as_u64()?));
            let hits = answer["hits"]["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
            let odd = || FinderError::Broken("OpenSearch's answer has no whole hits".into());
            hits.iter().map(pair).collect::<Option<_>>().ok_or_else(odd)
        })
    }

    fn epoch<'a>(&'a self, tenants: Option<&'a [&'a str]>) -> Answer<'a, Option<u64>> {
        Box::pin(async move {
            match &self.setting.changes {
                Some(changes) => changes.epoch(tenants).await.map(Some),
                None => Ok(None),
            }
        })
    }

    fn begin_rebuild(&self) -> Answer<'_, Generation> {
        Box::pin(async move {
            self.ready().await?;
            let building = self.building_alias();
            let last = self.names().await?.last().and_then(|name| self.number(name)).unwrap_or(0);
            if let Some(left) = self.target(&building).await? {
                self.delete(&left).await?;
            }
            let index = format!("{}-g{:08}", self.setting.name, last + 1);
            expect("a new index", self.make(&index, &building).await?)?;
            Ok(Generation::named(index))
        })
    }

    fn apply_to<'a>(&'a self, generation: &'a Generation, writes: Vec<Write>) -> Answer<'a, Applied> {
        Box::pin(async move {
            let (records, places) = newest(records(writes)?);
            let building = self.building_alias();
            if self.target(&building).await?.as_deref() != Some(generation.name()) {
                return Err(FinderError::Generation(format!("{} is not being built", generation.name())));
            }
            Ok(outcomes(places, &self.write(&building, "false", &records).await?))
        })
    }

    fn switch<'a>(&'a self, generation: &'a Generation) -> Answer<'a, ()> {
        Box::pin(async move {
            let (name, building, index) = (&self.setting.name, self.building_alias(), generation.name());
            let old = self.target(name).await?;
            if self.target(&building).await?.as_deref() != Some(index) {
                if old.as_deref() == Some(index) {
                    // Asked again: the first time may have ended before others were told.
                    self.tell(None).await;
                    return Ok(());
                }
                return Err(FinderError::Generation(format!("{index} is not being built")));
            }
            expect("_refresh", self.rest.bare(Method::POST, &format!("/{index}/_refresh")).await?)?;
            let mut actions = vec![
                json!({ "add": { "index": index, "alias": name, "is_write_index": true } }),
                json!({ "remove": { "index": index, "alias": building } }),
            ];
            actions.extend(old.map(|old| json!({ "remove": { "index": old, "alias": name } })));
            let body = json!({ "actions": actions });
            expect("_aliases", self.rest.json(Method::POST, "/_aliases", &body).await?)?;
            self.tell(None).await;
            Ok(())
        })
    }

    fn drop_old(&self) -> Answer<'_, usize> {
        Box::pin(async move {
            let kept = [self.target(&self.setting.name).await?, self.target(&self.building_alias()).await?];
            let mut dropped = 0;
            for name in self.names().await? {
                if !kept.iter().flatten().any(|kept| *kept == name) {
                    self.delete(&name).await?;
                    dropped += 1;
                }
            }
            Ok(dropped)
        })
    }

    fn stats(&self) -> Answer<'_, Stats> {
        Box::pin(async move {
            self.ready().await?;
            let name = &self.setting.name;
            let current = self.target(name).await?.unwrap_or_default();
            let building = self.target(&self.building_alias()).await?.map(Generation::named);
            let (documents, tombstones) = tokio::try_join!(self.count(false), self.count(true))?;
            let mapping = expect("_mapping", self.rest.bare(Method::GET, &format!("/{current}/_mapping")).await?)?;
            let schema = mapping[&current]["mappings"]["_meta"]["schema"].as_u64();
            Ok(Stats {
                engine: "opensearch".into(),
                building,
                documents,
                tombstones,
                bytes: self.bytes(&current).await?,
                needs_rebuild: schema != Some(shape::SCHEMA),
                current: Generation::named(current),
            })
        })
    }
}

impl OpenSearch {
    async fn count(&self, gone: bool) -> Result<u64, FinderError> {
        let body = json!({ "query": { "term": { "gone": gone } } });
        let answer = self.rest.json(Method::POST, &format!("/{}/_count", self.setting.name), &body).await?;
        Ok(expect("_count", answer)?["count"].as_u64().unwrap_or(0))
    }

    async fn bytes(&self, index: &str) -> Result<u64, FinderError> {
        let path = format!("/_cat/indices/{index}?format=json&bytes=b");
        let answer = expect("_cat/indices", self.rest.bare(Method::GET, &path).await?)?;
        let bytes = answer[0]["store.size"].as_str().and_then(|bytes| bytes.parse().ok());
        Ok(bytes.unwrap_or(0))
    }
}
