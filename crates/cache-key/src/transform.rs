//! The canonical transform: what is to be done to an original, as types.
//!
//! A value of these types is already validated; two requests that mean the same are equal here once normalised
//! ([`Transform::normalised`]; every dialect's parser does it). Fields that are `None`, `false` or `Default` ask for
//! nothing. The order of operations is the engine's, not the URL's.

mod effects;
mod layers;
mod output;
mod place;
mod size;

pub use effects::{Colour, Effects, Mask, Radius, Shape, Unsharp};
pub use layers::{Text, Watermark};
pub use output::{Chroma, Codec, ColourSpace, Format, Frames, Hdr, Metadata, Output, Quality, QualityTarget, Srcset};
pub use place::{Compass, Crop, Extent, Flip, Gravity, Orient, Pad, Trim};
pub use size::{Aspect, Fit, Kernel, Length, Resample, Size};

use crate::number::Decimal;

/// Everything that a URL can ask of the engine, in one pass (and `then`, a second one).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Transform {
    /// The box to fit into.
    pub size: Size,
    /// How the picture meets the box.
    pub fit: Fit,
    /// `kernel`, `linear`: how the picture is scaled.
    pub resample: Resample,
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
