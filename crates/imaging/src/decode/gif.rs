//! GIF by the `gif` crate: the first frame, where it lies on the logical screen.
//!
//! What the frame leaves of the canvas is transparent (browsers ignore the background colour), and so is what a
//! truncated file lacks. A file without any colour table is shown in grays.

use super::{Decoded, check_memory, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::metadata::gif::{self as blocks, HAS_TABLE, SCREEN_END};
use crate::orientation::Orientation;
use crate::probe::Probe;
use crate::scratch::Scratch;
use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};
use std::io::{Chain, Cursor, Read};
use std::num::NonZeroU64;

const CHANNELS: usize = Layout::Rgba.channels();
/// Rows between two looks at the watch.
const ROWS_PER_CHECK: usize = 64;

pub(super) fn decode(
    bytes: &[u8],
    probe: &Probe,
    limits: &Limits,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Decoded, Error> {
    check_memory(probe, CHANNELS as u64, limits)?;
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
    let colors = color_table(decoder.palette().map_err(|e| told(&e))?, frame.transparent);
    let mut canvas = Canvas {
        stride: probe.width as usize * CHANNELS,
        pixels: scratch.take(size_of(probe.width, probe.height, Layout::Rgba)),
    };
    canvas.pixels.fill(0);
    if let Err(error) = frame.paint(&mut decoder, &colors, &mut canvas, watch) {
        scratch.give(canvas.pixels);
        return Err(error);
    }
    let bitmap = Bitmap::new(probe.width, probe.height, Layout::Rgba, canvas.pixels);
    Ok(Decoded { bitmap, icc: None, orientation: Orientation::Upright })
}

type Source<'a> = Chain<Cursor<Vec<u8>>, &'a [u8]>;

/// The file, with a table of 256 grays put in when neither screen nor frame has one.
fn source(bytes: &[u8]) -> Source<'_> {
    let (head, tail) = bytes.split_at(SCREEN_END.min(bytes.len()));
    let mut head = head.to_vec();
    if blocks::read(bytes).is_some_and(|header| !header.palette) {
        if let Some(flags) = head.get_mut(10) {
            *flags |= HAS_TABLE | 7;
            head.extend((0..=255).flat_map(|gray| [gray; 3]));
        }
    }
    Cursor::new(head).chain(tail)
}

struct Canvas {
    pixels: Vec<u8>,
    stride: usize,
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

    fn paint(
        &self,
        decoder: &mut Decoder<Source<'_>>,
        colors: &[[u8; CHANNELS]; 256],
        canvas: &mut Canvas,
        watch: &Watch,
    ) -> Result<(), Error> {
        if self.width == 0 {
            return Ok(());
        }
        let mut indices = vec![0; self.width];
        for (count, row) in self.rows().enumerate() {
            if count % ROWS_PER_CHECK == 0 {
                watch.check()?;
            }
            match decoder.fill_buffer(&mut indices) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if count > 0 && is_truncation(&error) => break,
                Err(error) => return Err(told(&error)),
            }
            let start = (self.top + row) * canvas.stride;
            let Some(line) = canvas.pixels.get_mut(start..start + canvas.stride) else { continue };
            let line = line.get_mut(self.left * CHANNELS..).unwrap_or_default();
            for (pixel, &index) in line.chunks_exact_mut(CHANNELS).zip(&indices) {
                pixel.copy_from_slice(&colors[usize::from(index)]);
            }
        }
        Ok(())
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

fn is_truncation(error: &DecodingError) -> bool {
    matches!(error, DecodingError::Io(io) if io.kind() == std::io::ErrorKind::UnexpectedEof)
}

fn told(error: &DecodingError) -> Error {
    malformed(SourceFormat::Gif, error)
}
