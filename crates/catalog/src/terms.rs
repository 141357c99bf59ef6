//! What all stores are told, and what they have in common beside the trait.
//!
//! Knows no store. Invariant: no call of a store outlives its time.

use crate::asset::Asset;
use crate::change::{Committed, Quota};
use crate::error::StoreError;
use crate::event::Event;
use crate::name::Region;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What all stores are told.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// Where this instance stands.
    pub(crate) region: Region,
    /// What a tenant may have, where a change does not say.
    pub(crate) quota: Quota,
    /// Contents of one asset that are kept, the current one among them.
    pub(crate) versions: usize,
    /// How long idempotency keys are remembered.
    pub(crate) idempotency: Duration,
    /// For any call.
    pub(crate) patience: Duration,
}

/// What an idempotency key remembers: what was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Remembered {
    pub(crate) asset: Asset,
    pub(crate) event: Event,
}

impl From<Remembered> for Committed {
    fn from(Remembered { asset, event }: Remembered) -> Self {
        Self { asset, event, repeated: true }
    }
}

/// Does the work, or says that it took too long.
pub(crate) async fn bounded<T, E: From<StoreError>>(
    patience: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    tokio::time::timeout(patience, work).await.unwrap_or_else(|_| Err(StoreError::Late.into()))
}

/// 0 to 255 by chance, for pauses that are not the same for all: the last byte of a UUID version 7 (RFC 9562, 5.7).
pub(crate) fn chance() -> u32 {
    u32::from(uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 0, 0)).as_bytes()[15])
}
