//! AVIF: a strict reader of the container, rav1d for AV1, and our own way from planes to 8-bit pixels.
//!
//! It holds the limits before anything is decoded: sizes come from the container, and a frame that turns out larger is
//! refused by the decoder. It decodes the primary item (or the first frame of a sequence), single or as a grid, with its
//! alpha. EXIF orientation plays no part: `irot` and `imir` do (ISO/IEC 23008-12, 6.5.10).

mod aperture;
mod av1;
mod collect;
pub(super) mod frames;
mod meta;
mod plan;
mod property;
mod reader;
mod samples;
mod sequence;
#[cfg(test)]
mod tests;
mod yuv;

pub(crate) use collect::collect;

use super::Decoded;
use crate::bitmap::{Bitmap, Layout};
use crate::color;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::motion::Motion;
use crate::probe::Probe;
use crate::scratch::Scratch;
use av1::{Colors, Frame, Sampling};
use plan::{Canvas, Plan, Refusal};
use reader::Reader;
use yuv::{Colored, Luma, Matrix};

/// How many bytes the items of a HEIF file have together, each counted once and once more for every reference to it.
/// `None` when the container is damaged or exceeds a limit.
#[cfg(feature = "heic")]
pub(crate) fn named_bytes(bytes: &[u8]) -> Option<u64> {
    let meta = meta::Meta::read(reader::Reader(bytes).find(b"meta")?)?;
    let all = bytes.len() as u64;
    let length = |item: &meta::Item| {
        let extents = item.location.extents.iter().map(|&(_, length)| if length == 0 { all } else { length });
        extents.fold(0u64, u64::saturating_add)
    };
    let once = meta.items.iter().map(length);
    let again = meta.references.iter().flat_map(|reference| &reference.to);
    let again = again.filter_map(|&id| meta.item(id)).map(length);
    Some(once.chain(again).fold(0, u64::saturating_add))
}

/// What the container says.
///
/// # Errors
/// [`Error::Malformed`], [`Error::Unsupported`] for items that are not AV1, [`Error::TooLarge`] for the coded size (which
/// `clap` may hide).
pub(crate) fn probe(bytes: &[u8], limits: &Limits) -> Result<Probe, Error> {
    let plan = plan(bytes, limits)?;
    let (width, height) = plan.size();
    let (frames, plays, micros) = motion(bytes, limits.frames, &mut |_| ()).unwrap_or((1, 1, 0));
    Ok(Probe {
        format: SourceFormat::Avif,
        width,
        height,
        orientation: plan.orientation,
        has_alpha: plan.alpha.is_some(),
        gray: plan.color.monochrome,
        depth: plan.color.bits,
        frames: frames.max(1),
        motion: Motion::of(frames, false, plays, micros),
        has_icc: plan.icc.is_some(),
        lossy: true,
        has_metadata: plan.has_metadata,
    })
}

/// Decodes the picture. `watch` is asked between tiles: rav1d cannot be stopped inside one.
///
/// # Errors
/// As [`probe`], and what [`Watch::check`] returns.
pub(crate) fn decode(bytes: &[u8], limits: &Limits, watch: &Watch, scratch: &mut Scratch) -> Result<Decoded, Error> {
    let plan = plan(bytes, limits)?;
    let layout = layout(&plan);
    let (width, height) = plan.size();
    check_memory(&plan, layout, limits)?;
    let mut target = Target::of(&plan, layout, scratch);
    let colors = match (paint_color(&plan, &mut target, watch), &plan.alpha) {
        (Ok(colors), None) => Ok(colors),
        (Ok(colors), Some(alpha)) => paint_alpha(alpha, &mut target, watch).map(|()| colors),
        (Err(error), _) => Err(error),
    };
    let colors = match colors {
        Ok(colors) => colors,
        Err(error) => {
            scratch.give(target.pixels);
            return Err(error);
        }
    };
    if plan.premultiplied {
        divide_by_alpha(&mut target.pixels);
    }
    let icc = profile(&plan, colors, layout);
    Ok(Decoded::whole(Bitmap::new(width, height, layout, target.pixels), icc, plan.orientation))
}

/// Frames of a sequence, how often they play, and the sum of their durations; `None` for what is no sequence.
pub(crate) fn motion(bytes: &[u8], limit: u32, frame: &mut dyn FnMut(u64)) -> Option<(u32, u32, u64)> {
    let moov = Reader(bytes).find(b"moov").filter(|_| sequence::is_asked_for(bytes))?;
    sequence::motion(moov, limit, frame)
}

fn layout(plan: &Plan<'_>) -> Layout {
    match (&plan.alpha, plan.color.monochrome) {
        (Some(_), _) => Layout::Rgba,
        (None, true) => Layout::Gray,
        (None, false) => Layout::Rgb,
    }
}

/// The container's profile, else one made of the code points; `None` for sRGB.
fn profile(plan: &Plan<'_>, colors: Colors, layout: Layout) -> Option<Vec<u8>> {
    match &plan.icc {
        Some(icc) => Some(icc.clone()).filter(|icc| color::differs_from_srgb(icc, layout)),
        None => color::profile_of_cicp([of_srgb(colors.primaries, 1), transfer(colors.transfer), 0, 1], layout),
    }
}

/// The plan, within the limits.
fn plan<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Plan<'a>, Error> {
    let file = Reader(bytes);
    let moov = file.find(b"moov");
    let meta = file.find(b"meta").map(|m| meta::Meta::read(m).ok_or(Refusal::Malformed("a damaged meta box")));
    let moving = moov.filter(|_| sequence::is_asked_for(bytes)).and_then(|moov| sequence::plan(bytes, moov).ok());
    let plan = match (meta, moov) {
        _ if moving.is_some() => moving.ok_or(Refusal::Malformed("no sequence")),
        (Some(Ok(meta)), _) => Plan::of_still(bytes, &meta),
        (_, Some(moov)) => sequence::plan(bytes, moov),
        (Some(Err(refusal)), None) => Err(refusal),
        (None, None) => Err(Refusal::Malformed("no picture in the file")),
    };
    let plan = plan.map_err(|refusal| match refusal {
        Refusal::Malformed(why) => Error::Malformed(format!("AVIF: {why}")),
        Refusal::Unsupported(why) => Error::Unsupported(format!("AVIF: {why}")),
    })?;
    for canvas in std::iter::once(&plan.color).chain(&plan.alpha) {
        for (width, height) in [(canvas.width, canvas.height), (canvas.tile_width, canvas.tile_height)] {
            check_size(width, height, limits)?;
        }
    }
    Ok(plan)
}

fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), Error> {
    let within = |what, value: u64, limit: u64| {
        if value > limit { Err(Error::TooLarge { what, value, limit }) } else { Ok(()) }
    };
    within("longer side of the original", width.max(height).into(), limits.source_side.into())?;
    within("pixels of the original", u64::from(width) * u64::from(height), limits.source_pixels)
}

/// The result, one decoded tile (with a copy for film grain) and rav1d's own tables, about 4 bytes a pixel.
fn check_memory(plan: &Plan<'_>, layout: Layout, limits: &Limits) -> Result<(), Error> {
    let area = |w: u32, h: u32| u64::from(w) * u64::from(h);
    let samples = if plan.color.monochrome { 1 } else { 3 } * if plan.color.bits > 8 { 2 } else { 1 };
    let (width, height) = plan.size();
    let value = (area(width, height) * layout.channels() as u64)
        .saturating_add(area(plan.color.tile_width, plan.color.tile_height).saturating_mul(2 * samples + 4));
    if value > limits.memory {
        return Err(Error::TooLarge { what: "memory to decode the original", value, limit: limits.memory });
    }
    Ok(())
}

/// Unspecified (2) or reserved (0) code points mean sRGB's.
fn of_srgb(code: u8, srgb: u8) -> u8 {
    if matches!(code, 0 | 2) { srgb } else { code }
}

/// The camera curves of BT.709, BT.601 and BT.2020 are read as sRGB's, as stills with such a label are made and shown.
fn transfer(code: u8) -> u8 {
    if matches!(code, 1 | 6 | 14 | 15) { 13 } else { of_srgb(code, 13) }
}

/// Where pixels go: the part of the canvas that `clap` shows.
struct Target {
    left: u32,
    top: u32,
    width: usize,
    height: u32,
    layout: Layout,
    pixels: Vec<u8>,
}

impl Target {
    fn of(plan: &Plan<'_>, layout: Layout, scratch: &mut Scratch) -> Self {
        let (width, height) = plan.size();
        let (left, top, ..) = plan.crop.unwrap_or_default();
        let pixels = scratch.take(super::size_of(width, height, layout));
        Self { left, top, width: width as usize, height, layout, pixels }
    }

    /// The target's part of row `y` of the canvas from column `x` on, with the first of `length` columns that lie in it.
    fn span(&mut self, x: u32, y: u32, length: usize) -> Option<(usize, &mut [u8])> {
        let row = y.checked_sub(self.top).filter(|&row| row < self.height)? as usize;
        let skipped = self.left.saturating_sub(x) as usize;
        let start = x.saturating_sub(self.left) as usize;
        let columns = length.checked_sub(skipped)?.min(self.width.checked_sub(start)?);
        let channels = self.layout.channels();
        let start = (row * self.width + start) * channels;
        Some((skipped, self.pixels.get_mut(start..start + columns * channels)?))
    }
}

/// Decodes the tiles of a canvas one after the other and hands each to `paint` with its place.
fn each_tile(
    canvas: &Canvas<'_>,
    watch: &Watch,
    mut paint: impl FnMut(&Frame, u32, u32) -> Result<(), Error>,
) -> Result<(), Error> {
    let pixels = u64::from(canvas.tile_width) * u64::from(canvas.tile_height);
    let limit = u32::try_from(pixels).unwrap_or(u32::MAX);
    let (mut x, mut y) = (0, 0);
    for tile in &canvas.tiles {
        watch.check()?;
        let frame = av1::decode_still(&tile.data, tile.operating_point, limit)?;
        if (frame.width(), frame.height()) != (canvas.tile_width, canvas.tile_height) {
            return Err(Error::Malformed("AVIF: a frame of another size than stated".into()));
        }
        // A canvas is covered without superfluous tiles, so places lie in it.
        paint(&frame, x, y)?;
        x += canvas.tile_width;
        if x >= canvas.width {
            (x, y) = (0, y + canvas.tile_height);
        }
    }
    watch.check()
}

/// Colours of all tiles; what the first one says of them, the container having the last word.
fn paint_color(plan: &Plan<'_>, target: &mut Target, watch: &Watch) -> Result<Colors, Error> {
    let mut first = None;
    each_tile(&plan.color, watch, |frame, x, y| {
        let colors = paint_tile(plan, frame, target, x, y)?;
        first.get_or_insert(colors);
        Ok(())
    })?;
    first.ok_or_else(|| Error::Malformed("AVIF: a picture without tiles".into()))
}

/// One frame, or tile, at its place.
fn paint_tile(plan: &Plan<'_>, frame: &Frame, target: &mut Target, x: u32, y: u32) -> Result<Colors, Error> {
    let colors = plan.nclx.map_or(frame.colors(), |nclx| Colors {
        primaries: u8::try_from(nclx.primaries).unwrap_or(2),
        transfer: u8::try_from(nclx.transfer).unwrap_or(2),
        matrix: u8::try_from(nclx.matrix).unwrap_or(2),
        full_range: nclx.full_range,
    });
    if (frame.sampling() == Sampling::Monochrome) != plan.color.monochrome {
        return Err(Error::Malformed("AVIF: a frame of another kind than stated".into()));
    }
    let tone = plan.tone(colors);
    if plan.color.monochrome {
        let luma = match tone {
            Some(tone) => Luma::toned(colors.full_range, frame.bits(), tone),
            None => Luma::new(colors.full_range, frame.bits()),
        };
        paint_gray(frame, &luma, target, x, y);
        return Ok(colors);
    }
    let matrix = if tone.is_some() { Matrix::wide } else { Matrix::new };
    let matrix = matrix(colors, frame.bits(), frame.sampling())
        .ok_or_else(|| Error::Unsupported(format!("AVIF: matrix coefficients {}", colors.matrix)))?;
    let mut rows = Colored::new(frame, matrix);
    let width = frame.width() as usize;
    let mut line = vec![0; width * 3];
    for row in 0..frame.height() {
        let layout = target.layout;
        let Some((skipped, out)) = target.span(x, y + row, width) else { continue };
        match tone {
            Some(tone) => rows.row_toned(row, tone, &mut line),
            None => rows.row(row, &mut line),
        }
        let line = line.get(skipped * 3..).unwrap_or_default();
        if layout == Layout::Rgb {
            out.iter_mut().zip(line).for_each(|(o, &s)| *o = s);
        } else {
            let pairs = out.as_chunks_mut::<4>().0.iter_mut().zip(line.as_chunks::<3>().0);
            pairs.for_each(|(o, &[red, green, blue])| *o = [red, green, blue, 255]);
        }
    }
    Ok(colors)
}

/// A monochrome frame in a gray target, or in one with alpha.
fn paint_gray(frame: &Frame, luma: &Luma, target: &mut Target, x: u32, y: u32) {
    let mut line = vec![0; frame.width() as usize];
    for row in 0..frame.height() {
        let layout = target.layout;
        let Some((skipped, out)) = target.span(x, y + row, line.len()) else { continue };
        luma.row(frame, row, &mut line);
        let line = line.get(skipped..).unwrap_or_default();
        if layout == Layout::Gray {
            out.iter_mut().zip(line).for_each(|(o, &s)| *o = s);
        } else {
            out.as_chunks_mut::<4>().0.iter_mut().zip(line).for_each(|(o, &v)| *o = [v, v, v, 255]);
        }
    }
}

/// Luma of the alpha canvas into the fourth channel. Its own header tells the range (full, in every sane file).
fn paint_alpha(canvas: &Canvas<'_>, target: &mut Target, watch: &Watch) -> Result<(), Error> {
    each_tile(canvas, watch, |frame, x, y| {
        paint_alpha_tile(frame, target, x, y);
        Ok(())
    })
}

fn paint_alpha_tile(frame: &Frame, target: &mut Target, x: u32, y: u32) {
    let luma = Luma::new(frame.colors().full_range, frame.bits());
    let mut line = vec![0; frame.width() as usize];
    for row in 0..frame.height() {
        let Some((skipped, out)) = target.span(x, y + row, line.len()) else { continue };
        luma.row(frame, row, &mut line);
        let line = line.get(skipped..).unwrap_or_default();
        out.as_chunks_mut::<4>().0.iter_mut().zip(line).for_each(|(o, &a)| o[3] = a);
    }
}

fn divide_by_alpha(pixels: &mut [u8]) {
    for pixel in pixels.as_chunks_mut::<4>().0 {
        let alpha = u32::from(pixel[3]);
        for channel in &mut pixel[..3] {
            let value = (u32::from(*channel) * 255 + alpha / 2).checked_div(alpha).unwrap_or(0);
            *channel = u8::try_from(value).unwrap_or(255);
        }
    }
}
