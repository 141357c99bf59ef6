//! Animated PNG (PNG third edition, 11.3.6): our own chunks round frames that the `png` crate compresses. Always RGBA at
//! 8 bits: all frames share one kind of pixel, and what later ones need is not known when the first is written.

use super::Reel;
use super::delta::{Rect, same};
use super::pace::Pace;
use crate::bitmap::{Bitmap, Layout};
use crate::encode::Settings;
use crate::error::Error;
use crate::limits::Watch;
use crate::op::channels::widen;
use crate::scratch::Scratch;
use crc32fast::Hasher;
use png::{BitDepth, ColorType, Compression, Encoder};
use std::io::Write;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Rows between two looks at the watch.
const ROWS: usize = 64;

pub(super) struct PngReel {
    settings: Settings,
    size: (u32, u32),
    plays: u32,
    pace: Pace,
    before: Option<Bitmap>,
    count: u32,
    /// Of `fcTL` and `fdAT` together.
    sequence: u32,
    /// The chunks of all frames.
    frames: Vec<u8>,
}

impl PngReel {
    pub(super) fn new(settings: Settings, size: (u32, u32), plays: u32) -> Self {
        let (pace, frames) = (Pace::new(1000), Vec::new());
        Self { settings, size, plays, pace, before: None, count: 0, sequence: 0, frames }
    }

    /// The frame's place, its pixels, and whether they are laid over what is there.
    fn part(&self, frame: &Bitmap, scratch: &mut Scratch) -> (Rect, Bitmap, bool) {
        let Some(before) = &self.before else {
            let all = Rect::all(frame);
            return (all, all.cut(frame, scratch), false);
        };
        let part = Rect::bounding(before, frame, |a, b| !same(a, b)).unwrap_or(Rect::DOT);
        if part.covers(before, frame) {
            return (part, part.cut_changes(before, frame, scratch), true);
        }
        (part, part.cut(frame, scratch), false)
    }

    fn next_sequence(&mut self) -> [u8; 4] {
        let number = self.sequence;
        self.sequence += 1;
        number.to_be_bytes()
    }
}

impl Reel for PngReel {
    fn add(&mut self, frame: Bitmap, micros: u64, watch: &Watch, scratch: &mut Scratch) -> Result<(), Error> {
        let frame = widen(frame, Layout::Rgba, scratch);
        let (place, pixels, over) = self.part(&frame, scratch);
        let data = compress(&pixels, self.settings.effort, watch)?;
        scratch.give(pixels.into_pixels());
        let mut control = self.next_sequence().to_vec();
        for value in [place.width, place.height, place.left, place.top] {
            control.extend(u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes());
        }
        let (number, denominator) = fraction(self.pace.next(micros));
        control.extend(number.to_be_bytes());
        control.extend(denominator.to_be_bytes());
        control.extend([0, u8::from(over)]);
        put_chunk(&mut self.frames, b"fcTL", &[&control])?;
        for part in image_data(&data) {
            if self.count == 0 {
                put_chunk(&mut self.frames, b"IDAT", &[part])?;
            } else {
                let sequence = self.next_sequence();
                put_chunk(&mut self.frames, b"fdAT", &[&sequence, part])?;
            }
        }
        self.count += 1;
        if let Some(before) = self.before.replace(frame) {
            scratch.give(before.into_pixels());
        }
        Ok(())
    }

    fn finish(self: Box<Self>, watch: &Watch, scratch: &mut Scratch) -> Result<Vec<u8>, Error> {
        watch.check()?;
        if let Some(before) = self.before {
            scratch.give(before.into_pixels());
        }
        let mut file = Vec::with_capacity(self.frames.len() + 70);
        file.extend(SIGNATURE);
        let (width, height) = (self.size.0.to_be_bytes(), self.size.1.to_be_bytes());
        // 8 bits, RGBA, and the only methods there are.
        put_chunk(&mut file, b"IHDR", &[&width, &height, &[8, 6, 0, 0, 0]])?;
        put_chunk(&mut file, b"acTL", &[&self.count.to_be_bytes(), &self.plays.to_be_bytes()])?;
        file.extend(self.frames);
        put_chunk(&mut file, b"IEND", &[])?;
        Ok(file)
    }
}

/// Milliseconds as a fraction of a second whose parts have 16 bits.
fn fraction(millis: u64) -> (u16, u16) {
    [1000, 100, 10, 1]
        .into_iter()
        .find_map(|denominator| {
            let number = u16::try_from(millis.saturating_mul(denominator.into()) / 1000).ok()?;
            Some((number, denominator))
        })
        .unwrap_or((u16::MAX, 1))
}

/// A still PNG of these pixels.
fn compress(pixels: &Bitmap, effort: Option<u8>, watch: &Watch) -> Result<Vec<u8>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("png: {error}"));
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(match effort {
        Some(0 | 1) => Compression::Fastest,
        None | Some(2..=4) => Compression::Fast,
        Some(5..=7) => Compression::Balanced,
        Some(_) => Compression::High,
    });
    let mut writer = encoder.write_header().map_err(|error| failed(&error))?;
    let mut stream = writer.stream_writer().map_err(|error| failed(&error))?;
    for rows in pixels.pixels().chunks(ROWS * pixels.width() as usize * Layout::Rgba.channels()) {
        watch.check()?;
        stream.write_all(rows).map_err(|error| failed(&error))?;
    }
    stream.finish().map_err(|error| failed(&error))?;
    drop(writer);
    Ok(bytes)
}

/// The bodies of the `IDAT` chunks of a file that [`compress`] wrote.
fn image_data(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = file.get(SIGNATURE.len()..).unwrap_or_default();
    std::iter::from_fn(move || {
        loop {
            let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
            let (kind, body) = (rest.get(4..8)?, rest.get(8..8 + length)?);
            rest = rest.get(12 + length..)?;
            if kind == b"IDAT" {
                return Some(body);
            }
        }
    })
}

fn put_chunk(file: &mut Vec<u8>, kind: &[u8; 4], parts: &[&[u8]]) -> Result<(), Error> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let length = u32::try_from(length).map_err(|_| Error::Internal("png: more than 4 GiB".into()))?;
    file.extend(length.to_be_bytes());
    let mut hasher = Hasher::new();
    for part in std::iter::once(&kind.as_slice()).chain(parts) {
        hasher.update(part);
        file.extend(*part);
    }
    file.extend(hasher.finalize().to_be_bytes());
    Ok(())
}
