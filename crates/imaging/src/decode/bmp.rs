//! BMP, and the bitmaps inside icons: palettes, 16, 24 and 32 bits with any masks, run lengths.
//!
//! Rows that a cut file lacks come out zero; a file without its first row is refused. Runs that leave their row are cut,
//! what runs skip has the first colour. An alpha that is zero everywhere was never meant.

use super::{Decoded, File, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::color;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::Watch;
use crate::metadata::bmp::{self as headers, BmpHeader, Packing};
use crate::orientation::Orientation;
use crate::scratch::Scratch;

/// Rows between two looks at the watch.
const ROWS: usize = 64;
/// Larger embedded profiles are left alone.
const MAX_PROFILE: usize = 4 << 20;

pub(super) fn decode(file: File<'_>, scratch: &mut Scratch) -> Result<Decoded, Error> {
    let bytes = file.bytes;
    let header = headers::read(bytes).ok_or_else(|| malformed(SourceFormat::Bmp, &"no header"))?;
    let layout = if header.masks[3] == 0 { Layout::Rgb } else { Layout::Rgba };
    file.check_memory(layout.channels() as u64)?;
    let mut bitmap = picture(bytes, &header, layout, file.watch, scratch)?;
    if layout == Layout::Rgba {
        never_invisible(&mut bitmap);
    }
    let icc = header
        .profile
        .and_then(|(start, length)| bytes.get(start..start.checked_add(length.min(MAX_PROFILE))?))
        .filter(|icc| color::differs_from_srgb(icc, layout))
        .map(<[u8]>::to_vec);
    Ok(Decoded::whole(bitmap, icc, Orientation::Upright))
}

/// The pixels of a bitmap whose header was read from the same bytes; the size was held against the limits before.
pub(super) fn picture(
    bytes: &[u8],
    header: &BmpHeader,
    layout: Layout,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Bitmap, Error> {
    let stored = Stored {
        data: bytes.get(header.pixels..).unwrap_or_default(),
        header,
        colours: palette(bytes, header),
        layout,
        watch,
    };
    let pixels = scratch.filled(size_of(header.width, header.height, layout), |pixels, _| match header.packing {
        Packing::Plain => stored.rows(pixels),
        Packing::Runs => stored.runs(pixels),
        Packing::Other => Err(Error::Unsupported("BMP of a kind of compression that is not read".into())),
    })?;
    Ok(Bitmap::new(header.width, header.height, layout, pixels))
}

/// Makes a picture visible whose alpha is zero throughout.
pub(super) fn never_invisible(bitmap: &mut Bitmap) -> bool {
    let pixels = bitmap.pixels_mut().as_chunks_mut::<4>().0;
    let invisible = pixels.iter().all(|pixel| pixel[3] == 0);
    if invisible {
        pixels.iter_mut().for_each(|pixel| pixel[3] = u8::MAX);
    }
    invisible
}

/// The colours as red, green, blue, opaque; indices beyond the palette are black.
fn palette(bytes: &[u8], header: &BmpHeader) -> Vec<[u8; 4]> {
    let (start, size, count) = header.palette;
    let entries = bytes.get(start..).unwrap_or_default().chunks_exact(size.max(3)).take(count);
    let mut colours: Vec<[u8; 4]> = entries.map(|entry| [entry[2], entry[1], entry[0], u8::MAX]).collect();
    colours.resize(256, [0, 0, 0, u8::MAX]);
    colours
}

/// The pixels as the file has them.
struct Stored<'a> {
    data: &'a [u8],
    header: &'a BmpHeader,
    colours: Vec<[u8; 4]>,
    /// Of what is made of them.
    layout: Layout,
    watch: &'a Watch,
}

impl Stored<'_> {
    /// Where row `y` of the picture lies, counted from the order of the file.
    fn line_of(&self, y: usize) -> usize {
        if self.header.bottom_up { self.header.height as usize - 1 - y } else { y }
    }

    fn rows(&self, pixels: &mut [u8]) -> Result<(), Error> {
        let &Self { data, header, layout, .. } = self;
        let stored = (header.width as usize * usize::from(header.bits)).div_ceil(32) * 4;
        let stride = header.width as usize * layout.channels();
        // The last row of a file may lack its padding.
        let used = (header.width as usize * usize::from(header.bits)).div_ceil(8);
        let unpack = Unpack::of(header);
        for y in 0..header.height as usize {
            if y.is_multiple_of(ROWS) {
                self.watch.check()?;
            }
            let at = self.line_of(y) * stride;
            let Some(line) = pixels.get_mut(at..at + stride) else { continue };
            let from = y.saturating_mul(stored);
            match from.checked_add(used).and_then(|to| data.get(from..to)) {
                Some(row) => unpack.row(row, &self.colours, line, layout),
                None if y == 0 => return Err(malformed(SourceFormat::Bmp, &"no pixels")),
                None => line.fill(0),
            }
        }
        Ok(())
    }

    /// Run lengths (Microsoft's BI_RLE8 and BI_RLE4): pairs of a count and a value, with escapes after a count of 0.
    fn runs(&self, pixels: &mut [u8]) -> Result<(), Error> {
        let Self { data, header, colours, layout, .. } = self;
        let (width, height, size) = (header.width as usize, header.height as usize, layout.channels());
        let first = colours.first().copied().unwrap_or_default();
        pixels.chunks_exact_mut(size).for_each(|pixel| pixel.copy_from_slice(&first[..size]));
        let mut put = |x: usize, y: usize, index: u8| {
            if x < width && y < height {
                let at = (self.line_of(y) * width + x) * size;
                let colour = colours.get(usize::from(index)).copied().unwrap_or_default();
                if let Some(pixel) = pixels.get_mut(at..at + size) {
                    pixel.copy_from_slice(&colour[..size]);
                }
            }
        };
        let nibbles = header.bits == 4;
        let index = |bytes: &[u8], at: usize| {
            let byte = bytes.get(if nibbles { at / 2 } else { at }).copied().unwrap_or_default();
            if !nibbles {
                byte
            } else if at.is_multiple_of(2) {
                byte >> 4
            } else {
                byte & 15
            }
        };
        let (mut x, mut y, mut at) = (0usize, 0usize, 0usize);
        let mut seen = 0usize;
        while let Some(&[count, value]) = data.get(at..at + 2).and_then(<[u8]>::first_chunk) {
            seen += 1;
            if seen.is_multiple_of(1 << 16) {
                self.watch.check()?;
            }
            at += 2;
            match (count, value) {
                (0, 0) => (x, y) = (0, y + 1),
                (0, 1) => return Ok(()),
                (0, 2) => {
                    let Some(&[right, down]) = data.get(at..at + 2).and_then(<[u8]>::first_chunk) else { break };
                    (x, y, at) = (x + usize::from(right), y + usize::from(down), at + 2);
                }
                (0, literal) => {
                    let literal = usize::from(literal);
                    let bytes = if nibbles { literal.div_ceil(2) } else { literal };
                    let body = data.get(at..data.len().min(at + bytes)).unwrap_or_default();
                    (0..literal).for_each(|n| put(x + n, y, index(body, n)));
                    (x, at) = (x + literal, at + bytes.next_multiple_of(2));
                }
                (count, value) => {
                    let pair = [value; 2];
                    (0..usize::from(count)).for_each(|n| put(x + n, y, index(&pair, if nibbles { n % 2 } else { 0 })));
                    x += usize::from(count);
                }
            }
            if y >= height {
                return Ok(());
            }
        }
        if seen == 0 { Err(malformed(SourceFormat::Bmp, &"no pixels")) } else { Ok(()) }
    }
}

/// How the bits of a row become colours.
struct Unpack {
    bits: u16,
    channels: [Channel; 4],
}

/// One channel of a pixel of 16 or 32 bits.
#[derive(Clone, Copy)]
struct Channel {
    mask: u32,
    shift: u32,
    /// The largest value after the shift.
    most: u32,
}

impl Channel {
    fn of(mask: u32) -> Self {
        let shift = mask.trailing_zeros() % 32;
        // Of more than 16 bits the highest count.
        let surplus = (32 - (mask >> shift).leading_zeros()).saturating_sub(16);
        Self { mask, shift: shift + surplus, most: mask >> (shift + surplus) }
    }

    /// 0 to 255, to the nearest. A channel without bits is full: that is what no alpha means.
    fn of_pixel(self, pixel: u32) -> u8 {
        let value = (pixel & self.mask) >> self.shift;
        (value * 255 + self.most / 2).checked_div(self.most).map_or(u8::MAX, |v| v.min(255) as u8)
    }
}

impl Unpack {
    fn of(header: &BmpHeader) -> Self {
        Self { bits: header.bits, channels: header.masks.map(Channel::of) }
    }

    fn row(&self, row: &[u8], colours: &[[u8; 4]], line: &mut [u8], layout: Layout) {
        let width = layout.channels();
        let mut put = |x: usize, colour: [u8; 4]| {
            if let Some(pixel) = line.get_mut(x * width..(x + 1) * width) {
                pixel.copy_from_slice(&colour[..width]);
            }
        };
        match self.bits {
            1 | 2 | 4 | 8 => {
                let (bits, each) = (usize::from(self.bits), 8 / usize::from(self.bits));
                for (at, byte) in row.iter().enumerate() {
                    for part in 0..each {
                        let index = byte >> (8 - bits * (part + 1)) & (u8::MAX >> (8 - bits));
                        put(at * each + part, colours.get(usize::from(index)).copied().unwrap_or_default());
                    }
                }
            }
            16 => {
                for (x, pair) in row.as_chunks::<2>().0.iter().enumerate() {
                    put(x, self.split(u16::from_le_bytes(*pair).into()));
                }
            }
            24 => {
                for (x, &[blue, green, red]) in row.as_chunks::<3>().0.iter().enumerate() {
                    put(x, [red, green, blue, u8::MAX]);
                }
            }
            _ => {
                for (x, four) in row.as_chunks::<4>().0.iter().enumerate() {
                    put(x, self.split(u32::from_le_bytes(*four)));
                }
            }
        }
    }

    fn split(&self, pixel: u32) -> [u8; 4] {
        self.channels.map(|channel| channel.of_pixel(pixel))
    }
}
