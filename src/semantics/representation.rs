//! A stored rendition as HTTP sees it: bytes, and the fields that are the same in every response that carries them.
//!
//! Owns what can be made once, so that a hit clones and does not format. Does not know requests, policies or keys.
//! Invariant: `Content-Length` and `ETag` are those of `body`.

use super::validator::{EntityTag, LastModified};
use bytes::Bytes;
use http::HeaderValue;

/// Bytes with their metadata. Cloning shares all of it.
#[derive(Clone, Debug)]
pub struct Representation {
    body: Bytes,
    content_type: HeaderValue,
    content_length: HeaderValue,
    etag: EntityTag,
    last_modified: Option<LastModified>,
}

impl Representation {
    /// Hashes `body` for its tag: about a millisecond per two megabytes, so not on the hit path.
    #[must_use]
    pub fn new(body: Bytes, content_type: HeaderValue, last_modified: Option<LastModified>) -> Self {
        let etag = EntityTag::of(&body);
        Self::with_etag(body, content_type, etag, last_modified)
    }

    /// For bytes whose tag is known, out of an envelope that has been checked.
    #[must_use]
    pub fn with_etag(
        body: Bytes,
        content_type: HeaderValue,
        etag: EntityTag,
        last_modified: Option<LastModified>,
    ) -> Self {
        let content_length = HeaderValue::from(body.len());
        Self { body, content_type, content_length, etag, last_modified }
    }

    /// The encoded picture.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// `Content-Type`.
    #[must_use]
    pub fn content_type(&self) -> &HeaderValue {
        &self.content_type
    }

    /// `Content-Length` of the whole.
    #[must_use]
    pub fn content_length(&self) -> &HeaderValue {
        &self.content_length
    }

    /// The strong validator.
    #[must_use]
    pub fn etag(&self) -> &EntityTag {
        &self.etag
    }

    /// When the original last changed, where its origin says so.
    #[must_use]
    pub fn last_modified(&self) -> Option<&LastModified> {
        self.last_modified.as_ref()
    }

    /// Bytes held in memory, for the budget of a tier: the body, and roughly what its fields take.
    #[must_use]
    pub fn weight(&self) -> usize {
        const FIELDS: usize = 320;
        self.body.len() + FIELDS
    }
}
