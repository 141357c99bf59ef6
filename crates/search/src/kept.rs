//! Answers that were computed before: in memory, and in Redis for all processes.
//!
//! An answer is kept under the epoch that was read before it was computed. Invariant: after a change that was
//! acknowledged, no answer from before it is given; without an epoch nothing is kept.

use crate::config::SearchConfig;
use crate::metric::{From, Metrics};
use finder::{Finder, Reach, Shared};
use moka::sync::Cache;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// What is kept, and how long.
pub(crate) struct Kept {
    memory: Option<Cache<[u8; 32], Arc<[u8]>>>,
    shared: Option<Shared>,
    keep: Duration,
}

/// The name of one answer: of what was asked, by whom as far as they reach, in which state of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name([u8; 32]);

impl Kept {
    pub(crate) fn new(config: &SearchConfig, shared: Option<Shared>) -> Self {
        let weigh = |_: &[u8; 32], answer: &Arc<[u8]>| u32::try_from(answer.len() + 64).unwrap_or(u32::MAX);
        let keeps = !config.keep.is_zero();
        let memory = (keeps && config.keep_bytes > 0)
            .then(|| Cache::builder().max_capacity(config.keep_bytes).weigher(weigh).time_to_live(config.keep).build());
        Self { memory, shared: shared.filter(|_| keeps), keep: config.keep }
    }

    /// The name under which an answer may be kept now; `None` where the index cannot tell when it changes.
    pub(crate) async fn name(&self, finder: &dyn Finder, reach: &Reach, kind: &str, question: &str) -> Option<Name> {
        if self.memory.is_none() && self.shared.is_none() {
            return None;
        }
        let tenants: Option<Vec<&str>> = reach.tenants().map(|tenants| tenants.into_iter().collect());
        let epoch = match finder.epoch(tenants.as_deref()).await {
            Ok(epoch) => epoch?,
            Err(error) => {
                tracing::debug!(%error, "answers are not kept: nobody knows what has changed");
                return None;
            }
        };
        let mut hasher = blake3::Hasher::new();
        for part in [kind.as_bytes(), reach.class().as_bytes(), question.as_bytes(), &epoch.to_be_bytes()] {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
        }
        Some(Name(*hasher.finalize().as_bytes()))
    }

    /// An answer of this name.
    pub(crate) async fn get<T: DeserializeOwned>(&self, name: Name, metrics: &Metrics) -> Option<T> {
        if let Some(bytes) = self.memory.as_ref().and_then(|memory| memory.get(&name.0)) {
            metrics.answered(From::Memory);
            return serde_json::from_slice(&bytes).ok();
        }
        let shared = self.shared.as_ref()?;
        let bytes = shared.get(&key(name)).await.ok()??;
        let answer = serde_json::from_slice(&bytes).ok()?;
        metrics.answered(From::Shared);
        self.remember(name, bytes.into());
        Some(answer)
    }

    /// Keeps an answer; in Redis without a wait for it.
    pub(crate) fn put<T: Serialize>(&self, name: Name, answer: &T) {
        let Ok(bytes) = serde_json::to_vec(answer) else { return };
        let bytes: Arc<[u8]> = bytes.into();
        self.remember(name, Arc::clone(&bytes));
        if let Some(shared) = self.shared.clone() {
            let keep = self.keep;
            tokio::spawn(async move {
                if let Err(error) = shared.put(&key(name), &bytes, keep).await {
                    tracing::debug!(%error, "an answer is not shared");
                }
            });
        }
    }

    fn remember(&self, name: Name, bytes: Arc<[u8]>) {
        if let Some(memory) = &self.memory {
            memory.insert(name.0, bytes);
        }
    }
}

fn key(name: Name) -> String {
    format!("answer:{}", blake3::Hash::from_bytes(name.0).to_hex())
}
