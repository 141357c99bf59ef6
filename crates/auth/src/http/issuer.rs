//! The issuer's own matters: published keys, their rotation, and whether a token is good.

use super::from::From;
use crate::Auth;
use crate::audit::Outcome;
use access::token::keys::Jwks;
use access::{Action, Grant, Kind, Resource, Role, Scopes};
use axum::extract::State;
use companion::{Caller, Json, Problem};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// What OpenID clients look up (OpenID Connect Discovery 1.0, as far as it applies to a service without redirects).
#[derive(Serialize, ToSchema)]
pub(crate) struct Configuration {
    issuer: String,
    jwks_uri: String,
    token_endpoint: String,
    introspection_endpoint: String,
    response_types_supported: [&'static str; 1],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
}

/// A new signing key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rotated {
    /// Its name.
    kid: String,
    /// Seconds until it signs; the one before signs until then, and verifies for longer.
    signs_in: u64,
}

/// A token or API key.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Introspect {
    #[schema(format = Password)]
    token: String,
}

/// Whether it is good, and whose it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Introspected {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Bearer>,
}

/// A bearer of a token or key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Bearer {
    subject: String,
    tenant: String,
    #[schema(value_type = Vec<Role>)]
    roles: BTreeSet<Role>,
    #[schema(value_type = Vec<String>)]
    scopes: Scopes,
    grants: Vec<Grant>,
    kind: Kind,
    id: String,
}

/// The public keys that verify access tokens.
#[utoipa::path(get, path = "/auth/v1/jwks.json", tag = "issuer", security(()), responses((status = 200, body = Jwks)))]
pub(crate) async fn jwks(State(auth): State<Arc<Auth>>) -> Json<Jwks> {
    Json(auth.ring.published())
}

/// What clients look up of the issuer.
#[utoipa::path(get, path = "/auth/v1/.well-known/openid-configuration", tag = "issuer", security(()),
    responses((status = 200, body = Configuration)))]
pub(crate) async fn configuration(State(auth): State<Arc<Auth>>) -> Json<Configuration> {
    let issuer = auth.config.issuer.clone();
    Json(Configuration {
        jwks_uri: format!("{issuer}/jwks.json"),
        token_endpoint: format!("{issuer}/sign-in"),
        introspection_endpoint: format!("{issuer}/introspect"),
        issuer,
        response_types_supported: ["token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["EdDSA"],
        grant_types_supported: ["password", "refresh_token"],
    })
}

/// Makes a new signing key. Tokens of the one before stay good until their end.
#[utoipa::path(post, path = "/auth/v1/rotations", tag = "issuer", security(("bearer" = [])),
    responses((status = 201, body = Rotated), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs issuer:rotate.")))]
pub(crate) async fn rotate(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
) -> Result<(StatusCode, Json<Rotated>), Problem> {
    auth.allow(&caller, Action::IssuerRotate, &Resource::installation(), &from).await?;
    auth.note(&caller, "*", "issuer:rotate", "", Outcome::Done, "", &from).await?;
    let kid = auth.ring.rotate(auth.millis()).await.map_err(Problem::unavailable)?;
    Ok((StatusCode::CREATED, Json(Rotated { kid, signs_in: auth.config.key_notice.as_secs() })))
}

/// Whether a token or API key is good at this moment: its session is not over, its user not locked. For services.
#[utoipa::path(post, path = "/auth/v1/introspect", tag = "issuer", request_body = Introspect, security(("bearer" = [])),
    responses((status = 200, body = Introspected), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs token:introspect.")))]
pub(crate) async fn introspect(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Json(asked): Json<Introspect>,
) -> Result<Json<Introspected>, Problem> {
    auth.allow(&caller, Action::TokenIntrospect, &Resource::installation(), &from).await?;
    let bearer = match auth.door().bearer(&asked.token).await {
        Ok(bearer) => bearer,
        Err(denied) if denied.fault() == access::Fault::Unavailable => return Err(denied.into()),
        Err(_) => return Ok(Json(Introspected { active: false, caller: None })),
    };
    // A session that is over: its access tokens would be good for some minutes more.
    if bearer.kind == Kind::User
        && let Some(session) = auth.store.session(&bearer.id).await?
        && session.ended.is_some()
    {
        return Ok(Json(Introspected { active: false, caller: None }));
    }
    let access::Caller { subject, tenant, roles, scopes, grants, kind, id } = bearer;
    Ok(Json(Introspected { active: true, caller: Some(Bearer { subject, tenant, roles, scopes, grants, kind, id }) }))
}
