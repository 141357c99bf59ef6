//! PNG by the `png` crate: all colour types and depths, brought to 8 bits (PQ and HLG by tone mapping); of an animation
//! the default image. Rows go straight into the resize or the crop, save where the file is interlaced.
//!
//! Rows that a truncated file lacks come out zero (black, or transparent); a file without its first row is refused.
//! Its compressed profile and texts never pass through the decoder: the profile is inflated here, under a limit.

mod bands;
pub(super) mod frames;

pub(super) use bands::need;

use super::{Decoded, File, Want, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::color::{
    self,
    tone::{self, ToneMap},
};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::Watch;
use crate::metadata::MAX_PROFILE;
use crate::metadata::png::{self as chunks, PngHeader};
use crate::resample::Stream;
use crate::scratch::Scratch;
use bands::Bands;
use png::{BitDepth, ColorType, DecodeOptions, Decoder, DecodingError, InterlaceInfo, Reader, Transformations};
use std::io::{Cursor, ErrorKind};

/// For chunks that the decoder keeps (EXIF, palettes) and for its rows.
const DECODER_MEMORY: usize = 16 << 20;
/// Rows between two looks at the watch.
const ROWS_PER_CHECK: u32 = 64;

type Source<'a> = Reader<Cursor<&'a [u8]>>;

pub(super) fn decode(file: File<'_>, want: &Want, scratch: &mut Scratch) -> Result<Decoded, Error> {
    let File { bytes, probe, limits, watch } = file;
    let header = chunks::read(bytes).ok_or_else(|| malformed(SourceFormat::Png, &"no header"))?;
    let mut reader = open(bytes).map_err(told)?;
    if reader.info().size() != (probe.width, probe.height) {
        return Err(malformed(SourceFormat::Png, &"two headers that disagree"));
    }
    let rows = Rows::of(&reader, probe.width, header.cicp)?;
    let icc = profile(&header, rows.layout);
    let (size, orientation) = (file.size(), header.orientation);
    if reader.info().interlaced {
        file.check_memory(rows.layout.channels() as u64)?;
        let length = size_of(probe.width, probe.height, rows.layout);
        let pixels = scratch.filled(length, |pixels, _| rows.read_interlaced(&mut reader, pixels, watch))?;
        let bitmap = Bitmap::new(probe.width, probe.height, rows.layout, pixels);
        return Ok(Decoded::whole(bitmap, icc, orientation));
    }
    let mut bands = Bands::new(rows, size.1, scratch);
    let read = match want.resize.filter(Stream::suits) {
        Some(resize) => bands.resize(&mut reader, resize, size, limits, watch, scratch),
        None => bands.crop(&mut reader, want.region, size, limits, watch, scratch),
    };
    scratch.give(bands.band);
    let (bitmap, delivered) = read?;
    Ok(Decoded { bitmap, delivered, icc, orientation })
}

fn open(bytes: &[u8]) -> Result<Source<'_>, DecodingError> {
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    options.set_skip_ancillary_crc_failures(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_limits(png::Limits { bytes: DECODER_MEMORY });
    // Depths below 8, palettes and tRNS are expanded by the decoder; 16 bits are rounded here, which it does not.
    decoder.set_transformations(Transformations::EXPAND);
    decoder.read_info()
}

fn told(error: DecodingError) -> Error {
    match error {
        DecodingError::LimitsExceeded => Error::TooLarge {
            what: "memory for the chunks of the original",
            value: DECODER_MEMORY as u64,
            limit: DECODER_MEMORY as u64,
        },
        other => malformed(SourceFormat::Png, &other),
    }
}

/// How the decoder's rows become the bitmap's.
struct Rows {
    layout: Layout,
    gray_alpha: bool,
    wide: bool,
    stride: usize,
    /// Where the values are of high dynamic range.
    tone: Option<ToneMap>,
}

impl Rows {
    /// For a picture, or a frame, of `width` pixels a row, with these code points.
    fn of(reader: &Source<'_>, width: u32, cicp: Option<[u8; 4]>) -> Result<Self, Error> {
        let (color, depth) = reader.output_color_type();
        let layout = match color {
            ColorType::Grayscale => Layout::Gray,
            ColorType::Rgb => Layout::Rgb,
            ColorType::Rgba | ColorType::GrayscaleAlpha => Layout::Rgba,
            ColorType::Indexed => return Err(Error::Internal("a palette was left unexpanded".into())),
        };
        Ok(Self {
            layout,
            gray_alpha: color == ColorType::GrayscaleAlpha,
            wide: depth == BitDepth::Sixteen,
            stride: width as usize * layout.channels(),
            tone: match cicp {
                Some([primaries, transfer, 0, 1]) => ToneMap::new(primaries, transfer),
                _ => None,
            },
        })
    }

    fn read_all(&self, reader: &mut Source<'_>, pixels: &mut [u8], watch: &Watch) -> Result<(), Error> {
        if reader.info().interlaced {
            self.read_interlaced(reader, pixels, watch)
        } else {
            let mut from = 0;
            for lines in pixels.chunks_mut(self.stride * ROWS_PER_CHECK as usize) {
                watch.check()?;
                if from == u32::MAX {
                    lines.fill(0);
                } else {
                    from = if self.read(reader, from, lines)? { from + ROWS_PER_CHECK } else { u32::MAX };
                }
            }
            Ok(())
        }
    }

    /// Reads the rows from `from` on that fill `pixels`. Gives whether the file went on so long: what it lacks is zero.
    fn read(&self, reader: &mut Source<'_>, from: u32, pixels: &mut [u8]) -> Result<bool, Error> {
        let mut row = vec![0; if self.is_direct() { 0 } else { self.stride * 2 }];
        for (y, line) in (0u32..).zip(pixels.chunks_exact_mut(self.stride)) {
            let read = if self.is_direct() { reader.read_row(line) } else { reader.read_row(&mut row) };
            match read {
                Ok(Some(_)) if self.is_direct() => {}
                Ok(Some(_)) => self.convert(&row, line),
                Ok(None) => return Err(malformed(SourceFormat::Png, &"too few rows")),
                Err(error) if from + y > 0 && is_truncation(&error) => {
                    let done = self.stride * y as usize;
                    pixels.get_mut(done..).unwrap_or_default().fill(0);
                    return Ok(false);
                }
                Err(error) => return Err(told(error)),
            }
        }
        Ok(true)
    }

    fn read_interlaced(&self, reader: &mut Source<'_>, pixels: &mut [u8], watch: &Watch) -> Result<(), Error> {
        let mut line = vec![0; self.stride];
        let bits = u8::try_from(self.layout.channels() * 8).unwrap_or(u8::MAX);
        let samples = self.samples();
        pixels.fill(0);
        let mut count = 0u32;
        loop {
            if count.is_multiple_of(ROWS_PER_CHECK) {
                watch.check()?;
            }
            let row = match reader.next_interlaced_row() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(()),
                Err(error) if count > 0 && is_truncation(&error) => return Ok(()),
                Err(error) => return Err(told(error)),
            };
            count += 1;
            let width = row.data().len() / samples;
            let Some(line) = line.get_mut(..width * self.layout.channels()) else { continue };
            self.convert(row.data(), line);
            if let InterlaceInfo::Adam7(pass) = row.interlace() {
                png::expand_interlaced_row(pixels, self.stride, line, pass, bits);
            }
        }
    }

    /// Whether the decoder writes what the bitmap holds.
    fn is_direct(&self) -> bool {
        !self.wide && !self.gray_alpha && self.tone.is_none()
    }

    /// Bytes of one pixel as the decoder writes it.
    fn samples(&self) -> usize {
        let channels = if self.gray_alpha { 2 } else { self.layout.channels() };
        channels * if self.wide { 2 } else { 1 }
    }

    fn convert(&self, row: &[u8], line: &mut [u8]) {
        if let Some(tone) = &self.tone {
            return self.convert_toned(row, line, tone);
        }
        match (self.gray_alpha, self.wide) {
            (false, false) => {
                let common = line.len().min(row.len());
                line[..common].copy_from_slice(&row[..common]);
            }
            (false, true) => {
                for (out, wide) in line.iter_mut().zip(row.chunks_exact(2)) {
                    *out = narrow(wide[0], wide[1]);
                }
            }
            (true, false) => {
                for (out, pixel) in line.chunks_exact_mut(4).zip(row.chunks_exact(2)) {
                    out.copy_from_slice(&[pixel[0], pixel[0], pixel[0], pixel[1]]);
                }
            }
            (true, true) => {
                for (out, pixel) in line.chunks_exact_mut(4).zip(row.chunks_exact(4)) {
                    let (gray, alpha) = (narrow(pixel[0], pixel[1]), narrow(pixel[2], pixel[3]));
                    out.copy_from_slice(&[gray, gray, gray, alpha]);
                }
            }
        }
    }
}

impl Rows {
    /// From all bits that the file has; alpha is no light.
    fn convert_toned(&self, row: &[u8], line: &mut [u8], tone: &ToneMap) {
        let size = if self.wide { 2 } else { 1 };
        let value = |sample: &[u8]| match sample {
            [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
            [byte, ..] => u32::from(*byte) * 257,
            [] => 0,
        };
        let toned = |value: u32| ((value * u32::from(tone::MAX) + 32_767) / 65_535) as u16;
        let pixels = line.chunks_exact_mut(self.layout.channels()).zip(row.chunks_exact(self.samples()));
        for (out, pixel) in pixels {
            let mut samples = pixel.chunks_exact(size).map(value);
            let first = toned(samples.next().unwrap_or_default());
            let colors = if self.gray_alpha || self.layout == Layout::Gray {
                [tone.map_gray(first); 3]
            } else {
                let mut next = || toned(samples.next().unwrap_or_default());
                tone.map([first, next(), next()])
            };
            let alpha = samples.next().unwrap_or(65_535) / 257;
            let all = [colors[0], colors[1], colors[2], alpha as u8];
            out.iter_mut().zip(all).for_each(|(out, value)| *out = value);
        }
    }
}

/// 16 bits to 8, to the nearest: `round(v × 255 / 65535)`.
fn narrow(high: u8, low: u8) -> u8 {
    let value = u32::from(u16::from_be_bytes([high, low]));
    ((value * 255 + 32_767) / 65_535) as u8
}

/// Whether the file merely ends too early.
fn is_truncation(error: &DecodingError) -> bool {
    matches!(error, DecodingError::IoError(io) if io.kind() == ErrorKind::UnexpectedEof)
}

/// The profile by precedence (PNG third edition, 4.3): cICP, iCCP, sRGB, then gAMA with cHRM.
fn profile(header: &PngHeader<'_>, layout: Layout) -> Option<Vec<u8>> {
    if let Some(code) = header.cicp {
        return color::profile_of_cicp(code, layout);
    }
    if let Some(stream) = header.iccp {
        let inflated = fdeflate::decompress_to_vec_bounded(stream, MAX_PROFILE).ok()?;
        return color::differs_from_srgb(&inflated, layout).then_some(inflated);
    }
    if header.srgb {
        return None;
    }
    color::profile_of_gamma(header.gamma?, header.chromaticities, layout)
}
