//! Uploads in one request: PUT to a path, PUT to an asset, and a form.

use super::receive::{Gathered, Manner, Said, stage};
use super::view::AssetView;
use super::{Site, who};
use access::Action;
use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, State};
use axum::response::Response;
use catalog::{AssetId, AssetPath};
use companion::{Caller, IdempotencyKey, Path, Precondition, Problem, Query, Trace, code};
use http::HeaderMap;
use std::str::FromStr;
use store::StageId;

/// Bytes of a field of a form that is no file.
const FIELD: usize = 64 << 10;

/// Uploads a picture to a path
///
/// Creates the picture, or takes the place of the one that is there (`If-Match`, `If-None-Match: *`). The body is the file.
#[utoipa::path(
    put, path = "/ingest/v1/files/{*path}", tag = "uploads", security(("bearer" = [])),
    params(("path" = AssetPath, Path, description = "The published name; may have slashes", example = "cats/tom.jpg"), Said,
        ("Idempotency-Key" = Option<String>, Header, description = "Done once, however often it is sent"),
        ("If-Match" = Option<String>, Header, description = "Only over this revision, such as \"r7\"; or * for any"),
        ("If-None-Match" = Option<String>, Header, description = "*: only where there is none")),
    request_body(content = inline(Vec<u8>), content_type = "application/octet-stream", description = "The file"),
    responses(
        (status = 200, description = "Replaced, or nothing to do", body = AssetView),
        (status = 201, description = "Created", body = AssetView),
        (status = 202, description = "In quarantine: somebody has to look at it first", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 409, description = "The path cannot be had, or others change it at the same time"),
        (status = 412, description = "If-Match or If-None-Match does not hold"),
        (status = 413, description = "Longer than ingest.max_bytes"),
        (status = 422, description = "No picture that is taken; `code` says why (docs/ingest.md)"),
        (status = 507, description = "Over quota"),
    )
)]
#[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
pub(super) async fn put(
    State(site): State<Site>,
    caller: Caller,
    Path(path): Path<String>,
    Query(said): Query<Said>,
    precondition: Precondition,
    key: IdempotencyKey,
    trace: Trace,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let path = parsed(&path)?;
    let manner = Manner::of(&headers, &precondition, key, trace)?;
    site.receive(&caller, path, said, manner, body).await
}

/// Replaces the content of a picture
///
/// Like a PUT to its path, by its id. The body is the file.
#[utoipa::path(
    put, path = "/ingest/v1/assets/{id}/content", tag = "uploads", security(("bearer" = [])),
    params(("id" = AssetId, Path), Said, ("If-Match" = Option<String>, Header, description = "Only over this revision")),
    request_body(content = inline(Vec<u8>), content_type = "application/octet-stream", description = "The file"),
    responses(
        (status = 200, description = "Replaced, or nothing to do", body = AssetView),
        (status = 202, description = "In quarantine: somebody has to look at it first", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "No such picture"), (status = 409, description = "Others change it at the same time"),
        (status = 412, description = "If-Match does not hold"), (status = 413, description = "Longer than ingest.max_bytes"),
        (status = 422, description = "No picture that is taken; `code` says why"), (status = 507, description = "Over quota"),
    )
)]
#[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
pub(super) async fn replace(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<AssetId>,
    Query(said): Query<Said>,
    precondition: Precondition,
    key: IdempotencyKey,
    trace: Trace,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let tenant = who::tenant(&caller, said.tenant.as_ref())?;
    let asset = site.asset(&caller, &tenant, id, Action::AssetReplace).await?;
    if !asset.is_live() {
        return Err(Problem::new(code::CONFLICT, "The picture is deleted or in quarantine: restore it first."));
    }
    precondition.check(asset.revision.get())?;
    let precondition = if precondition == Precondition::None { Precondition::Any } else { precondition };
    let manner = Manner::of(&headers, &precondition, key, trace)?;
    site.receive(&caller, asset.path, said, manner, body).await
}

/// Uploads a picture as a form
///
/// `multipart/form-data` with the fields `path` (else the file's own name), `title`, `description`, `tags`, `visibility`,
/// `hash`, `tenant`, and then one `file`.
#[utoipa::path(
    post, path = "/ingest/v1/files", tag = "uploads", security(("bearer" = [])),
    request_body(content = inline(Form), content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "Replaced, or nothing to do", body = AssetView),
        (status = 201, description = "Created", body = AssetView),
        (status = 202, description = "In quarantine: somebody has to look at it first", body = AssetView),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 409, description = "The path cannot be had"), (status = 412, description = "A condition does not hold"),
        (status = 413, description = "Longer than ingest.max_bytes"), (status = 415, description = "No form"),
        (status = 422, description = "No picture that is taken; `code` says why"), (status = 507, description = "Over quota"),
    )
)]
pub(super) async fn form(
    State(site): State<Site>,
    caller: Caller,
    precondition: Precondition,
    key: IdempotencyKey,
    trace: Trace,
    headers: HeaderMap,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Response, Problem> {
    let mut form = form.map_err(|_| Problem::new(code::MEDIA_TYPE, "Send multipart/form-data with a boundary."))?;
    let mut manner = Manner::of(&headers, &precondition, key, trace)?;
    let (mut path, mut said) = (None, Said::default());
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" || field.file_name().is_some() {
            let path = path.or_else(|| field.file_name().map(str::to_owned)).unwrap_or_default();
            let path = parsed(path.rsplit('\\').next().unwrap_or_default())?;
            manner.media_type = field.content_type().map(str::to_owned);
            let intake = site.intake(&caller, path, said, manner).await?;
            let stage = site.desk.stage(&intake.tenant);
            let received = file(&site, &stage, field).await;
            site.or_discard(&stage, received).await?;
            if form.next_field().await.map_err(|error| broken(&error))?.is_some() {
                site.discard(&stage).await;
                return Err(Problem::new(code::BAD_REQUEST, "One `file`, and behind all other fields."));
            }
            let admitted = site.desk.admit(&stage, &intake).await?;
            return Ok(site.taken(&caller, admitted));
        }
        let text = text(field).await?;
        match name.as_str() {
            "path" => path = Some(text),
            "title" => said.title = Some(text),
            "description" => said.description = Some(text),
            "tags" => said.tags = Some(text),
            "tenant" => said.tenant = Some(read("tenant", &text)?),
            "hash" => said.hash = Some(read("hash", &text)?),
            "visibility" => {
                let value = serde_json::from_value(text.clone().into());
                said.visibility = Some(value.map_err(|_| Problem::field("visibility", &text, "tenant or public"))?);
            }
            _ => {
                return Err(Problem::field(
                    name,
                    "…",
                    "path, title, description, tags, visibility, hash, tenant, file",
                ));
            }
        }
    }
    Err(Problem::missing("file", "the picture, behind all other fields"))
}

/// The fields of the form.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "for the document alone")]
struct Form {
    /// The published name; the file's own where it is left out.
    path: Option<String>,
    /// A line about it.
    title: Option<String>,
    /// More about it.
    description: Option<String>,
    /// Words with commas between them.
    tags: Option<String>,
    /// `tenant` or `public`.
    visibility: Option<String>,
    /// BLAKE3 of the file.
    hash: Option<String>,
    /// Whose it becomes.
    tenant: Option<String>,
    /// The picture.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

pub(super) fn parsed(path: &str) -> Result<AssetPath, Problem> {
    read("path", path)
}

fn read<T: FromStr<Err = catalog::Malformed>>(field: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: catalog::Malformed| Problem::field(field, text, error.allowed))
}

fn broken(error: &MultipartError) -> Problem {
    let too_long = error.status() == http::StatusCode::PAYLOAD_TOO_LARGE;
    let code = if too_long { code::TOO_LARGE } else { code::BAD_REQUEST };
    Problem::new(code, "The form cannot be read to its end.").because(error.body_text())
}

async fn text(mut field: axum::extract::multipart::Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        if bytes.len() + chunk.len() > FIELD {
            return Err(Problem::new(code::TOO_LARGE, format!("A field that is no file has at most {FIELD} bytes.")));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Problem::new(code::BAD_REQUEST, "A field is no UTF-8."))
}

async fn file(site: &Site, stage: &StageId, mut field: axum::extract::multipart::Field<'_>) -> Result<(), Problem> {
    let mut gathered = Gathered::new(&site.desk, stage, 0, site.desk.config.max_bytes);
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        gathered.take(&chunk).await?;
    }
    gathered.end().await.map(drop)
}

impl Site {
    async fn receive(
        &self,
        caller: &Caller,
        path: AssetPath,
        said: Said,
        manner: Manner,
        body: Body,
    ) -> Result<Response, Problem> {
        let intake = self.intake(caller, path, said, manner).await?;
        let name = self.desk.stage(&intake.tenant);
        let received = stage(&self.desk, &name, 0, self.desk.config.max_bytes, body).await;
        self.or_discard(&name, received).await?;
        let admitted = self.desk.admit(&name, &intake).await?;
        Ok(self.taken(caller, admitted))
    }

    /// What is staged is of no use where it did not come whole: nobody can go on with it.
    pub(super) async fn or_discard<T>(&self, stage: &StageId, received: Result<T, Problem>) -> Result<T, Problem> {
        if received.is_err() {
            self.discard(stage).await;
        }
        received
    }

    pub(super) async fn discard(&self, stage: &StageId) {
        if let Err(failure) = self.desk.store.discard(stage).await {
            tracing::warn!(%stage, %failure, "what was staged could not be discarded; it expires");
        }
    }
}
