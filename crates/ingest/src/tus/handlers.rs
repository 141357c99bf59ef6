//! The requests of tus.
//!
//! Knows fields and offsets; what becomes of a whole upload is [`crate::Desk`]'s.

use super::checksum::{ALGORITHMS, Checksum};
use super::head::{self as field, Concat};
use crate::Trouble;
use crate::api::Site;
use crate::api::receive::{Manner, Said, append, stage as receive};
use crate::api::refusal;
use crate::intake::{Condition, Intake};
use crate::session::{Outcome, Session};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use companion::{Caller, Code, IdempotencyKey, Json, Path, Precondition, Problem, Trace, code};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use store::StageId;
use utoipa::ToSchema;

const OFFSET_TYPE: &str = "application/offset+octet-stream";
/// Longest body whose sum is compared: it waits in memory until it is.
const MAX_SUMMED: u64 = 64 << 20;
const FINAL: Code = Code::new("upload-final", StatusCode::FORBIDDEN, "The upload is put together of others");
/// Which asset an upload became.
const ASSET: HeaderName = HeaderName::from_static("tintype-asset");

/// What is known of an upload.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadView {
    /// Its name.
    id: String,
    /// What it is going to be published as.
    path: String,
    /// Bytes that are there.
    offset: u64,
    /// Bytes of the whole.
    length: u64,
    /// Until when it is kept.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// What became of it; null as long as it is under way.
    outcome: Option<Outcome>,
}

/// What is spoken: tus 1.0 with extensions
#[utoipa::path(
    options, path = "/ingest/v1/uploads", tag = "tus",
    responses((status = 204, description = "In the fields Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm"))
)]
pub(crate) async fn options(State(site): State<Site>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(field::TUS_RESUMABLE, field::VERSION);
    headers.insert(field::TUS_VERSION, field::VERSION);
    headers.insert(field::TUS_EXTENSION, field::EXTENSIONS);
    headers.insert(field::TUS_CHECKSUM_ALGORITHM, ALGORITHMS);
    headers.insert(field::TUS_MAX_SIZE, site.desk.config.max_bytes.into());
    response
}

/// Begins an upload (tus: creation, creation-with-upload, concatenation)
///
/// `Upload-Metadata` has `path` (else `filename`), and may have `title`, `description`, `tags`, `visibility`, `hash`, `tenant`
/// and `filetype`. The answer's `Location` is the upload.
#[utoipa::path(
    post, path = "/ingest/v1/uploads", tag = "tus", security(("bearer" = [])),
    params(("Tus-Resumable" = String, Header, pattern = "^1[.]0[.]0$", example = "1.0.0"), ("Upload-Length" = Option<u64>, Header),
        ("Upload-Metadata" = Option<String>, Header), ("Upload-Concat" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header, description = "The picture is published once, however often it is sent"),
        ("If-Match" = Option<String>, Header, description = "Only over this revision"),
        ("If-None-Match" = Option<String>, Header, description = "*: only where there is none")),
    request_body(content = inline(Option<Vec<u8>>), content_type = "application/offset+octet-stream", description = "Its beginning, perhaps"),
    responses((status = 201, description = "Begun; or published, where all of it came along"),
        (status = 401, description = "Sign in first"), (status = 403, description = "Not allowed"),
        (status = 404, description = "A part is not there"), (status = 409, description = "A part is not whole"),
        (status = 412, description = "Another version, or a condition does not hold"),
        (status = 413, description = "Longer than Tus-Max-Size"), (status = 415, description = "A body of another type"),
        (status = 422, description = "No picture that is taken; `code` says why"), (status = 423, description = "Locked"),
        (status = 460, description = "Another checksum"), (status = 507, description = "Over quota"))
)]
pub(crate) async fn create(
    State(site): State<Site>,
    caller: Caller,
    precondition: Precondition,
    key: IdempotencyKey,
    trace: Trace,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    field::spoken(&headers)?;
    let concat = field::concat(&headers)?;
    let limit = site.desk.config.max_bytes;
    let length = match (&concat, field::number(&headers, &field::UPLOAD_LENGTH)?) {
        (Concat::Final(_), Some(length)) => {
            return Err(Problem::field("header.Upload-Length", length, "nothing: the parts have theirs"));
        }
        (Concat::Final(_), None) => 0,
        (_, None) => return Err(Problem::missing("header.Upload-Length", "the length of the whole, in bytes")),
        (_, Some(0)) => return Err(Problem::field("header.Upload-Length", 0, format!("1 to {limit}"))),
        (_, Some(length)) if length > limit => return Err(Trouble::TooLong { limit }.into()),
        (_, Some(length)) => length,
    };
    let intake = intake(&site, &caller, &headers, &concat, &precondition, key, trace).await?;
    let stage = site.desk.stage(&intake.tenant);
    let expires = Timestamp::now() + site.desk.config.upload_expiry;
    let mut session = Session::new(intake, length, expires);
    session.partial = concat == Concat::Partial;
    session.metadata = headers.get(field::UPLOAD_METADATA).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let Some(_held) = site.locks.take(&stage) else { return Err(Problem::internal("a new name is taken")) };
    let (offset, outcome) = match concat {
        Concat::Final(parts) => {
            session.parts = parts;
            session.length = put_together(&site, &caller, &stage, &session).await?;
            site.desk.remember(&stage, &session).await.map_err(Trouble::from)?;
            (session.length, finish(&site, &stage, &session, session.length).await?)
        }
        Concat::No | Concat::Partial => {
            site.desk.remember(&stage, &session).await.map_err(Trouble::from)?;
            let with = headers.get(CONTENT_TYPE).is_some_and(|kind| *kind == OFFSET_TYPE);
            if with { take(&site, &stage, &session, 0, &headers, body).await? } else { (0, None) }
        }
    };
    let mut response = answer(StatusCode::CREATED, offset, &session, outcome.as_ref());
    if let Ok(place) = HeaderValue::try_from(format!("/ingest/v1/uploads/{stage}")) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// How much of an upload is there (tus: core)
#[utoipa::path(
    head, path = "/ingest/v1/uploads/{id}", tag = "tus", security(("bearer" = [])),
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, pattern = "^1[.]0[.]0$", example = "1.0.0")),
    responses((status = 200, description = "In Upload-Offset and Upload-Length"), (status = 401, description = "Sign in first"),
        (status = 404, description = "No such upload"), (status = 412, description = "Another version"))
)]
pub(crate) async fn head(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    field::spoken(&headers)?;
    let (stage, session) = site.session(&caller, &id).await?;
    let offset = offset(&site, &stage, &session).await?;
    let mut response = answer(StatusCode::OK, offset, &session, session.outcome.as_ref());
    let headers = response.headers_mut();
    headers.insert(field::UPLOAD_LENGTH, session.length.into());
    let concat = match (session.partial, session.parts.is_empty()) {
        (true, _) => Some("partial".to_owned()),
        (false, false) => {
            let parts: Vec<String> = session.parts.iter().map(|id| format!("/ingest/v1/uploads/{id}")).collect();
            Some(format!("final;{}", parts.join(" ")))
        }
        (false, true) => None,
    };
    for (name, text) in [(field::UPLOAD_METADATA, session.metadata), (field::UPLOAD_CONCAT, concat)] {
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}

/// Goes on with an upload (tus: core, checksum)
///
/// The answer to the last byte says whether the picture is taken: 204 with `Tintype-Asset`, or a problem. Asked once more with
/// nothing at the end, it says so again.
#[utoipa::path(
    patch, path = "/ingest/v1/uploads/{id}", tag = "tus", security(("bearer" = [])),
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, pattern = "^1[.]0[.]0$", example = "1.0.0"), ("Upload-Offset" = u64, Header),
        ("Upload-Checksum" = Option<String>, Header, example = "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=")),
    request_body(content = inline(Vec<u8>), content_type = "application/offset+octet-stream", description = "What follows"),
    responses((status = 204, description = "Taken"), (status = 401, description = "Sign in first"),
        (status = 403, description = "It is put together of others, or not allowed"), (status = 404, description = "No such upload"),
        (status = 409, description = "Another offset; or the path cannot be had"),
        (status = 412, description = "Another version, or a condition does not hold"),
        (status = 413, description = "Longer than was said"), (status = 415, description = "Another type"),
        (status = 422, description = "No picture that is taken; `code` says why"), (status = 423, description = "Somebody else writes"),
        (status = 460, description = "Another checksum"), (status = 507, description = "Over quota"))
)]
pub(crate) async fn patch(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    field::spoken(&headers)?;
    if headers.get(CONTENT_TYPE).is_none_or(|kind| *kind != OFFSET_TYPE) {
        return Err(Problem::new(code::MEDIA_TYPE, format!("Send Content-Type: {OFFSET_TYPE}.")));
    }
    let wanted = field::number(&headers, &field::UPLOAD_OFFSET)?;
    let wanted = wanted.ok_or_else(|| Problem::missing("header.Upload-Offset", "how much is there already"))?;
    let (stage, session) = site.session(&caller, &id).await?;
    if !session.parts.is_empty() {
        return Err(Problem::new(FINAL, "An upload that is put together of others takes no bytes."));
    }
    let Some(_held) = site.locks.take(&stage) else {
        return Err(Problem::new(refusal::BUSY, "Another request writes to this upload. Ask where it is with HEAD."));
    };
    let at = offset(&site, &stage, &session).await?;
    if wanted != at {
        let text = format!("{at} bytes are there, {wanted} was said");
        return Err(Problem::new(refusal::OFFSET, text).with_header(field::UPLOAD_OFFSET, at.into()));
    }
    if let Some(Outcome::Refused { .. }) = &session.outcome {
        return Err(site.told(&caller, &session).await.err().unwrap_or_else(|| Problem::internal("a refusal is one")));
    }
    if session.outcome.is_some() {
        return Ok(answer(StatusCode::NO_CONTENT, at, &session, session.outcome.as_ref()));
    }
    let (offset, outcome) = take(&site, &stage, &session, at, &headers, body).await?;
    Ok(answer(StatusCode::NO_CONTENT, offset, &session, outcome.as_ref()))
}

/// Gives an upload up (tus: termination)
#[utoipa::path(
    delete, path = "/ingest/v1/uploads/{id}", tag = "tus", security(("bearer" = [])),
    params(("id" = String, Path), ("Tus-Resumable" = String, Header, pattern = "^1[.]0[.]0$", example = "1.0.0")),
    responses((status = 204, description = "It is gone"), (status = 401, description = "Sign in first"),
        (status = 404, description = "No such upload"), (status = 412, description = "Another version"),
        (status = 423, description = "Somebody writes to it"))
)]
pub(crate) async fn terminate(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    field::spoken(&headers)?;
    let (stage, _) = site.session(&caller, &id).await?;
    let Some(_held) = site.locks.take(&stage) else {
        return Err(Problem::new(refusal::BUSY, "Another request writes to this upload."));
    };
    site.desk.forget(&stage).await.map_err(Trouble::from)?;
    Ok((StatusCode::NO_CONTENT, [(field::TUS_RESUMABLE, field::VERSION)]).into_response())
}

/// What became of an upload
///
/// Not of tus: for those whose connection ended before the answer.
#[utoipa::path(
    get, path = "/ingest/v1/uploads/{id}", tag = "tus", security(("bearer" = [])), params(("id" = String, Path)),
    responses((status = 200, description = "Where it is", body = UploadView), (status = 401, description = "Sign in first"),
        (status = 404, description = "No such upload"))
)]
pub(crate) async fn status(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<UploadView>, Problem> {
    let (stage, session) = site.session(&caller, &id).await?;
    let offset = offset(&site, &stage, &session).await?;
    let path = session.intake.path.to_string();
    Ok(Json(UploadView {
        id,
        path,
        offset,
        length: session.length,
        expires: session.expires,
        outcome: session.outcome,
    }))
}

/// What is known of an upload by its fields.
async fn intake(
    site: &Site,
    caller: &Caller,
    headers: &HeaderMap,
    concat: &Concat,
    precondition: &Precondition,
    key: IdempotencyKey,
    trace: Trace,
) -> Result<Intake, Problem> {
    let mut metadata = field::metadata(headers)?;
    let mut manner = Manner::of(headers, precondition, key, trace)?;
    let filename = metadata.remove("filename").or_else(|| metadata.remove("name"));
    let path = metadata.remove("path").filter(|path| !path.is_empty()).or(filename);
    let path = match (path, concat) {
        (Some(path), _) => path,
        // A part is published under no name of its own.
        (None, Concat::Partial) => "part".to_owned(),
        (None, _) => return Err(Problem::missing("header.Upload-Metadata", "path, or filename: the published name")),
    };
    manner.media_type = metadata.remove("filetype").or_else(|| metadata.remove("type")).filter(|kind| !kind.is_empty());
    if *concat == Concat::Partial {
        manner.condition = Condition::Any;
    }
    let mut value = serde_json::Map::new();
    for name in ["tenant", "title", "description", "tags", "visibility", "hash"] {
        if let Some(text) = metadata.remove(name).filter(|text| !text.is_empty()) {
            value.insert(name.to_owned(), text.into());
        }
    }
    // Clients send fields of their own, such as relativePath: they are no business of ours.
    let said: Said = serde_json::from_value(value.into())
        .map_err(|error| Problem::field("header.Upload-Metadata", error.to_string(), "values as in docs/ingest.md"))?;
    let path = path.parse().map_err(|error: catalog::Malformed| Problem::field("path", &path, error.allowed))?;
    site.intake(caller, path, said, manner).await
}

/// How much is there: all of it once it has ended.
async fn offset(site: &Site, stage: &StageId, session: &Session) -> Result<u64, Problem> {
    if session.outcome.is_some() {
        return Ok(session.length);
    }
    Ok(site.desk.store.length(stage).await.map_err(Trouble::from)?)
}

/// Stages a body; and completes the upload where that was its end.
async fn take(
    site: &Site,
    stage: &StageId,
    session: &Session,
    at: u64,
    headers: &HeaderMap,
    body: Body,
) -> Result<(u64, Option<Outcome>), Problem> {
    let offset = match Checksum::of(headers)? {
        None => receive(&site.desk, stage, at, session.length, body).await?,
        Some(sum) => summed(site, stage, session, at, sum, headers, body).await?,
    };
    Ok((offset, finish(site, stage, session, offset).await?))
}

async fn summed(
    site: &Site,
    stage: &StageId,
    session: &Session,
    at: u64,
    mut sum: Checksum,
    headers: &HeaderMap,
    body: Body,
) -> Result<u64, Problem> {
    let announced = field::number(headers, &CONTENT_LENGTH)?;
    if announced.is_some_and(|length| length > session.length - at.min(session.length)) {
        return Err(Trouble::TooLong { limit: session.length }.into());
    }
    let bytes: Bytes = companion::collect(body, MAX_SUMMED.min(session.length.saturating_sub(at))).await?;
    sum.take(&bytes);
    sum.agrees()?;
    let (piece, mut at, mut rest) = (site.desk.store.piece(), at, bytes);
    while !rest.is_empty() {
        let some = rest.split_to(piece.min(rest.len()));
        at = append(&site.desk, stage, at, some).await?;
    }
    Ok(at)
}

async fn finish(site: &Site, stage: &StageId, session: &Session, offset: u64) -> Result<Option<Outcome>, Problem> {
    if offset < session.length || session.partial {
        return Ok(None);
    }
    let admitted = site.desk.complete(stage, session).await?;
    Ok(Some(Outcome::of(&admitted)))
}

/// The bytes of partial uploads, one behind the other; how many.
async fn put_together(site: &Site, caller: &Caller, stage: &StageId, session: &Session) -> Result<u64, Problem> {
    let (limit, piece) = (site.desk.config.max_bytes, site.desk.store.piece());
    let mut at = 0;
    for id in &session.parts {
        let (part, of) = site.session(caller, id).await?;
        let length = site.desk.store.length(&part).await.map_err(Trouble::from)?;
        if !of.partial || of.intake.tenant != session.intake.tenant || length != of.length {
            let text = format!("upload {id} is no whole part: {length} of {} bytes are there", of.length);
            return Err(Problem::new(code::CONFLICT, text));
        }
        if at + length > limit {
            return Err(Trouble::TooLong { limit }.into());
        }
        let mut from = 0;
        while from < length {
            let bytes = site.desk.store.staged(&part, from, piece).await.map_err(Trouble::from)?;
            if bytes.is_empty() {
                return Err(Problem::internal("a part became shorter"));
            }
            from += bytes.len() as u64;
            at = append(&site.desk, stage, at, bytes).await?;
        }
    }
    Ok(at)
}

fn answer(status: StatusCode, offset: u64, session: &Session, outcome: Option<&Outcome>) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(field::TUS_RESUMABLE, field::VERSION);
    headers.insert(field::UPLOAD_OFFSET, offset.into());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // As HTTP has dates (RFC 9110 §5.6.7).
    let expires = session.expires.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(expires) = HeaderValue::try_from(expires) {
        headers.insert(field::UPLOAD_EXPIRES, expires);
    }
    if let Some(Outcome::Published { asset, .. } | Outcome::Quarantined { asset, .. }) = outcome
        && let Ok(asset) = HeaderValue::try_from(asset.to_string())
    {
        headers.insert(ASSET, asset);
    }
    response
}
