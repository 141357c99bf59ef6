//! How the result is encoded, and what of the original's frames, colour space and metadata is kept.

use std::num::NonZeroU32;

/// How the result is encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Output {
    /// `f`.
    pub format: Format,
    /// `q`.
    pub quality: Quality,
    /// `q-avif`, 1–100.
    pub quality_avif: Option<u8>,
    /// `q-webp`, 1–100.
    pub quality_webp: Option<u8>,
    /// `q-jpeg`, 1–100.
    pub quality_jpeg: Option<u8>,
    /// `q-jxl`, 1–100.
    pub quality_jxl: Option<u8>,
    /// `max-bytes`: quality is lowered until the result fits.
    pub max_bytes: Option<NonZeroU32>,
    /// `lossless`.
    pub lossless: bool,
    /// `progressive`.
    pub progressive: Option<bool>,
    /// `effort`, 0–10: more is slower and smaller.
    pub effort: Option<u8>,
    /// `chroma`.
    pub chroma: Chroma,
    /// `icc`.
    pub colour_space: ColourSpace,
    /// `hdr`.
    pub hdr: Hdr,
    /// `meta`.
    pub metadata: Metadata,
    /// `srcset`: also tell the URLs of the picture in these widths. `None` in all formats but [`Format::Json`].
    pub srcset: Option<Srcset>,
}

/// `srcset`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Srcset {
    /// Usual widths, as far as the original goes.
    Auto,
    /// 1–[`MAX_WIDTHS`](Self::MAX_WIDTHS) widths in pixels of the result, ascending and each once in the normal form.
    Widths(Vec<NonZeroU32>),
}

impl Srcset {
    /// Most widths that a URL can ask for.
    pub const MAX_WIDTHS: usize = 32;
}

/// `f`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// No `f`: the original's format where we can write it, else as `baseline`.
    #[default]
    Source,
    /// Negotiated by `Accept`.
    Auto,
    /// A picture in this codec.
    Image(Codec),
    /// Facts about the picture.
    Json,
    /// A BlurHash string.
    BlurHash,
    /// A ThumbHash in base64.
    ThumbHash,
}

/// What a picture can be encoded as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Codec {
    Avif,
    Webp,
    Jxl,
    Jpeg,
    Png,
    Gif,
}

/// `q`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quality {
    /// The format's default.
    #[default]
    Default,
    /// The encoder's dial, 1–100.
    Dial(u8),
    /// A perceptual target.
    Auto(QualityTarget),
}

/// `q=auto[:level]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum QualityTarget {
    Low,
    #[default]
    Medium,
    High,
    Best,
}

/// `chroma`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Chroma {
    /// By format and content.
    #[default]
    Auto,
    /// 4:2:0.
    C420,
    /// 4:4:4.
    C444,
}

/// `icc`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColourSpace {
    /// Converted to sRGB, no profile in the file.
    #[default]
    Srgb,
    /// The original's profile.
    Keep,
    /// Display P3.
    P3,
}

/// `hdr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Hdr {
    /// Tone-mapped.
    #[default]
    Sdr,
    /// Kept.
    Keep,
}

/// `meta`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Metadata {
    /// Nothing.
    #[default]
    None,
    /// Rights fields only.
    Copyright,
    /// All of it.
    Keep,
}

/// Which frames of an animation are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Frames {
    /// `frame`: this one alone, from 0.
    pub frame: Option<u32>,
    /// `anim`; `None`: an animation stays one where format and limits allow it.
    pub animate: Option<bool>,
    /// `loop`: 0 for ever.
    pub loops: Option<u32>,
    /// `fps-max`, 1–60.
    pub fps_max: Option<u8>,
}
