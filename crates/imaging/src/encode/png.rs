//! PNG by the `png` crate: 8 bits, as few channels as the picture needs, quick compression by default.

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::op::channels::is_gray;
use png::{BitDepth, ColorType, Compression, Encoder};
use std::io::Write;

/// Rows between two looks at the watch.
const ROWS: usize = 64;

/// Encodes a picture; colours that are all grey are written as one channel.
pub(super) fn encode(bitmap: &Bitmap, effort: Option<u8>, watch: &Watch) -> Result<Vec<u8>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("png: {error}"));
    let layout = bitmap.layout();
    let gray = layout != Layout::Gray && is_gray(bitmap);
    let color = match layout {
        Layout::Rgba if gray => ColorType::GrayscaleAlpha,
        Layout::Rgba => ColorType::Rgba,
        Layout::Rgb if !gray => ColorType::Rgb,
        Layout::Rgb | Layout::Gray => ColorType::Grayscale,
    };
    let mut bytes = Vec::new();
    {
        let mut encoder = Encoder::new(&mut bytes, bitmap.width(), bitmap.height());
        encoder.set_color(color);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(compression(effort));
        let mut writer = encoder.write_header().map_err(|error| failed(&error))?;
        let mut stream = writer.stream_writer().map_err(|error| failed(&error))?;
        let stride = bitmap.width() as usize * layout.channels();
        for rows in bitmap.pixels().chunks(ROWS * stride) {
            watch.check()?;
            let outcome = match (layout, gray) {
                (Layout::Rgb, true) => stream.write_all(&pick::<3, 1>(rows, [0])),
                (Layout::Rgba, true) => stream.write_all(&pick::<4, 2>(rows, [0, 3])),
                _ => stream.write_all(rows),
            };
            outcome.map_err(|error| failed(&error))?;
        }
        stream.finish().map_err(|error| failed(&error))?;
    }
    Ok(bytes)
}

/// The channels named by `which` of each pixel.
fn pick<const FROM: usize, const TO: usize>(rows: &[u8], which: [usize; TO]) -> Vec<u8> {
    rows.as_chunks::<FROM>().0.iter().flat_map(|pixel| which.map(|channel| pixel[channel])).collect()
}

fn compression(effort: Option<u8>) -> Compression {
    match effort {
        Some(0 | 1) => Compression::Fastest,
        None | Some(2..=4) => Compression::Fast,
        Some(5..=7) => Compression::Balanced,
        Some(_) => Compression::High,
    }
}
