//! The index itself over HTTP: its state, and the two long works on it, which are jobs.

use super::State;
use crate::check::CheckRequest;
use access::{Action, Resource};
use companion::{Caller, Json, Problem};
use finder::Stats;
use http::StatusCode;
use jobs::{JobId, JobKind, NewJob, Priority, QueueError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(stats)).routes(routes!(rebuild)).routes(routes!(check))
}

/// What there is, and what is missing yet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Status {
    /// The engine's numbers.
    index: Stats,
    /// Events that are not in the index yet.
    waiting: u64,
    /// Age of the oldest change that cannot be found yet, in seconds.
    lag_seconds: f64,
}

/// The state of the index.
#[utoipa::path(
    get, path = "/index/v1/status", tag = "index", security(("bearer" = [])), responses((status = 200, body = Status))
)]
async fn stats(
    caller: Caller,
    axum::extract::State(state): axum::extract::State<State>,
) -> Result<Json<Status>, Problem> {
    state.door.may(&caller, Action::JobRead, &Resource::installation())?;
    let index = state.finder.stats().await.map_err(Problem::unavailable)?;
    let (waiting, lag_seconds) =
        crate::lag::measure(&*state.catalog, &*state.queue).await.map_err(Problem::unavailable)?;
    Ok(Json(Status { index, waiting, lag_seconds }))
}

/// A job that was sent; `/index/v1/jobs/{id}` tells of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sent {
    /// The job.
    pub(crate) id: JobId,
}

async fn send(state: &State, job: NewJob) -> Result<(StatusCode, Json<Sent>), Problem> {
    let ids = state.queue.send(vec![job]).await.map_err(|error| match error {
        QueueError::Refused(text) => Problem::internal(text),
        QueueError::Store(text) => Problem::unavailable(text),
    })?;
    let id = ids.first().copied().ok_or_else(|| Problem::internal("the queue gave no id"))?;
    Ok((StatusCode::ACCEPTED, Json(Sent { id })))
}

/// The job of a rebuild: one at a time.
#[must_use]
pub fn rebuild_job() -> NewJob {
    NewJob::new(JobKind::REBUILD, json!({})).priority(Priority::Background).key("rebuild")
}

/// The job of a check: one at a time.
#[must_use]
pub fn check_job(request: CheckRequest) -> NewJob {
    let payload = json!({"repair": request.repair});
    NewJob::new(JobKind::INDEX_CHECK, payload).priority(Priority::Background).key("index-check")
}

/// Rebuilds the index from the catalog, while the old one is searched.
#[utoipa::path(
    post, path = "/index/v1/rebuild", tag = "index", security(("bearer" = [])), responses((status = 202, body = Sent))
)]
async fn rebuild(
    caller: Caller,
    axum::extract::State(state): axum::extract::State<State>,
) -> Result<(StatusCode, Json<Sent>), Problem> {
    state.door.may(&caller, Action::IndexRebuild, &Resource::installation())?;
    send(&state, rebuild_job()).await
}

/// Compares index and catalog, record by record.
#[utoipa::path(
    post, path = "/index/v1/check", request_body = CheckRequest, tag = "index", security(("bearer" = [])),
    responses((status = 202, body = Sent))
)]
async fn check(
    caller: Caller,
    axum::extract::State(state): axum::extract::State<State>,
    Json(request): Json<CheckRequest>,
) -> Result<(StatusCode, Json<Sent>), Problem> {
    state.door.may(&caller, Action::IndexRebuild, &Resource::installation())?;
    send(&state, check_job(request)).await
}
