//! Uploads that look like more than pictures: listed, released or discarded by those who manage a tenant.
//!
//! Invariant: nobody else learns that they are there.

use super::assets::{AssetPage, Which, Whose};
use super::change::Where;
use super::view::AssetView;
use super::{Site, who};
use crate::Trouble;
use access::{Action, Resource};
use axum::extract::State;
use axum::response::Response;
use catalog::{Asset, AssetId, Change, State as AssetState, StateKind};
use companion::{Caller, Json, Path, Precondition, Problem, Query, Trace};
use http::StatusCode;
use jiff::Timestamp;

/// Lists what is in quarantine
///
/// For those who manage the tenant's users.
#[utoipa::path(
    get, path = "/ingest/v1/quarantine", tag = "quarantine", security(("bearer" = [])), params(Which),
    responses((status = 200, description = "A page", body = AssetPage),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"))
)]
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Json<AssetPage>, Problem> {
    let tenant = who::tenant(&caller, which.tenant.as_ref())?;
    site.door.may(&caller, Action::UserManage, &Resource::tenant(tenant.as_str()))?;
    site.door.may(&caller, Action::AssetList, &Resource::asset(tenant.as_str(), "any"))?;
    let listing = which.listing(vec![StateKind::Quarantined])?;
    let page = site.desk.catalog.list(&tenant, &listing).await.map_err(Trouble::from)?;
    let items = page.items.into_iter().filter(|asset| site.sees_quarantine(&caller, asset));
    Ok(Json(AssetPage { items: items.map(|asset| site.view(&caller, asset)).collect(), next: page.next }))
}

/// Publishes what is in quarantine
///
/// Under its own path, or another one where that has been taken.
#[utoipa::path(
    post, path = "/ingest/v1/quarantine/{id}", tag = "quarantine", security(("bearer" = [])), request_body = Where,
    params(("id" = AssetId, Path), Whose, ("If-Match" = Option<String>, Header, description = "Only this revision")),
    responses((status = 200, description = "Published", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such picture in quarantine"), (status = 409, description = "The path is taken"),
        (status = 412, description = "If-Match does not hold"), (status = 415, description = "No JSON"))
)]
pub(super) async fn release(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<AssetId>,
    Query(whose): Query<Whose>,
    precondition: Precondition,
    trace: Trace,
    Json(place): Json<Where>,
) -> Result<Response, Problem> {
    let asset = site.quarantined(&caller, &whose, id, Action::AssetRestore).await?;
    precondition.check(asset.revision.get())?;
    site.revive(&caller, &asset, place.path(), &trace).await
}

/// Erases what is in quarantine
#[utoipa::path(
    delete, path = "/ingest/v1/quarantine/{id}", tag = "quarantine", security(("bearer" = [])),
    params(("id" = AssetId, Path), Whose, ("If-Match" = Option<String>, Header, description = "Only this revision")),
    responses((status = 204, description = "It is gone for good"),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such picture in quarantine"), (status = 412, description = "If-Match does not hold"))
)]
pub(super) async fn discard(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<AssetId>,
    Query(whose): Query<Whose>,
    precondition: Precondition,
    trace: Trace,
) -> Result<StatusCode, Problem> {
    let asset = site.quarantined(&caller, &whose, id, Action::AssetDelete).await?;
    precondition.check(asset.revision.get())?;
    let (actor, now) = (who::subject(&caller), Timestamp::now());
    let change = Change::erase(&asset, actor, now).traced(trace.as_str().parse().ok());
    site.desk.make(change).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Site {
    async fn quarantined(&self, caller: &Caller, whose: &Whose, id: AssetId, action: Action) -> Result<Asset, Problem> {
        let tenant = who::tenant(caller, whose.tenant.as_ref())?;
        self.door.may(caller, Action::UserManage, &Resource::tenant(tenant.as_str()))?;
        let asset = self.asset(caller, &tenant, id, action).await?;
        match asset.state {
            AssetState::Quarantined { .. } => Ok(asset),
            AssetState::Live | AssetState::Deleted { .. } => Err(Problem::not_found("picture in quarantine")),
        }
    }
}
