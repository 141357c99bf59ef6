//! Uploads from URLs: the server fetches them itself, with the care that origins are asked with.
//!
//! Invariant: no address that is not global is reached unless the config names it, also where redirects lead.

use super::Site;
use super::files::parsed;
use super::receive::{Gathered, Manner, Said};
use super::view::AssetView;
use crate::Trouble;
use axum::extract::State;
use axum::response::Response;
use catalog::{ContentHash, TenantId, Visibility};
use companion::{Caller, Code, IdempotencyKey, Json, Precondition, Problem, Trace};
use http::{HeaderMap, StatusCode};
use origin::{Cause, Phase};
use serde::Deserialize;
use store::StageId;
use tokio::time::timeout;
use utoipa::ToSchema;

const REFUSED: Code = Code::new("import-refused", StatusCode::UNPROCESSABLE_ENTITY, "The URL may not be fetched");
const FAILED: Code = Code::new("import-failed", StatusCode::BAD_GATEWAY, "The URL could not be fetched");
const LATE: Code = Code::new("import-late", StatusCode::GATEWAY_TIMEOUT, "The URL did not answer in time");

/// From where, and what becomes of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Import {
    /// What to fetch: http or https.
    #[schema(example = "https://example.org/tom.jpg")]
    url: String,
    /// The published name.
    #[schema(value_type = catalog::AssetPath)]
    path: String,
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

/// Imports a picture from a URL
#[utoipa::path(
    post, path = "/ingest/v1/imports", tag = "uploads", security(("bearer" = [])), request_body = Import,
    params(("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent"),
        ("If-Match" = Option<String>, Header, description = "Only over this revision"),
        ("If-None-Match" = Option<String>, Header, description = "*: only where there is none")),
    responses(
        (status = 200, description = "Replaced, or nothing to do", body = AssetView),
        (status = 201, description = "Created", body = AssetView),
        (status = 202, description = "In quarantine: somebody has to look at it first", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 409, description = "The path cannot be had"), (status = 412, description = "A condition does not hold"),
        (status = 413, description = "Longer than ingest.max_bytes"), (status = 415, description = "No JSON"),
        (status = 422, description = "The URL may not be fetched, or there is no picture that is taken; `code` says why"),
        (status = 502, description = "The URL could not be fetched"), (status = 504, description = "It did not answer in time"),
        (status = 507, description = "Over quota"),
    )
)]
pub(super) async fn import(
    State(site): State<Site>,
    caller: Caller,
    precondition: Precondition,
    key: IdempotencyKey,
    trace: Trace,
    headers: HeaderMap,
    Json(import): Json<Import>,
) -> Result<Response, Problem> {
    let Import { url, path, tenant, title, description, tags, visibility, hash } = import;
    let said = Said { tenant, title, description, tags, visibility, hash };
    let manner = Manner { media_type: None, ..Manner::of(&headers, &precondition, key, trace)? };
    let mut intake = site.intake(&caller, parsed(&path)?, said, manner).await?;
    let stage = site.desk.stage(&intake.tenant);
    let fetching = timeout(site.desk.config.import.timeout, fetch(&site, &stage, &url));
    let fetched =
        fetching.await.unwrap_or_else(|_| Err(Problem::new(LATE, "It took longer than ingest.import.timeout.")));
    intake.media_type = site.or_discard(&stage, fetched).await?;
    let admitted = site.desk.admit(&stage, &intake).await?;
    Ok(site.taken(&caller, admitted))
}

/// Stages what is there; its declared type.
async fn fetch(site: &Site, stage: &StageId, url: &str) -> Result<Option<String>, Problem> {
    let limit = site.desk.config.max_bytes;
    let mut download = site.errands.get(url).await.map_err(|trouble| told(&trouble))?;
    if download.length.is_some_and(|length| length > limit) {
        return Err(Trouble::TooLong { limit }.into());
    }
    let mut gathered = Gathered::new(&site.desk, stage, 0, limit);
    while let Some(data) = download.next().await.map_err(|trouble| told(&trouble))? {
        gathered.take(&data).await?;
    }
    gathered.end().await?;
    Ok(download.media_type)
}

/// Without addresses: whoever asks need not learn what the server's network looks like.
fn told(trouble: &origin::Trouble) -> Problem {
    let code = match (trouble.cause, trouble.phase) {
        (Cause::Refused, Phase::Connect | Phase::Redirect) => REFUSED,
        (Cause::Late, _) => LATE,
        _ => FAILED,
    };
    Problem::new(code, trouble.to_string().replace("the origin", "the URL's server")).because(&trouble.text)
}
