//! What a render will cost, from the header and the transform alone, so that it can be admitted or refused before any
//! pixel exists. Estimates to schedule by, not promises: measured on photographs, one core, rounded up.

mod gain_map;

use crate::animation;
use crate::bitmap::Layout;
use crate::decode::{self, Need};
use crate::encode::Settings;
use crate::encode::avif::{expected_cpu_ms, memory_per_pixel};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::op::orient::Turn;
use crate::output::{self, Subject};
use crate::pipeline::{self, Pass};
use crate::probe::Probe;
use crate::quality;
use crate::render::{refuse_lost_range, refuse_unknown};
use crate::setup::Setup;
use cache_key::Variant;
use cache_key::transform::Codec;

/// The price of one render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Bytes held at the worst moment, the original's own bytes not counted.
    pub memory: u64,
    /// Milliseconds of one core.
    pub millis: u32,
    /// The result's size, pixels.
    pub output: (u32, u32),
}

/// Prices a render of an original (of which its header is read again), and refuses what the limits or the engine do not allow.
///
/// # Errors
/// [`Error::NotImplemented`], [`Error::TooLarge`], [`Error::Impossible`].
pub fn cost(original: &[u8], probe: &Probe, variant: &Variant, setup: &Setup) -> Result<Cost, Error> {
    let (transform, limits) = (&variant.transform, &setup.limits);
    refuse_unknown(transform)?;
    refuse_lost_range(original, probe, transform)?;
    let turn = pipeline::upright(transform, probe.orientation);
    let passes = pipeline::plan(turn.size((probe.width, probe.height)), transform, setup)?;
    let output = passes.last().map_or((probe.width, probe.height), Pass::size);
    if let Some(moving) = animation::decide(probe, variant, output, setup)? {
        return moving.price(probe, &passes, transform, setup);
    }
    let alpha = probe.has_alpha || passes.iter().any(Pass::adds_alpha);
    let subject = Subject { source: probe.format, alpha, longer_side: output.0.max(output.1) };
    let codec = output::codec(&transform.output, variant.class, setup.avif, subject)?;
    let settings = output::settings(transform, codec, setup.avif)?.for_size(output.0, output.1);

    let layout = layout(probe);
    let channels = layout.channels() as u64;
    let stored = (probe.width, probe.height);
    let want = passes.first().map(|pass| pass.want(stored, turn)).unwrap_or_default();
    let whole = || Need {
        memory: probe.pixels() * (channels + decoder_bytes(probe)),
        size: stored,
        resized: false,
        nanoseconds: probe.pixels() * decoder_nanoseconds(probe),
    };
    let need = decode::need(original, probe, layout, &want, limits).unwrap_or_else(whole);
    let pixels = area(need.size);
    // Decoded pixels and the decoder's own, then decoded pixels and the resize's, then the encoder's.
    let largest = passes.iter().map(|pass| area(pass.size()).max(area(pass.plan.size))).max().unwrap_or(pixels);
    // Only operations behind the resize need a second bitmap.
    let copies = passes.iter().enumerate().any(|(at, pass)| pass.copies(if at == 0 { turn } else { Turn::default() }));
    let largest = if copies || passes.len() > 1 { largest } else { 0 };
    let resizing = if need.resized {
        (pixels + largest) * channels
    } else {
        let resized = passes.first().filter(|pass| !pass.plan.keeps_pixels());
        let lines =
            resized.map_or(0, |pass| u64::from(need.size.0) * u64::from(pass.plan.size.1) + area(pass.plan.size));
        let light = passes.first().map_or(0, Pass::bytes_per_source_channel);
        // A further pass that has to look at its picture gets it from a copy.
        let copy = if passes.iter().skip(1).any(Pass::needs_look) { pixels } else { 0 };
        (pixels * (1 + light) + copy + lines + largest) * channels
    };
    let look = quality::price(&settings, output::goal(&transform.output, codec), area(output));
    let encoding = area(output) * (if alpha { 4 } else { channels } + encoder_bytes(codec, &settings)) + look.memory;
    let second = gain_map::price(original, probe, transform, codec, output, limits);
    let memory = need.memory.max(resizing).max(encoding).max(area(output) * channels + second.memory);
    if memory > limits.memory {
        return Err(Error::TooLarge { what: "memory of the render", value: memory, limit: limits.memory });
    }

    let effects: u64 = passes.iter().map(|pass| area(pass.size()) * pass.nanoseconds_per_pixel()).sum();
    let encode = match codec {
        Codec::Avif => {
            let millis = expected_cpu_ms(setup.avif, output.0, output.1, settings.effort.unwrap_or(0));
            millis * if alpha { 2 } else { 1 } * 1_000_000
        }
        codec => area(output) * encoder_nanoseconds(codec, &settings),
    };
    let looks = passes.first().map_or(0, Pass::nanoseconds_per_source_pixel);
    let sight: u64 = passes.iter().map(Pass::nanoseconds_of_look).sum();
    let encoding = encode * look.encodes + look.nanoseconds + second.nanoseconds;
    let nanoseconds = need.nanoseconds + pixels * (RESIZE + looks) + sight + effects + encoding;
    Ok(Cost { memory, millis: u32::try_from(nanoseconds.div_ceil(1_000_000)).unwrap_or(u32::MAX).max(1), output })
}

/// What one pixel costs in each stage, for those who price more than one picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    /// Beside the bitmap, per stored pixel.
    pub(crate) decoder_bytes: u64,
    /// Per stored pixel.
    pub(crate) decoder_nanoseconds: u64,
    /// Per stored pixel.
    pub(crate) resize_nanoseconds: u64,
    /// Beside the bitmap, per pixel of the result.
    pub(crate) encoder_bytes: u64,
    /// Per pixel of the result.
    pub(crate) encoder_nanoseconds: u64,
}

impl Rates {
    pub(crate) fn of(probe: &Probe, codec: Codec, settings: &Settings) -> Self {
        Self {
            decoder_bytes: decoder_bytes(probe),
            decoder_nanoseconds: decoder_nanoseconds(probe),
            resize_nanoseconds: RESIZE,
            encoder_bytes: encoder_bytes(codec, settings),
            encoder_nanoseconds: encoder_nanoseconds(codec, settings),
        }
    }
}

/// Nanoseconds per pixel read by the resize.
const RESIZE: u64 = 2;

pub(crate) fn area((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

fn layout(probe: &Probe) -> Layout {
    match (probe.has_alpha, probe.gray) {
        (true, _) => Layout::Rgba,
        (false, true) => Layout::Gray,
        (false, false) => Layout::Rgb,
    }
}

/// Nanoseconds per stored pixel.
fn decoder_nanoseconds(probe: &Probe) -> u64 {
    match probe.format {
        SourceFormat::Jpeg => 7,
        SourceFormat::Png if probe.depth > 8 => 20,
        SourceFormat::Png => 12,
        SourceFormat::Gif => 12,
        SourceFormat::Webp | SourceFormat::Avif => 25,
        SourceFormat::Jxl => 45,
        SourceFormat::Tiff => 15,
        SourceFormat::Bmp | SourceFormat::Ico => 6,
        // Not by its pixels alone; the decoder looks at what it would take.
        SourceFormat::Svg => 60,
        SourceFormat::Heic => 60,
    }
}

/// Bytes per stored pixel that a decoder holds beside the bitmap.
fn decoder_bytes(probe: &Probe) -> u64 {
    match probe.format {
        SourceFormat::Png if probe.depth > 8 => 2 * layout(probe).channels() as u64,
        SourceFormat::Avif if probe.depth > 8 => 6,
        SourceFormat::Avif => 3,
        SourceFormat::Jxl => 16,
        SourceFormat::Heic => 32,
        SourceFormat::Bmp => 1,
        _ => 4,
    }
}

/// Nanoseconds per pixel of the result.
fn encoder_nanoseconds(codec: Codec, settings: &Settings) -> u64 {
    let lossless = settings.lossless;
    let effort = u64::from(settings.effort.unwrap_or(match codec {
        Codec::Webp => 3,
        _ => 0,
    }));
    match codec {
        Codec::Jpeg if effort >= 8 => 90,
        // Also the price of `progressive`.
        Codec::Jpeg => 30,
        Codec::Png if effort >= 5 => 400,
        Codec::Png if settings.quality < 100 && !lossless => 150,
        Codec::Png => 25,
        Codec::Webp if lossless => 300 + effort * 100,
        Codec::Webp => 40 + effort * effort * 3,
        // The palette, the dither, the compression.
        Codec::Gif => 120,
        Codec::Avif | Codec::Jxl => 500,
    }
}

/// Bytes per pixel of the result that an encoder holds beside the bitmap.
fn encoder_bytes(codec: Codec, settings: &Settings) -> u64 {
    match codec {
        Codec::Jpeg if settings.effort == Some(0) && !settings.progressive => 1,
        // All coefficients are kept: the Huffman tables are made for the picture.
        Codec::Jpeg => 6,
        Codec::Png => 2,
        Codec::Webp if settings.lossless => 28,
        Codec::Webp => 2,
        Codec::Avif => memory_per_pixel(&settings.avif()),
        Codec::Gif => 4,
        Codec::Jxl => 40,
    }
}
