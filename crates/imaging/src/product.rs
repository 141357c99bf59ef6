//! What a render may end in: a picture, or something that is told of one. It knows names, not how anything is made.

use crate::encode;
use cache_key::transform::Codec;

/// What the bytes of a rendition are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// A whole file of this format.
    Picture(Codec),
    /// Facts, as JSON (`docs/info.md`).
    Json,
    /// A BlurHash, as text.
    BlurHash,
    /// A ThumbHash, as base64 text.
    ThumbHash,
}

impl Product {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Picture(codec) => encode::media_type(codec),
            Self::Json => "application/json",
            Self::BlurHash | Self::ThumbHash => "text/plain; charset=utf-8",
        }
    }

    /// What a file name ends in, without the point.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Picture(codec) => encode::extension(codec),
            Self::Json => "json",
            Self::BlurHash | Self::ThumbHash => "txt",
        }
    }

    /// The format, where the bytes are a picture.
    pub const fn codec(self) -> Option<Codec> {
        match self {
            Self::Picture(codec) => Some(codec),
            Self::Json | Self::BlurHash | Self::ThumbHash => None,
        }
    }
}
