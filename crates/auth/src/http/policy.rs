//! Policies: those in force, and what they would decide.

use super::from::From;
use super::page;
use crate::Auth;
use access::{Action, Caller as Who, Kind, Resource, Role, Visibility};
use axum::extract::State;
use companion::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// The policies in force.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Policies {
    /// What policies can speak of, in Cedar's schema language.
    schema: &'static str,
    /// Our own first, then the configuration's.
    policies: Vec<PolicyText>,
}

/// A text of policies.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PolicyText {
    name: String,
    /// In Cedar.
    text: String,
}

/// A question to the policies.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Question {
    /// Who would ask: an account's name, or any text.
    subject: String,
    /// The tenant that they would be signed in for.
    #[schema(pattern = "^([a-z0-9][a-z0-9-]{0,62}|\\*)$")]
    tenant: String,
    roles: Vec<Role>,
    action: Action,
    /// Whose thing it is about; left out: the tenant's own.
    #[schema(pattern = "^([a-z0-9][a-z0-9-]{0,62}|\\*)$")]
    of: Option<String>,
    /// The picture's name, for actions on pictures.
    path: Option<String>,
    owner: Option<String>,
    #[serde(default)]
    visibility: Visibility,
    /// What a URL would ask for, for `url:sign`.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

/// What the policies say.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    allowed: bool,
    /// Those that decided; none: nothing permits it.
    policies: Vec<String>,
    /// Those that could not be evaluated, and why.
    errors: Vec<String>,
}

/// The policies in force, and their schema.
#[utoipa::path(get, path = "/auth/v1/policies", tag = "policies", security(("bearer" = [])),
    responses((status = 200, body = Policies), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs policy:read.")))]
pub(crate) async fn read(State(auth): State<Arc<Auth>>, caller: Caller, from: From) -> Result<Json<Policies>, Problem> {
    auth.allow(&caller, Action::PolicyRead, &Resource::tenant(&caller.tenant), &from).await?;
    let policies = auth.door().policies();
    let texts = policies.texts().iter().map(|(name, text)| PolicyText { name: name.clone(), text: text.clone() });
    Ok(Json(Policies { schema: access::policy::SCHEMA, policies: texts.collect() }))
}

/// What the policies would decide, and which of them.
#[utoipa::path(post, path = "/auth/v1/policies/decisions", tag = "policies", request_body = Question, security(("bearer" = [])),
    responses((status = 200, body = Answer), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs policy:read in both tenants.")))]
pub(crate) async fn decide(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Json(asked): Json<Question>,
) -> Result<Json<Answer>, Problem> {
    let of = asked.of.as_deref().unwrap_or(&asked.tenant);
    for tenant in [asked.tenant.as_str(), of] {
        if tenant != "*" {
            page::tenant_id("tenant", tenant)?;
        }
        auth.allow(&caller, Action::PolicyRead, &Resource::tenant(tenant), &from).await?;
    }
    if asked.action.is_about_assets() != asked.path.is_some() {
        let allowed = if asked.path.is_some() { "nothing, for this action" } else { "the name of a picture" };
        return Err(Problem::missing("path", allowed));
    }
    let kind = if asked.subject.is_empty() { Kind::Anonymous } else { Kind::User };
    let who = Who::new(kind, &asked.subject, &asked.tenant, &asked.roles);
    let parameters: Vec<(&str, &str)> =
        asked.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let resource = Resource {
        tenant: of,
        path: asked.path.as_deref(),
        owner: asked.owner.as_deref(),
        visibility: asked.visibility,
        parameters: &parameters,
    };
    let explained = auth.door().explain(&who, asked.action, &resource);
    Ok(Json(Answer { allowed: explained.allowed, policies: explained.policies, errors: explained.errors }))
}
