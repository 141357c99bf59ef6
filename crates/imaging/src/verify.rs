//! Whether a file is whole: everything in it is decoded and thrown away again.
//!
//! For those who keep originals and pass them on; a render decodes no more than it needs and shows what it can. Invariant: the limits are
//! held before each step, as for a render.

use crate::decode::frames::Frames;
use crate::decode::{Want, decode};
use crate::error::Error;
use crate::excess;
use crate::limits::{Limits, Watch};
use crate::probe::Probe;
use crate::scratch::Scratch;

/// Decodes all pixels of all frames; how many frames there are.
///
/// # Errors
/// [`Error::Unsupported`], [`Error::Malformed`] where any of it is damaged, [`Error::TooLarge`]; [`Error::Deadline`] and
/// [`Error::Cancelled`] by `watch`.
pub fn verify(
    bytes: &[u8],
    probe: &Probe,
    limits: &Limits,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<u32, Error> {
    excess::check(bytes, probe, limits, watch)?;
    if probe.motion.is_none() {
        let decoded = decode(bytes, probe, &Want::EVERYTHING, limits, watch, scratch)?;
        scratch.give(decoded.bitmap.into_pixels());
        return Ok(1);
    }
    let within = |what, value: u64, limit: u64| {
        if value > limit { Err(Error::TooLarge { what, value, limit }) } else { Ok(()) }
    };
    within("frames of the original", probe.frames.into(), limits.frames.into())?;
    let all = probe.pixels().saturating_mul(probe.frames.into());
    within("pixels of all frames of the original", all, limits.frame_pixels)?;
    let mut frames = Frames::open(bytes, probe, limits, scratch)?;
    while frames.advance(watch, scratch)? {
        within("frames of the original", frames.shown().into(), limits.frames.into())?;
    }
    let shown = frames.shown();
    if shown < probe.frames {
        return Err(Error::Malformed(format!("frame {shown} of {}, counted from 0, is damaged", probe.frames)));
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::probe;

    fn verified(bytes: &[u8], limits: &Limits) -> Result<u32, Error> {
        let probe = probe(bytes, limits)?;
        verify(bytes, &probe, limits, &Watch::new(), &mut Scratch::new(0))
    }

    /// Two frames of one pixel.
    const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x21\xf9\x04\0\x0a\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\
        \x21\xf9\x04\0\x0a\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x4c\x01\0\x3b";

    #[test]
    fn every_frame_is_looked_at() {
        assert_eq!(verified(GIF, &Limits::default()), Ok(2));
        let few = Limits { frames: 1, ..Limits::default() };
        assert!(matches!(verified(GIF, &few), Err(Error::TooLarge { value: 2, limit: 1, .. })));
        let small = Limits { frame_pixels: 1, ..Limits::default() };
        assert!(matches!(verified(GIF, &small), Err(Error::TooLarge { .. })));
        let mut damaged = GIF.to_vec();
        let last = damaged.len() - 6;
        // A code that the dictionary cannot have.
        damaged.splice(last..last + 4, [0x02, 0xff, 0xff, 0x01]);
        assert!(verified(&damaged, &Limits::default()).is_err(), "the second frame");
    }
}
