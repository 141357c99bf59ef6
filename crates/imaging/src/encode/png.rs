//! PNG by the `png` crate: 8 bits, as few channels as the picture needs, quick compression by default.
//!
//! At most 256 colours are written as a palette, without loss. With `quality` below 100 every picture is: the best 256
//! colours (fewer where the error allows it), dithered. Else not a sample is lost.

use super::Settings;
use super::palette::{Alpha, Indexed, MOST, Palette, Wish, exact, quantise};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::op::channels::is_gray;
use crate::op::premultiply::is_opaque;
use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use std::io::Write;

/// Rows between two looks at the watch.
const ROWS: usize = 64;
/// More grays than this are smaller as samples than as a palette.
const GRAYS: usize = 16;

/// Encodes a picture.
pub(super) fn encode(bitmap: &Bitmap, settings: &Settings, watch: &Watch) -> Result<Vec<u8>, Error> {
    if settings.quality < 100 && !settings.lossless {
        let wish = Wish { colours: MOST, quality: settings.quality, alpha: Alpha::Levels };
        return indexed(bitmap, &quantise(bitmap, wish, watch)?, settings.effort, watch);
    }
    match exact(bitmap, Alpha::Levels) {
        Some(few) if !better_as_gray(&few.palette) => indexed(bitmap, &few, settings.effort, watch),
        _ => samples(bitmap, settings.effort, watch),
    }
}

fn better_as_gray(palette: &Palette) -> bool {
    let gray = |&[red, green, blue, alpha]: &[u8; 4]| red == green && green == blue && alpha == u8::MAX;
    palette.colours.len() > GRAYS && palette.colours.iter().all(gray)
}

/// Every sample, in the channels that are needed.
fn samples(bitmap: &Bitmap, effort: Option<u8>, watch: &Watch) -> Result<Vec<u8>, Error> {
    let layout = bitmap.layout();
    let gray = layout != Layout::Gray && is_gray(bitmap);
    let alpha = layout == Layout::Rgba && !is_opaque(bitmap);
    let color = match (layout, gray, alpha) {
        (Layout::Gray, ..) | (_, true, false) => ColorType::Grayscale,
        (_, true, true) => ColorType::GrayscaleAlpha,
        (_, false, true) => ColorType::Rgba,
        (_, false, false) => ColorType::Rgb,
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
            let outcome = match (layout, color) {
                (Layout::Rgb, ColorType::Grayscale) => stream.write_all(&pick::<3, 1>(rows, [0])),
                (Layout::Rgba, ColorType::Grayscale) => stream.write_all(&pick::<4, 1>(rows, [0])),
                (Layout::Rgba, ColorType::GrayscaleAlpha) => stream.write_all(&pick::<4, 2>(rows, [0, 3])),
                (Layout::Rgba, ColorType::Rgb) => stream.write_all(&pick::<4, 3>(rows, [0, 1, 2])),
                _ => stream.write_all(rows),
            };
            outcome.map_err(|error| failed(&error))?;
        }
        stream.finish().map_err(|error| failed(&error))?;
    }
    Ok(bytes)
}

/// A palette and indices of 1, 2, 4 or 8 bits, unfiltered: neighbouring indices are no neighbouring colours.
fn indexed(bitmap: &Bitmap, picture: &Indexed, effort: Option<u8>, watch: &Watch) -> Result<Vec<u8>, Error> {
    let colours = &picture.palette.colours;
    let (depth, bits) = match colours.len() {
        0..=2 => (BitDepth::One, 1),
        3..=4 => (BitDepth::Two, 2),
        5..=16 => (BitDepth::Four, 4),
        _ => (BitDepth::Eight, 8),
    };
    let mut bytes = Vec::new();
    {
        let mut encoder = Encoder::new(&mut bytes, bitmap.width(), bitmap.height());
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(depth);
        // The quickest setting is made for filtered samples; there are few bytes here.
        encoder.set_compression(match effort {
            None => Compression::Balanced,
            effort => compression(effort),
        });
        encoder.set_filter(Filter::NoFilter);
        encoder.set_palette(colours.iter().flat_map(|c| [c[0], c[1], c[2]]).collect::<Vec<u8>>());
        let alphas: Vec<u8> = colours.iter().map(|c| c[3]).take_while(|&alpha| alpha != u8::MAX).collect();
        if !alphas.is_empty() {
            encoder.set_trns(alphas);
        }
        let mut writer = encoder.write_header().map_err(|error| failed(&error))?;
        let mut stream = writer.stream_writer().map_err(|error| failed(&error))?;
        let mut packed = Vec::new();
        for (number, row) in picture.indices.chunks(bitmap.width() as usize).enumerate() {
            if number.is_multiple_of(ROWS) {
                watch.check()?;
            }
            pack(row, bits, &mut packed);
            stream.write_all(&packed).map_err(|error| failed(&error))?;
        }
        stream.finish().map_err(|error| failed(&error))?;
    }
    Ok(bytes)
}

/// Indices of `bits` each, the first in the highest bits; a row ends with its byte (PNG, 7.2).
fn pack(row: &[u8], bits: u32, packed: &mut Vec<u8>) {
    packed.clear();
    let together = row.chunks((8 / bits) as usize);
    packed.extend(together.map(|few| {
        let byte = few.iter().fold(0u32, |byte, &index| byte << bits | u32::from(index));
        (byte << (bits * (8 / bits - few.len() as u32))) as u8
    }));
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("png: {error}"))
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
