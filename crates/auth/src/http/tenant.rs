//! Tenants: made, named and locked by operators.

use super::from::From;
use super::page::{self, Page, Paging};
use crate::Auth;
use crate::audit::Outcome;
use crate::store::TenantRecord;
use access::{Action, Resource};
use axum::extract::State;
use companion::{Caller, Json, Path, Problem, Query, code};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tenant {
    id: String,
    name: String,
    /// Nobody signs in for it, and its keys are refused.
    locked: bool,
    created: Timestamp,
}

/// A new tenant.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewTenant {
    /// In URLs, for ever.
    #[schema(example = "acme", pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    id: String,
    #[schema(example = "Acme Ltd", pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]{1,200}$")]
    name: String,
}

/// What is to be changed of a tenant.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TenantChange {
    #[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]{1,200}$")]
    name: Option<String>,
    locked: Option<bool>,
}

fn shown(record: TenantRecord) -> Tenant {
    let TenantRecord { id, name, locked, created } = record;
    Tenant { id, name, locked, created: crate::store::time(created) }
}

/// All tenants, by name.
#[utoipa::path(get, path = "/auth/v1/tenants", tag = "tenants", params(Paging), security(("bearer" = [])),
    responses((status = 200, body = Page<Tenant>), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs tenant:manage.")))]
pub(crate) async fn list(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Tenant>>, Problem> {
    auth.allow(&caller, Action::TenantManage, &Resource::installation(), &from).await?;
    let limit = paging.limit()?;
    let records = auth.store.tenants(&paging.after()?, limit).await?;
    Ok(Json(page::page(records, limit, |tenant| tenant.id.clone(), shown)))
}

/// Makes a tenant.
#[utoipa::path(post, path = "/auth/v1/tenants", tag = "tenants", request_body = NewTenant, security(("bearer" = [])),
    responses((status = 201, body = Tenant), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs tenant:manage."), (status = 409, description = "There is one of this name.")))]
pub(crate) async fn create(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Json(asked): Json<NewTenant>,
) -> Result<(StatusCode, Json<Tenant>), Problem> {
    auth.allow(&caller, Action::TenantManage, &Resource::installation(), &from).await?;
    page::tenant_id("id", &asked.id)?;
    page::name("name", &asked.name)?;
    let record = TenantRecord { id: asked.id, name: asked.name, locked: false, created: auth.millis() };
    auth.note(&caller, &record.id, "create-tenant", &record.id, Outcome::Done, &record.name, &from).await?;
    if !auth.store.add_tenant(&record).await? {
        return Err(Problem::new(code::CONFLICT, "There is a tenant of this name."));
    }
    Ok((StatusCode::CREATED, Json(shown(record))))
}

/// A tenant.
#[utoipa::path(get, path = "/auth/v1/tenants/{tenant}", tag = "tenants", params(("tenant" = String, Path, description = "Its name.")),
    security(("bearer" = [])), responses((status = 200, body = Tenant), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs user:read in it."), (status = 404, description = "There is none.")))]
pub(crate) async fn read(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(id): Path<String>,
) -> Result<Json<Tenant>, Problem> {
    auth.allow(&caller, Action::UserRead, &Resource::tenant(&id), &from).await?;
    auth.tenant(&id).await.map(shown).map(Json)
}

/// Names or locks a tenant.
#[utoipa::path(patch, path = "/auth/v1/tenants/{tenant}", tag = "tenants", request_body = TenantChange,
    params(("tenant" = String, Path, description = "Its name.")), security(("bearer" = [])),
    responses((status = 200, body = Tenant), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs tenant:manage."), (status = 404, description = "There is none.")))]
pub(crate) async fn change(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(id): Path<String>,
    Json(asked): Json<TenantChange>,
) -> Result<Json<Tenant>, Problem> {
    auth.allow(&caller, Action::TenantManage, &Resource::installation(), &from).await?;
    let mut record = auth.tenant(&id).await?;
    if let Some(name) = asked.name {
        page::name("name", &name)?;
        record.name = name;
    }
    record.locked = asked.locked.unwrap_or(record.locked);
    let detail = if record.locked { "locked" } else { "" };
    auth.note(&caller, &id, "change-tenant", &id, Outcome::Done, detail, &from).await?;
    let changed = auth.store.change_tenant(&id, &record.name, record.locked).await;
    changed.map_err(Problem::unavailable)?;
    Ok(Json(shown(record)))
}

impl Auth {
    /// A tenant that there is.
    pub(super) async fn tenant(&self, id: &str) -> Result<TenantRecord, Problem> {
        let tenant = self.store.tenant(id).await?;
        tenant.ok_or_else(|| Problem::not_found("tenant"))
    }
}
