//! JPEG by zune-jpeg: baseline and progressive, by Huffman or arithmetic coding, gray, YCbCr, RGB, CMYK and YCCK.
//!
//! What is missing of a truncated file comes out mid-gray. CMYK becomes sRGB here, since a bitmap has no such layout.

use super::{Decoded, check_memory, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::color;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::metadata::jpeg::{self, JpegHeader};
use crate::probe::Probe;
use crate::scratch::Scratch;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

/// Each scan of a progressive file costs a walk over the whole picture; encoders write about ten.
const MAX_SCANS: usize = 64;
/// The coefficients of a progressive picture stay in memory, 2 bytes each.
const COEFFICIENT: u64 = 2;

pub(super) fn decode(
    bytes: &[u8],
    probe: &Probe,
    limits: &Limits,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Decoded, Error> {
    let header = jpeg::read(bytes).ok_or_else(|| malformed(SourceFormat::Jpeg, &"no frame header"))?;
    header.check_supported()?;
    let components = u64::from(header.components);
    let in_one_go = !header.is_progressive() && header.scan_components >= header.components;
    check_memory(probe, if in_one_go { components } else { components * (1 + COEFFICIENT) }, limits)?;
    check_scans(&header, bytes)?;
    // The decoder refuses a file for a profile with holes; nobody else does.
    let stripped = (header.has_icc() && header.icc().is_none()).then(|| header.without_icc(bytes));
    let source = stripped.as_deref().unwrap_or(bytes);

    let space = match header.components {
        1 => ColorSpace::Luma,
        3 => ColorSpace::RGB,
        _ => ColorSpace::CMYK,
    };
    let mut pixels = scratch.take(size_of(probe.width, probe.height, Layout::Gray) * usize::from(header.components));
    if let Err(error) = read_into(source, probe, space, watch, &mut pixels) {
        scratch.give(pixels);
        return Err(error);
    }
    watch.check()?;
    let icc = header.icc();
    let (layout, icc) = match space {
        ColorSpace::Luma => (Layout::Gray, icc.filter(|icc| color::differs_from_srgb(icc, Layout::Gray))),
        ColorSpace::RGB => (Layout::Rgb, icc.filter(|icc| color::differs_from_srgb(icc, Layout::Rgb))),
        _ => {
            color::cmyk_to_srgb(&mut pixels, icc.as_deref(), header.adobe.is_some(), watch)?;
            (Layout::Rgb, None)
        }
    };
    let bitmap = Bitmap::new(probe.width, probe.height, layout, pixels);
    Ok(Decoded { bitmap, icc, orientation: header.orientation })
}

/// Holds the scans of a progressive file against the limit, before the first of them costs anything.
fn check_scans(header: &JpegHeader<'_>, bytes: &[u8]) -> Result<(), Error> {
    let (value, limit) = (if header.is_progressive() { header.scans(bytes) } else { 0 }, MAX_SCANS);
    if value > limit {
        return Err(Error::TooLarge { what: "scans of the original", value: value as u64, limit: limit as u64 });
    }
    Ok(())
}

fn read_into(bytes: &[u8], probe: &Probe, space: ColorSpace, watch: &Watch, pixels: &mut [u8]) -> Result<(), Error> {
    let options = DecoderOptions::new_fast()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(MAX_SCANS)
        .jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let watching = watch.clone();
    decoder.set_cancel(move || watching.check().is_err());
    let told = |error: DecodeErrors| match error {
        DecodeErrors::Cancelled => watch.check().err().unwrap_or(Error::Cancelled),
        DecodeErrors::Unsupported(what) => Error::Unsupported(format!("JPEG: {what:?}")),
        other => Error::Malformed(format!("JPEG: {other:?}")),
    };
    decoder.decode_headers().map_err(told)?;
    let expected = (probe.width as usize, probe.height as usize);
    if decoder.dimensions() != Some(expected) || decoder.output_buffer_size() != Some(pixels.len()) {
        return Err(malformed(SourceFormat::Jpeg, &"two headers that disagree"));
    }
    decoder.decode_into(pixels).map_err(told)
}

impl JpegHeader<'_> {
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
