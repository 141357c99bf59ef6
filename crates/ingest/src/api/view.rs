//! Assets as they are answered with.
//!
//! Invariant: what is private goes to those who may edit, and to nobody else.

use super::Site;
use crate::admission::Admitted;
use access::Action;
use axum::response::{IntoResponse, Response};
use catalog::Asset;
use companion::{Caller, Json, etag};
use http::header::{ETAG, LOCATION};
use http::{HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;

/// What stays as it is in the path of a URL.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'@').remove(b'+');

/// An asset, and where it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetView {
    /// The record.
    pub(crate) asset: Asset,
    /// The path of its URLs at the edge; null where it is not published. Add `?w=640&f=auto` and the like.
    pub(crate) url: Option<String>,
}

impl Site {
    /// As the caller may see it.
    pub(super) fn view(&self, caller: &Caller, asset: Asset) -> AssetView {
        let asset = if self.may(caller, Action::AssetEdit, &asset) { asset } else { asset.without_private() };
        let path = |asset: &Asset| {
            format!(
                "{}{}/{}",
                self.desk.config.edge.prefix,
                asset.tenant,
                utf8_percent_encode(asset.path.as_str(), PATH)
            )
        };
        AssetView { url: asset.is_live().then(|| path(&asset)), asset }
    }

    /// With the revision as its tag.
    pub(super) fn answer(&self, caller: &Caller, status: StatusCode, asset: Asset) -> Response {
        let tag = etag(asset.revision.get());
        let mut response = (status, Json(self.view(caller, asset))).into_response();
        response.headers_mut().insert(ETAG, tag);
        response
    }

    /// Of an upload: 201 where there was none before, 200 where there was, 202 where it has to be looked at first.
    pub(crate) fn taken(&self, caller: &Caller, admitted: Admitted) -> Response {
        let status = match (admitted.asset.is_live(), admitted.created) {
            (false, _) => StatusCode::ACCEPTED,
            (true, true) => StatusCode::CREATED,
            (true, false) => StatusCode::OK,
        };
        let place = HeaderValue::try_from(format!("/ingest/v1/assets/{}", admitted.asset.id));
        let mut response = self.answer(caller, status, admitted.asset);
        if let (Ok(place), true) = (place, status == StatusCode::CREATED) {
            response.headers_mut().insert(LOCATION, place);
        }
        response
    }
}
