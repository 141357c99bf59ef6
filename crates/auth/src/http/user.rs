//! A tenant's users and their roles. The tenant `*` has those of the whole installation.
//!
//! Invariant: nobody gives a role that they could not have: roles of the installation come from operators only.

use super::account::TAKEN;
use super::from::From;
use super::page::{self, Page, Paging};
use crate::Auth;
use crate::audit::Outcome;
use crate::store::{Added, UserRecord};
use access::{Action, Caller as Who, Resource, Role};
use axum::extract::State;
use companion::{Caller, Json, Path, Problem, Query, code};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A user, as seen in one tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    /// The stable name: `subject` of tokens, grants and owners.
    id: String,
    email: String,
    name: String,
    /// Does not sign in, anywhere.
    locked: bool,
    /// In this tenant.
    roles: Vec<Role>,
    created: Timestamp,
}

/// A new user; or one that has an account, who becomes one of this tenant too.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewUser {
    #[schema(
        example = "bob@example.com",
        max_length = 254,
        pattern = "^[^@\\s\\x00-\\x1f\\x7f-\\x9f]+@[^@.\\s\\x00-\\x1f\\x7f-\\x9f][^@\\s\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    email: String,
    #[schema(example = "Bob", pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]{1,200}$")]
    name: String,
    /// The first one; left out only where the address has an account already, which keeps its own.
    #[schema(format = Password)]
    password: Option<String>,
    #[schema(min_items = 1)]
    roles: Vec<Role>,
}

/// What is to be changed of a user.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UserChange {
    /// Those that they have in this tenant, all of them.
    roles: Option<Vec<Role>>,
    /// Does not sign in, anywhere: for users of this tenant only, and operators.
    locked: Option<bool>,
    #[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]{1,200}$")]
    name: Option<String>,
}

/// The users of a tenant.
#[utoipa::path(get, path = "/auth/v1/tenants/{tenant}/users", tag = "users", params(("tenant" = String, Path, description = "Whose; * is the installation."), Paging),
    security(("bearer" = [])), responses((status = 200, body = Page<User>), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs user:read.")))]
pub(crate) async fn list(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(tenant): Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<User>>, Problem> {
    auth.allow(&caller, Action::UserRead, &Resource::tenant(&tenant), &from).await?;
    let limit = paging.limit()?;
    let records = auth.store.users(&tenant, &paging.after()?, limit).await?;
    let roles = match (records.first(), records.last()) {
        (Some(first), Some(last)) => auth.store.roles_between(&tenant, &first.id, &last.id).await?,
        _ => Vec::new(),
    };
    let with_roles = |record: UserRecord| {
        let own = roles.iter().filter(|(user, _)| *user == record.id).map(|(_, role)| *role).collect();
        shown(record, own)
    };
    Ok(Json(page::page(records, limit, |user| user.id.clone(), with_roles)))
}

/// Makes a user of a tenant.
#[utoipa::path(post, path = "/auth/v1/tenants/{tenant}/users", tag = "users", request_body = NewUser,
    params(("tenant" = String, Path, description = "Whose; * is the installation.")), security(("bearer" = [])),
    responses((status = 201, body = User), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs user:manage, and roles within one's own reach."),
        (status = 404, description = "There is no such tenant."), (status = 409, description = "They are of this tenant already.")))]
pub(crate) async fn create(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(tenant): Path<String>,
    Json(asked): Json<NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    auth.allow(&caller, Action::UserManage, &Resource::tenant(&tenant), &from).await?;
    let email = page::email(&asked.email)?;
    page::name("name", &asked.name)?;
    may_give(&caller, &tenant, &asked.roles)?;
    if tenant != "*" {
        auth.tenant(&tenant).await?;
    }
    let known = auth.store.user_by_email(&email).await?;
    let record = match (known, asked.password) {
        (Some(record), None) => {
            if auth.roles_in(&record.id, &tenant).await?.is_empty() {
                auth.note(&caller, &tenant, "add-user", &record.id, Outcome::Done, &told(&asked.roles), &from).await?;
                auth.store.set_roles(&record.id, &tenant, &asked.roles).await?;
                record
            } else {
                return Err(Problem::new(code::CONFLICT, "They are of this tenant already."));
            }
        }
        (Some(_), Some(_)) => {
            let detail = "There is an account with this address: leave the password out to make it one of this tenant.";
            return Err(Problem::new(TAKEN, detail));
        }
        (None, None) => return Err(Problem::missing("password", "the account's first password")),
        (None, Some(password)) => {
            let record = auth.new_user(email, asked.name, password).await?;
            auth.note(&caller, &tenant, "create-user", &record.id, Outcome::Done, &told(&asked.roles), &from).await?;
            let roles: Vec<(String, Role)> = asked.roles.iter().map(|role| (tenant.clone(), *role)).collect();
            let added = auth.store.add_user(&record, &roles).await?;
            if added == Added::EmailTaken {
                return Err(Problem::new(TAKEN, "There is an account with this address by now."));
            }
            record
        }
    };
    Ok((StatusCode::CREATED, Json(auth.shown(record, &tenant).await?)))
}

/// A user of a tenant.
#[utoipa::path(get, path = "/auth/v1/tenants/{tenant}/users/{user}", tag = "users",
    params(("tenant" = String, Path, description = "Whose."), ("user" = String, Path, description = "Their name.")), security(("bearer" = [])),
    responses((status = 200, body = User), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs user:read."), (status = 404, description = "There is none.")))]
pub(crate) async fn read(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path((tenant, user)): Path<(String, String)>,
) -> Result<Json<User>, Problem> {
    auth.allow(&caller, Action::UserRead, &Resource::tenant(&tenant), &from).await?;
    let record = auth.user_of(&user, &tenant).await?;
    auth.shown(record, &tenant).await.map(Json)
}

/// Changes a user's roles in a tenant, or locks them.
#[utoipa::path(patch, path = "/auth/v1/tenants/{tenant}/users/{user}", tag = "users", request_body = UserChange,
    params(("tenant" = String, Path, description = "Whose."), ("user" = String, Path, description = "Their name.")), security(("bearer" = [])),
    responses((status = 200, body = User), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs user:manage, and roles within one's own reach."),
        (status = 404, description = "There is none.")))]
pub(crate) async fn change(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path((tenant, user)): Path<(String, String)>,
    Json(asked): Json<UserChange>,
) -> Result<Json<User>, Problem> {
    auth.allow(&caller, Action::UserManage, &Resource::tenant(&tenant), &from).await?;
    let mut record = auth.user_of(&user, &tenant).await?;
    if let Some(roles) = &asked.roles {
        may_give(&caller, &tenant, roles)?;
    }
    if asked.locked.is_some() || asked.name.is_some() {
        auth.only_of(&caller, &record.id, &tenant).await?;
    }
    if let Some(name) = asked.name {
        page::name("name", &name)?;
        record.name = name;
    }
    record.locked = asked.locked.unwrap_or(record.locked);
    let roles = asked.roles.as_deref().map(told).unwrap_or_default();
    let detail = format!("{roles}{}", if record.locked { " locked" } else { "" });
    auth.note(&caller, &tenant, "change-user", &record.id, Outcome::Done, &detail, &from).await?;
    let now = auth.millis();
    auth.store.change_user(&record.id, &record.name, record.locked, now).await?;
    if let Some(roles) = &asked.roles {
        auth.store.set_roles(&record.id, &tenant, roles).await?;
    }
    if record.locked {
        let ended = auth.store.end_sessions(&record.id, "", "locked", now).await?;
        auth.refuse(&ended).await;
    }
    auth.shown(record, &tenant).await.map(Json)
}

/// Takes a user out of a tenant. The account stays, for other tenants.
#[utoipa::path(delete, path = "/auth/v1/tenants/{tenant}/users/{user}", tag = "users",
    params(("tenant" = String, Path, description = "Whose."), ("user" = String, Path, description = "Their name.")), security(("bearer" = [])),
    responses((status = 204, description = "They are not of it any more."), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs user:manage."), (status = 404, description = "There is none.")))]
pub(crate) async fn remove(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path((tenant, user)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    auth.allow(&caller, Action::UserManage, &Resource::tenant(&tenant), &from).await?;
    let record = auth.user_of(&user, &tenant).await?;
    auth.note(&caller, &tenant, "remove-user", &record.id, Outcome::Done, "", &from).await?;
    auth.store.set_roles(&record.id, &tenant, &[]).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(record: UserRecord, roles: Vec<Role>) -> User {
    let UserRecord { id, email, name, locked, created, .. } = record;
    User { id, email, name, locked, roles, created: crate::store::time(created) }
}

fn told(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" ")
}

/// Roles of tenants in tenants, those of the installation in it, and that by operators only.
fn may_give(caller: &Who, tenant: &str, roles: &[Role]) -> Result<(), Problem> {
    if roles.is_empty() || roles.len() > Role::ALL.len() {
        return Err(Problem::missing("roles", "at least one role"));
    }
    let whole = tenant == "*";
    for role in roles {
        if role.is_of_tenant() == whole {
            let allowed = if whole { "operator, service" } else { "viewer, editor, admin" };
            return Err(Problem::field("roles", role, allowed));
        }
    }
    if whole && !caller.is(Role::Operator) {
        return Err(Problem::new(code::FORBIDDEN, "Roles of the whole installation are given by operators only."));
    }
    Ok(())
}

impl Auth {
    async fn roles_in(&self, user: &str, tenant: &str) -> Result<Vec<Role>, Problem> {
        let roles = self.store.roles(user).await?;
        Ok(roles.into_iter().filter(|(of, _)| of == tenant).map(|(_, role)| role).collect())
    }

    /// A user who is of the tenant.
    async fn user_of(&self, id: &str, tenant: &str) -> Result<UserRecord, Problem> {
        let user = self.store.user(id).await?;
        let user = user.ok_or_else(|| Problem::not_found("user"))?;
        if self.roles_in(&user.id, tenant).await?.is_empty() {
            return Err(Problem::not_found("user"));
        }
        Ok(user)
    }

    /// What is everywhere (a lock, a name) is changed by operators, or by the only tenant that somebody is of.
    async fn only_of(&self, caller: &Who, user: &str, tenant: &str) -> Result<(), Problem> {
        let roles = self.store.roles(user).await?;
        if caller.is(Role::Operator) || roles.iter().all(|(of, _)| of == tenant) {
            return Ok(());
        }
        let detail = "They are of other tenants too: take them out of yours, or ask an operator.";
        Err(Problem::new(code::FORBIDDEN, detail))
    }

    async fn shown(&self, record: UserRecord, tenant: &str) -> Result<User, Problem> {
        let roles = self.roles_in(&record.id, tenant).await?;
        Ok(shown(record, roles))
    }
}
