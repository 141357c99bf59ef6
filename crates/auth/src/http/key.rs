//! API keys of a tenant; those of the tenant `*` are for services.
//!
//! Invariants: the secret is in one answer only, and in no row and no log; a key has no role that its maker lacks.

use super::from::From;
use super::page::{self, Page, Paging};
use crate::Auth;
use crate::audit::Outcome;
use crate::store::KeyRecord;
use access::{Action, ApiKey, Caller as Who, Resource, Role, Scope, Scopes};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use companion::{Caller, Json, Path, Problem, Query, code};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// An API key, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Key {
    /// The part of the key that is no secret.
    id: String,
    name: String,
    /// Who made it, and for whom it counts.
    owner: String,
    roles: Vec<Role>,
    /// What it is limited to; empty: nothing but its roles.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<Timestamp>,
    /// To the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<Timestamp>,
}

/// A key that has just been made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeKey {
    /// The whole key. It is not shown again.
    secret: String,
    key: Key,
}

/// A new key.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewKey {
    #[schema(example = "build server", pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]{1,200}$")]
    name: String,
    roles: Vec<Role>,
    /// What it is limited to, such as `asset:create` or `asset:*`; left out: nothing but its roles.
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<Vec<Scope>>,
    expires: Option<Timestamp>,
}

fn shown(record: KeyRecord) -> Key {
    let time = crate::store::time;
    let KeyRecord { id, name, owner, roles, scopes, created, expires, revoked, used, .. } = record;
    Key {
        id,
        name,
        owner,
        roles,
        scopes,
        created: time(created),
        expires: expires.map(time),
        revoked: revoked.map(time),
        used: used.map(time),
    }
}

/// The hash as bytes; empty where it cannot be read, which is no key's.
pub(crate) fn hash_of(record: &KeyRecord) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(&record.hash).unwrap_or_default()
}

/// The API keys of a tenant.
#[utoipa::path(get, path = "/auth/v1/tenants/{tenant}/keys", tag = "keys", params(("tenant" = String, Path, description = "Whose; * is the installation."), Paging),
    security(("bearer" = [])), responses((status = 200, body = Page<Key>), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs key:manage.")))]
pub(crate) async fn list(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(tenant): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Key>>, Problem> {
    auth.may_manage_keys(&caller, &tenant, &from).await?;
    let limit = paging.limit()?;
    let records = auth.store.keys(&tenant, &paging.after()?, limit).await?;
    Ok(Json(page::page(records, limit, |key| key.id.clone(), shown)))
}

/// Makes an API key. Its secret is in this answer only.
#[utoipa::path(post, path = "/auth/v1/tenants/{tenant}/keys", tag = "keys", request_body = NewKey,
    params(("tenant" = String, Path, description = "Whose; * is the installation.")), security(("bearer" = [])),
    responses((status = 201, body = MadeKey), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs key:manage, and roles of one's own."), (status = 404, description = "There is no such tenant.")))]
pub(crate) async fn create(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(tenant): Path<String>,
    Json(asked): Json<NewKey>,
) -> Result<(StatusCode, Json<MadeKey>), Problem> {
    auth.may_manage_keys(&caller, &tenant, &from).await?;
    page::name("name", &asked.name)?;
    may_have(&caller, &tenant, &asked.roles)?;
    if asked.scopes.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::missing("scopes", "at least one scope, or no such field"));
    }
    let scopes = asked.scopes.unwrap_or_default();
    let wanted: Scopes = scopes.iter().cloned().collect();
    // Else a key for one thing would make itself another one for everything.
    let beyond = Action::ALL.iter().find(|action| wanted.cover(**action) && !caller.scopes.cover(**action));
    if let Some(action) = beyond {
        let detail = format!("It would be good for {action}, which is beyond your scopes.");
        return Err(Problem::new(code::FORBIDDEN, detail));
    }
    if tenant != "*" {
        auth.tenant(&tenant).await?;
    }
    let now = auth.now();
    if let Some(end) = asked.expires.filter(|end| *end <= now) {
        return Err(Problem::field("expires", end, "a time to come"));
    }
    let key = ApiKey::generate().map_err(|_| Problem::internal("no random bytes"))?;
    let record = KeyRecord {
        id: key.id().to_owned(),
        tenant: tenant.clone(),
        name: asked.name,
        owner: caller.subject.clone(),
        hash: URL_SAFE_NO_PAD.encode(key.hash(auth.seals.pepper())),
        roles: asked.roles,
        scopes,
        created: now.as_millisecond(),
        expires: asked.expires.map(Timestamp::as_millisecond),
        revoked: None,
        used: None,
    };
    auth.note(&caller, &tenant, "create-key", &record.id, Outcome::Done, &record.name, &from).await?;
    auth.store.add_key(&record).await?;
    Ok((StatusCode::CREATED, Json(MadeKey { secret: key.expose(), key: shown(record) })))
}

/// Revokes an API key, at once; other processes know within 30 seconds.
#[utoipa::path(delete, path = "/auth/v1/tenants/{tenant}/keys/{key}", tag = "keys",
    params(("tenant" = String, Path, description = "Whose."), ("key" = String, Path, description = "Its id.")), security(("bearer" = [])),
    responses((status = 204, description = "It is revoked."), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs key:manage."), (status = 404, description = "There is none to revoke.")))]
pub(crate) async fn revoke(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path((tenant, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    auth.may_manage_keys(&caller, &tenant, &from).await?;
    let revoked = auth.store.revoke_key(&id, &tenant, auth.millis()).await?;
    if !revoked {
        return Err(Problem::not_found("key"));
    }
    auth.note(&caller, &tenant, "revoke-key", &id, Outcome::Done, "", &from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Roles that the maker has; services' by operators only.
fn may_have(caller: &Who, tenant: &str, roles: &[Role]) -> Result<(), Problem> {
    let whole = tenant == "*";
    if roles.is_empty() {
        return Err(Problem::missing("roles", "at least one role"));
    }
    for role in roles {
        let fits = if whole { *role == Role::Service } else { role.is_of_tenant() };
        if !fits {
            return Err(Problem::field("roles", role, if whole { "service" } else { "viewer, editor, admin" }));
        }
        // Who is an editor by another role's strength (an admin) may give what that role holds.
        let held = if whole {
            caller.is(Role::Operator)
        } else {
            caller.roles.iter().any(|own| own.is_of_tenant() && own >= role)
        };
        if !held {
            return Err(Problem::new(code::FORBIDDEN, format!("You are no {role} yourself.")));
        }
    }
    Ok(())
}

impl Auth {
    /// Keys of tenants by policy; those of services by operators, who have no tenant's.
    async fn may_manage_keys(&self, caller: &Who, tenant: &str, from: &From) -> Result<(), Problem> {
        let action = if tenant == "*" { Action::TenantManage } else { Action::KeyManage };
        self.allow(caller, action, &Resource::tenant(tenant), from).await
    }
}
