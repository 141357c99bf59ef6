//! TIFF: strips and tiles, every colour that pictures have (grey, palette, RGB, CMYK, YCbCr as JPEG, Lab), 1 to 64 bits a
//! sample whole or floating, brought to 8. The first picture of the file.
//!
//! Chunk after chunk: decompress, undo the predictor, take the samples apart, make colours of them. Chunks that a cut or
//! damaged file lacks come out zero; a file without its first chunk is refused. Floating samples are linear light.

mod ccitt;
mod chunk;
mod colours;
mod samples;

use super::{Decoded, File, Want, check_memory, jpeg, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::color;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::metadata::tiff::{self as directory, TiffHeader};
use crate::probe::probe_jpeg;
use crate::scratch::Scratch;

/// Samples of a pixel: what scientific pictures have beyond this is no picture.
const MOST_SAMPLES: u16 = 16;
/// Sides of a chunk; the specification's own examples have 16 to 512.
const MOST_CHUNKS: u64 = 1 << 20;

/// Why a picture is not read, if it is not.
///
/// # Errors
/// [`Error::Unsupported`], by name.
pub(crate) fn check_supported(header: &TiffHeader<'_>) -> Result<(), Error> {
    let no = |what: String| Err(Error::Unsupported(format!("TIFF {what} is not supported")));
    match header.compression {
        1 | 3 | 4 | 5 | 7 | 8 | 32_773 | 32_946 => {}
        2 => return no("as a fax without line ends".into()),
        6 => return no("with JPEG of the old kind".into()),
        34_925 => return no("compressed by LZMA".into()),
        50_000 => return no("compressed by Zstandard".into()),
        50_001 | 50_002 => return no("compressed as WebP or JPEG XL".into()),
        33_003 | 33_005 | 34_712 => return no("compressed as JPEG 2000".into()),
        other => return no(format!("with compression {other}")),
    }
    if matches!(header.compression, 3 | 4) && (header.bits, header.samples) != (1, 1) {
        return no("as a fax of several bits".into());
    }
    if header.compression == 3 && header.fax_options & 1 == 1 {
        return no("as a two-dimensional group 3 fax".into());
    }
    if header.compression != 7 && header.photometric == 6 {
        return no("in uncompressed YCbCr".into());
    }
    if header.colours() == 0 || header.samples > MOST_SAMPLES {
        return no(format!("of photometric kind {} with {} samples", header.photometric, header.samples));
    }
    let known = match header.format {
        1 | 2 | 4 => matches!(header.bits, 1..=8 | 10 | 12 | 14 | 16 | 24 | 32),
        3 => matches!(header.bits, 16 | 32 | 64),
        _ => false,
    };
    if !known || (header.photometric == 3 && header.bits > 8) || (header.photometric == 8 && header.bits != 8) {
        return no(format!("with {} bits a sample of format {}", header.bits, header.format));
    }
    Ok(())
}

pub(super) fn decode(file: File<'_>, scratch: &mut Scratch) -> Result<Decoded, Error> {
    let File { bytes, probe, limits, watch } = file;
    let header = directory::read(bytes).ok_or_else(|| malformed(SourceFormat::Tiff, &"no directory"))?;
    check_supported(&header)?;
    let grid = Grid::of(&header)?;
    let layout = colours::layout(&header);
    let stored = grid.stored_bytes(&header)?;
    let band = u64::from(probe.width) * u64::from(grid.chunk.1) * u64::from(header.samples);
    check_memory(
        probe,
        layout.channels() as u64,
        &Limits { memory: limits.memory.saturating_sub(stored + band), ..limits.clone() },
    )?;
    let job = Job { header: &header, grid: &grid, layout, limits, watch };
    let pixels = scratch.filled(size_of(probe.width, probe.height, layout), |pixels, scratch| {
        if header.compression == 7 { job.jpegs(pixels, scratch) } else { job.bands(pixels) }
    })?;
    // Inks were made colours of by their profile already.
    let icc =
        header.icc.filter(|icc| !matches!(header.photometric, 5 | 8 | 9) && color::differs_from_srgb(icc, layout));
    let bitmap = Bitmap::new(probe.width, probe.height, layout, pixels);
    Ok(Decoded::whole(bitmap, icc.map(<[u8]>::to_vec), header.orientation))
}

/// How the chunks lie.
struct Grid {
    /// Pixels of a chunk; strips at the end are shorter.
    chunk: (u32, u32),
    across: u32,
    down: u32,
    planes: u32,
}

impl Grid {
    fn of(header: &TiffHeader<'_>) -> Result<Self, Error> {
        let (width, height) = header.chunk;
        if width == 0 || height == 0 || (header.tiled && (width > 1 << 16 || height > 1 << 16)) {
            return Err(malformed(SourceFormat::Tiff, &"tiles without a possible size"));
        }
        let (across, down) = (header.width.div_ceil(width), header.height.div_ceil(height));
        let planes = if header.planar { u32::from(header.samples) } else { 1 };
        let count = u64::from(across) * u64::from(down) * u64::from(planes);
        if count > MOST_CHUNKS {
            return Err(Error::TooLarge { what: "chunks of the original", value: count, limit: MOST_CHUNKS });
        }
        Ok(Self { chunk: (width, height.min(if header.tiled { height } else { header.height })), across, down, planes })
    }

    /// Bytes of a decompressed chunk.
    fn stored_bytes(&self, header: &TiffHeader<'_>) -> Result<u64, Error> {
        let samples = if header.planar { 1 } else { u64::from(header.samples) };
        let row = (u64::from(self.chunk.0) * samples * u64::from(header.bits)).div_ceil(8);
        row.checked_mul(self.chunk.1.into()).ok_or_else(|| malformed(SourceFormat::Tiff, &"a chunk beyond all sizes"))
    }

    /// Rows that band `number` of chunks has of the picture.
    fn rows(&self, header: &TiffHeader<'_>, number: u32) -> u32 {
        self.chunk.1.min(header.height - number * self.chunk.1)
    }
}

struct Job<'a> {
    header: &'a TiffHeader<'a>,
    grid: &'a Grid,
    layout: Layout,
    limits: &'a Limits,
    watch: &'a Watch,
}

impl Job<'_> {
    /// The bytes of a chunk as they are in the file, as far as they are there.
    fn bytes(&self, chunk: u32) -> Option<&[u8]> {
        let from = usize::try_from(self.header.offsets.value(chunk as usize)?).ok()?;
        let length = self.header.lengths.and_then(|field| field.value(chunk as usize));
        let rest = self.header.file.get(from..)?;
        // A single strip without a stated length reaches to the end.
        let length = length.and_then(|length| usize::try_from(length).ok()).unwrap_or(rest.len());
        let bytes = &rest[..length.min(rest.len())];
        (!bytes.is_empty()).then_some(bytes)
    }

    fn missing(&self, number: u32) -> Result<(), Error> {
        if number == 0 { Err(malformed(SourceFormat::Tiff, &"no pixels")) } else { Ok(()) }
    }

    /// One row of chunks after the other, through samples of 8 bits.
    fn bands(&self, pixels: &mut [u8]) -> Result<(), Error> {
        let (header, grid) = (self.header, self.grid);
        let samples = usize::from(header.samples);
        let width = header.width as usize;
        let table = samples::Table::of(header);
        let mut paint = colours::Paint::of(header, self.layout);
        let mut band = vec![0u8; width * grid.chunk.1 as usize * samples];
        let mut stored = Vec::new();
        for down in 0..grid.down {
            let rows = grid.rows(header, down) as usize;
            band.fill(0);
            for plane in 0..grid.planes {
                for across in 0..grid.across {
                    self.watch.check()?;
                    let chunk = (plane * grid.down + down) * grid.across + across;
                    let Some(bytes) = self.bytes(chunk) else {
                        self.missing(chunk)?;
                        continue;
                    };
                    let wanted = if header.tiled { grid.chunk.1 as usize } else { rows };
                    if !chunk::unpack(header, bytes, grid.chunk.0, wanted, &mut stored)? {
                        self.missing(chunk)?;
                        continue;
                    }
                    let place = samples::Place { across, plane: header.planar.then_some(plane as usize), rows };
                    table.spread(header, grid.chunk.0, &stored, place, &mut band);
                }
            }
            let start = down as usize * grid.chunk.1 as usize * width * self.layout.channels();
            let lines = pixels.get_mut(start..).unwrap_or_default();
            let lines = lines.get_mut(..rows * width * self.layout.channels()).unwrap_or_default();
            paint.rows(band.get(..rows * width * samples).unwrap_or_default(), lines, self.watch)?;
        }
        Ok(())
    }

    /// Each chunk is a JPEG file without its tables.
    fn jpegs(&self, pixels: &mut [u8], scratch: &mut Scratch) -> Result<(), Error> {
        let (header, grid) = (self.header, self.grid);
        if header.planar && header.samples > 1 {
            return Err(Error::Unsupported("TIFF with a JPEG for each colour is not supported".into()));
        }
        pixels.fill(0);
        for down in 0..grid.down {
            for across in 0..grid.across {
                let number = down * grid.across + across;
                let Some(bytes) = self.bytes(number) else {
                    self.missing(number)?;
                    continue;
                };
                let picture = match self.jpeg(bytes, scratch) {
                    Ok(picture) => picture,
                    Err(Error::Malformed(_)) if number > 0 => continue,
                    Err(error) => return Err(error),
                };
                self.place(&picture, across, down, pixels);
                scratch.give(picture.into_pixels());
            }
        }
        Ok(())
    }

    fn jpeg(&self, bytes: &[u8], scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let bytes = chunk::jpeg(self.header, bytes);
        let probe = probe_jpeg(&bytes)?.ok_or_else(|| malformed(SourceFormat::Tiff, &"a JPEG without a header"))?;
        let (width, height) = self.grid.chunk;
        if probe.width > width.next_multiple_of(16) || probe.height > height.next_multiple_of(16) {
            return Err(malformed(SourceFormat::Tiff, &"a JPEG larger than its place"));
        }
        probe.check(self.limits)?;
        let file = File { bytes: &bytes, probe: &probe, limits: self.limits, watch: self.watch };
        jpeg::decode(file, &Want::EVERYTHING, scratch).map(|decoded| decoded.bitmap)
    }

    fn place(&self, picture: &Bitmap, across: u32, down: u32, pixels: &mut [u8]) {
        let (from, to) = (picture.layout().channels(), self.layout.channels());
        let (left, top) = ((across * self.grid.chunk.0) as usize, (down * self.grid.chunk.1) as usize);
        let stride = self.header.width as usize * to;
        let rows = picture.pixels().chunks_exact(picture.width() as usize * from);
        let lines = pixels.chunks_exact_mut(stride).skip(top).take(self.grid.chunk.1 as usize);
        for (row, line) in rows.zip(lines) {
            let line = line.get_mut(left * to..).unwrap_or_default();
            for (out, pixel) in line.chunks_exact_mut(to).zip(row.chunks_exact(from)).take(self.grid.chunk.0 as usize) {
                match (out, pixel) {
                    ([value], &[gray]) => *value = gray,
                    ([value], &[red, ..]) => *value = red,
                    (out, &[gray]) => out.fill(gray),
                    (out, pixel) => out.iter_mut().zip(pixel).for_each(|(out, value)| *out = *value),
                }
            }
        }
    }
}
