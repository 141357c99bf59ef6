//! GIF by the `gif` crate: the first frame, where it lies on the logical screen.
//!
//! What the frame leaves of the canvas is transparent (browsers ignore the background colour), and so is what a
//! truncated file lacks. A file without any colour table is shown in grays.

pub(super) mod frames;

use super::{Decoded, File, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::Limits;
use crate::metadata::gif::{self as blocks, HAS_TABLE, SCREEN_END};
use crate::orientation::Orientation;
use crate::probe::Probe;
use crate::scratch::Scratch;
use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};
use std::io::{Chain, Cursor, Read};
use std::num::NonZeroU64;

const CHANNELS: usize = Layout::Rgba.channels();
/// RGBA on the canvas, and an index of the frame; a second one for a cut file.
const BYTES_PER_PIXEL: u64 = 4 + 2;

pub(super) fn decode(file: File<'_>, scratch: &mut Scratch) -> Result<Decoded, Error> {
    file.check_memory(BYTES_PER_PIXEL)?;
    let File { bytes, probe, limits, watch } = file;
    let (mut decoder, frame) = open(bytes, limits)?;
    if frame.width == 0 || frame.height == 0 {
        return Ok(on_canvas(probe, scratch, |_, _| ()));
    }
    let colors = color_table(decoder.palette().map_err(|e| told(&e))?, frame.transparent);
    watch.check()?;
    let mut indices = scratch.take(frame.width * frame.height);
    let read = match fill(&mut decoder, &mut indices) {
        Ok(true) => Ok(indices.len()),
        Ok(false) => written(bytes, limits, &mut indices, scratch),
        Err(error) => Err(error),
    };
    let decoded = read.map(|count| {
        let rows = indices[..count].chunks(frame.width).zip(frame.rows());
        on_canvas(probe, scratch, |pixels, stride| {
            rows.for_each(|(row, y)| frame.paint(row, y, &colors, pixels, stride));
        })
    });
    scratch.give(indices);
    watch.check()?;
    decoded
}

fn open<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Decoder<Source<'a>>, Frame), Error> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(NonZeroU64::new(limits.memory).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    options.allow_unknown_blocks(true);
    let mut decoder = options.read_info(source(bytes)).map_err(|e| told(&e))?;
    let frame = match decoder.next_frame_info().map_err(|e| told(&e))? {
        Some(info) => Frame::of(info),
        None => return Err(malformed(SourceFormat::Gif, &"no frame")),
    };
    frame.check(limits)?;
    Ok((decoder, frame))
}

/// Decompresses the whole frame at once: given less room than that, gif 0.14.2 loses pixels at some code boundaries.
/// `false`: the file ends before the frame is full.
fn fill(decoder: &mut Decoder<Source<'_>>, indices: &mut [u8]) -> Result<bool, Error> {
    match decoder.fill_buffer(indices) {
        Err(DecodingError::UnexpectedEof) => Ok(false),
        Err(DecodingError::Io(io)) if io.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        other => other.map_err(|e| told(&e)),
    }
}

/// How many indices of a cut frame are in the file. The decoder does not tell, so it runs over two different fillings:
/// what it left alone differs.
fn written(bytes: &[u8], limits: &Limits, indices: &mut [u8], scratch: &mut Scratch) -> Result<usize, Error> {
    let mut other = scratch.take(indices.len());
    for (buffer, filling) in [(&mut *indices, 0), (other.as_mut_slice(), 255)] {
        buffer.fill(filling);
        fill(&mut open(bytes, limits)?.0, buffer)?;
    }
    let count = indices.iter().zip(&other).rposition(|(a, b)| a == b).map_or(0, |last| last + 1);
    scratch.give(other);
    if count == 0 {
        return Err(malformed(SourceFormat::Gif, &"a frame without pixels"));
    }
    Ok(count)
}

/// A transparent canvas with something painted on it.
fn on_canvas(probe: &Probe, scratch: &mut Scratch, paint: impl FnOnce(&mut [u8], usize)) -> Decoded {
    let mut pixels = scratch.take(size_of(probe.width, probe.height, Layout::Rgba));
    pixels.fill(0);
    paint(&mut pixels, probe.width as usize * CHANNELS);
    let bitmap = Bitmap::new(probe.width, probe.height, Layout::Rgba, pixels);
    Decoded::whole(bitmap, None, Orientation::Upright)
}

type Source<'a> = Chain<Cursor<Vec<u8>>, &'a [u8]>;

/// The file, with a table of 256 grays put in when neither screen nor frame has one.
fn source(bytes: &[u8]) -> Source<'_> {
    let (head, tail) = bytes.split_at(SCREEN_END.min(bytes.len()));
    let mut head = head.to_vec();
    if blocks::read(bytes).is_some_and(|header| !header.palette)
        && let Some(flags) = head.get_mut(10)
    {
        *flags |= HAS_TABLE | 7;
        head.extend((0..=255).flat_map(|gray| [gray; 3]));
    }
    Cursor::new(head).chain(tail)
}

/// Where the frame lies on the canvas. It may reach beyond it, and have an empty side.
struct Frame {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    interlaced: bool,
    transparent: Option<u8>,
}

impl Frame {
    fn of(info: &gif::Frame<'_>) -> Self {
        Self {
            left: info.left.into(),
            top: info.top.into(),
            width: info.width.into(),
            height: info.height.into(),
            interlaced: info.interlaced,
            transparent: info.transparent,
        }
    }

    /// Holds its size against the limit: the canvas may be smaller.
    fn check(&self, limits: &Limits) -> Result<(), Error> {
        let (value, limit) = (self.width as u64 * self.height as u64, limits.source_pixels);
        if value > limit {
            return Err(Error::TooLarge { what: "pixels of a frame of the original", value, limit });
        }
        Ok(())
    }

    /// Frame rows in the order of the file.
    fn rows(&self) -> impl Iterator<Item = usize> {
        let passes: &[(usize, usize)] = if self.interlaced { &[(0, 8), (4, 8), (2, 4), (1, 2)] } else { &[(0, 1)] };
        let height = self.height;
        passes.iter().flat_map(move |&(first, step)| (first..height).step_by(step))
    }

    /// Puts the indices of row `y` of the frame on the canvas.
    fn paint(&self, row: &[u8], y: usize, colors: &[[u8; CHANNELS]; 256], pixels: &mut [u8], stride: usize) {
        let Some(line) = pixels.chunks_exact_mut(stride).nth(self.top + y) else { return };
        paint(row, colors, line.get_mut(self.left * CHANNELS..).unwrap_or_default());
    }

    /// The same in a picture of the frame alone.
    fn paint_alone(&self, row: &[u8], y: usize, colors: &[[u8; CHANNELS]; 256], pixels: &mut [u8]) {
        let line = pixels.chunks_exact_mut(self.width * CHANNELS).nth(y);
        paint(row, colors, line.unwrap_or_default());
    }
}

fn paint(row: &[u8], colors: &[[u8; CHANNELS]; 256], line: &mut [u8]) {
    for (pixel, &index) in line.chunks_exact_mut(CHANNELS).zip(row) {
        pixel.copy_from_slice(&colors[usize::from(index)]);
    }
}

/// The colour of each index. Indices beyond the palette are black, as browsers show them.
fn color_table(palette: &[u8], transparent: Option<u8>) -> [[u8; CHANNELS]; 256] {
    let mut table = [[0, 0, 0, 255]; 256];
    for (entry, color) in table.iter_mut().zip(palette.chunks_exact(3)) {
        entry[..3].copy_from_slice(color);
    }
    if let Some(index) = transparent {
        table[usize::from(index)] = [0; CHANNELS];
    }
    table
}

fn told(error: &DecodingError) -> Error {
    malformed(SourceFormat::Gif, error)
}
