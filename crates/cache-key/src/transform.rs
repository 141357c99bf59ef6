//! The canonical transform: what is to be done to an original, as types.
//!
//! A value of these types is already validated; two requests that mean the same are equal here. Fields that are
//! `None`, `false` or `Default` ask for nothing. The order of operations is the engine's, not the URL's.

use crate::number::Decimal;
use std::num::NonZeroU32;

/// Everything that a URL can ask of the engine, in one pass (and `then`, a second one).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Transform {
    /// The box to fit into.
    pub size: Size,
    /// How the picture meets the box.
    pub fit: Fit,
    /// `crop`: the region taken before resizing.
    pub crop: Option<Crop>,
    /// `g`: which part survives a crop by `fit`, and where the picture sits in a padded box.
    pub gravity: Gravity,
    /// `trim`: uniform edges cut off before anything else.
    pub trim: Option<Trim>,
    /// `pad`: pixels added round the resized picture.
    pub pad: Option<Pad>,
    /// `extend`: canvas enlarged to this aspect ratio with the background.
    pub extend: Option<Aspect>,
    /// `orient`: what becomes of the orientation in the metadata.
    pub orient: Orient,
    /// `rot`: clockwise degrees, 0 ≤ rot < 360.
    pub rotate: Decimal,
    /// `flip`.
    pub flip: Flip,
    /// Changes of colour and texture.
    pub effects: Effects,
    /// Changes of outline.
    pub shape: Shape,
    /// `wm`, `wm-tile`.
    pub watermark: Option<Watermark>,
    /// `text` and its companions.
    pub text: Option<Text>,
    /// How the result is encoded.
    pub output: Output,
    /// Which frames of an animation are kept.
    pub frames: Frames,
    /// `then`: a second pass over the result of the first. Its `output` and `frames` are empty, as are those of
    /// passes further down; the first pass's count.
    pub then: Option<Box<Transform>>,
    /// `cb`: opaque; only makes keys differ.
    pub cache_buster: Option<String>,
}

/// The box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// `w`.
    pub width: Option<Length>,
    /// `h`.
    pub height: Option<Length>,
    /// `dpr` 0.1–8: multiplies `w`, `h`, `pad`, `border`, `radius` and offsets in pixels. `None` is 1.
    pub dpr: Option<Decimal>,
    /// `ar`: gives the side of the box that `w` or `h` leaves open.
    pub aspect: Option<Aspect>,
    /// `min-w`: smallest width of the result.
    pub min_width: Option<NonZeroU32>,
    /// `min-h`: smallest height of the result.
    pub min_height: Option<NonZeroU32>,
    /// `enlarge`: whether the result may have more pixels than the original.
    pub enlarge: bool,
}

/// One side of the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// CSS pixels; times `dpr` gives the rendition's pixels.
    Px(NonZeroU32),
    /// From the client's hints, snapped to the route's breakpoints.
    Auto,
}

/// A ratio in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Aspect {
    /// Parts of width.
    pub width: NonZeroU32,
    /// Parts of height.
    pub height: NonZeroU32,
}

/// How the picture meets the box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Inside the box, aspect kept, never larger than the original (also with `enlarge`).
    #[default]
    ScaleDown,
    /// Inside the box, aspect kept; larger than the original only with `enlarge`.
    Contain,
    /// Fills the box, aspect kept, what sticks out is cropped by gravity.
    Cover,
    /// `Cover`, but never enlarges: where the original is smaller than the box, the box shrinks.
    Crop,
    /// Only crops to the box's aspect ratio, without scaling.
    AspectCrop,
    /// `Contain`, then the background to the size of the box.
    Pad,
    /// Both sides stretched to the box.
    Fill,
    /// The smallest picture that covers the box, aspect kept, nothing cropped; only the aliases `outside` and `min`
    /// name it. Larger than the original only with `enlarge`.
    Outside,
}

/// A region, before resizing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Crop {
    /// From the left edge.
    pub x: Extent,
    /// From the top edge.
    pub y: Extent,
    /// Width; more than there is means up to the edge.
    pub width: Extent,
    /// Height; more than there is means up to the edge.
    pub height: Extent,
}

/// A length in an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// Pixels of the upright original.
    Px(u32),
    /// A fraction of the side, 0 < f < 1 (written with a point).
    Fraction(Decimal),
}

/// Where to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Gravity {
    /// The middle.
    #[default]
    Centre,
    /// A side or corner, moved inwards by the offsets (pixels; negative: outwards, clipped).
    Compass(Compass, i32, i32),
    /// `fp:x:y`: a point in fractions of the sides, each 0–1, that stays as near the middle as the crop allows.
    Focal(Decimal, Decimal),
    /// `smart`: what stands out.
    Smart,
    /// `entropy`: where most detail is.
    Entropy,
    /// `face`.
    Face,
}

/// Compass points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Compass {
    Centre,
    North,
    NorthEast,
    East,
    SouthEast,
    South,
    SouthWest,
    West,
    NorthWest,
}

/// `trim[=tolerance[,colour]]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trim {
    /// Largest difference of a channel that still counts as the edge's colour, 0–255. Default 10.
    pub tolerance: u8,
    /// The edge's colour; `None` takes the top-left pixel's.
    pub colour: Option<Colour>,
}

/// Pixels per side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Pad {
    pub top: u32,
    pub right: u32,
    pub bottom: u32,
    pub left: u32,
}

/// `orient`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Orient {
    /// Upright by the metadata's orientation.
    #[default]
    Auto,
    /// As the pixels lie.
    None,
}

/// `flip`, applied after `rot`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flip {
    /// Left and right change places.
    pub horizontal: bool,
    /// Top and bottom change places.
    pub vertical: bool,
}

/// sRGB with alpha, 8 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Colour {
    pub r: u8,
    pub g: u8,
    pub b: u8,
    pub a: u8,
}

/// Changes of colour and texture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Effects {
    /// `bg`: laid under the picture, and the colour of padding.
    pub background: Option<Colour>,
    /// `blur`: Gaussian sigma in pixels of the rendition, 0.3–250.
    pub blur: Option<Decimal>,
    /// `sharpen`: Gaussian sigma of the mask, 0.3–10.
    pub sharpen: Option<Decimal>,
    /// `usm=sigma,amount,threshold`.
    pub unsharp: Option<Unsharp>,
    /// `pixelate`: side of a block in pixels, 2–1024.
    pub pixelate: Option<NonZeroU32>,
    /// `bri`, −100–100.
    pub brightness: i16,
    /// `con`, −100–100.
    pub contrast: i16,
    /// `sat`, −100–100.
    pub saturation: i16,
    /// `gam`: gamma 0.1–10; `None` is 1.
    pub gamma: Option<Decimal>,
    /// `hue`: degrees, 0–359.
    pub hue: u16,
    /// `gray`.
    pub gray: bool,
    /// `invert`.
    pub invert: bool,
    /// `tint`.
    pub tint: Option<Colour>,
    /// `duotone=dark,light`.
    pub duotone: Option<(Colour, Colour)>,
    /// `sepia`, 0–100.
    pub sepia: u8,
}

/// `usm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unsharp {
    /// Gaussian sigma, 0.3–10.
    pub sigma: Decimal,
    /// How much of the difference is added, 0.1–10.
    pub amount: Decimal,
    /// Differences below this are left alone, 0–255.
    pub threshold: u8,
}

/// Changes of outline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    /// `radius`.
    pub radius: Option<Radius>,
    /// `border=w,colour`.
    pub border: Option<(NonZeroU32, Colour)>,
    /// `mask`.
    pub mask: Option<Mask>,
    /// `redact=x,y,w,h[;…]`: regions made unreadable.
    pub redact: Vec<Crop>,
}

/// Rounded corners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Radius {
    /// Pixels.
    Px(NonZeroU32),
    /// Half the shorter side.
    Max,
}

/// An outline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mask {
    /// The largest circle in the middle.
    Circle,
    /// The largest ellipse.
    Ellipse,
}

/// `wm=name[:gravity[:x:y[:scale[:opacity]]]]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watermark {
    /// A name from the config.
    pub name: String,
    /// Where.
    pub gravity: Gravity,
    /// Width of the mark as a share of the picture's, 0–1; `None` keeps the mark's own size.
    pub scale: Option<Decimal>,
    /// 0–1; `None` is 1.
    pub opacity: Option<Decimal>,
    /// `wm-tile`.
    pub tile: bool,
}

/// `text`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text {
    /// What is written.
    pub content: String,
    /// `text-font`: a name from the config.
    pub font: Option<String>,
    /// `text-size`: pixels, 4–1024.
    pub size: Option<NonZeroU32>,
    /// `text-color`.
    pub colour: Option<Colour>,
    /// `text-g`.
    pub gravity: Gravity,
}

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
    /// `anim`; `None` is the default (a still picture until animations are kept).
    pub animate: Option<bool>,
    /// `loop`: 0 for ever.
    pub loops: Option<u32>,
    /// `fps-max`, 1–60.
    pub fps_max: Option<u8>,
}
