//! A rendition as it is kept: its bytes with what every answer of them says, in memory and, packed, in the other tiers.
//!
//! Knows neither keys nor freshness. Invariant: what is unpacked answers as what was packed did, to the entity tag.

use crate::cache::{Envelope, Stamp};
use crate::render::Rendered;
use crate::semantics::{EntityTag, LastModified, Representation};
use bytes::Bytes;
use cache_key::SourceKey;
use http::HeaderValue;
use imaging::SourceFormat;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A rendition as it is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) representation: Representation,
    /// Of a file name.
    pub(crate) extension: Cow<'static, str>,
    /// How long each stage took, when it was made.
    pub(crate) stages: Vec<(&'static str, Duration)>,
    /// What it can be purged by. Until it is [stamped](Self::stamped), the next purge makes it void.
    pub(crate) stamp: Stamp,
}

impl Kept {
    /// What the engine made.
    pub(crate) fn rendered(rendered: Rendered, modified: Option<LastModified>, fetched: Duration) -> Self {
        let Rendered { rendition, queued } = rendered;
        let (extension, times) = (rendition.extension(), rendition.timings);
        let kind = HeaderValue::from_static(rendition.media_type());
        Self {
            representation: Representation::new(rendition.bytes.into(), kind, modified),
            extension: extension.into(),
            stages: vec![
                ("fetch", fetched),
                ("queue", queued),
                ("decode", times.decode),
                ("transform", times.transform),
                ("encode", times.encode),
            ],
            stamp: Stamp::default(),
        }
    }

    /// Its type is that of its bytes; of bytes that are no picture known here, what the origin says.
    pub(crate) fn untouched(
        bytes: Bytes,
        told: Option<&HeaderValue>,
        modified: Option<LastModified>,
        fetched: Duration,
    ) -> Self {
        let format = SourceFormat::sniff(&bytes);
        let kind = match (format, told) {
            (Some(format), _) => HeaderValue::from_static(format.media_type()),
            (None, Some(told)) => told.clone(),
            (None, None) => HeaderValue::from_static("application/octet-stream"),
        };
        Self {
            representation: Representation::new(bytes, kind, modified),
            extension: format.map_or("bin", SourceFormat::extension).into(),
            stages: vec![("fetch", fetched)],
            stamp: Stamp::default(),
        }
    }

    /// Bearing what it can be purged by.
    pub(crate) fn stamped(self, stamp: Stamp) -> Self {
        Self { stamp, ..self }
    }

    /// Bytes in memory; what it is purged by is shared with the reading of its URL.
    pub(crate) fn weight(&self) -> u64 {
        (self.representation.weight() + self.stamp.label.weight() / 2) as u64
    }

    /// As tiers outside of this process keep it.
    pub(crate) fn pack(&self, source: SourceKey, now: SystemTime) -> Envelope {
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let Self { representation, extension, stamp, .. } = self;
        Envelope {
            made: seconds(now),
            generation: stamp.generation,
            hash: *blake3::hash(representation.body()).as_bytes(),
            source: *source.as_bytes(),
            modified: representation.last_modified().map(|modified| seconds(modified.time())),
            // Media types here are ASCII: ours, or what an origin says and a header can hold.
            kind: representation.content_type().to_str().unwrap_or("application/octet-stream").to_owned(),
            extension: extension.clone().into_owned(),
            label: Arc::clone(&stamp.label),
            body: representation.body().clone(),
        }
    }

    /// Out of an intact envelope. `None` where its media type cannot be sent.
    pub(crate) fn unpack(envelope: Envelope, now: SystemTime) -> Option<Self> {
        let Envelope { hash, modified, kind, extension, body, .. } = envelope;
        let modified = modified.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        let modified = modified.and_then(|modified| LastModified::new(modified, now));
        let kind = HeaderValue::try_from(kind).ok()?;
        let representation = Representation::with_etag(body, kind, EntityTag::from_hash(&hash), modified);
        Some(Self { representation, extension: extension.into(), stages: Vec::new(), stamp: Stamp::default() })
    }
}
