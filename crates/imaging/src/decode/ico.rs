//! Icons and cursors: the largest picture of the file, a PNG or a bitmap with a mask of one bit.
//!
//! A bitmap of 32 bits has its own alpha, which wins over the mask as soon as it says anything.

use super::bmp::{never_invisible, picture};
use super::{Decoded, File, Want, malformed, png};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::metadata::bmp::BmpHeader;
use crate::metadata::ico::{Entry, largest};
use crate::orientation::Orientation;
use crate::probe::Probe;
use crate::scratch::Scratch;

pub(super) fn decode(file: File<'_>, scratch: &mut Scratch) -> Result<Decoded, Error> {
    match largest(file.bytes) {
        Some(Entry::Png(bytes, _)) => {
            let probe = &Probe { format: SourceFormat::Png, ..file.probe.clone() };
            png::decode(File { bytes, probe, ..file }, &Want::EVERYTHING, scratch)
        }
        Some(Entry::Bmp(body, mut header)) => {
            file.check_memory(Layout::Rgba.channels() as u64)?;
            if header.bits == 32 && header.masks[3] == 0 {
                header.masks[3] = !(header.masks[0] | header.masks[1] | header.masks[2]);
            }
            let mut bitmap = picture(body, &header, Layout::Rgba, file.watch, scratch)?;
            if header.bits != 32 || never_invisible(&mut bitmap) {
                mask(body, &header, &mut bitmap);
            }
            Ok(Decoded::whole(bitmap, None, Orientation::Upright))
        }
        None => Err(malformed(SourceFormat::Ico, &"no picture")),
    }
}

/// Makes those pixels transparent whose bit is set. Rows that are not there are visible.
fn mask(body: &[u8], header: &BmpHeader, bitmap: &mut Bitmap) {
    let width = header.width as usize;
    let stored = |bits: usize| (width * bits).div_ceil(32) * 4;
    let start = header.pixels.saturating_add(stored(header.bits.into()).saturating_mul(header.height as usize));
    let rows = body.get(start..).unwrap_or_default().chunks_exact(stored(1));
    let lines = bitmap.pixels_mut().as_chunks_mut::<4>().0.chunks_exact_mut(width);
    let paint = |(row, line): (&[u8], &mut [[u8; 4]])| {
        for (x, pixel) in line.iter_mut().enumerate() {
            if row.get(x / 8).is_some_and(|byte| byte >> (7 - x % 8) & 1 == 1) {
                *pixel = [0; 4];
            }
        }
    };
    if header.bottom_up { rows.zip(lines.rev()).for_each(paint) } else { rows.zip(lines).for_each(paint) }
}
