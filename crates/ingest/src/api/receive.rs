//! Bodies into the stage, piece by piece, and what was said of them.
//!
//! Invariant: no more than one piece of a body is in memory, and no more than the limit is staged.

use super::{Site, who};
use crate::intake::{Condition, Intake};
use crate::{Trouble, desk::Desk};
use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use catalog::{AssetPath, ContentHash, Tag, TenantId, Visibility};
use companion::{Caller, IdempotencyKey, Precondition, Problem, Trace};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, IF_NONE_MATCH};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use store::StageId;
use utoipa::{IntoParams, ToSchema};

/// What may be said of a picture beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Said {
    /// Whose it becomes; left out: the caller's own tenant.
    pub(crate) tenant: Option<TenantId>,
    /// A line about it; up to 300 characters.
    pub(crate) title: Option<String>,
    /// More about it; up to 5,000 characters.
    pub(crate) description: Option<String>,
    /// Words that it is found by, with commas between them.
    pub(crate) tags: Option<String>,
    /// Who may see it.
    pub(crate) visibility: Option<Visibility>,
    /// BLAKE3 of the bytes: refused where they are others.
    pub(crate) hash: Option<ContentHash>,
}

/// What a request says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) condition: Condition,
    pub(crate) idempotency: Option<String>,
    pub(crate) trace: Trace,
    pub(crate) media_type: Option<String>,
}

impl Manner {
    /// Of the fields of a request.
    ///
    /// # Errors
    /// `If-None-Match` is something else than `*`, or stands beside `If-Match`.
    pub(crate) fn of(
        headers: &HeaderMap,
        precondition: &Precondition,
        IdempotencyKey(idempotency): IdempotencyKey,
        trace: Trace,
    ) -> Result<Self, Problem> {
        let none = headers.get(IF_NONE_MATCH).map(|value| value.to_str().unwrap_or_default().trim());
        let condition = match (none, precondition) {
            (None, Precondition::None) => Condition::Any,
            (None, Precondition::Any) => Condition::Some,
            (None, Precondition::Revisions(revisions)) => Condition::Revisions(revisions.clone()),
            (Some("*"), Precondition::None) => Condition::None,
            (Some(other), _) => {
                return Err(Problem::field(
                    "header.If-None-Match",
                    other,
                    "*, without If-Match: only where there is none yet",
                ));
            }
        };
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self { condition, idempotency, trace, media_type })
    }
}

/// Tags, with commas between them.
pub(crate) fn tags(text: &str) -> Result<Vec<Tag>, Problem> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| word.parse().map_err(|error: catalog::Malformed| Problem::field("tags", word, error.allowed)))
        .collect()
}

impl Site {
    /// What is known of an upload, where its sender may make one.
    ///
    /// # Errors
    /// They may not, or what they say is not allowed.
    pub(crate) async fn intake(
        &self,
        caller: &Caller,
        path: AssetPath,
        said: Said,
        manner: Manner,
    ) -> Result<Intake, Problem> {
        let tenant = who::tenant(caller, said.tenant.as_ref())?;
        let visibility = said.visibility.unwrap_or_default();
        let (may_create, may_replace) = self.may_upload(caller, &tenant, &path, visibility).await?;
        let idempotency = manner.idempotency.map(|key| key.parse()).transpose();
        let idempotency = idempotency
            .map_err(|error: catalog::Malformed| Problem::missing("header.Idempotency-Key", error.allowed))?;
        let tags = said.tags.as_deref().map(tags).transpose()?;
        for (field, text, most) in [("title", &said.title, 300), ("description", &said.description, 5000)] {
            if let Some(text) = text.as_deref().filter(|text| text.chars().count() > most) {
                return Err(Problem::field(field, text, format!("at most {most} characters")));
            }
        }
        if !self.desk.has_room(&tenant).await.map_err(Trouble::from)? {
            let most = self.desk.config.uploads;
            let text = format!("{most} uploads of this tenant are under way; finish some, or wait until they expire");
            return Err(Problem::new(super::refusal::TOO_MANY, text).retry_after(std::time::Duration::from_secs(5)));
        }
        Ok(Intake {
            tenant,
            path,
            title: said.title,
            description: said.description,
            tags,
            visibility: said.visibility,
            media_type: manner.media_type,
            hash: said.hash,
            actor: who::subject(caller),
            condition: manner.condition,
            may_create,
            may_replace,
            idempotency,
            trace: manner.trace.as_str().parse().ok(),
        })
    }
}

/// Appends a body to a stage; the length that the stage then has. What came before a body broke off is staged.
///
/// # Errors
/// The body breaks off, or is longer than `most` bytes in all; the store does not take it.
pub(crate) async fn stage(
    desk: &Desk,
    stage: &StageId,
    offset: u64,
    most: u64,
    mut body: Body,
) -> Result<u64, Problem> {
    if body.size_hint().lower() > most.saturating_sub(offset) {
        return Err(Trouble::TooLong { limit: most }.into());
    }
    let mut gathered = Gathered::new(desk, stage, offset, most);
    let ended = loop {
        let frame = match body.frame().await {
            None => break Ok(()),
            Some(Err(error)) => break Err(Problem::of_body(error)),
            Some(Ok(frame)) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        if let Err(problem) = gathered.take(&data).await {
            break Err(problem);
        }
    };
    let at = gathered.end().await?;
    ended.map(|()| at)
}

/// Bytes on their way to a stage, in pieces that the store likes.
pub(crate) struct Gathered<'a> {
    desk: &'a Desk,
    stage: &'a StageId,
    at: u64,
    most: u64,
    bytes: BytesMut,
}

impl<'a> Gathered<'a> {
    /// For a stage that is `at` bytes long and may have `most`.
    pub(crate) fn new(desk: &'a Desk, stage: &'a StageId, at: u64, most: u64) -> Self {
        Self { desk, stage, at, most, bytes: BytesMut::new() }
    }

    /// # Errors
    /// They are more than may be; the store does not take them.
    pub(crate) async fn take(&mut self, data: &[u8]) -> Result<(), Problem> {
        if self.at + (self.bytes.len() + data.len()) as u64 > self.most {
            return Err(Trouble::TooLong { limit: self.most }.into());
        }
        self.bytes.extend_from_slice(data);
        if self.bytes.len() >= self.desk.store.piece() { self.append().await } else { Ok(()) }
    }

    /// The length of the stage, with what is left.
    ///
    /// # Errors
    /// The store does not take it.
    pub(crate) async fn end(mut self) -> Result<u64, Problem> {
        if !self.bytes.is_empty() {
            self.append().await?;
        }
        Ok(self.at)
    }

    async fn append(&mut self) -> Result<(), Problem> {
        let bytes = self.bytes.split().freeze();
        self.at = append(self.desk, self.stage, self.at, bytes).await?;
        Ok(())
    }
}

pub(crate) async fn append(desk: &Desk, stage: &StageId, at: u64, bytes: Bytes) -> Result<u64, Problem> {
    Ok(desk.store.append(stage, at, bytes).await.map_err(Trouble::from)?)
}
