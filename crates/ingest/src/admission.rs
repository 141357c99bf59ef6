//! The one way from staged bytes to a published picture, in the order that loses nothing.
//!
//! stage → inspect → hold → keep → **commit** → link → discard → purge. Before the commit nothing has happened that anybody can
//! see, and what is left over is collected; after it, the job of the event does the rest again. Invariant: a content is held in
//! the catalog before it is in the store, so that nothing lies there that the catalog does not know.

use crate::Trouble;
use crate::desk::Desk;
use crate::inspect::{Found, Reason, Refused, Suspicion};
use crate::intake::Intake;
use bytes::{Bytes, BytesMut};
use catalog::{Asset, Change, CommitError, Committed, Content, Facts, Held, State};
use jiff::Timestamp;
use std::time::Duration;
use store::{ContentKey, StageId};

/// How long a content is held for its commit.
const HOLD: Duration = Duration::from_secs(3600);
/// Between two looks at a content that is being removed …
const REST: Duration = Duration::from_millis(100);
/// … and how many.
const LOOKS: usize = 50;
/// How often it is begun anew when others change the same picture.
const ROUNDS: usize = 5;
/// Bytes that are read at once.
const PIECE: usize = 8 << 20;

/// What came of an upload.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted {
    /// As it is now.
    pub asset: Asset,
    /// Whether there was none of that path before.
    pub created: bool,
    /// Whether there was nothing to do: the same content is there already, or the request was made before.
    pub unchanged: bool,
}

impl Desk {
    /// Takes what is staged. The stage is gone when it succeeds or is refused for good; otherwise it may be tried again.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub async fn admit(&self, stage: &StageId, intake: &Intake) -> Result<Admitted, Trouble> {
        let result = self.admit_staged(stage, intake).await;
        let over = result.as_ref().map_or_else(|trouble| !trouble.passes(), |_| true);
        if over && let Err(failure) = self.store.discard(stage).await {
            tracing::warn!(%stage, %failure, "what was staged could not be discarded; it expires");
        }
        self.metrics.ended(&result);
        result
    }

    async fn admit_staged(&self, stage: &StageId, intake: &Intake) -> Result<Admitted, Trouble> {
        let name = store::Name::new(intake.tenant.clone(), intake.path.clone());
        self.store.fits(&name).await?;
        let slot = self.inspectors.turn().await;
        let bytes = self.staged(stage).await?;
        let found = self.inspectors.inspect(slot, bytes, intake.declared()).await?;
        if intake.hash.is_some_and(|hash| hash != found.content.hash) {
            let text = format!("the bytes have the hash {}, another one was declared", found.content.hash);
            return Err(Refused::new(Reason::HashMismatch, text).into());
        }
        if let Some(suspicion) = found.suspicion {
            return self.quarantine(stage, intake, &found, suspicion).await;
        }
        for _ in 0..ROUNDS {
            match self.commit_upload(stage, intake, &found).await {
                // Somebody else was at the same path: what there is now decides.
                Err(Trouble::Commit(
                    CommitError::Conflict(_) | CommitError::PathTaken(_) | CommitError::Condemned(_),
                )) => {}
                result => return result,
            }
        }
        let there = self.catalog.find(&intake.tenant, &intake.path).await?;
        Err(there.map_or(Trouble::Missing, |asset| Trouble::Changed(Box::new(asset))))
    }

    /// All that is staged, within the limit.
    async fn staged(&self, stage: &StageId) -> Result<Bytes, Trouble> {
        let limit = self.config.max_bytes;
        let length = self.store.length(stage).await?;
        if length > limit {
            return Err(Trouble::TooLong { limit });
        }
        if length == 0 {
            return Err(Refused::new(Reason::Empty, "there is nothing in it").into());
        }
        let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or_default());
        while (bytes.len() as u64) < length {
            let more = self.store.staged(stage, bytes.len() as u64, PIECE).await?;
            if more.is_empty() || bytes.len() as u64 + more.len() as u64 > limit {
                return Err(store::Failure::NotStaged.into());
            }
            bytes.extend_from_slice(&more);
        }
        Ok(bytes.freeze())
    }

    pub(crate) async fn commit_upload(
        &self,
        stage: &StageId,
        intake: &Intake,
        found: &Found,
    ) -> Result<Admitted, Trouble> {
        let there = self.catalog.find(&intake.tenant, &intake.path).await?;
        intake.condition.check(there.as_ref())?;
        let allowed = if there.is_some() { intake.may_replace } else { intake.may_create };
        if !allowed {
            return Err(Trouble::NotAllowed);
        }
        let now = Timestamp::now();
        let created = there.is_none();
        let change = match &there {
            Some(asset) if asset.content.hash == found.content.hash => {
                let mut change = Change::of(asset, catalog::EventKind::Changed, intake.actor.clone(), now);
                intake.describe(&mut change.asset);
                let same = Asset { changed: asset.changed, ..change.asset.clone() } == *asset;
                if same {
                    return Ok(Admitted { asset: asset.clone(), created: false, unchanged: true });
                }
                change
            }
            Some(asset) => {
                self.keep(stage, intake, &found.content).await?;
                let (content, facts) = (found.content.clone(), found.facts.clone());
                let mut change = Change::replace(asset, content, facts, intake.actor.clone(), now);
                intake.describe(&mut change.asset);
                change
            }
            None => {
                self.keep(stage, intake, &found.content).await?;
                Change::create(fresh(intake, &found.content, &found.facts, now), intake.actor.clone())
            }
        };
        let committed = self.commit(intake, change, &found.content).await?;
        Ok(Admitted { created: created && !committed.repeated, unchanged: committed.repeated, asset: committed.asset })
    }

    /// Kept for those who look into it, and linked by nobody.
    async fn quarantine(
        &self,
        stage: &StageId,
        intake: &Intake,
        found: &Found,
        suspicion: Suspicion,
    ) -> Result<Admitted, Trouble> {
        if !intake.may_create && !intake.may_replace {
            return Err(Trouble::NotAllowed);
        }
        self.keep(stage, intake, &found.content).await?;
        let mut asset = fresh(intake, &found.content, &found.facts, Timestamp::now());
        asset.state = State::Quarantined { reason: suspicion.to_string() };
        let change = Change::create(asset, intake.actor.clone());
        let committed = self.commit(intake, change, &found.content).await?;
        tracing::warn!(asset = %committed.asset.id, tenant = %intake.tenant, %suspicion, "an upload is in quarantine");
        Ok(Admitted { unchanged: committed.repeated, asset: committed.asset, created: true })
    }

    /// Content into the store, known to the catalog beforehand.
    async fn keep(&self, stage: &StageId, intake: &Intake, content: &Content) -> Result<(), Trouble> {
        self.hold(&intake.tenant, content).await?;
        let key = ContentKey::new(intake.tenant.clone(), content.hash);
        self.store.keep(stage, &key).await?;
        Ok(())
    }

    /// The catalog knows that the content is about to be referred to.
    pub(crate) async fn hold(&self, tenant: &catalog::TenantId, content: &Content) -> Result<(), Trouble> {
        for _ in 0..LOOKS {
            let until = Timestamp::now() + HOLD;
            match self.catalog.hold(tenant, &content.hash, content.bytes, until).await? {
                Held::Ready => return Ok(()),
                Held::Condemned => tokio::time::sleep(REST).await,
            }
        }
        Err(Trouble::Condemned)
    }

    async fn commit(&self, intake: &Intake, mut change: Change, content: &Content) -> Result<Committed, Trouble> {
        change = change.traced(intake.trace.clone());
        if let Some(key) = &intake.idempotency {
            change = change.once(key.clone(), intake.fingerprint(&content.hash));
        }
        self.make(change).await
    }

    /// Commits a change, and does at once what the job of its event would do; what of that fails is left to the job.
    ///
    /// # Errors
    /// The change was not made.
    pub async fn make(&self, change: Change) -> Result<Committed, Trouble> {
        let committed = self.catalog.commit(change).await?;
        self.awake.notify_one();
        if !committed.repeated
            && let Err(why) = self.publisher.publish(&committed.event).await
        {
            tracing::warn!(asset = %committed.asset.id, "published by the job only, since at once it failed: {why}");
        }
        Ok(committed)
    }
}

/// A new record.
fn fresh(intake: &Intake, content: &Content, facts: &Facts, now: Timestamp) -> Asset {
    let mut asset = Asset::new(intake.tenant.clone(), intake.path.clone(), content.clone(), now);
    asset.facts = facts.clone();
    asset.owner = Some(intake.actor.clone());
    intake.describe(&mut asset);
    asset
}
