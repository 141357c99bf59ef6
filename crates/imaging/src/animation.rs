//! Whether a rendition moves, in which format, and at what price: known from the header and the transform alone.
//!
//! An animation stays one wherever the format can hold it and the limits allow it; where they do not, its first frame is
//! served, unless the URL insists (`anim=1`): then the refusal says why. See docs/animations.md.

use crate::cost::{Cost, Rates, area};
use crate::decode::no_frame;
use crate::encode::avif::{Engine, film};
use crate::encode::longest_side;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::Limits;
use crate::output;
use crate::pipeline::Pass;
use crate::probe::Probe;
use crate::setup::Setup;
use cache_key::transform::{Codec, Format};
use cache_key::{FormatClass, Transform, Variant};

/// A rendition that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moving {
    /// Its format.
    pub(crate) codec: Codec,
    /// How often it plays; 0 is for ever.
    pub(crate) plays: u32,
    /// Frames of the original, all of which are decoded.
    pub(crate) frames: u32,
    /// Frames of the result, at most.
    pub(crate) kept: u32,
}

/// Decides. `None` is a still picture. `size` is the result's.
///
/// # Errors
/// [`Error::Impossible`] for a frame that does not exist, or where `anim=1` meets a format without animations;
/// [`Error::TooLarge`] where it meets a limit.
pub(crate) fn decide(
    probe: &Probe,
    variant: &Variant,
    size: (u32, u32),
    setup: &Setup,
) -> Result<Option<Moving>, Error> {
    let transform = &variant.transform;
    let asked = &transform.frames;
    if let Some(number) = asked.frame {
        return if number == 0 || number < probe.frames { Ok(None) } else { Err(no_frame(number, probe.frames)) };
    }
    let Some(motion) = probe.motion.filter(|_| asked.animate != Some(false)) else { return Ok(None) };
    let insists = asked.animate == Some(true);
    let Some(codec) = codec(transform, variant.class, probe.format, size, setup.avif) else {
        let why = || {
            Error::Impossible(
                "`anim=1`: the format that is asked for holds no animation that this server can write".into(),
            )
        };
        return if insists { Err(why()) } else { Ok(None) };
    };
    let kept = asked.fps_max.map_or(probe.frames, |fps| {
        // Delays that browsers stretch count as nothing here: an estimate from above, with those frames kept.
        let paced = motion.micros.saturating_mul(fps.into()) / 1_000_000 + 1;
        if motion.micros == 0 { probe.frames } else { probe.frames.min(u32::try_from(paced).unwrap_or(u32::MAX)) }
    });
    let moving = Moving { codec, plays: asked.loops.unwrap_or(motion.plays), frames: probe.frames, kept };
    match moving.check(probe, size, &setup.limits) {
        Ok(()) => Ok(Some(moving)),
        Err(error) if insists => Err(error),
        Err(_) => Ok(None),
    }
}

/// The format, where there is one that moves and holds the size.
///
/// - `f` names one: that one, if it moves.
/// - `f=auto`: WebP where the client reads it, else PNG for animated PNGs and with `lossless`, else GIF.
/// - no `f`: the original's.
fn codec(
    transform: &Transform,
    class: FormatClass,
    source: SourceFormat,
    size: (u32, u32),
    engine: Engine,
) -> Option<Codec> {
    let baseline = if source == SourceFormat::Png || transform.output.lossless { Codec::Png } else { Codec::Gif };
    let wishes: &[Codec] = match transform.output.format {
        Format::Image(codec @ (Codec::Webp | Codec::Gif | Codec::Png | Codec::Avif)) => &[codec],
        Format::Image(_) | Format::Json | Format::BlurHash | Format::ThumbHash => &[],
        Format::Auto => match class {
            FormatClass::Avif | FormatClass::Webp | FormatClass::Jxl => &[Codec::Webp, baseline],
            FormatClass::Baseline => &[baseline],
        },
        Format::Source => match source {
            SourceFormat::Gif => &[Codec::Gif],
            SourceFormat::Png => &[Codec::Png],
            SourceFormat::Webp => &[Codec::Webp, baseline],
            SourceFormat::Avif => &[Codec::Avif, Codec::Webp, baseline],
            _ => &[],
        },
    };
    let moves = |codec: &Codec| *codec != Codec::Avif || engine.writes_films();
    wishes.iter().copied().filter(moves).find(|codec| size.0.max(size.1) <= longest_side(*codec))
}

impl Moving {
    fn check(&self, probe: &Probe, size: (u32, u32), limits: &Limits) -> Result<(), Error> {
        let within = |what, value: u64, limit: u64| {
            if value > limit { Err(Error::TooLarge { what, value, limit }) } else { Ok(()) }
        };
        let pixels = limits.frame_pixels;
        within("frames of the original", self.frames.into(), limits.frames.into())?;
        within("pixels of all frames of the original", probe.pixels().saturating_mul(self.frames.into()), pixels)?;
        within("pixels of all frames of the result", area(size).saturating_mul(self.kept.into()), pixels)
    }

    /// The price. Memory does not depend on the number of frames, but for the file that grows.
    ///
    /// # Errors
    /// [`Error::NotImplemented`] by the settings, [`Error::TooLarge`] for the memory.
    pub(crate) fn price(
        &self,
        probe: &Probe,
        passes: &[Pass<'_>],
        transform: &Transform,
        setup: &Setup,
    ) -> Result<Cost, Error> {
        let settings = output::settings(transform, self.codec, setup.avif)?;
        let rates = Rates::of(probe, self.codec, &settings);
        let output = passes.last().map_or((probe.width, probe.height), Pass::size);
        let largest = passes.iter().map(|pass| area(pass.size()).max(area(pass.plan.size))).max().unwrap_or(0);
        let (frames, kept) = (u64::from(self.frames), u64::from(self.kept));
        // The canvas, a patch and what it saves; a copy that is transformed; two frames that are compared, and a part.
        let decoding = probe.pixels() * (12 + 4 + rates.decoder_bytes);
        let (encoder_bytes, encoder_nanoseconds) = if self.codec == Codec::Avif {
            let alpha = probe.has_alpha || passes.iter().any(Pass::adds_alpha);
            (
                film::expected_bytes(area(output), alpha),
                film::expected_nanoseconds(area(output), settings.effort, alpha),
            )
        } else {
            (area(output) * rates.encoder_bytes, area(output) * rates.encoder_nanoseconds)
        };
        let encoding = largest * 8 + area(output) * 12 + encoder_bytes;
        // What does not change costs AVIF next to nothing; its frames are held twice when the file is put together.
        let share = if self.codec == Codec::Avif && !settings.lossless { 8 } else { 4 };
        let file = area(output).saturating_mul(kept) / share;
        let memory = decoding.saturating_add(encoding).saturating_add(file);
        let limit = setup.limits.memory;
        if memory > limit {
            return Err(Error::TooLarge { what: "memory of the render", value: memory, limit });
        }
        let effects: u64 = passes.iter().map(|pass| area(pass.size()) * pass.nanoseconds_per_pixel()).sum();
        // Comparing and copying frames, 3 ns a pixel in all.
        let decode = probe.pixels() * (rates.decoder_nanoseconds + 3);
        let encode = probe.pixels() * rates.resize_nanoseconds + effects + area(output) * 3 + encoder_nanoseconds;
        let nanoseconds = decode.saturating_mul(frames).saturating_add(encode.saturating_mul(kept));
        let millis = u32::try_from(nanoseconds.div_ceil(1_000_000)).unwrap_or(u32::MAX).max(1);
        Ok(Cost { memory, millis, output })
    }
}

#[cfg(test)]
mod tests;
