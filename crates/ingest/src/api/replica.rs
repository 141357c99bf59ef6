//! A comparison with the other store, asked for over HTTP: it is a job like the scheduled ones.

use super::Site;
use crate::work::replica::{CheckRequest, job};
use access::{Action, Resource};
use axum::extract::State;
use companion::{Caller, Code, Json, Problem};
use http::StatusCode;
use jobs::{JobId, QueueError};
use serde::Serialize;
use utoipa::ToSchema;

/// There is nothing to compare with.
const NO_REPLICA: Code =
    Code::new("no-replica", StatusCode::NOT_IMPLEMENTED, "There is no other store to compare with");

/// A job that was sent; `/index/v1/jobs/{id}` tells of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Comparison {
    /// The job.
    id: JobId,
}

/// Compares this store with its replica
///
/// For those who may have the installation's work done again. One at a time: while one waits or runs its id is given.
#[utoipa::path(
    post, path = "/ingest/v1/replication-check", tag = "work", security(("bearer" = [])), request_body = CheckRequest,
    responses((status = 202, description = "Sent", body = Comparison),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 415, description = "No JSON"), (status = 501, description = "No replica is configured"))
)]
pub(super) async fn check(
    State(site): State<Site>,
    caller: Caller,
    Json(request): Json<CheckRequest>,
) -> Result<(StatusCode, Json<Comparison>), Problem> {
    site.door.may(&caller, Action::JobReplay, &Resource::installation())?;
    if !site.has_replica {
        return Err(Problem::new(NO_REPLICA, "Name one in [ingest.replica]."));
    }
    let sent = site.desk.queue.send(vec![job(request)]).await.map_err(|error| match error {
        QueueError::Refused(text) => Problem::internal(text),
        QueueError::Store(text) => Problem::unavailable(text),
    })?;
    let id = sent.first().copied().ok_or_else(|| Problem::internal("the queue gave no id"))?;
    Ok((StatusCode::ACCEPTED, Json(Comparison { id })))
}
