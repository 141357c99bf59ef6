//! Changing what there is: description, name, deletion and its undoing, an older version.
//!
//! Invariant: an edit says which revision it is of; so nobody overwrites what they have not seen.

use super::assets::Whose;
use super::files::parsed;
use super::view::AssetView;
use super::{Site, who};
use crate::Trouble;
use access::Action;
use axum::extract::State;
use axum::response::Response;
use catalog::{Asset, AssetId, Change, EventKind, Subject, Tag, Visibility};
use companion::{Caller, IdempotencyKey, Json, Path, Precondition, Problem, Query, Trace, code};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::Deserializer;
use utoipa::ToSchema;

/// What is to be changed; what is left out stays, and null takes it away.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Edit {
    /// Another published name.
    #[schema(value_type = Option<catalog::AssetPath>)]
    path: Option<String>,
    /// A line about it; up to 300 characters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    title: Option<Option<String>>,
    /// More about it; up to 5,000 characters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// Words that it is found by; all of them.
    tags: Option<Vec<Tag>>,
    /// Who may see it.
    visibility: Option<Visibility>,
}

/// `null` is something that was said.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Where it shall be.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Where {
    /// Another published name, where its own has been taken meanwhile.
    #[schema(value_type = Option<catalog::AssetPath>)]
    path: Option<String>,
}

impl Where {
    pub(super) fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }
}

/// Changes a picture's description, visibility or name
///
/// Needs `If-Match`. A new `path` moves it: the old URL is gone at once.
#[utoipa::path(
    patch, path = "/ingest/v1/assets/{id}", tag = "assets", security(("bearer" = [])), request_body = Edit,
    params(("id" = AssetId, Path), Whose,
        ("If-Match" = String, Header, description = "The revision that was read, such as \"r7\"; or * for any")),
    responses((status = 200, description = "As it is now", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such picture"), (status = 409, description = "The path is taken, or it is deleted"),
        (status = 412, description = "If-Match does not hold"), (status = 415, description = "No JSON"),
        (status = 428, description = "If-Match is missing"))
)]
pub(super) async fn edit(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<AssetId>,
    Query(whose): Query<Whose>,
    precondition: Precondition,
    trace: Trace,
    Json(edit): Json<Edit>,
) -> Result<Response, Problem> {
    let tenant = who::tenant(&caller, whose.tenant.as_ref())?;
    let asset = site.asset(&caller, &tenant, id, Action::AssetEdit).await?;
    precondition.require(asset.revision.get())?;
    if !asset.is_live() {
        return Err(Problem::new(code::CONFLICT, "The picture is deleted or in quarantine: restore it first."));
    }
    let (actor, now) = (who::subject(&caller), Timestamp::now());
    let moved = edit.path.as_deref().map(parsed).transpose()?.filter(|path| *path != asset.path);
    if let Some(path) = &moved {
        site.may_upload(&caller, &tenant, path, asset.visibility).await?;
        let name = store::Name::new(tenant.clone(), path.clone());
        site.desk.store.fits(&name).await.map_err(Trouble::from)?;
    }
    let kind = if moved.is_some() { EventKind::Moved } else { EventKind::Changed };
    let mut change = Change::of(&asset, kind, actor, now).traced(trace.as_str().parse().ok());
    edit.apply(&mut change.asset);
    if let Some(path) = moved {
        change.asset.path = path;
    }
    if (Asset { changed: asset.changed, ..change.asset.clone() }) == asset {
        return Ok(site.answer(&caller, StatusCode::OK, asset));
    }
    let committed = site.desk.make(change).await?;
    Ok(site.answer(&caller, StatusCode::OK, committed.asset))
}

impl Edit {
    fn apply(self, asset: &mut Asset) {
        if let Some(title) = self.title {
            asset.title = title;
        }
        if let Some(description) = self.description {
            asset.description = description;
        }
        if let Some(tags) = self.tags {
            asset.tags = tags;
        }
        if let Some(visibility) = self.visibility {
            asset.visibility = visibility;
        }
    }
}

/// Deletes a picture
///
/// It is gone from its URL at once, and can be restored until `state.until`; then it is erased.
#[utoipa::path(
    delete, path = "/ingest/v1/assets/{id}", tag = "assets", security(("bearer" = [])),
    params(("id" = AssetId, Path), Whose, ("If-Match" = Option<String>, Header, description = "Only this revision")),
    responses((status = 200, description = "Deleted, as it is kept", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such picture"), (status = 409, description = "It is in quarantine, or others change it"),
        (status = 412, description = "If-Match does not hold"))
)]
pub(super) async fn delete(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<AssetId>,
    Query(whose): Query<Whose>,
    precondition: Precondition,
    trace: Trace,
) -> Result<Response, Problem> {
    let tenant = who::tenant(&caller, whose.tenant.as_ref())?;
    let asset = site.asset(&caller, &tenant, id, Action::AssetDelete).await?;
    precondition.check(asset.revision.get())?;
    match asset.state {
        catalog::State::Deleted { .. } => return Ok(site.answer(&caller, StatusCode::OK, asset)),
        catalog::State::Quarantined { .. } => {
            return Err(Problem::new(code::CONFLICT, "It is in quarantine: release or discard it there."));
        }
        catalog::State::Live => {}
    }
    let now = Timestamp::now();
    let until = now.checked_add(site.desk.config.undo).unwrap_or(Timestamp::MAX);
    let change = Change::delete(&asset, until, who::subject(&caller), now).traced(trace.as_str().parse().ok());
    let committed = site.desk.make(change).await?;
    Ok(site.answer(&caller, StatusCode::OK, committed.asset))
}

/// Undoes a deletion
#[utoipa::path(
    post, path = "/ingest/v1/assets/{id}/restore", tag = "assets", security(("bearer" = [])), request_body = Where,
    params(("id" = AssetId, Path), Whose, ("If-Match" = Option<String>, Header, description = "Only this revision")),
    responses((status = 200, description = "Live again", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such picture"),
        (status = 409, description = "It is not deleted, or its path has been taken: name another one"),
        (status = 412, description = "If-Match does not hold"), (status = 415, description = "No JSON"))
)]
pub(super) async fn restore(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<AssetId>,
    Query(whose): Query<Whose>,
    precondition: Precondition,
    trace: Trace,
    Json(place): Json<Where>,
) -> Result<Response, Problem> {
    let tenant = who::tenant(&caller, whose.tenant.as_ref())?;
    let asset = site.asset(&caller, &tenant, id, Action::AssetRestore).await?;
    precondition.check(asset.revision.get())?;
    if !matches!(asset.state, catalog::State::Deleted { .. }) {
        return Err(Problem::new(code::CONFLICT, "It is not deleted."));
    }
    site.revive(&caller, &asset, place.path(), &trace).await
}

/// Makes an older content the current one
///
/// As a new version; nothing of the history is lost.
#[utoipa::path(
    post, path = "/ingest/v1/assets/{id}/versions/{version}/restore", tag = "assets", security(("bearer" = [])),
    params(("id" = AssetId, Path), ("version" = u64, Path, description = "As listed"), Whose,
        ("If-Match" = Option<String>, Header, description = "Only this revision"),
        ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent")),
    responses((status = 200, description = "As it is now", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such picture or version"), (status = 409, description = "It is deleted or in quarantine"),
        (status = 412, description = "If-Match does not hold"))
)]
pub(super) async fn restore_version(
    State(site): State<Site>,
    caller: Caller,
    Path((id, version)): Path<(AssetId, u64)>,
    Query(whose): Query<Whose>,
    precondition: Precondition,
    IdempotencyKey(key): IdempotencyKey,
    trace: Trace,
) -> Result<Response, Problem> {
    let tenant = who::tenant(&caller, whose.tenant.as_ref())?;
    let asset = site.asset(&caller, &tenant, id, Action::AssetReplace).await?;
    precondition.check(asset.revision.get())?;
    if !asset.is_live() {
        return Err(Problem::new(code::CONFLICT, "The picture is deleted or in quarantine: restore it first."));
    }
    let versions = site.desk.catalog.versions(&tenant, id).await.map_err(Trouble::from)?;
    let Some(old) = versions.into_iter().find(|one| one.version.get() == version) else {
        return Err(Problem::not_found("version of that number"));
    };
    if old.content.hash == asset.content.hash {
        return Ok(site.answer(&caller, StatusCode::OK, asset));
    }
    let facts = site.desk.look_again(&asset, &old.content).await?;
    site.desk.hold(&tenant, &old.content).await?;
    let mut change = Change::replace(&asset, old.content, facts, who::subject(&caller), Timestamp::now());
    change = change.traced(trace.as_str().parse().ok());
    if let Some(key) = key.and_then(|key| key.parse().ok()) {
        let said = format!("restore {id} {version}");
        change = change.once(key, catalog::ContentHash::of(said.as_bytes()));
    }
    let committed = site.desk.make(change).await?;
    Ok(site.answer(&caller, StatusCode::OK, committed.asset))
}

impl Site {
    /// Makes an asset live, at another path where one is named.
    pub(super) async fn revive(
        &self,
        caller: &Caller,
        asset: &Asset,
        path: Option<&str>,
        trace: &Trace,
    ) -> Result<Response, Problem> {
        let actor: Subject = who::subject(caller);
        let mut change = Change::restore(asset, actor, Timestamp::now()).traced(trace.as_str().parse().ok());
        if let Some(path) = path {
            change.asset.path = parsed(path)?;
        }
        let name = store::Name::new(asset.tenant.clone(), change.asset.path.clone());
        self.desk.store.fits(&name).await.map_err(Trouble::from)?;
        let committed = self.desk.make(change).await?;
        Ok(self.answer(caller, StatusCode::OK, committed.asset))
    }
}
