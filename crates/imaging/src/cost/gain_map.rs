//! What it costs to keep a gain map, by the size that its own header tells. It is made while the picture's pixels wait
//! for their encoder, so that its memory comes on top of theirs.

use super::{RESIZE, area};
use crate::format::SourceFormat;
use crate::limits::Limits;
use crate::probe::{Probe, probe};
use cache_key::Transform;
use cache_key::transform::{Codec, Hdr};

/// On top of the picture's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Second {
    /// Bytes beside the picture's pixels before they are encoded.
    pub(super) memory: u64,
    pub(super) nanoseconds: u64,
}

/// Per stored pixel of a JPEG, as `decoder_nanoseconds`.
const DECODE: u64 = 7;
/// Per pixel of the result.
const ENCODE: u64 = 25;
/// Decoded, the decoder's own, and resized.
const BYTES: u64 = 3 + 4 + 3;

/// Nothing where none is asked for or there.
pub(super) fn price(
    original: &[u8],
    source: &Probe,
    transform: &Transform,
    codec: Codec,
    output: (u32, u32),
    limits: &Limits,
) -> Second {
    let asked = transform.output.hdr == Hdr::Keep && !transform.redacts();
    if !asked || codec != Codec::Jpeg || source.format != SourceFormat::Jpeg {
        return Second::default();
    }
    let Some(Ok(stored)) = crate::gain_map::find(original).map(|found| probe(found.file, limits)) else {
        return Second::default();
    };
    // One that is larger than the picture is not kept.
    let pixels = stored.pixels().min(source.pixels());
    let kept = area(output) * pixels / source.pixels().max(1);
    Second { memory: pixels * BYTES + kept * BYTES, nanoseconds: pixels * (DECODE + RESIZE) + kept * ENCODE }
}
