//! JPEG by our own decoder: shrunk while it is read, only as far as the crop reaches, and row by row into the resize, so
//! that the original is never whole in memory. Arithmetic-coded files by zune-jpeg.
//!
//! What is missing of a truncated file comes out mid-gray. CMYK becomes sRGB here, since a bitmap has no such layout.

mod arithmetic;
mod inks;

use super::{Decoded, Delivered, File, Need, Want, check_held, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::color;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::metadata::jpeg::{self, JpegHeader};
use crate::op::resize::Resize;
use crate::resample::Stream;
use crate::scratch::{MOST_HELPERS, Scratch};
use ::jpeg::{Decoder, Region, Scale};

/// Each scan of a progressive file costs a walk over the whole picture; encoders write about ten.
const MAX_SCANS: usize = 64;
/// The coefficients of a progressive picture stay in memory, 2 bytes each.
const COEFFICIENT: u64 = 2;

pub(super) fn decode(file: File<'_>, want: &Want, scratch: &mut Scratch) -> Result<Decoded, Error> {
    let File { bytes, watch, .. } = file;
    let header = jpeg::read(bytes).ok_or_else(|| malformed(SourceFormat::Jpeg, &"no frame header"))?;
    header.check_supported()?;
    check_scans(&header, bytes)?;
    if header.is_arithmetic() {
        let pixels = whole(&file, &header, scratch)?;
        let read = Read { pixels, size: file.size(), origin: (0, 0), whole: file.size() };
        return in_colour(&header, Pixels::Read(read), want, watch, scratch);
    }
    let pixels = shrunk(&file, want, scratch)?;
    in_colour(&header, pixels, want, watch, scratch)
}

/// What came of the file.
enum Pixels {
    /// Its own pixels, scaled or not.
    Read(Read),
    /// What the resize makes of them.
    Resized(Bitmap),
}

/// Pixels with the file's components as channels, a part of the picture that was scaled to `whole`.
struct Read {
    pixels: Vec<u8>,
    size: (u32, u32),
    origin: (u32, u32),
    whole: (u32, u32),
}

/// Makes a bitmap of the components, with the profile that belongs to it.
fn in_colour(
    header: &JpegHeader<'_>,
    pixels: Pixels,
    want: &Want,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Decoded, Error> {
    watch.check()?;
    let icc = header.icc();
    let layout = if header.components == 1 { Layout::Gray } else { Layout::Rgb };
    let orientation = header.orientation;
    let Read { mut pixels, size, origin: (x, y), whole } = match pixels {
        Pixels::Resized(bitmap) => {
            let icc = icc.filter(|icc| color::differs_from_srgb(icc, layout));
            return Ok(Decoded { delivered: Delivered::Resized, ..Decoded::whole(bitmap, icc, orientation) });
        }
        Pixels::Read(read) => read,
    };
    if let (4, Some(resize)) = (header.components, want.resize.filter(|resize| inks::is_worth_it(size, resize))) {
        let stored = (u32::from(header.width), u32::from(header.height));
        pixels = inks::resized(pixels, size, stored, resize, watch, scratch)?;
        color::cmyk_to_srgb(&mut pixels, icc.as_deref(), header.adobe.is_some(), watch)?;
        let bitmap = Bitmap::new(resize.width, resize.height, Layout::Rgb, pixels);
        return Ok(Decoded { delivered: Delivered::Resized, ..Decoded::whole(bitmap, None, orientation) });
    }
    let icc = if header.components == 4 {
        color::cmyk_to_srgb(&mut pixels, icc.as_deref(), header.adobe.is_some(), watch)?;
        None
    } else {
        icc.filter(|icc| color::differs_from_srgb(icc, layout))
    };
    let bitmap = Bitmap::new(size.0, size.1, layout, pixels);
    let delivered = Delivered::Part { x, y, whole };
    Ok(Decoded { delivered, ..Decoded::whole(bitmap, icc, orientation) })
}

/// How a file is read: at which scale, which part of it, and whether rows go straight into the resize.
struct Reading<'a> {
    decoder: Decoder<'a>,
    whole: (u32, u32),
    region: Region,
    resize: Option<(Resize, Layout)>,
}

impl<'a> Reading<'a> {
    /// At the smallest of 1/8, 1/4, 1/2 and 1/1 that still serves, by so many threads beside this one where the file
    /// allows for it.
    fn new(bytes: &'a [u8], want: &Want, limits: &Limits, helpers: usize) -> Result<Self, ::jpeg::Error> {
        let own = ::jpeg::Limits { max_pixels: limits.source_pixels, max_memory: limits.memory };
        let mut decoder = Decoder::new(bytes, &own)?;
        let info = decoder.info();
        let stored = (info.width, info.height);
        decoder.scale(Scale::at_least(stored.0, stored.1, want.min_width, want.min_height)).helpers(helpers);
        let whole = decoder.output_size();
        // Inks are resized as a whole picture.
        let inks = decoder.output_layout() == ::jpeg::Layout::Cmyk;
        let region = scaled_region(want.region.filter(|_| !inks), stored, whole);
        decoder.region(region)?;
        let layout = match decoder.output_layout() {
            ::jpeg::Layout::Gray => Some(Layout::Gray),
            ::jpeg::Layout::Rgb => Some(Layout::Rgb),
            // It becomes RGB before anything mixes its pixels.
            ::jpeg::Layout::Cmyk => None,
        };
        let resize = want.resize.map(|resize| resize.on_part(stored, (region.x, region.y), whole));
        Ok(Self { decoder, whole, region, resize: resize.filter(Stream::suits).zip(layout) })
    }

    fn size(&self) -> (u32, u32) {
        (self.region.width, self.region.height)
    }

    /// Bytes held while reading.
    fn memory(&self) -> u64 {
        let held = match &self.resize {
            Some((resize, layout)) => self.decoder.band_len() as u64 + Stream::memory(resize, *layout, self.size()),
            None => self.decoder.output_len() as u64,
        };
        held.saturating_add(self.decoder.memory())
    }
}

/// What reading a file will need; `None` if it cannot be read by our own decoder.
pub(super) fn need(bytes: &[u8], want: &Want, limits: &Limits) -> Option<Need> {
    // Nobody knows yet whether others will be idle then.
    let reading = Reading::new(bytes, want, limits, MOST_HELPERS).ok()?;
    let (size, resized) = match &reading.resize {
        Some((resize, _)) => ((resize.width, resize.height), true),
        None => (reading.size(), false),
    };
    let read = u64::from(reading.region.width) * u64::from(reading.region.height);
    let progressive = reading.decoder.info().coding == ::jpeg::Coding::Progressive;
    // Entropy decoding goes by the file's length, all else by pixels.
    let nanoseconds = bytes.len() as u64 * if progressive { 14 } else { 8 } + read * 4;
    Some(Need { memory: reading.memory(), size, resized, nanoseconds })
}

fn shrunk(file: &File<'_>, want: &Want, scratch: &mut Scratch) -> Result<Pixels, Error> {
    let &File { bytes, limits, watch, .. } = file;
    let reading = Reading::new(bytes, want, limits, scratch.helpers()).map_err(|error| told(error, watch))?;
    let decoder = &reading.decoder;
    let info = decoder.info();
    if (info.width, info.height) != file.size() {
        return Err(malformed(SourceFormat::Jpeg, &"two headers that disagree"));
    }
    check_held(reading.memory(), limits)?;
    let cancelled = || watch.check().is_err();
    if let Some((resize, layout)) = reading.resize {
        let mut stream = Stream::new(resize, layout, reading.size(), scratch);
        let mut band = scratch.take(decoder.band_len());
        let take = &mut |rows: &[u8]| stream.push_opaque(rows);
        let outcome = decoder.decode_bands(scratch.jpeg(), &cancelled, &mut band, take);
        scratch.give(band);
        outcome.map_err(|error| told(error, watch))?;
        scratch.decoded();
        return stream.finish(scratch).map(Pixels::Resized);
    }
    let pixels = scratch.filled(decoder.output_len(), |pixels, scratch| {
        let outcome = decoder.decode_into(scratch.jpeg(), &cancelled, pixels);
        scratch.decoded();
        outcome.map(|_| ()).map_err(|error| told(error, watch))
    })?;
    let (size, origin) = (reading.size(), (reading.region.x, reading.region.y));
    Ok(Pixels::Read(Read { pixels, size, origin, whole: reading.whole }))
}

fn told(error: ::jpeg::Error, watch: &Watch) -> Error {
    match error {
        ::jpeg::Error::Cancelled => watch.check().err().unwrap_or(Error::Cancelled),
        ::jpeg::Error::Unsupported(what) => Error::Unsupported(format!("JPEG: {what}")),
        ::jpeg::Error::Malformed(what) => Error::Malformed(format!("JPEG: {what}")),
        ::jpeg::Error::TooLarge { value, limit, .. } => {
            Error::TooLarge { what: "memory to decode the original", value, limit }
        }
        other => Error::Internal(other.to_string()),
    }
}

/// The wanted part of the stored picture, in pixels of the scaled one and rounded outwards.
fn scaled_region(wanted: Option<(u32, u32, u32, u32)>, stored: (u32, u32), whole: (u32, u32)) -> Region {
    let Some((left, top, width, height)) = wanted else {
        return Region { x: 0, y: 0, width: whole.0, height: whole.1 };
    };
    let side = |from: u32, length: u32, stored: u32, whole: u32| {
        let scaled = |at: u32| u64::from(at) * u64::from(whole) / u64::from(stored.max(1));
        let begin = scaled(from).saturating_sub(1).min(u64::from(whole.saturating_sub(1)));
        let end = (scaled(from.saturating_add(length)) + 2).min(u64::from(whole));
        (begin as u32, (end - begin).max(1) as u32)
    };
    let ((x, width), (y, height)) = (side(left, width, stored.0, whole.0), side(top, height, stored.1, whole.1));
    Region { x, y, width, height }
}

fn whole(file: &File<'_>, header: &JpegHeader<'_>, scratch: &mut Scratch) -> Result<Vec<u8>, Error> {
    let components = u64::from(header.components);
    let in_one_go = !header.is_progressive() && header.scan_components >= header.components;
    file.check_memory(if in_one_go { components } else { components * (1 + COEFFICIENT) })?;
    let (width, height) = file.size();
    let length = size_of(width, height, Layout::Gray) * usize::from(header.components);
    scratch.filled(length, |pixels, _| arithmetic::decode(file, header, pixels))
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
