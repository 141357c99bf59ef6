//! The keys of an issuer elsewhere: fetched when they are first needed, and again when they have become old or a token names
//! one that is not among them.
//!
//! Invariants: one question at a time, and none within `pause` of the one before, whatever tokens say; keys that were had
//! stay in force while the issuer does not answer, for as long as the configuration says.

use super::keys::KeySet;
use crate::Denied;
use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Bytes of a key set, or why there are none.
pub type Fetched = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;

/// Published keys.
pub struct Remote {
    fetch: Box<dyn Fn() -> Fetched + Send + Sync>,
    /// Between two questions at least.
    pause: SignedDuration,
    /// Older keys are asked for again.
    fresh: SignedDuration,
    /// Older keys are not used any more, even if there are no others.
    stale: SignedDuration,
    known: ArcSwapOption<Known>,
    asked: Mutex<Option<Timestamp>>,
}

struct Known {
    keys: Arc<KeySet>,
    at: Timestamp,
}

impl Remote {
    /// Asks nothing yet.
    pub fn new(
        fetch: impl Fn() -> Fetched + Send + Sync + 'static,
        pause: SignedDuration,
        fresh: SignedDuration,
        stale: SignedDuration,
    ) -> Self {
        let (known, asked) = (ArcSwapOption::empty(), Mutex::new(None));
        Self { fetch: Box::new(fetch), pause, fresh, stale, known, asked }
    }

    /// The keys, asked for where there are none or only old ones.
    pub(super) async fn keys(&self, now: Timestamp) -> Result<Arc<KeySet>, Denied> {
        match self.known.load_full() {
            Some(known) if age(&known, now) < self.fresh => Ok(Arc::clone(&known.keys)),
            // Somebody is asking: old keys are good until there are others.
            Some(known) if age(&known, now) < self.stale && self.asked.try_lock().is_err() => {
                Ok(Arc::clone(&known.keys))
            }
            _ => self.renewed(now).await,
        }
    }

    /// The keys after asking again, if it has not been done just now.
    pub(super) async fn renewed(&self, now: Timestamp) -> Result<Arc<KeySet>, Denied> {
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|at| now.duration_since(at) >= self.pause) {
            *asked = Some(now);
            match (self.fetch)().await.and_then(|bytes| KeySet::read(&bytes).map_err(|error| error.to_string())) {
                Ok(keys) => self.known.store(Some(Arc::new(Known { keys: Arc::new(keys), at: now }))),
                Err(error) => tracing::warn!(error, "the keys of an issuer cannot be had"),
            }
        }
        drop(asked);
        let known = self.known.load();
        let good = known.as_ref().filter(|known| age(known, now) < self.stale);
        good.map(|known| Arc::clone(&known.keys)).ok_or(Denied::Unavailable("the issuer's keys cannot be had"))
    }
}

fn age(known: &Known, now: Timestamp) -> SignedDuration {
    now.duration_since(known.at)
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("pause", &self.pause).field("fresh", &self.fresh).finish_non_exhaustive()
    }
}
