//! Time-limited grants: somebody may do something below a path of a tenant, until a time.

use super::from::From;
use super::page::{self, Page, Paging};
use crate::Auth;
use crate::audit::Outcome;
use crate::store::GrantRecord;
use access::{Action, Resource};
use axum::extract::State;
use companion::{Caller, Json, Path, Problem, Query};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// Longest grant: what is to last longer is a role.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// A grant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Grant {
    id: String,
    /// Who may.
    subject: String,
    actions: Vec<Action>,
    /// Below which path; empty: anywhere in the tenant.
    below: String,
    until: Timestamp,
    granted_by: String,
    created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<Timestamp>,
}

/// A new grant.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewGrant {
    /// Who may: an account's name, of whichever tenant.
    subject: String,
    /// What: actions on pictures only.
    actions: Vec<Action>,
    #[serde(default)]
    #[schema(example = "press/2026")]
    below: String,
    until: Timestamp,
}

fn shown(record: GrantRecord) -> Grant {
    let time = crate::store::time;
    let GrantRecord { id, subject, actions, below, granted_by, created, expires, revoked, .. } = record;
    let (until, created, revoked) = (time(expires), time(created), revoked.map(time));
    Grant { id, subject, actions, below, until, granted_by, created, revoked }
}

/// The grants of a tenant.
#[utoipa::path(get, path = "/auth/v1/tenants/{tenant}/grants", tag = "grants", params(("tenant" = String, Path, description = "Whose."), Paging),
    security(("bearer" = [])), responses((status = 200, body = Page<Grant>), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs grant:manage.")))]
pub(crate) async fn list(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(tenant): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Grant>>, Problem> {
    auth.allow(&caller, Action::GrantManage, &Resource::tenant(&tenant), &from).await?;
    let limit = paging.limit()?;
    let records = auth.store.grants(&tenant, &paging.after()?, limit).await?;
    Ok(Json(page::page(records, limit, |grant| grant.id.clone(), shown)))
}

/// Grants something. It holds with the subject's next token: within 15 minutes, or after a refresh.
#[utoipa::path(post, path = "/auth/v1/tenants/{tenant}/grants", tag = "grants", request_body = NewGrant,
    params(("tenant" = String, Path, description = "Whose.")), security(("bearer" = [])),
    responses((status = 201, body = Grant), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs grant:manage, and what is granted."), (status = 404, description = "There is no such account.")))]
pub(crate) async fn create(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(tenant): Path<String>,
    Json(asked): Json<NewGrant>,
) -> Result<(StatusCode, Json<Grant>), Problem> {
    auth.allow(&caller, Action::GrantManage, &Resource::tenant(&tenant), &from).await?;
    page::folder("below", &asked.below)?;
    let now = auth.now();
    if asked.until <= now || asked.until.duration_since(now) > LONGEST {
        return Err(Problem::field("until", asked.until, "a time to come, within 366 days"));
    }
    if asked.actions.is_empty() || asked.actions.len() > Action::ALL.len() {
        return Err(Problem::missing("actions", "at least one action"));
    }
    for action in &asked.actions {
        if !action.is_about_assets() {
            return Err(Problem::field("actions", action, "actions on pictures, such as asset:read"));
        }
        // Nobody grants what they may not do themselves.
        auth.allow(&caller, *action, &Resource::asset(&tenant, &asked.below), &from).await?;
    }
    if auth.store.user(&asked.subject).await?.is_none() {
        return Err(Problem::not_found("account"));
    }
    let record = GrantRecord {
        id: Uuid::now_v7().to_string(),
        tenant: tenant.clone(),
        subject: asked.subject,
        actions: asked.actions,
        below: asked.below,
        granted_by: caller.subject.clone(),
        created: now.as_millisecond(),
        expires: asked.until.as_millisecond(),
        revoked: None,
    };
    let detail = format!("{} below {:?} to {}", record.actions.len(), record.below, record.subject);
    auth.note(&caller, &tenant, "create-grant", &record.id, Outcome::Done, &detail, &from).await?;
    auth.store.add_grant(&record).await?;
    Ok((StatusCode::CREATED, Json(shown(record))))
}

/// Revokes a grant. Tokens that carry it keep it until their end, for minutes.
#[utoipa::path(delete, path = "/auth/v1/tenants/{tenant}/grants/{grant}", tag = "grants",
    params(("tenant" = String, Path, description = "Whose."), ("grant" = String, Path, description = "Its id.")), security(("bearer" = [])),
    responses((status = 204, description = "It is revoked."), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs grant:manage."), (status = 404, description = "There is none to revoke.")))]
pub(crate) async fn revoke(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path((tenant, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    auth.allow(&caller, Action::GrantManage, &Resource::tenant(&tenant), &from).await?;
    let revoked = auth.store.revoke_grant(&id, &tenant, auth.millis()).await?;
    if !revoked {
        return Err(Problem::not_found("grant"));
    }
    auth.note(&caller, &tenant, "revoke-grant", &id, Outcome::Done, "", &from).await?;
    Ok(StatusCode::NO_CONTENT)
}
