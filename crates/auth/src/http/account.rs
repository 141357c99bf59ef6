//! One's own account: making it, seeing it, changing its password.

use super::from::From;
use super::page;
use super::session::{or_all, signed_in};
use crate::Auth;
use crate::audit::Outcome;
use crate::store::{Added, UserRecord};
use access::{Kind, Role, Scopes};
use axum::extract::State;
use companion::{Caller, Code, Json, Problem, code};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

const WRONG_PASSWORD: Code = Code::new("wrong-password", StatusCode::FORBIDDEN, "The password is wrong");
pub(super) const TAKEN: Code = Code::new("email-taken", StatusCode::CONFLICT, "The address is taken");

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignUp {
    #[schema(
        example = "ann@example.com",
        max_length = 254,
        pattern = "^[^@\\s\\x00-\\x1f\\x7f-\\x9f]+@[^@.\\s\\x00-\\x1f\\x7f-\\x9f][^@\\s\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    email: String,
    #[schema(format = Password)]
    password: String,
    #[schema(example = "Ann", pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]{1,200}$")]
    name: String,
}

/// What was made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedUp {
    /// The account's name.
    subject: String,
    tenant: String,
}

/// Another password in place of the present one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewPassword {
    #[schema(format = Password)]
    current: String,
    #[schema(format = Password)]
    new: String,
}

/// Who asks, as the platform sees them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Me {
    subject: String,
    kind: Kind,
    /// The tenant that the credentials are for; empty: none.
    tenant: String,
    roles: Vec<Role>,
    /// What the credentials are limited to; empty: nothing but the roles.
    #[schema(value_type = Vec<String>)]
    scopes: Scopes,
    grants: Vec<access::Grant>,
    /// The session or key.
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// All tenants that one may sign in for.
    tenants: Vec<String>,
}

/// Makes an account for oneself, as a viewer, where the configuration allows it.
#[utoipa::path(post, path = "/auth/v1/sign-up", tag = "account", request_body = SignUp, security(()),
    responses((status = 201, body = SignedUp), (status = 403, description = "Accounts are made by administrators here."),
        (status = 409, description = "The address is taken.")))]
pub(crate) async fn sign_up(
    State(auth): State<Arc<Auth>>,
    from: From,
    Json(asked): Json<SignUp>,
) -> Result<(StatusCode, Json<SignedUp>), Problem> {
    if !auth.config.sign_up {
        return Err(Problem::new(code::FORBIDDEN, "Accounts are made by administrators here: ask one of them."));
    }
    let email = page::email(&asked.email)?;
    page::name("name", &asked.name)?;
    let user = auth.new_user(email, asked.name, asked.password).await?;
    let tenant = auth.config.sign_up_tenant.clone();
    auth.make_tenant(&tenant).await?;
    let added = auth.store.add_user(&user, &[(tenant.clone(), Role::Viewer)]).await?;
    if added == Added::EmailTaken {
        return Err(Problem::new(TAKEN, "There is an account with this address: sign in."));
    }
    let caller = access::Caller::new(Kind::User, &user.id, &tenant, &[]);
    auth.note(&caller, &tenant, "sign-up", &user.id, Outcome::Done, &user.email, &from).await?;
    Ok((StatusCode::CREATED, Json(SignedUp { subject: user.id, tenant })))
}

/// Who asks.
#[utoipa::path(get, path = "/auth/v1/me", tag = "account", security(("bearer" = [])),
    responses((status = 200, body = Me), (status = 401, description = "Nobody is signed in.")))]
pub(crate) async fn me(State(auth): State<Arc<Auth>>, Caller(caller): Caller) -> Result<Json<Me>, Problem> {
    match caller.kind {
        Kind::User | Kind::Anonymous => signed_in(&caller)?,
        // Whose a key is, its bearer may know.
        Kind::Key | Kind::Service => {}
    }
    let user = auth.store.user(&caller.subject).await?;
    let mut tenants: Vec<String> = auth
        .store
        .roles(&caller.subject)
        .await
        .map_err(Problem::unavailable)?
        .into_iter()
        .map(|(tenant, _)| tenant)
        .filter(|tenant| tenant != "*")
        .collect();
    tenants.dedup();
    Ok(Json(Me {
        email: user.as_ref().map(|user| user.email.clone()),
        name: user.map(|user| user.name),
        tenants,
        subject: caller.subject,
        kind: caller.kind,
        tenant: caller.tenant,
        roles: caller.roles.into_iter().collect(),
        scopes: caller.scopes,
        grants: caller.grants,
        id: caller.id,
    }))
}

/// Changes one's password, and ends all other sessions.
#[utoipa::path(post, path = "/auth/v1/password", tag = "account", request_body = NewPassword, security(("bearer" = [])),
    responses((status = 204, description = "It is changed."), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "The present password is wrong."), (status = 409, description = "It was changed meanwhile."),
        (status = 429, description = "Locked out after too many wrong ones; Retry-After says for how long.")))]
pub(crate) async fn change_password(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Json(asked): Json<NewPassword>,
) -> Result<StatusCode, Problem> {
    signed_in(&caller)?;
    let user = auth.store.user(&caller.subject).await?;
    let user = user.ok_or_else(|| Problem::not_found("account"))?;
    if asked.current.len() > crate::password::LONGEST {
        return Err(Problem::missing("current", "at most 256 bytes"));
    }
    let now = auth.millis();
    // As at sign-in: a copied access token is no leave to guess.
    auth.count_attempt(&user.email, &from, now).await?;
    let right = auth.hasher.is_right(asked.current, Some(user.password.clone())).await;
    if !right.map_err(Problem::unavailable)? {
        auth.note(&caller, or_all(&caller.tenant), "change-password", &user.id, Outcome::Failed, "", &from).await?;
        return Err(Problem::new(WRONG_PASSWORD, "The present password is wrong."));
    }
    auth.forget_attempts(&user.email, &from).await?;
    auth.check_password("new", &asked.new)?;
    let hash = auth.hasher.hash(asked.new).await.map_err(Problem::unavailable)?;
    auth.note(&caller, or_all(&caller.tenant), "change-password", &user.id, Outcome::Done, "", &from).await?;
    let changed = auth.store.set_password(&user.id, &user.password, &hash, now).await?;
    if !changed {
        return Err(Problem::new(code::CONFLICT, "The password was changed meanwhile."));
    }
    let ended = auth.store.end_sessions(&user.id, &caller.id, "password", now).await?;
    auth.refuse(&ended).await;
    Ok(StatusCode::NO_CONTENT)
}

impl Auth {
    /// A password that may be used. The value is in no answer.
    pub(super) fn check_password(&self, field: &str, password: &str) -> Result<(), Problem> {
        let shortest = self.config.passwords.shortest;
        let good = password.chars().count() >= shortest && password.len() <= crate::password::LONGEST;
        let allowed = format!("{shortest} characters or more, 256 bytes at most");
        if good { Ok(()) } else { Err(Problem::missing(field, allowed)) }
    }

    /// A user who has not been added yet.
    pub(crate) async fn new_user(&self, email: String, name: String, password: String) -> Result<UserRecord, Problem> {
        self.check_password("password", &password)?;
        let password = self.hasher.hash(password).await.map_err(Problem::unavailable)?;
        let id = Uuid::now_v7().to_string();
        Ok(UserRecord { id, email, name, password, locked: false, created: self.millis() })
    }

    /// Makes a tenant where there is none of the name.
    pub(crate) async fn make_tenant(&self, id: &str) -> Result<(), Problem> {
        let tenant = crate::store::TenantRecord {
            id: id.to_owned(),
            name: id.to_owned(),
            locked: false,
            created: self.millis(),
        };
        self.store.add_tenant(&tenant).await.map(|_| ()).map_err(Problem::unavailable)
    }
}
