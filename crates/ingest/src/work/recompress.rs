//! PNG originals packed anew: the same pixels and the same metadata in fewer bytes, as a new version.
//!
//! Goes the way of uploads (`Desk::commit_upload`), with the revision that it has seen, so that whoever changes the picture
//! meanwhile wins. Invariants: what it writes has been decoded and compared; its own results are not packed again, and what
//! somebody took back is left as they want it; a kill leaves what any unfinished upload leaves.

use super::event;
use crate::Trouble;
use crate::desk::Desk;
use crate::inspect::{Found, Refused};
use crate::intake::{Condition, Intake};
use bytes::Bytes;
use catalog::{Asset, Event};
use imaging::Watch;
use imaging::repack::{Repacked, repack};
use jobs::{Ended, Failure, Work};
use serde_json::{Value, json};
use std::time::Instant;

/// Who it is in versions and events.
pub const ACTOR: &str = "system:recompress";
/// The fact that tells what a content was made of.
pub const FACT: &str = "recompressed";
/// Of a hundred bytes as many have to be saved.
const WORTH: u64 = 5;

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A version of fewer bytes.
    Saved {
        /// Bytes before.
        before: u64,
        /// Bytes now.
        after: u64,
    },
    /// The picture stays as it is; why, in words.
    Left(String),
}

impl Outcome {
    fn left(why: impl std::fmt::Display) -> Self {
        Self::Left(why.to_string())
    }

    fn report(&self) -> Value {
        match self {
            Self::Saved { before, after } => json!({ "before": before, "after": after }),
            Self::Left(why) => json!({ "left": why }),
        }
    }
}

/// The job.
pub(super) async fn recompress(desk: Desk, work: Work) -> Result<Ended, Failure> {
    let event = event(&work)?;
    let done = tokio::select! {
        done = run(&desk, &event) => done,
        _ = work.stopping() => return Err(Failure::stopped()),
    };
    let outcome = done.map_err(Failure::later)?;
    desk.metrics.repacked(&outcome);
    Ok(Ended::Report(outcome.report()))
}

/// Packs the content anew that an event is about, if that is still the picture's.
///
/// # Errors
/// What may go well later.
pub async fn run(desk: &Desk, event: &Event) -> Result<Outcome, Trouble> {
    let Some(asset) = desk.catalog.get(&event.tenant, event.asset).await? else {
        return Ok(Outcome::left("the picture is gone"));
    };
    if let Some(why) = left_alone(desk, event, &asset).await? {
        return Ok(Outcome::left(why));
    }
    let slot = desk.packer.turn().await;
    let bytes = desk.content(&asset.tenant, &asset.content).await?;
    let (effort, limits) = (desk.packer.deadline(), desk.packer.limits().clone());
    // The last attempt may run over, and then both are compared.
    let watch = Watch::until(Instant::now() + effort * 2);
    let packed = desk.packer.aside(slot, watch, move |watch| repack(&bytes, &limits, effort, watch)).await;
    let packed = match packed {
        Some(Ok(Repacked::Smaller(packed))) => Bytes::from(packed),
        Some(Ok(Repacked::Left(why))) => return Ok(Outcome::left(why)),
        Some(Err(imaging::Error::Internal(why))) => {
            tracing::error!(asset = %asset.id, why, "an original cannot be packed anew");
            return Ok(Outcome::left(why));
        }
        Some(Err(error)) => return Ok(Outcome::left(error)),
        None => return Ok(Outcome::left("the attempt broke off")),
    };
    let (before, after) = (asset.content.bytes, packed.len() as u64);
    if after.saturating_mul(100) > before.saturating_mul(100 - WORTH) {
        return Ok(Outcome::left(format!("of {before} bytes {} would be saved", before.saturating_sub(after))));
    }
    replace(desk, &asset, packed).await
}

/// Why a picture is not touched.
async fn left_alone(desk: &Desk, event: &Event, asset: &Asset) -> Result<Option<&'static str>, Trouble> {
    if asset.version != event.version || !asset.is_live() {
        return Ok(Some("it has changed since"));
    }
    if asset.content.media_type.as_str() != "image/png" || asset.content.frames != 1 {
        return Ok(Some("it is no still PNG"));
    }
    if asset.facts.contains_key(FACT) {
        return Ok(Some("it has been packed anew before"));
    }
    // Newest first: of each pair the second one was followed by the first.
    let versions = desk.catalog.versions(&asset.tenant, asset.id).await?;
    let undone =
        versions.windows(2).any(|pair| pair[0].actor.as_str() == ACTOR && pair[1].content.hash == asset.content.hash);
    Ok(undone.then_some("somebody has taken the former content back"))
}

/// The new version, by the way of uploads.
async fn replace(desk: &Desk, asset: &Asset, packed: Bytes) -> Result<Outcome, Trouble> {
    let (before, after) = (asset.content.bytes, packed.len() as u64);
    let slot = desk.packer.turn().await;
    let found = match desk.packer.inspect(slot, packed.clone(), Default::default()).await {
        Ok(Found { suspicion: Some(suspicion), .. }) => return Ok(Outcome::left(suspicion)),
        Ok(mut found) => {
            let from = json!({ "from": asset.content.hash, "bytes": before });
            found.facts.insert(FACT.to_owned(), from);
            found
        }
        Err(Refused { text, .. }) => return Ok(Outcome::left(text)),
    };
    let stage = desk.stage(&asset.tenant);
    let mut offset = 0;
    for piece in packed.chunks(desk.store.piece()) {
        offset = desk.store.append(&stage, offset, packed.slice_ref(piece)).await?;
    }
    let done = desk.commit_upload(&stage, &intake(asset), &found).await;
    if let Err(failure) = desk.store.discard(&stage).await {
        tracing::warn!(%stage, %failure, "what was staged could not be discarded; it expires");
    }
    match done {
        Ok(_) => {
            tracing::info!(asset = %asset.id, before, after, "an original was packed anew");
            Ok(Outcome::Saved { before, after })
        }
        Err(trouble) if trouble.passes() => Err(trouble),
        // Changed, moved or deleted meanwhile; or there is no room for another version.
        Err(trouble) => Ok(Outcome::left(trouble)),
    }
}

fn intake(asset: &Asset) -> Intake {
    Intake {
        tenant: asset.tenant.clone(),
        path: asset.path.clone(),
        title: None,
        description: None,
        tags: None,
        visibility: None,
        media_type: None,
        hash: None,
        actor: ACTOR.parse().expect("a subject"),
        condition: Condition::Revisions(vec![asset.revision.get()]),
        may_create: false,
        may_replace: true,
        idempotency: None,
        trace: None,
    }
}

#[cfg(test)]
mod tests;
