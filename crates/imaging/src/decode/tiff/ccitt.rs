//! Fax compression (ITU-T T.4 and T.6) by the `fax` crate: one bit a pixel, 0 is white.

use crate::decode::malformed;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::metadata::tiff::TiffHeader;
use fax::Color;
use fax::decoder::{DecodeStatus, Group3Decoder, Group4Decoder, pels};
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Fills rows of packed bits; the bytes that were filled. Damage ends the picture there, the rest stays as it is.
pub(super) fn unpack(
    header: &TiffHeader<'_>,
    bytes: &[u8],
    width: u32,
    stored: &mut [u8],
    stride: usize,
) -> Result<usize, Error> {
    let width = u16::try_from(width).map_err(|_| malformed(SourceFormat::Tiff, &"a fax wider than a fax"))?;
    let input = bytes.iter().map(|&byte| Ok::<u8, Infallible>(byte));
    let lines = stored.chunks_exact_mut(stride.max(1));
    // The crate's own tables are looked up by codes of the file: should one of them panic, nothing of it is used again.
    let filled = catch_unwind(AssertUnwindSafe(|| match header.compression {
        3 => group3(input, width, lines),
        _ => group4(input, width, lines),
    }));
    let rows = filled.map_err(|_panic| malformed(SourceFormat::Tiff, &"a fax that contradicts itself"))?;
    Ok(rows * stride)
}

fn group4<'a>(
    input: impl Iterator<Item = Result<u8, Infallible>>,
    width: u16,
    lines: impl Iterator<Item = &'a mut [u8]>,
) -> usize {
    let Ok(mut decoder) = Group4Decoder::new(input, width);
    let mut rows = 0;
    for line in lines {
        match decoder.advance() {
            Ok(DecodeStatus::Incomplete) => paint(decoder.transition(), width, line),
            // Encoders may leave out white rows at the end.
            Ok(DecodeStatus::End) | Err(_) => break,
        }
        rows += 1;
    }
    rows
}

fn group3<'a>(
    input: impl Iterator<Item = Result<u8, Infallible>>,
    width: u16,
    lines: impl Iterator<Item = &'a mut [u8]>,
) -> usize {
    let Ok(mut decoder) = Group3Decoder::new(input) else { return 0 };
    let mut rows = 0;
    for line in lines {
        let status = decoder.advance();
        if status.is_err() && decoder.transitions().is_empty() {
            break;
        }
        paint(decoder.transitions(), width, line);
        rows += 1;
        if !matches!(status, Ok(DecodeStatus::Incomplete)) {
            break;
        }
    }
    rows
}

/// Sets the bits of black pixels.
fn paint(changes: &[u16], width: u16, line: &mut [u8]) {
    line.fill(0);
    for (x, colour) in pels(changes, width).enumerate() {
        if colour == Color::Black
            && let Some(byte) = line.get_mut(x / 8)
        {
            *byte |= 0x80 >> (x % 8);
        }
    }
}
