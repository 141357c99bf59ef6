//! Jobs over HTTP: seen, cancelled, replayed; for those who may, and of their own tenant.
//!
//! Knows no kind of job. Invariants: who may not see a job does not learn that it is there; jobs of no tenant are the
//! installation's.

use super::State;
use access::{Action, Resource};
use companion::{Caller, Code, Cursor, Json, Path, Problem, Query, code};
use http::StatusCode;
use jobs::{Cancel, Depth, Filter, JobId, JobKind, MOST, QueueError, Seen};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Jobs of a page unless another number is asked for.
const PAGE: usize = 50;
/// Jobs of a page at most.
const LARGEST_PAGE: usize = 200;
/// The queue cannot do that.
const NOT_HERE: Code = Code::new("not-in-this-queue", StatusCode::NOT_IMPLEMENTED, "The queue in use cannot do that");

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(depth))
        .routes(routes!(replay))
        .routes(routes!(one))
        .routes(routes!(cancel))
}

fn failed(error: QueueError) -> Problem {
    match error {
        QueueError::Refused(text) => Problem::new(NOT_HERE, text),
        QueueError::Store(text) => Problem::unavailable(text),
    }
}

/// Whose a job is, for policies.
fn resource(tenant: Option<&str>) -> Resource<'_> {
    tenant.map_or_else(Resource::installation, Resource::tenant)
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// In this state: ready, delayed, running, dead, done, cancelled.
    state: Option<jobs::State>,
    /// Of this kind.
    kind: Option<JobKind>,
    /// Of this tenant. Left out: all that the caller may see, or those of their own tenant.
    tenant: Option<String>,
    /// Jobs of a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// A page of jobs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    /// The oldest first.
    items: Vec<Seen>,
    /// For the next page; null at the end.
    cursor: Option<String>,
}

/// Lists jobs, the oldest first.
#[utoipa::path(
    get, path = "/index/v1/jobs", params(Which), tag = "jobs", security(("bearer" = [])),
    responses((status = 200, body = Page), (status = 501, description = "The queue in use cannot list them"))
)]
async fn list(
    caller: Caller,
    axum::extract::State(state): axum::extract::State<State>,
    Query(which): Query<Which>,
) -> Result<Json<Page>, Problem> {
    let limit = which.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::field("query.limit", limit, format!("a whole number from 1 to {LARGEST_PAGE}")));
    }
    let all = state.door.may(&caller, Action::JobRead, &Resource::installation()).is_ok();
    let tenant = match which.tenant {
        Some(tenant) => Some(tenant),
        None if all => None,
        None => Some(caller.tenant.clone()),
    };
    if !all {
        state.door.may(&caller, Action::JobRead, &resource(tenant.as_deref()))?;
    }
    let after: Option<JobId> = which.cursor.as_deref().map(Cursor::read).transpose()?;
    let filter = Filter { states: which.state.into_iter().collect(), kinds: which.kind.into_iter().collect(), tenant };
    let mut items = state.queue.jobs(&filter, after, limit + 1).await.map_err(failed)?;
    let more = items.len() > limit;
    items.truncate(limit);
    let cursor = items.last().filter(|_| more).map(|last| Cursor::write(&last.id));
    Ok(Json(Page { items, cursor }))
}

/// How many jobs there are where: `ready` is the signal to scale by.
#[utoipa::path(
    get, path = "/index/v1/jobs/depth", tag = "jobs", security(("bearer" = [])),
    responses((status = 200, body = Depth))
)]
async fn depth(
    caller: Caller,
    axum::extract::State(state): axum::extract::State<State>,
) -> Result<Json<Depth>, Problem> {
    state.door.may(&caller, Action::JobRead, &Resource::installation())?;
    Ok(Json(state.queue.depth().await.map_err(failed)?))
}

/// The job, where the caller may do `action` to it; else as if there were none.
async fn find(state: &State, caller: &Caller, action: Action, id: JobId) -> Result<Seen, Problem> {
    if caller.is_anonymous() {
        // Before looking: nobody in particular hears the same of what is there and of what is not.
        state.door.may(caller, action, &Resource::installation())?;
    }
    let seen = state.queue.get(id).await.map_err(failed)?;
    let seen = seen.ok_or_else(|| Problem::not_found("job"))?;
    let resource = resource(seen.tenant.as_deref());
    if let Err(denied) = state.door.may(caller, action, &resource) {
        // Who may see it hears that this is not allowed; others hear of nothing.
        let visible = state.door.may(caller, Action::JobRead, &resource).is_ok();
        return Err(if visible { denied.into() } else { Problem::not_found("job") });
    }
    Ok(seen)
}

fn id(text: &str) -> Result<JobId, Problem> {
    text.parse().map_err(|_| Problem::field("path.id", text, "a job's id: a UUID"))
}

/// One job.
#[utoipa::path(
    get, path = "/index/v1/jobs/{id}", params(("id" = Uuid, Path, description = "The job's id")), tag = "jobs",
    security(("bearer" = [])),
    responses((status = 200, body = Seen), (status = 404), (status = 501, description = "The queue in use cannot tell"))
)]
async fn one(
    caller: Caller,
    axum::extract::State(state): axum::extract::State<State>,
    Path(text): Path<String>,
) -> Result<Json<Seen>, Problem> {
    Ok(Json(find(&state, &caller, Action::JobRead, id(&text)?).await?))
}

/// What became of a cancellation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Cancelled {
    /// `removed`: it never runs (again). `asked`: it runs, and was asked to stop.
    #[schema(example = "asked")]
    outcome: &'static str,
}

/// Cancels a job: one that waits or is dead is taken out, one that runs is asked to stop.
#[utoipa::path(
    post, path = "/index/v1/jobs/{id}/cancel", params(("id" = Uuid, Path, description = "The job's id")), tag = "jobs",
    security(("bearer" = [])),
    responses(
        (status = 200, body = Cancelled), (status = 404), (status = 409, description = "It has ended"),
        (status = 501, description = "The queue in use cannot cancel")
    )
)]
async fn cancel(
    caller: Caller,
    axum::extract::State(state): axum::extract::State<State>,
    Path(text): Path<String>,
) -> Result<Json<Cancelled>, Problem> {
    let seen = find(&state, &caller, Action::JobCancel, id(&text)?).await?;
    match state.queue.cancel(seen.id).await.map_err(failed)? {
        Cancel::Removed => Ok(Json(Cancelled { outcome: "removed" })),
        Cancel::Asked => Ok(Json(Cancelled { outcome: "asked" })),
        Cancel::None => Err(Problem::new(code::CONFLICT, "The job has ended: nothing of it is left to cancel.")),
    }
}

/// Which dead jobs are due again: named ones, or those of a kind and tenant.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReplayRequest {
    /// These; at most 500.
    #[serde(default)]
    ids: Vec<JobId>,
    /// Without ids: all of this kind, 500 at a time …
    kind: Option<JobKind>,
    /// … and of this tenant. Left out: of all tenants for those who may, else of the caller's own.
    tenant: Option<String>,
}

/// How many jobs are due again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Replayed {
    /// Of them; those that were not dead are not counted.
    replayed: u64,
}

/// Makes dead jobs due again, as if they had never been begun.
#[utoipa::path(
    post, path = "/index/v1/jobs/replay", request_body = ReplayRequest, tag = "jobs", security(("bearer" = [])),
    responses((status = 200, body = Replayed))
)]
async fn replay(
    caller: Caller,
    axum::extract::State(state): axum::extract::State<State>,
    Json(request): Json<ReplayRequest>,
) -> Result<Json<Replayed>, Problem> {
    if request.ids.len() > MOST {
        return Err(Problem::field("ids", request.ids.len(), format!("at most {MOST} ids")));
    }
    let ids = if request.ids.is_empty() {
        let all = state.door.may(&caller, Action::JobReplay, &Resource::installation()).is_ok();
        let tenant = request.tenant.or_else(|| (!all).then(|| caller.tenant.clone()));
        if !all {
            state.door.may(&caller, Action::JobReplay, &resource(tenant.as_deref()))?;
        }
        let states = vec![jobs::State::Dead];
        let filter = Filter { states, kinds: request.kind.into_iter().collect(), tenant };
        let dead = state.queue.jobs(&filter, None, MOST).await.map_err(failed)?;
        dead.into_iter().map(|job| job.id).collect()
    } else {
        for id in &request.ids {
            find(&state, &caller, Action::JobReplay, *id).await?;
        }
        request.ids
    };
    Ok(Json(Replayed { replayed: state.queue.replay(&ids).await.map_err(failed)? }))
}
