//! What the samples of a TIFF mean: rows of 8-bit samples become rows of the bitmap.

use super::samples::float;
use crate::bitmap::Layout;
use crate::color::cmyk_to_srgb;
use crate::error::Error;
use crate::limits::Watch;
use crate::metadata::tiff::TiffHeader;

/// The layout that holds the picture. Chunks of JPEG have no alpha.
pub(super) fn layout(header: &TiffHeader<'_>) -> Layout {
    match (header.photometric, header.has_alpha() && header.compression != 7) {
        (_, true) => Layout::Rgba,
        (0 | 1 | 4, false) => Layout::Gray,
        _ => Layout::Rgb,
    }
}

/// Turns rows of samples into rows of pixels.
pub(super) struct Paint<'a> {
    header: &'a TiffHeader<'a>,
    layout: Layout,
    palette: Vec<[u8; 3]>,
    inks: Vec<u8>,
}

impl<'a> Paint<'a> {
    pub(super) fn of(header: &'a TiffHeader<'a>, layout: Layout) -> Self {
        let palette = if header.photometric == 3 { palette(header) } else { Vec::new() };
        Self { header, layout, palette, inks: Vec::new() }
    }

    /// Fills `lines` from as many samples.
    ///
    /// # Errors
    /// By `watch`.
    pub(super) fn rows(&mut self, band: &[u8], lines: &mut [u8], watch: &Watch) -> Result<(), Error> {
        watch.check()?;
        let samples = usize::from(self.header.samples);
        let pixels = || band.chunks_exact(samples);
        let channels = self.layout.channels();
        let colours = self.header.colours();
        match self.header.photometric {
            5 => {
                self.inks.clear();
                let inks = |pixel: &[u8]| [0, 1, 2, 3].map(|at| pixel.get(at).copied().unwrap_or_default());
                self.inks.extend(pixels().flat_map(inks));
                cmyk_to_srgb(&mut self.inks, self.header.icc, false, watch)?;
                for (out, rgb) in lines.chunks_exact_mut(channels).zip(self.inks.chunks_exact(3)) {
                    out[..3].copy_from_slice(rgb);
                }
            }
            kind => {
                for (out, pixel) in lines.chunks_exact_mut(channels).zip(pixels()) {
                    let value = |at: usize| pixel.get(at).copied().unwrap_or_default();
                    let colour = match kind {
                        0 | 4 => [255 - value(0); 3],
                        1 => [value(0); 3],
                        3 => self.palette.get(usize::from(value(0))).copied().unwrap_or_default(),
                        8 => lab(value(0), value(1) as i8, value(2) as i8),
                        // ICC's way of writing Lab counts a and b from 128.
                        9 => lab(value(0), value(1).wrapping_sub(128) as i8, value(2).wrapping_sub(128) as i8),
                        _ => [value(0), value(1), value(2)],
                    };
                    match out {
                        [gray] => *gray = colour[0],
                        out => out[..3].copy_from_slice(&colour),
                    }
                }
            }
        }
        if self.layout == Layout::Rgba {
            for (out, pixel) in lines.as_chunks_mut::<4>().0.iter_mut().zip(pixels()) {
                out[3] = pixel.get(usize::from(colours)).copied().unwrap_or(u8::MAX);
                if self.header.extra == Some(1) {
                    straighten(out);
                }
            }
        }
        Ok(())
    }
}

/// Divides by alpha what was multiplied by it.
fn straighten(pixel: &mut [u8; 4]) {
    let alpha = u32::from(pixel[3]);
    for value in &mut pixel[..3] {
        *value = ((u32::from(*value) * 255 + alpha / 2).checked_div(alpha)).map_or(0, |value| value.min(255) as u8);
    }
}

/// 16 bits a colour; files of careless writers have 8.
fn palette(header: &TiffHeader<'_>) -> Vec<[u8; 3]> {
    let Some(field) = header.palette else { return Vec::new() };
    let count = (field.len() / 3).min(256);
    let value = |at: usize| field.value(at).unwrap_or_default();
    let narrow = (0..count * 3).all(|at| value(at) < 256);
    let byte = |at: usize| (if narrow { value(at) } else { (value(at) * 255 + 32_767) / 65_535 }).min(255) as u8;
    (0..count).map(|at| [byte(at), byte(at + count), byte(at + 2 * count)]).collect()
}

/// CIE L*a*b* (D50) to sRGB: L of 0–255 for 0–100. The matrix is the inverse of sRGB's, adapted to D50 by Bradford.
fn lab(lightness: u8, a: i8, b: i8) -> [u8; 3] {
    let y = (f32::from(lightness) * 100.0 / 255.0 + 16.0) / 116.0;
    let (x, z) = (y + f32::from(a) / 500.0, y - f32::from(b) / 200.0);
    let cube = |t: f32| if t > 6.0 / 29.0 { t * t * t } else { (t - 4.0 / 29.0) * 108.0 / 841.0 };
    let (x, y, z) = (0.9642 * cube(x), cube(y), 0.8249 * cube(z));
    let linear = [
        3.133_856 * x - 1.616_867 * y - 0.490_615 * z,
        -0.978_768 * x + 1.916_142 * y + 0.033_454 * z,
        0.071_945 * x - 0.228_991 * y + 1.405_243 * z,
    ];
    linear.map(float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lab_has_its_known_colours() {
        assert_eq!((lab(255, 0, 0), lab(0, 0, 0)), ([255, 255, 255], [0, 0, 0]));
        // sRGB red is L 54.29, a 80.80, b 69.89.
        let [red, green, blue] = lab(138, 81, 70);
        assert!(red > 252 && green < 8 && blue < 8, "{red} {green} {blue}");
    }

    #[test]
    fn premultiplied_colours_are_divided() {
        let mut pixel = [64, 128, 0, 128];
        straighten(&mut pixel);
        assert_eq!(pixel, [128, 255, 0, 128]);
        let mut gone = [9, 9, 9, 0];
        straighten(&mut gone);
        assert_eq!(gone, [0; 4]);
    }
}
