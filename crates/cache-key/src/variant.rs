//! What a key names: a transform together with all that was negotiated.

use crate::transform::Transform;

/// The finite classes into which `Accept` falls. Only `f=auto` uses it; all else is [`FormatClass::Baseline`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FormatClass {
    /// JPEG where the picture is opaque, PNG where it is not: what every client reads.
    #[default]
    Baseline,
    /// The client says `image/webp`.
    Webp,
    /// The client says `image/avif`.
    Avif,
    /// Reserved: the client says `image/jxl` and the route wants it.
    Jxl,
}

impl FormatClass {
    /// The name in keys, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Webp => "webp",
            Self::Avif => "avif",
            Self::Jxl => "jxl",
        }
    }
}

/// One rendition's description, complete: equal variants of one original are the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Variant {
    /// What the URL asks.
    pub transform: Transform,
    /// What the client can read, where that matters.
    pub class: FormatClass,
}
