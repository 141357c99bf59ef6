//! JPEG by our own decoder, shrunk while it is read; arithmetic-coded files by zune-jpeg.
//!
//! What is missing of a truncated file comes out mid-gray. CMYK becomes sRGB here, since a bitmap has no such layout.

mod arithmetic;
mod inks;

use super::{Decoded, Delivered, Want, check_memory, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::color;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::metadata::jpeg::{self, JpegHeader};
use crate::probe::Probe;
use crate::scratch::Scratch;
use ::jpeg::{Decoder, Scale};

/// Each scan of a progressive file costs a walk over the whole picture; encoders write about ten.
const MAX_SCANS: usize = 64;
/// The coefficients of a progressive picture stay in memory, 2 bytes each.
const COEFFICIENT: u64 = 2;

pub(super) fn decode(
    bytes: &[u8],
    probe: &Probe,
    want: &Want,
    limits: &Limits,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Decoded, Error> {
    let header = jpeg::read(bytes).ok_or_else(|| malformed(SourceFormat::Jpeg, &"no frame header"))?;
    header.check_supported()?;
    check_scans(&header, bytes)?;
    let (size, mut pixels) = if header.is_arithmetic() {
        whole(bytes, &header, probe, limits, watch, scratch)?
    } else {
        shrunk(bytes, probe, want, limits, watch, scratch)?
    };
    watch.check()?;
    let icc = header.icc();
    if let (4, Some(resize)) = (header.components, want.resize.filter(|resize| inks::is_worth_it(size, resize))) {
        let stored = (probe.width, probe.height);
        pixels = inks::resized(pixels, size, stored, resize, watch, scratch)?;
        color::cmyk_to_srgb(&mut pixels, icc.as_deref(), header.adobe.is_some(), watch)?;
        let bitmap = Bitmap::new(resize.width, resize.height, Layout::Rgb, pixels);
        return Ok(Decoded { delivered: Delivered::Resized, ..Decoded::whole(bitmap, None, header.orientation) });
    }
    let (layout, icc) = match header.components {
        1 => (Layout::Gray, icc.filter(|icc| color::differs_from_srgb(icc, Layout::Gray))),
        3 => (Layout::Rgb, icc.filter(|icc| color::differs_from_srgb(icc, Layout::Rgb))),
        _ => {
            color::cmyk_to_srgb(&mut pixels, icc.as_deref(), header.adobe.is_some(), watch)?;
            (Layout::Rgb, None)
        }
    };
    let bitmap = Bitmap::new(size.0, size.1, layout, pixels);
    Ok(Decoded::whole(bitmap, icc, header.orientation))
}

/// Reads at the smallest of 1/8, 1/4, 1/2 and 1/1 that still serves.
fn shrunk(
    bytes: &[u8],
    probe: &Probe,
    want: &Want,
    limits: &Limits,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<((u32, u32), Vec<u8>), Error> {
    let own = |max_memory| ::jpeg::Limits { max_pixels: limits.source_pixels, max_memory };
    let told = |error| match error {
        ::jpeg::Error::Cancelled => watch.check().err().unwrap_or(Error::Cancelled),
        ::jpeg::Error::Unsupported(what) => Error::Unsupported(format!("JPEG: {what}")),
        ::jpeg::Error::Malformed(what) => Error::Malformed(format!("JPEG: {what}")),
        ::jpeg::Error::TooLarge { value, limit, .. } => {
            Error::TooLarge { what: "memory to decode the original", value, limit }
        }
        other => Error::Internal(other.to_string()),
    };
    let mut decoder = Decoder::new(bytes, &own(limits.memory)).map_err(told)?;
    let info = decoder.info();
    if (info.width, info.height) != (probe.width, probe.height) {
        return Err(malformed(SourceFormat::Jpeg, &"two headers that disagree"));
    }
    decoder.scale(Scale::at_least(info.width, info.height, want.min_width, want.min_height));
    let value = (decoder.output_len() as u64).saturating_add(decoder.memory());
    if value > limits.memory {
        return Err(Error::TooLarge { what: "memory to decode the original", value, limit: limits.memory });
    }
    let mut pixels = scratch.take(decoder.output_len());
    match decoder.decode_into(scratch.jpeg(), &|| watch.check().is_err(), &mut pixels) {
        Ok(_) => Ok((decoder.output_size(), pixels)),
        Err(error) => {
            scratch.give(pixels);
            Err(told(error))
        }
    }
}

fn whole(
    bytes: &[u8],
    header: &JpegHeader<'_>,
    probe: &Probe,
    limits: &Limits,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<((u32, u32), Vec<u8>), Error> {
    let components = u64::from(header.components);
    let in_one_go = !header.is_progressive() && header.scan_components >= header.components;
    check_memory(probe, if in_one_go { components } else { components * (1 + COEFFICIENT) }, limits)?;
    let mut pixels = scratch.take(size_of(probe.width, probe.height, Layout::Gray) * usize::from(header.components));
    match arithmetic::decode(bytes, header, probe, watch, &mut pixels) {
        Ok(()) => Ok(((probe.width, probe.height), pixels)),
        Err(error) => {
            scratch.give(pixels);
            Err(error)
        }
    }
}

/// Holds the scans of a progressive file against the limit, before the first of them costs anything.
fn check_scans(header: &JpegHeader<'_>, bytes: &[u8]) -> Result<(), Error> {
    let (value, limit) = (if header.is_progressive() { header.scans(bytes) } else { 0 }, MAX_SCANS);
    if value > limit {
        return Err(Error::TooLarge { what: "scans of the original", value: value as u64, limit: limit as u64 });
    }
    Ok(())
}

impl JpegHeader<'_> {
    fn is_arithmetic(&self) -> bool {
        matches!(self.process, 9 | 10)
    }

    /// By Huffman or by arithmetic coding.
    fn is_progressive(&self) -> bool {
        matches!(self.process, 2 | 10)
    }

    /// Refuses what is not decoded, by name.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    pub(crate) fn check_supported(&self) -> Result<(), Error> {
        let what = match (self.process, self.precision, self.components, self.height) {
            (3 | 7 | 11 | 15, ..) => "lossless JPEG".to_owned(),
            (5 | 6 | 13 | 14, ..) => "hierarchical JPEG".to_owned(),
            (_, precision, ..) if precision != 8 => format!("JPEG with {precision} bits per sample"),
            (_, _, components, _) if !matches!(components, 1 | 3 | 4) => format!("JPEG with {components} components"),
            (_, _, _, 0) => "JPEG that tells its height after the picture (DNL)".to_owned(),
            _ => return Ok(()),
        };
        Err(Error::Unsupported(format!("{what} is not supported")))
    }
}
