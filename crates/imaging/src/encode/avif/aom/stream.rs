//! Frames that build on the ones before them: one packet for each frame that comes in, at once, and none is hidden.
//!
//! It knows no times: those are the container's. Invariant: the first packet is a key frame, and a stream is fed with
//! frames of one size and one kind.

use super::super::planes::{Planes, Sample};
use super::{Care, Context, QUANTISER_MATRICES, Settings, configuration, quantizer};
use crate::error::Error;
use libaom_sys as sys;
use std::ffi::c_int;

/// An encoder that remembers the frames before.
pub(in super::super) struct Stream {
    context: Context,
    frames: i64,
}

/// What is asked of all frames.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Wish {
    /// The dial, 1–100.
    pub(in super::super) quality: u8,
    /// 0–10.
    pub(in super::super) effort: u8,
    pub(in super::super) lossless: bool,
    /// Drawings, screens and masks rather than photographs.
    pub(in super::super) drawn: bool,
}

/// libaom's speed and nanoseconds a pixel, by effort. One step below 7 costs 1.7 times the time for 0 to 30 % of the bytes.
const fn speed(effort: u8) -> (u8, u64) {
    match effort {
        0 | 1 => (9, 80),
        2 | 3 => (8, 100),
        4 | 5 => (7, 120),
        6 | 7 => (6, 220),
        _ => (5, 340),
    }
}

/// Nanoseconds of one core for a pixel of a frame; what each frame costs beside is in [`NANOSECONDS_OF_FRAME`].
pub(in super::super) const fn nanoseconds(effort: u8) -> u64 {
    speed(effort).1
}

/// However small it is.
pub(in super::super) const NANOSECONDS_OF_FRAME: u64 = 1_000_000;

impl Stream {
    /// A stream of frames like `first`, which is not encoded yet.
    pub(in super::super) fn open<S: Sample>(first: &Planes<S>, wish: Wish) -> Result<Self, Error> {
        let flags = if S::BITS > 8 { sys::AOM_CODEC_USE_HIGHBITDEPTH } else { 0 };
        let Wish { quality, effort, lossless, drawn } = wish;
        let settings =
            Settings { quantizer: quantizer(quality, false), cpu_used: speed(effort).0, lossless, care: Care::Little };
        let mut cfg = configuration(first, settings, sys::AOM_USAGE_REALTIME)?;
        // Key frames where players jump to cost bytes; browsers play from the start.
        cfg.kf_mode = sys::AOM_KF_DISABLED;
        let mut context = Context::new(&cfg, flags.into())?;
        context.dial(first.subsampling, settings)?;
        if drawn {
            // Palettes, and blocks copied from within the frame.
            context.set(sys::AV1E_SET_TUNE_CONTENT, sys::AOM_CONTENT_SCREEN as c_int)?;
        }
        if !lossless {
            // As of stills: a tenth fewer bytes at the same SSIMULACRA2.
            context.set(sys::AV1E_SET_ENABLE_QM, 1)?;
            context.set(sys::AV1E_SET_QM_MIN, QUANTISER_MATRICES.0)?;
            context.set(sys::AV1E_SET_QM_MAX, QUANTISER_MATRICES.1)?;
        }
        Ok(Self { context, frames: 0 })
    }

    /// Encodes the next frame: a temporal unit (AV1 specification 7.5) that shows exactly one frame.
    pub(in super::super) fn frame<S: Sample>(&mut self, planes: &Planes<S>) -> Result<Vec<u8>, Error> {
        let unit = self.context.put(planes, self.frames)?;
        self.frames += 1;
        if unit.is_empty() { Err(Error::Internal("libaom held a frame back".into())) } else { Ok(unit) }
    }
}
