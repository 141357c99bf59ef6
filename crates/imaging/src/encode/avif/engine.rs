//! What an AV1 encoder is to this crate: planes and a wish in, one coded key frame out; and what is known of it before it
//! begins: its dial, its speeds, their price.
//!
//! It knows no library: each implementor is one file. Which one writes is the operator's choice ([`Engine`]), never the
//! picture's, so that a server that was told to use one runs no line of another. Sequences are libaom's alone (`film`): where
//! rav1e was chosen there are none.

use super::aom;
use super::planes::Planes;
use super::rav1e;
use crate::error::Error;

/// Which AV1 encoder writes AVIF. Their bytes differ: it is part of what names a rendition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Engine {
    /// The reference encoder, in C.
    #[default]
    Libaom,
    /// rav1e, in Rust. It has no lossless mode.
    Rav1e,
}

impl Engine {
    /// All of them, the default first.
    pub const ALL: [Self; 2] = [Self::Libaom, Self::Rav1e];

    /// Whether this build has it: rav1e can be left out.
    pub const fn is_built(self) -> bool {
        match self {
            Self::Libaom => true,
            Self::Rav1e => cfg!(feature = "rav1e"),
        }
    }

    /// What names it in the keys of renditions: nothing for the default.
    pub fn named(self) -> Option<&'static str> {
        (self != Self::default()).then(|| self.name())
    }

    /// The name in configs, and in the keys of renditions.
    pub const fn name(self) -> &'static str {
        self.known().name
    }

    /// Whether it can encode as asked; what it cannot is left to no other engine.
    ///
    /// # Errors
    /// [`Error::Impossible`].
    pub(crate) fn can(self, lossless: bool) -> Result<(), Error> {
        if !lossless || self.known().lossless {
            return Ok(());
        }
        let why = "`lossless`: this server's AVIF encoder always loses a little; `f=png` and `f=webp` lose nothing";
        Err(Error::Impossible(format!("{why} (the encoder is {})", self.name())))
    }

    /// Whether it writes frames that build on each other.
    pub(crate) const fn writes_films(self) -> bool {
        matches!(self, Self::Libaom)
    }

    /// What is known beforehand.
    pub(super) const fn known(self) -> &'static Known {
        match self {
            Self::Libaom => &aom::KNOWN,
            Self::Rav1e => &rav1e::KNOWN,
        }
    }
}

/// What is asked of one frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// The dial, 1–100.
    pub(super) quality: u8,
    /// 0–10.
    pub(super) effort: u8,
    /// Every sample survives. Asked only of encoders that can ([`Known::lossless`]).
    pub(super) lossless: bool,
    /// The frame is a mask, no photograph.
    pub(super) mask: bool,
}

/// An AV1 encoder of samples `S`, for one still frame on the thread that calls it.
pub(super) trait Encoder<S> {
    /// Encodes one key frame with the sequence header of a reduced still picture (AV1 5.5.1): the stream of OBUs, with
    /// or without a temporal delimiter. The samples are of full range; primaries BT.709, the curve of sRGB, the matrix
    /// that the planes' subsampling means.
    ///
    /// # Errors
    /// [`Error::Internal`] when the library fails.
    fn still(planes: &Planes<S>, wish: Wish) -> Result<Vec<u8>, Error>;
}

/// What is known of an encoder before it begins.
#[derive(Debug)]
pub(super) struct Known {
    /// In configs, and in the names of renditions.
    pub(super) name: &'static str,
    /// Whether it can keep every sample.
    pub(super) lossless: bool,
    /// The effort of pictures of up to so many pixels where none is asked; beyond, and without loss, it is 0.
    pub(super) usual: (u64, u8),
    /// By effort, 0–10.
    pub(super) speeds: [Speed; 11],
}

/// What an effort means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speed {
    /// The library's own number.
    pub(super) preset: u8,
    /// Eight bits, and halved colours where the dial is low: for size and care there is no time.
    pub(super) quick: bool,
    /// Milliseconds of one core for a megapixel of a photograph.
    pub(super) per_megapixel: u64,
    /// Bytes for a pixel beside the bitmap, with halved and with whole colours.
    pub(super) memory: (u64, u64),
}

impl Known {
    /// Of an effort; beyond 10 is 10.
    pub(super) fn speed(&self, effort: u8) -> Speed {
        self.speeds[usize::from(effort).min(self.speeds.len() - 1)]
    }
}
