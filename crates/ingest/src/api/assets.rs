//! Reading what there is: one asset, a page of them, versions, by path, by hash.
//!
//! Invariant: a list holds nothing that the caller may not have listed.

use super::files::parsed;
use super::view::AssetView;
use super::{Site, who};
use crate::Trouble;
use access::{Action, Resource};
use axum::extract::State;
use axum::response::Response;
use catalog::{
    AssetId, AssetPath, ContentHash, Cursor, Filter, Listing, Order, PathPrefix, StateKind, StoredVersion, Tag,
    TenantId, Usage, Visibility,
};
use companion::{Caller, Json, Path, Problem, Query};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Whose it is.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// Whose it is; left out: the caller's own tenant.
    pub(super) tenant: Option<TenantId>,
}

/// States that are listed to those who may read.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "for the document: StateKind has one more")]
pub(super) enum Shown {
    /// Published.
    Live,
    /// To be restored.
    Deleted,
}

/// Which assets.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Whose; left out: the caller's own tenant.
    pub(super) tenant: Option<TenantId>,
    /// Where the page before ended: its `next`.
    pub(super) cursor: Option<Cursor>,
    /// How many at most, 1 to 200; 50 where it is left out.
    #[param(minimum = 1, maximum = 200)]
    pub(super) limit: Option<usize>,
    /// In which order.
    pub(super) order: Option<Order>,
    /// `live` or `deleted`; live ones where it is left out.
    #[param(value_type = Option<Shown>)]
    pub(super) state: Option<StateKind>,
    /// Whose path begins so.
    pub(super) prefix: Option<PathPrefix>,
    /// With this tag.
    pub(super) tag: Option<Tag>,
    /// Seen by these.
    pub(super) visibility: Option<Visibility>,
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssetPage {
    /// What is on it. It may be shorter than was asked for, also empty, and not be the last.
    pub(super) items: Vec<AssetView>,
    /// Where the next one begins; null: this is the last.
    pub(super) next: Option<Cursor>,
}

/// The most of a page.
const MOST: usize = 200;

impl Which {
    pub(super) fn listing(self, states: Vec<StateKind>) -> Result<Listing, Problem> {
        let limit = self.limit.unwrap_or(50);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::field("query.limit", limit, format!("1 to {MOST}")));
        }
        let filter =
            Filter { states, prefix: self.prefix, tag: self.tag, visibility: self.visibility, ..Filter::default() };
        Ok(Listing { order: self.order.unwrap_or_default(), after: self.cursor, limit, filter })
    }
}

/// Lists pictures
#[utoipa::path(
    get, path = "/ingest/v1/assets", tag = "assets", security(("bearer" = [])), params(Which),
    responses((status = 200, description = "A page", body = AssetPage),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"))
)]
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Json<AssetPage>, Problem> {
    let tenant = who::tenant(&caller, which.tenant.as_ref())?;
    let state = which.state.unwrap_or(StateKind::Live);
    if state == StateKind::Quarantined {
        return Err(Problem::field(
            "query.state",
            "quarantined",
            "live or deleted; /ingest/v1/quarantine lists the others",
        ));
    }
    let reach = site.door.reach(&caller, Action::AssetList).within(tenant.as_str());
    if reach.is_nothing() {
        let any = Resource::asset(tenant.as_str(), "any");
        site.door.may(&caller, Action::AssetList, &any)?;
    }
    let page = site.desk.catalog.list(&tenant, &which.listing(vec![state])?).await.map_err(Trouble::from)?;
    let mine = page.items.into_iter().filter(|asset| reach.admits(&who::resource(asset)));
    Ok(Json(AssetPage { items: mine.map(|asset| site.view(&caller, asset)).collect(), next: page.next }))
}

/// One picture
#[utoipa::path(
    get, path = "/ingest/v1/assets/{id}", tag = "assets", security(("bearer" = []), ()), params(("id" = AssetId, Path), Whose),
    responses((status = 200, description = "The picture; its revision is the ETag", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such picture"))
)]
pub(super) async fn get(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<AssetId>,
    Query(whose): Query<Whose>,
) -> Result<Response, Problem> {
    let tenant = who::tenant(&caller, whose.tenant.as_ref())?;
    let asset = site.asset(&caller, &tenant, id, Action::AssetRead).await?;
    Ok(site.answer(&caller, StatusCode::OK, asset))
}

/// The picture at a path
#[utoipa::path(
    get, path = "/ingest/v1/paths/{*path}", tag = "assets", security(("bearer" = []), ()),
    params(("path" = AssetPath, Path, description = "The published name; may have slashes", example = "cats/tom.jpg"), Whose),
    responses((status = 200, description = "The picture; its revision is the ETag", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No picture at that path"))
)]
pub(super) async fn by_path(
    State(site): State<Site>,
    caller: Caller,
    Path(path): Path<String>,
    Query(whose): Query<Whose>,
) -> Result<Response, Problem> {
    let tenant = who::tenant(&caller, whose.tenant.as_ref())?;
    let found = site.desk.catalog.find(&tenant, &parsed(&path)?).await.map_err(Trouble::from)?;
    // One that is not there is asked for under an id that nobody has: the same is said of both.
    let id = found.map_or_else(|| AssetId::new(jiff::Timestamp::UNIX_EPOCH), |asset| asset.id);
    let asset = site.asset(&caller, &tenant, id, Action::AssetRead).await?;
    Ok(site.answer(&caller, StatusCode::OK, asset))
}

/// The contents that a picture has and had
#[utoipa::path(
    get, path = "/ingest/v1/assets/{id}/versions", tag = "assets", security(("bearer" = [])),
    params(("id" = AssetId, Path), Whose),
    responses((status = 200, description = "Newest first", body = Vec<StoredVersion>),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such picture"))
)]
pub(super) async fn versions(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<AssetId>,
    Query(whose): Query<Whose>,
) -> Result<Json<Vec<StoredVersion>>, Problem> {
    let tenant = who::tenant(&caller, whose.tenant.as_ref())?;
    let asset = site.asset(&caller, &tenant, id, Action::AssetEdit).await?;
    Ok(Json(site.desk.catalog.versions(&tenant, asset.id).await.map_err(Trouble::from)?))
}

/// What is known of a content.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Known {
    /// Which.
    hash: ContentHash,
    /// How many versions of pictures have it.
    references: u64,
}

/// Whether a content is there already
///
/// For those who would upload it: the BLAKE3 of their file. HEAD says the same by its status.
#[utoipa::path(
    get, path = "/ingest/v1/contents/{hash}", tag = "uploads", security(("bearer" = [])),
    params(("hash" = ContentHash, Path), Whose),
    responses((status = 200, description = "It is there", body = Known), (status = 401, description = "Sign in first"),
        (status = 403, description = "Not allowed"), (status = 404, description = "It is not"))
)]
pub(super) async fn by_hash(
    State(site): State<Site>,
    caller: Caller,
    Path(hash): Path<ContentHash>,
    Query(whose): Query<Whose>,
) -> Result<Json<Known>, Problem> {
    let tenant = who::tenant(&caller, whose.tenant.as_ref())?;
    let any = Resource::asset(tenant.as_str(), "any").owned_by(&caller.subject);
    site.door.may(&caller, Action::AssetCreate, &any)?;
    match site.desk.catalog.references(&tenant, &hash).await.map_err(Trouble::from)? {
        0 => Err(Problem::not_found("content of that hash")),
        references => Ok(Json(Known { hash, references })),
    }
}

/// What a tenant has
#[utoipa::path(
    get, path = "/ingest/v1/usage", tag = "assets", security(("bearer" = [])), params(Whose),
    responses((status = 200, description = "Pictures, versions and bytes", body = Usage),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"))
)]
pub(super) async fn usage(
    State(site): State<Site>,
    caller: Caller,
    Query(whose): Query<Whose>,
) -> Result<Json<Usage>, Problem> {
    let tenant = who::tenant(&caller, whose.tenant.as_ref())?;
    let any = Resource::asset(tenant.as_str(), "any").owned_by(&caller.subject);
    site.door.may(&caller, Action::AssetList, &any)?;
    Ok(Json(site.desk.catalog.usage(&tenant).await.map_err(Trouble::from)?))
}
