//! Contents and names, copied to where they are missing.
//!
//! A content is hashed while it is read, and becomes one there only when it is what its name says. Invariant: memory is
//! bounded by one piece of the other store.

use super::Check;
use crate::Trouble;
use catalog::ContentHash;
use jiff::Timestamp;
use jobs::Failure;
use store::{ContentKey, Name, StageId};
use uuid::Uuid;

/// What the names of these stages begin with.
const MARK: &str = "copy-";
/// Stages that are looked at.
const STAGES: usize = 1000;
/// Seconds after which a copy that was not finished is given up.
const GIVEN_UP: i64 = 24 * 3600;
/// How often a name may change under one's hands.
const ROUNDS: usize = 5;

/// What came of copying a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// It is there.
    Yes,
    /// Nobody wanted it to be.
    No,
    /// It is not here any more.
    Gone,
    /// Here it is not what its name says.
    Damaged,
}

impl Check {
    /// Copies a content, through a stage of the other store.
    pub(super) async fn copy(&self, key: &ContentKey) -> Result<Copied, Trouble> {
        let stage: StageId = format!("{MARK}{}", Uuid::now_v7()).parse().expect("letters, digits and hyphens");
        let copied = self.copy_through(&stage, key).await;
        self.replica.store.discard(&stage).await?;
        copied
    }

    async fn copy_through(&self, stage: &StageId, key: &ContentKey) -> Result<Copied, Trouble> {
        let there = &self.replica.store;
        let mut hasher = blake3::Hasher::new();
        let mut length = 0;
        loop {
            let piece = match self.desk.store.read(key, length, there.piece()).await {
                Ok(piece) => piece,
                Err(store::Failure::Absent) => return Ok(Copied::Gone),
                Err(failure) => return Err(failure.into()),
            };
            if piece.is_empty() {
                break;
            }
            hasher.update(&piece);
            length = there.append(stage, length, piece).await?;
        }
        if ContentHash::from(hasher.finalize()) != key.hash {
            tracing::error!(tenant = %key.tenant, hash = %key.hash, "an original is damaged: its bytes have another hash");
            return Ok(Copied::Damaged);
        }
        if there.look(key).await?.is_some_and(|known| known != length) {
            // A copy that broke off: stores keep what they have.
            there.remove(key).await?;
        }
        there.keep(stage, key).await?;
        Ok(Copied::Yes)
    }

    /// Lets a name lead where it does here; whether it does now.
    pub(super) async fn link(&self, name: &Name) -> Result<bool, Trouble> {
        let (here, there) = (&self.desk.store, &self.replica.store);
        let mut wanted = here.resolve(name).await?;
        for _ in 0..ROUNDS {
            let Some(hash) = wanted else { return Ok(false) };
            match there.link(name, &hash).await {
                // Its content came after the contents were looked at, or could not be copied: the next check has it.
                Err(store::Failure::Absent | store::Failure::Name(_)) => return Ok(false),
                done => done?,
            }
            let now = here.resolve(name).await?;
            if now == wanted {
                return Ok(true);
            }
            wanted = now;
        }
        Ok(false)
    }

    /// Discards what copies that were killed have left.
    pub(super) async fn sweep(&self) -> Result<(), Failure> {
        if !self.repair {
            return Ok(());
        }
        let after = MARK.parse().map_err(Failure::never)?;
        let now = Timestamp::now().as_second();
        let stages = self.replica.store.stages(Some(&after), STAGES).await.map_err(Failure::later)?;
        for stage in stages {
            let Some(id) = stage.as_str().strip_prefix(MARK).and_then(|id| Uuid::parse_str(id).ok()) else { continue };
            let began = id.get_timestamp().and_then(|at| i64::try_from(at.to_unix().0).ok()).unwrap_or_default();
            if now.saturating_sub(began) > GIVEN_UP {
                self.replica.store.discard(&stage).await.map_err(Failure::later)?;
            }
        }
        Ok(())
    }
}
