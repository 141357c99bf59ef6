//! A response's body: whole, within its limit, in time, and hashed on the way.
//!
//! Does not know what it holds. Invariant: at most the limit and one chunk are ever held, whatever lengths are announced.

use crate::{Cause, Missing, Phase, Trouble};
use ::http_body_util::BodyExt;
use bytes::Bytes;
use hyper::body::Body;
use std::fmt::Display;
use std::time::Duration;
use tokio::time::timeout;

/// Reserved before the first byte, at most: a length that is announced is not yet sent.
const FIRST_RESERVE: u64 = 1 << 20;

/// A body that came whole.
pub(super) struct Collected {
    pub(super) bytes: Bytes,
    /// BLAKE3.
    pub(super) hash: [u8; 32],
}

/// Reads all of it. `announced` is its `Content-Length`, where there is one; between two chunks no longer than `pause`
/// may pass.
pub(super) async fn collect<B: Body<Data = Bytes> + Unpin>(
    mut body: B,
    announced: Option<u64>,
    limit: u64,
    pause: Duration,
) -> Result<Collected, Missing>
where
    B::Error: Display,
{
    if let Some(bytes) = announced.filter(|bytes| *bytes > limit) {
        return Err(Missing::TooLarge { bytes, limit });
    }
    let reserve = announced.unwrap_or_default().min(FIRST_RESERVE);
    let mut bytes: Vec<u8> = Vec::with_capacity(usize::try_from(reserve).unwrap_or_default());
    let mut hasher = blake3::Hasher::new();
    loop {
        let frame = timeout(pause, body.frame()).await.map_err(|_| Trouble::late(Phase::Body))?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| Trouble::new(Phase::Body, Cause::Broken, error.to_string()))?;
        let Some(chunk) = frame.data_ref() else { continue };
        let length = bytes.len() as u64 + chunk.len() as u64;
        if length > limit {
            return Err(Missing::TooLarge { bytes: length, limit });
        }
        hasher.update(chunk);
        bytes.extend_from_slice(chunk);
    }
    // It may be kept for long: what growing left over goes back.
    bytes.shrink_to_fit();
    Ok(Collected { bytes: bytes.into(), hash: *hasher.finalize().as_bytes() })
}
