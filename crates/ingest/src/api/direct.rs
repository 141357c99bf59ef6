//! Uploads that clients put into the bucket themselves: they are told where, and say when they have done it; or the bucket
//! says it ([`crate::arrivals`]).
//!
//! Invariant: what a client put there is looked at like any other upload, and published by nobody else.

use super::assets::Whose;
use super::files::parsed;
use super::receive::{Manner, Said};
use super::view::AssetView;
use super::{Site, refusal, who};
use crate::Trouble;
use crate::session::{Outcome, Session};
use axum::extract::State;
use axum::response::Response;
use catalog::{ContentHash, TenantId, Visibility};
use companion::{Caller, Code, IdempotencyKey, Json, Path, Precondition, Problem, Query, Trace, code};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use store::StageId;
use utoipa::ToSchema;

const NOWHERE: Code = Code::new("no-direct-uploads", StatusCode::NOT_IMPLEMENTED, "There is no bucket to upload into");
const NOT_YET: Code = Code::new("upload-incomplete", StatusCode::CONFLICT, "The upload is not there yet");
/// S3 lets a signature hold for a week at most.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// What is going to be uploaded.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Direct {
    /// The published name.
    #[schema(value_type = catalog::AssetPath)]
    path: String,
    /// Its length, to the byte.
    #[schema(minimum = 1)]
    bytes: u64,
    /// Its type.
    media_type: Option<String>,
    /// Whose it becomes; left out: the caller's own tenant.
    tenant: Option<TenantId>,
    /// A line about it.
    title: Option<String>,
    /// More about it.
    description: Option<String>,
    /// Words that it is found by, with commas between them.
    tags: Option<String>,
    /// Who may see it.
    visibility: Option<Visibility>,
    /// BLAKE3 of the bytes: refused where they are others.
    hash: Option<ContentHash>,
}

/// Where to put it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invited {
    /// The upload, for its completion.
    id: String,
    /// PUT the file there.
    url: String,
    /// With these fields.
    headers: BTreeMap<String, String>,
    /// Until then.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

/// Begins an upload into the bucket itself
#[utoipa::path(
    post, path = "/ingest/v1/direct", tag = "uploads", security(("bearer" = [])), request_body = Direct,
    responses((status = 201, description = "Where to put it", body = Invited),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 412, description = "A condition does not hold"), (status = 413, description = "Longer than ingest.max_bytes"),
        (status = 415, description = "No JSON"), (status = 501, description = "Originals are in a folder, not in a bucket"))
)]
pub(super) async fn begin(
    State(site): State<Site>,
    caller: Caller,
    precondition: Precondition,
    key: IdempotencyKey,
    trace: Trace,
    headers: HeaderMap,
    Json(direct): Json<Direct>,
) -> Result<(StatusCode, Json<Invited>), Problem> {
    let Direct { path, bytes, media_type, tenant, title, description, tags, visibility, hash } = direct;
    let (limit, config) = (site.desk.config.max_bytes, &site.desk.config);
    if bytes == 0 {
        return Err(Problem::field("bytes", bytes, format!("1 to {limit}")));
    }
    if bytes > limit {
        return Err(Trouble::TooLong { limit }.into());
    }
    let said = Said { tenant, title, description, tags, visibility, hash };
    let manner = Manner { media_type, ..Manner::of(&headers, &precondition, key, trace)? };
    let intake = site.intake(&caller, parsed(&path)?, said, manner).await?;
    let stage = site.desk.stage(&intake.tenant);
    let holds = config.upload_expiry.min(LONGEST);
    let invitation = site.desk.store.invite(&stage, bytes, holds).await.map_err(Trouble::from)?;
    let Some(invitation) = invitation else {
        return Err(Problem::new(NOWHERE, "Originals are kept in a folder here: use a PUT, a form or tus."));
    };
    let expires = Timestamp::now() + holds;
    let session = Session::new(intake, bytes, expires);
    site.desk.remember(&stage, &session).await.map_err(Trouble::from)?;
    let headers = invitation.headers.into_iter().collect();
    Ok((StatusCode::CREATED, Json(Invited { id: stage.to_string(), url: invitation.url, headers, expires })))
}

/// Completes an upload into the bucket
///
/// May be asked again: what became of it is answered then.
#[utoipa::path(
    post, path = "/ingest/v1/direct/{id}/complete", tag = "uploads", security(("bearer" = [])),
    params(("id" = String, Path), Whose),
    responses(
        (status = 200, description = "Replaced, or done before", body = AssetView),
        (status = 201, description = "Created", body = AssetView),
        (status = 202, description = "In quarantine: somebody has to look at it first", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such upload"), (status = 409, description = "The file is not there yet"),
        (status = 412, description = "A condition does not hold"), (status = 413, description = "Longer than ingest.max_bytes"),
        (status = 422, description = "No picture that is taken; `code` says why"),
        (status = 423, description = "It is being completed"), (status = 507, description = "Over quota"),
    )
)]
pub(super) async fn complete(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<String>,
    Query(_whose): Query<Whose>,
) -> Result<Response, Problem> {
    let (stage, session) = site.session(&caller, &id).await?;
    if session.outcome.is_some() {
        return site.told(&caller, &session).await;
    }
    let Some(_held) = site.locks.take(&stage) else {
        return Err(Problem::new(refusal::BUSY, "It is being completed at this moment."));
    };
    let length = site.desk.store.length(&stage).await.map_err(Trouble::from)?;
    if length != session.length {
        return Err(Problem::new(NOT_YET, format!("{length} of {} bytes are there", session.length)));
    }
    let admitted = site.desk.complete(&stage, &session).await?;
    Ok(site.taken(&caller, admitted))
}

impl Site {
    /// An upload of the caller's own.
    pub(crate) async fn session(&self, caller: &Caller, id: &str) -> Result<(StageId, Session), Problem> {
        if caller.is_anonymous() {
            return Err(access::Denied::Anonymous.into());
        }
        let none = || Problem::not_found("upload of that name");
        let stage: StageId = id.parse().map_err(|_| none())?;
        let session = self.desk.recall(&stage, Timestamp::now()).await.map_err(Trouble::from)?.ok_or_else(none)?;
        let own = session.intake.actor == who::subject(caller);
        if own { Ok((stage, session)) } else { Err(none()) }
    }

    /// What became of an upload.
    pub(crate) async fn told(&self, caller: &Caller, session: &Session) -> Result<Response, Problem> {
        let tenant = &session.intake.tenant;
        match &session.outcome {
            Some(Outcome::Published { asset, .. } | Outcome::Quarantined { asset, .. }) => {
                let found = self.desk.catalog.get(tenant, *asset).await.map_err(Trouble::from)?;
                let asset = found.ok_or_else(|| Problem::not_found("picture any more"))?;
                let status = if asset.is_live() { StatusCode::OK } else { StatusCode::ACCEPTED };
                Ok(self.answer(caller, status, asset))
            }
            Some(Outcome::Refused { code, detail }) => {
                let known = crate::inspect::Reason::ALL.into_iter().find(|reason| reason.as_str() == code);
                let detail = detail.clone();
                Err(match known {
                    Some(reason) => Trouble::Refused(crate::inspect::Refused::new(reason, detail)).into(),
                    None => Problem::new(code::CONFLICT, detail),
                })
            }
            None => Err(Problem::new(NOT_YET, "It is under way")),
        }
    }
}
