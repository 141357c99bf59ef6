//! JPEG XL by `jxl`, the reference's Rust decoder: the first frame, 8 bits, in the colours that the file names.
//!
//! The file is handed over in pieces, so that a deadline ends it between them. A cut file is refused: there is no
//! promise which of its pixels are there.

use super::{Decoded, File, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::color;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::Watch;
use crate::probe::Probe;
use crate::scratch::Scratch;
use jxl::api::{
    AlphaMode, Event, ExtraChannel, JxlColorType, JxlDataFormat, JxlDecoder, JxlDecoderOptions, JxlOutputBuffer,
    JxlPixelFormat, ProfileLevel,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The bitmap, and what the decoder holds beside it: samples of 4 bytes, in three channels and alpha.
const BYTES_PER_PIXEL: u64 = 4 + 16;
/// Samples of a frame, in multiples of the picture's pixels: colours, extra channels, frames larger than the canvas.
const SAMPLES: u64 = 8;
/// So small that limits of samples make no sense.
const SMALL: u64 = 1 << 22;
/// Bytes of the file between two looks at the watch.
const PIECE: usize = 64 << 10;

pub(super) fn decode(file: File<'_>, scratch: &mut Scratch) -> Result<Decoded, Error> {
    file.check_memory(BYTES_PER_PIXEL)?;
    // The decoder's invariants are its own: a file that breaks one is at fault, and nothing of the decoder stays.
    let outcome = catch_unwind(AssertUnwindSafe(|| Reading::new(&file).run(scratch)));
    outcome.unwrap_or_else(|_panic| Err(malformed(SourceFormat::Jxl, &"it contradicts itself")))
}

struct Reading<'a> {
    decoder: JxlDecoder,
    /// What the decoder was not shown yet.
    rest: &'a [u8],
    /// What it was shown and has not taken.
    shown: &'a [u8],
    probe: &'a Probe,
    watch: &'a Watch,
}

impl<'a> Reading<'a> {
    fn new(&File { bytes, probe, watch, .. }: &File<'a>) -> Self {
        let mut options = JxlDecoderOptions::default();
        options.adjust_orientation = false;
        options.alpha_mode = AlphaMode::Unpremultiplied;
        options.max_profile_level = ProfileLevel::Main10;
        options.sample_limit = usize::try_from(probe.pixels().saturating_mul(SAMPLES).max(SMALL)).ok();
        Self { decoder: JxlDecoder::new(options), rest: bytes, shown: &[], probe, watch }
    }

    fn run(mut self, scratch: &mut Scratch) -> Result<Decoded, Error> {
        self.until(&mut [], |event| matches!(event, Event::BasicInfo))?;
        let info = self.decoder.basic_info().ok_or_else(|| Error::Internal("jxl: no header after its event".into()))?;
        if info.size != (self.probe.width as usize, self.probe.height as usize) {
            return Err(malformed(SourceFormat::Jxl, &"two headers that disagree"));
        }
        let alpha = info.extra_channels.iter().any(|channel| matches!(channel.ec_type, ExtraChannel::Alpha));
        let extra = info.extra_channels.len();
        let profile = self.decoder.embedded_color_profile().map_or((3, false), |p| (p.channels(), p.is_cmyk()));
        let (kind, channels) = match (profile, alpha) {
            ((_, true), _) => (JxlColorType::Cmyk, 4),
            ((1, _), false) => (JxlColorType::Grayscale, 1),
            (_, true) => (JxlColorType::Rgba, 4),
            (_, false) => (JxlColorType::Rgb, 3),
        };
        let format = JxlPixelFormat {
            color_type: kind,
            color_data_format: Some(JxlDataFormat::U8 { bit_depth: 8 }),
            extra_channel_format: vec![None; extra],
        };
        self.decoder.set_pixel_format(format).map_err(|error| malformed(SourceFormat::Jxl, &error))?;
        let (width, height) = (self.probe.width as usize, self.probe.height as usize);
        let mut pixels = scratch.take(width * height * channels);
        // Not every pixel of a picture has to be in one of its frames.
        pixels.fill(0);
        let mut buffer = [JxlOutputBuffer::new(&mut pixels, height, width * channels)];
        self.until(&mut buffer, |event| matches!(event, Event::FrameComplete { .. }))?;
        let profile = self.decoder.output_color_profile().or(self.decoder.embedded_color_profile());
        let icc = profile.and_then(|profile| profile.try_as_icc().map(std::borrow::Cow::into_owned));
        self.finish(kind, pixels, icc)
    }

    fn finish(&self, kind: JxlColorType, mut pixels: Vec<u8>, icc: Option<Vec<u8>>) -> Result<Decoded, Error> {
        let layout = match kind {
            JxlColorType::Cmyk => {
                // 18181-1, D.3.6: 0 is full ink.
                color::cmyk_to_srgb(&mut pixels, icc.as_deref(), true, self.watch)?;
                Layout::Rgb
            }
            JxlColorType::Grayscale => Layout::Gray,
            JxlColorType::Rgb => Layout::Rgb,
            _ => Layout::Rgba,
        };
        debug_assert_eq!(pixels.len(), size_of(self.probe.width, self.probe.height, layout));
        let icc = icc.filter(|icc| kind != JxlColorType::Cmyk && color::differs_from_srgb(icc, layout));
        let bitmap = Bitmap::new(self.probe.width, self.probe.height, layout, pixels);
        Ok(Decoded::whole(bitmap, icc, self.probe.orientation))
    }

    /// Shows the file piece by piece until the event comes that is waited for.
    fn until(&mut self, buffers: &mut [JxlOutputBuffer<'_>], done: impl Fn(&Event) -> bool) -> Result<(), Error> {
        loop {
            self.watch.check()?;
            let buffers = if buffers.is_empty() { None } else { Some(&mut *buffers) };
            let event = self.decoder.process(&mut self.shown, buffers, None);
            match event.map_err(|error| malformed(SourceFormat::Jxl, &error))? {
                event if done(&event) => return Ok(()),
                Event::NeedMoreInput { .. } => {
                    if self.rest.is_empty() {
                        return Err(malformed(SourceFormat::Jxl, &"it ends too early"));
                    }
                    // What was shown and not taken lies directly before the rest.
                    let piece = PIECE.min(self.rest.len());
                    let (more, rest) = self.rest.split_at(piece);
                    if !self.shown.is_empty() {
                        return Err(Error::Internal("jxl: bytes were left over".into()));
                    }
                    (self.shown, self.rest) = (more, rest);
                }
                Event::Complete => return Err(malformed(SourceFormat::Jxl, &"no frame that is seen")),
                _ => {}
            }
        }
    }
}
