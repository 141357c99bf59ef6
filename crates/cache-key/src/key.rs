//! Keys: 32 bytes that stand for one rendition, or for one original.
//!
//! Every input is a named field of a struct without defaults, so that none can be forgotten, and goes into the hash
//! with its length before it, so that no two lists of fields run into one another. The two sorts of key cannot be
//! turned into each other. Invariant: a change of what is hashed, or how, raises [`KEY_SCHEMA`]; the vectors in the
//! tests are pinned.

use crate::path::SourcePath;
use crate::transform::{Codec, Format, Transform};
use crate::variant::{FormatClass, Variant};
use std::fmt;
use std::sync::Arc;

/// The layout of what is hashed. Stored renditions of another schema are never found.
pub const KEY_SCHEMA: u32 = 1;

/// Everything that the bytes of a rendition depend on.
#[derive(Clone, Copy, Debug)]
pub struct RenditionParts<'a> {
    /// Whose picture it is.
    pub tenant: &'a str,
    /// The origin's name in the config.
    pub origin: &'a str,
    /// The path there.
    pub path: &'a SourcePath,
    /// Which bytes were found there.
    pub version: &'a OriginalVersion,
    /// What is made of them.
    pub variant: &'a Variant,
    /// The number of the code that makes it; raised where new code makes other bytes.
    pub pipeline: u32,
    /// What the config lends to it: marks, fonts. `None` where it uses nothing of that.
    pub assets: Option<AssetsVersion>,
    /// Who encodes AVIF, where that is not the one that servers use which say nothing.
    pub avif: Option<&'a str>,
    /// Whether the original's own bytes are served, and the transform plays no part.
    pub untouched: bool,
}

impl RenditionParts<'_> {
    /// The key. The format class counts only where the URL leaves the format to the client (`f=auto`).
    pub fn key(&self) -> RenditionKey {
        let Variant { transform, class } = self.variant;
        let mut fields = Fields::new("tintype rendition");
        fields.push(self.tenant.as_bytes());
        fields.push(self.origin.as_bytes());
        fields.push(self.path.as_str().as_bytes());
        fields.push(&self.version.0);
        fields.push_transform(transform);
        fields.push(effective_class(transform, *class).as_str().as_bytes());
        fields.push(&self.pipeline.to_le_bytes());
        fields.push(&[u8::from(self.untouched)]);
        if let Some(AssetsVersion(version)) = &self.assets {
            fields.push(version);
        }
        if let Some(encoder) = self.avif.filter(|_| !self.untouched && may_be_avif(transform, *class)) {
            fields.push(b"avif");
            fields.push(encoder.as_bytes());
        }
        RenditionKey(fields.hash())
    }
}

/// Without a format in the URL it is the original's, which is not known here.
fn may_be_avif(transform: &Transform, class: FormatClass) -> bool {
    match transform.output.format {
        Format::Image(codec) => codec == Codec::Avif,
        Format::Auto => class == FormatClass::Avif,
        Format::Source => true,
        Format::Json | Format::BlurHash | Format::ThumbHash => false,
    }
}

fn effective_class(transform: &Transform, class: FormatClass) -> FormatClass {
    if transform.output.format == Format::Auto { class } else { FormatClass::Baseline }
}

/// What an original is known by, whatever its bytes are now.
#[derive(Clone, Copy, Debug)]
pub struct SourceParts<'a> {
    /// Whose picture it is.
    pub tenant: &'a str,
    /// The origin's name in the config.
    pub origin: &'a str,
    /// The path there.
    pub path: &'a SourcePath,
}

impl SourceParts<'_> {
    /// The key.
    pub fn key(&self) -> SourceKey {
        let mut fields = Fields::new("tintype source");
        fields.push(self.tenant.as_bytes());
        fields.push(self.origin.as_bytes());
        fields.push(self.path.as_str().as_bytes());
        SourceKey(fields.hash())
    }
}

/// Fields, each after its length, in one buffer: one call of the hash is faster than many small ones.
struct Fields(Vec<u8>);

impl Fields {
    fn new(domain: &str) -> Self {
        let mut fields = Self(Vec::with_capacity(512));
        fields.push(domain.as_bytes());
        fields.push(&KEY_SCHEMA.to_le_bytes());
        fields
    }

    fn push(&mut self, field: &[u8]) {
        // A length of eight bytes holds that of any slice.
        self.0.extend_from_slice(&(field.len() as u64).to_le_bytes());
        self.0.extend_from_slice(field);
    }

    fn push_transform(&mut self, transform: &Transform) {
        let mut canonical = String::with_capacity(128);
        transform.write_canonical(&mut canonical);
        self.push(canonical.as_bytes());
    }

    fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.0).as_bytes()
    }
}

/// Names one rendition: equal keys are equal bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RenditionKey([u8; 32]);

/// Names one original, whatever its version: for coalescing fetches and for purging by source.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceKey([u8; 32]);

macro_rules! key {
    ($key:ident) => {
        impl $key {
            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        /// 64 lower-case hexadecimal digits.
        impl fmt::Display for $key {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                put_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $key {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($key), "({})"), self)
            }
        }
    };
}
key!(RenditionKey);
key!(SourceKey);

fn put_hex(bytes: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Which bytes an origin had: any two that may differ have different versions. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginalVersion(Arc<[u8]>);

impl OriginalVersion {
    /// From a strong `ETag` as the origin sent it, quotes and all.
    pub fn from_etag(etag: &[u8]) -> Self {
        Self::tagged(b'e', &[etag])
    }

    /// From a file's inode, length in bytes, and times of modification and of change in nanoseconds since the epoch
    /// (negative before it).
    pub fn from_file(inode: u64, length: u64, modified_nanos: i128, changed_nanos: i128) -> Self {
        let (inode, length) = (inode.to_le_bytes(), length.to_le_bytes());
        Self::tagged(b'f', &[&inode, &length, &modified_nanos.to_le_bytes(), &changed_nanos.to_le_bytes()])
    }

    /// From the bytes themselves, by BLAKE3: where an origin tells nothing that could be trusted.
    pub fn from_content(original: &[u8]) -> Self {
        Self::from_content_hash(blake3::hash(original).as_bytes())
    }

    /// As [`from_content`](Self::from_content), where the BLAKE3 hash was made while the bytes arrived.
    pub fn from_content_hash(hash: &[u8; 32]) -> Self {
        Self::tagged(b'c', &[hash])
    }

    fn tagged(tag: u8, parts: &[&[u8]]) -> Self {
        let mut bytes = vec![tag];
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        Self(bytes.into())
    }

    /// The bytes that go into keys.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The content of what the config lends to a rendition, in the order of its use: a mark that changes makes other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AssetsVersion([u8; 32]);

impl AssetsVersion {
    /// `None` for nothing.
    pub fn new(contents: &[OriginalVersion]) -> Option<Self> {
        let mut fields = Fields::new("tintype assets");
        contents.iter().for_each(|content| fields.push(&content.0));
        (!contents.is_empty()).then(|| Self(fields.hash()))
    }
}

#[cfg(test)]
mod tests;
