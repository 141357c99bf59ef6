//! Reading the audit log.

use super::from::From;
use super::page::{self, Page, Paging};
use crate::Auth;
use crate::audit;
use crate::store::Link;
use access::{Action, Resource};
use axum::extract::State;
use companion::{Caller, Json, Path, Problem, Query};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A row of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    seq: i64,
    at: Timestamp,
    tenant: String,
    /// Who.
    actor: String,
    /// What was done or tried.
    act: String,
    /// To what.
    target: String,
    /// done, denied, failed.
    outcome: String,
    detail: String,
    /// The client's network.
    network: String,
    /// The request's id.
    request: String,
    /// Of this row and the one before it.
    hash: String,
}

/// What an examination of the chain found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Examination {
    /// Rows that were looked at.
    rows: i64,
    /// Whether all of them are as they were written.
    sound: bool,
    /// The first one that is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_at: Option<i64>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

/// The audit log of a tenant, the newest first; `*` is the whole installation's.
#[utoipa::path(get, path = "/auth/v1/tenants/{tenant}/audit", tag = "audit", params(("tenant" = String, Path, description = "Whose; * is everything."), Paging),
    security(("bearer" = [])), responses((status = 200, body = Page<Row>), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs audit:read.")))]
pub(crate) async fn list(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(tenant): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Row>>, Problem> {
    auth.allow(&caller, Action::AuditRead, &Resource::tenant(&tenant), &from).await?;
    let limit = paging.limit()?;
    let links = auth.store.links_before(&tenant, paging.before()?, limit).await?;
    let shown = |link: Link| Row {
        seq: link.seq,
        at: crate::store::time(link.noted.at),
        tenant: link.noted.tenant,
        actor: link.noted.actor,
        act: link.noted.act,
        target: link.noted.target,
        outcome: link.noted.outcome,
        detail: link.noted.detail,
        network: link.noted.network,
        request: link.noted.request,
        hash: link.hash,
    };
    Ok(Json(page::page(links, limit, |link| link.seq, shown)))
}

/// Goes through the whole chain, and says whether a row was changed, taken out or put in.
#[utoipa::path(get, path = "/auth/v1/audit/examination", tag = "audit", security(("bearer" = [])),
    responses((status = 200, body = Examination), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs audit:read of the installation.")))]
pub(crate) async fn examine(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
) -> Result<Json<Examination>, Problem> {
    auth.allow(&caller, Action::AuditRead, &Resource::installation(), &from).await?;
    let examined = audit::examine(&auth.store, &auth.seals).await.map_err(Problem::unavailable)?;
    let (broken_at, why) = examined.broken.unzip();
    Ok(Json(Examination { rows: examined.rows, sound: broken_at.is_none(), broken_at, why }))
}
