//! What refers to which content, and what nothing refers to.

use super::session::cells;
use super::{Sql, micros, moment};
use crate::error::StoreError;
use crate::name::{ContentHash, TenantId};
use crate::store::{Held, Unreferenced};
use jiff::Timestamp;

impl Sql {
    pub(super) async fn held(
        &self,
        tenant: &TenantId,
        hash: &ContentHash,
        bytes: u64,
        until: Timestamp,
    ) -> Result<Held, StoreError> {
        let sql = "INSERT INTO contents (tenant, hash, bytes, refs, since, held) VALUES ($1, $2, $3, 0, $4, $4) \
                   ON CONFLICT (tenant, hash) DO UPDATE \
                   SET held = CASE WHEN contents.held < $4 THEN $4 ELSE contents.held END \
                   WHERE contents.condemned IS NULL RETURNING refs";
        let lines = self.write(sql, cells![tenant.as_str(), hash.to_string(), bytes, micros(until)]).await?;
        Ok(if lines.is_empty() { Held::Condemned } else { Held::Ready })
    }

    pub(super) async fn referring(&self, tenant: &TenantId, hash: &ContentHash) -> Result<u64, StoreError> {
        let sql = "SELECT refs FROM contents WHERE tenant = $1 AND hash = $2";
        let lines = self.read(sql, cells![tenant.as_str(), hash.to_string()]).await?;
        lines.first().map_or(Ok(0), |line| line.count(0))
    }

    pub(super) async fn left_over(&self, before: Timestamp, limit: usize) -> Result<Vec<Unreferenced>, StoreError> {
        let sql = "SELECT tenant, hash, bytes, since FROM contents WHERE refs = 0 AND \
                   (condemned < $1 OR condemned IS NULL AND since < $1 AND held < $1) ORDER BY since LIMIT $2";
        let lines = self.read(sql, cells![micros(before), limit]).await?;
        let one = |line: &super::Line| {
            let (tenant, hash) = (line.parsed(0)?, line.parsed(1)?);
            Ok(Unreferenced { tenant, hash, bytes: line.count(2)?, since: moment(line.int(3)?)? })
        };
        lines.iter().map(one).collect()
    }

    pub(super) async fn condemned(
        &self,
        tenant: &TenantId,
        hash: &ContentHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE contents SET condemned = $3 WHERE tenant = $1 AND hash = $2 AND refs = 0 \
                   AND (held <= $3 OR condemned IS NOT NULL) RETURNING hash";
        let lines = self.write(sql, cells![tenant.as_str(), hash.to_string(), micros(now)]).await?;
        Ok(!lines.is_empty())
    }

    pub(super) async fn forgotten(&self, tenant: &TenantId, hash: &ContentHash) -> Result<(), StoreError> {
        let sql = "DELETE FROM contents WHERE tenant = $1 AND hash = $2 AND refs = 0 AND condemned IS NOT NULL";
        self.write(sql, cells![tenant.as_str(), hash.to_string()]).await.map(drop)
    }
}
