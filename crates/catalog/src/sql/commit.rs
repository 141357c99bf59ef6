//! One commit, table by table.
//!
//! Carries out what `plan` decides. Invariant: tables are written in one order (key, record, versions, contents, usage,
//! outbox), so that commits wait for each other rather than lock each other out.

use super::session::{Session, Trouble, cells};
use super::{Sql, TRIES, document, micros, pause, written};
use crate::asset::{Asset, StoredVersion};
use crate::change::{Change, Committed, Idempotency};
use crate::error::{CommitError, StoreError};
use crate::event::{Event, EventKind};
use crate::name::{AssetId, ContentHash, TenantId};
use crate::plan::{Delta, Plan, plan};
use crate::store::Usage;
use crate::terms::Remembered;

/// Why a try did not end in a commit.
pub(super) enum Stop {
    Refused(CommitError),
    Trouble(Trouble),
}

impl From<CommitError> for Stop {
    fn from(error: CommitError) -> Self {
        Self::Refused(error)
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(CommitError::Store(error))
    }
}

/// Old keys that one commit with a key clears away.
const SWEPT: i64 = 8;

impl Sql {
    /// Makes a change, as often as others are in its way.
    pub(super) async fn committed(&self, change: &Change) -> Result<Committed, CommitError> {
        for tried in 1.. {
            match self.once(change).await {
                Ok(committed) => return Ok(committed),
                Err(Stop::Refused(error)) => return Err(error),
                // A record or a path that came to be meanwhile: the next look sees it.
                Err(Stop::Trouble(Trouble::Again(_) | Trouble::Taken)) if tried < TRIES => pause(tried).await,
                Err(Stop::Trouble(trouble)) => return Err(StoreError::from(trouble).into()),
            }
        }
        Err(StoreError::Late.into())
    }

    async fn once(&self, change: &Change) -> Result<Committed, Stop> {
        let mut transaction = self.database.begin().await?;
        let committed = self.attempt(&mut *transaction, change).await?;
        transaction.commit().await?;
        Ok(committed)
    }

    /// One commit within a transaction that others begin and end.
    pub(super) async fn attempt(&self, session: &mut dyn Session, change: &Change) -> Result<Committed, Stop> {
        if let Some(idempotency) = &change.idempotency
            && let Some(committed) = self.repeated(session, change, idempotency).await?
        {
            return Ok(committed);
        }
        let current = self.locked(session, &change.asset.tenant, change.asset.id).await?;
        let plan = plan(current.as_ref(), change, &self.terms.region)?;
        if let Some(path) = &plan.takes {
            let sql = "SELECT id FROM assets WHERE tenant = $1 AND path = $2 AND state = 'live'";
            let lines = session.run(sql, cells![plan.asset.tenant.as_str(), path.as_str()]).await?;
            if let Some(holder) = lines.first() {
                return Err(CommitError::PathTaken(holder.parsed(0)?).into());
            }
        }
        record(session, &plan, current.is_none()).await?;
        let dropped = self.turn_over(session, &plan).await?;
        self.account(session, &plan, change, &dropped).await?;
        let event = post(session, &plan.event).await?;
        let asset = plan.asset;
        if let Some(idempotency) = &change.idempotency {
            let remembered = Remembered { asset: asset.clone(), event: event.clone() };
            let sql = "UPDATE idempotency_keys SET doc = $3 WHERE tenant = $1 AND name = $2";
            let cells = cells![asset.tenant.as_str(), idempotency.key.as_str(), written(&remembered)?];
            session.run(sql, cells).await?;
        }
        Ok(Committed { asset, event, repeated: false })
    }

    /// What was answered under the key before; else the key is ours within this transaction.
    async fn repeated(
        &self,
        session: &mut dyn Session,
        change: &Change,
        idempotency: &Idempotency,
    ) -> Result<Option<Committed>, Stop> {
        let (now, tenant) = (micros(change.asset.changed), change.asset.tenant.as_str());
        let key = idempotency.key.as_str();
        let sql = "DELETE FROM idempotency_keys WHERE tenant = $1 AND name = $2 AND expires <= $3";
        session.run(sql, cells![tenant, key, now]).await?;
        let kept = i64::try_from(self.terms.idempotency.as_micros()).unwrap_or(i64::MAX);
        // Where another transaction is about to use the key, this waits for how that ends.
        let sql = "INSERT INTO idempotency_keys (tenant, name, fingerprint, expires, doc) VALUES ($1, $2, $3, $4, '') \
                   ON CONFLICT DO NOTHING RETURNING name";
        let cells = cells![tenant, key, idempotency.fingerprint.to_string(), now.saturating_add(kept)];
        if !session.run(sql, cells).await?.is_empty() {
            sweep(session, now).await?;
            return Ok(None);
        }
        let sql = "SELECT fingerprint, doc FROM idempotency_keys WHERE tenant = $1 AND name = $2";
        let lines = session.run(sql, cells![tenant, key]).await?;
        let Some(line) = lines.first() else { return Err(Trouble::Again("the key went".to_owned()).into()) };
        if line.parsed::<ContentHash>(0)? != idempotency.fingerprint {
            return Err(CommitError::KeyReused.into());
        }
        let remembered: Remembered = document(line, 1, "an idempotency record")?;
        Ok(Some(remembered.into()))
    }

    async fn locked(&self, session: &mut dyn Session, tenant: &TenantId, id: AssetId) -> Result<Option<Asset>, Stop> {
        let lock = self.database.dialect().lock;
        let sql = format!("SELECT doc FROM assets WHERE tenant = $1 AND id = $2{lock}");
        let lines = session.run(&sql, cells![tenant.as_str(), id.to_string()]).await?;
        Ok(lines.first().map(|line| document(line, 0, "a record")).transpose()?)
    }

    /// Adds the plan's version and drops those that are too many, or all; how large the dropped ones were.
    async fn turn_over(&self, session: &mut dyn Session, plan: &Plan) -> Result<Vec<u64>, Stop> {
        let (tenant, id) = (plan.asset.tenant.as_str(), plan.asset.id.to_string());
        let at = micros(plan.asset.changed);
        let mut changes: Vec<(ContentHash, u64, bool)> = Vec::new();
        if let Some(version) = &plan.adds {
            add(session, tenant, &id, version).await?;
            changes.push((version.content.hash, version.content.bytes, true));
        }
        let keep = if plan.gone { 0 } else { self.terms.versions };
        let mut dropped = Vec::new();
        // A new asset has no other version.
        if plan.gone || plan.event.kind == EventKind::Replaced {
            let sql = "DELETE FROM versions WHERE tenant = $1 AND id = $2 AND version NOT IN \
                       (SELECT version FROM versions WHERE tenant = $1 AND id = $2 ORDER BY version DESC LIMIT $3) \
                       RETURNING hash, bytes";
            for line in session.run(sql, cells![tenant, id.as_str(), keep]).await? {
                let bytes = line.count(1)?;
                dropped.push(bytes);
                changes.push((line.parsed(0)?, bytes, false));
            }
        }
        // In one order, so that no two commits wait for each other; what is added before what goes.
        changes.sort_by_key(|(hash, _, more)| (*hash, !more));
        for (hash, bytes, more) in changes {
            refer(session, tenant, (hash, bytes, more), at).await?;
        }
        Ok(dropped)
    }

    async fn account(
        &self,
        session: &mut dyn Session,
        plan: &Plan,
        change: &Change,
        dropped: &[u64],
    ) -> Result<(), Stop> {
        let delta = Delta::of(plan, dropped);
        if delta.is_nothing() {
            return Ok(());
        }
        let tenant = plan.asset.tenant.as_str();
        let sql = "INSERT INTO usages (tenant, assets, versions, bytes) VALUES ($1, 0, 0, 0) ON CONFLICT DO NOTHING";
        session.run(sql, cells![tenant]).await?;
        let sql = "UPDATE usages SET assets = assets + $2, versions = versions + $3, bytes = bytes + $4 \
                   WHERE tenant = $1 RETURNING assets - $2, versions - $3, bytes - $4";
        let lines = session.run(sql, cells![tenant, delta.assets, delta.versions, delta.bytes]).await?;
        let line = lines.first().ok_or_else(|| StoreError::Corrupt(format!("{tenant} has no usage")))?;
        let before = Usage { assets: line.count(0)?, versions: line.count(1)?, bytes: line.count(2)? };
        Ok(delta.fits(before, change.quota.unwrap_or(self.terms.quota))?)
    }
}

/// Clears away some keys that have expired.
async fn sweep(session: &mut dyn Session, now: i64) -> Result<(), Stop> {
    let sql = "DELETE FROM idempotency_keys WHERE (tenant, name) IN \
               (SELECT tenant, name FROM idempotency_keys WHERE expires <= $1 ORDER BY expires LIMIT $2)";
    session.run(sql, cells![now, SWEPT]).await?;
    Ok(())
}

async fn record(session: &mut dyn Session, plan: &Plan, new: bool) -> Result<(), Stop> {
    let asset = &plan.asset;
    let (tenant, id) = (asset.tenant.as_str(), asset.id.to_string());
    if plan.gone {
        session.run("DELETE FROM assets WHERE tenant = $1 AND id = $2", cells![tenant, id]).await?;
        return Ok(());
    }
    let until = match &asset.state {
        crate::State::Deleted { until } => Some(micros(*until)),
        _ => None,
    };
    let tags: String = asset.tags.iter().map(|tag| format!("{tag},")).collect();
    let sql = if new {
        "INSERT INTO assets (tenant, id, path, state, until, owner, visibility, tags, changed, revision, doc) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    } else {
        "UPDATE assets SET path = $3, state = $4, until = $5, owner = $6, visibility = $7, tags = $8, changed = $9, \
         revision = $10, doc = $11 WHERE tenant = $1 AND id = $2"
    };
    let cells = cells![
        tenant,
        id,
        asset.path.as_str(),
        asset.state.kind().as_str(),
        until,
        asset.owner.as_ref().map(crate::Subject::as_str),
        asset.visibility.as_str(),
        format!(",{tags}"),
        micros(asset.changed),
        asset.revision.get(),
        written(asset)?,
    ];
    session.run(sql, cells).await?;
    Ok(())
}

async fn add(session: &mut dyn Session, tenant: &str, id: &str, version: &StoredVersion) -> Result<(), Stop> {
    let sql = "INSERT INTO versions (tenant, id, version, hash, bytes, doc) VALUES ($1, $2, $3, $4, $5, $6)";
    let content = &version.content;
    let cells = cells![tenant, id, version.version.get(), content.hash.to_string(), content.bytes, written(version)?];
    session.run(sql, cells).await?;
    Ok(())
}

/// One reference more or less to a content.
async fn refer(
    session: &mut dyn Session,
    tenant: &str,
    (hash, bytes, more): (ContentHash, u64, bool),
    at: i64,
) -> Result<(), Stop> {
    if more {
        let sql = "INSERT INTO contents (tenant, hash, bytes, refs, since, held) VALUES ($1, $2, $3, 1, $4, 0) \
                   ON CONFLICT (tenant, hash) DO UPDATE SET refs = contents.refs + 1 \
                   WHERE contents.condemned IS NULL RETURNING refs";
        let lines = session.run(sql, cells![tenant, hash.to_string(), bytes, at]).await?;
        return if lines.is_empty() { Err(CommitError::Condemned(hash).into()) } else { Ok(()) };
    }
    let sql = "UPDATE contents SET refs = refs - 1, since = $3 WHERE tenant = $1 AND hash = $2";
    session.run(sql, cells![tenant, hash.to_string(), at]).await?;
    Ok(())
}

async fn post(session: &mut dyn Session, event: &Event) -> Result<Event, Stop> {
    let sql = "INSERT INTO outbox (id, at, doc) VALUES ($1, $2, $3) RETURNING seq";
    let lines = session.run(sql, cells![event.id.to_string(), micros(event.at), written(event)?]).await?;
    let line = lines.first().ok_or_else(|| StoreError::Refused("no number for the event".to_owned()))?;
    Ok(Event { seq: line.count(0)?, ..event.clone() })
}
