//! `chroma=auto`: whether colours may be stored at half the resolution. Photographs lose nothing that is seen; coloured
//! edges of drawings and letters do, and so does everything at high quality, where halved colours cost more bytes for
//! the same SSIMULACRA2 than whole ones (figures: `docs/quality.md`).
//!
//! It knows pixels and dials, no encoder.

use crate::bitmap::{Bitmap, Layout};
use cache_key::transform::{Chroma, Codec};

/// From this dial on a JPEG is smaller with whole colours.
const JPEG_FROM: u8 = 90;
/// Likewise an AVIF that is encoded quickly; with more care it is smaller with whole colours at every dial.
pub(crate) const AVIF_FROM: u8 = 70;
/// A block of 2 × 2 pixels whose colours differ by this much, of 510, has an edge that halving would smear.
const EDGE: i32 = 96;
/// With more of its blocks on such edges, a picture is one that suffers.
const SHARE: f64 = 0.02;
/// Every pair of this many pairs of rows is looked at.
const EVERY: usize = 2;

/// 4:2:0 or 4:4:4. `careful` is about AVIF alone: whether it has more than the least effort.
pub fn choose(bitmap: &Bitmap, codec: Codec, dial: u8, careful: bool) -> Chroma {
    let whole = match codec {
        Codec::Jpeg => dial >= JPEG_FROM,
        Codec::Avif => careful || dial >= AVIF_FROM,
        // WebP with loss has halved colours only.
        _ => return Chroma::C420,
    };
    if whole || coloured_edges(bitmap) > SHARE { Chroma::C444 } else { Chroma::C420 }
}

/// The share of blocks of 2 × 2 pixels with an edge between colours, 0–1.
pub fn coloured_edges(bitmap: &Bitmap) -> f64 {
    let channels = bitmap.layout().channels();
    if bitmap.layout() == Layout::Gray {
        return 0.0;
    }
    let rows: Vec<&[u8]> = bitmap.pixels().chunks_exact(bitmap.width() as usize * channels).collect();
    let (mut blocks, mut edges) = (0_u64, 0_u64);
    for two in rows.chunks_exact(2).step_by(EVERY) {
        let [upper, lower] = two else { continue };
        for (above, below) in upper.chunks_exact(2 * channels).zip(lower.chunks_exact(2 * channels)) {
            blocks += 1;
            edges += u64::from(is_edge(above, below, channels));
        }
    }
    edges as f64 / blocks.max(1) as f64
}

/// The spread of both differences of colour among four pixels. Transparent ones are not seen.
fn is_edge(above: &[u8], below: &[u8], channels: usize) -> bool {
    let mut range = [(i32::MAX, i32::MIN); 2];
    for pixel in above.chunks_exact(channels).chain(below.chunks_exact(channels)) {
        let &[red, green, blue, ref alpha @ ..] = pixel else { continue };
        if alpha.first().is_some_and(|&alpha| alpha < 128) {
            continue;
        }
        let (red, green, blue) = (i32::from(red), i32::from(green), i32::from(blue));
        let luma = (77 * red + 150 * green + 29 * blue) >> 8;
        for (range, value) in range.iter_mut().zip([blue - luma, red - luma]) {
            *range = (range.0.min(value), range.1.max(value));
        }
    }
    range.iter().map(|(least, most)| most.saturating_sub(*least).max(0)).sum::<i32>() > EDGE
}

#[cfg(test)]
mod tests {
    use super::{choose, coloured_edges};
    use crate::bitmap::{Bitmap, Layout};
    use cache_key::transform::{Chroma, Codec};

    /// Thin letters' strokes of one colour on another.
    fn strokes(ink: [u8; 3], paper: [u8; 3]) -> Bitmap {
        let pixels = (0..96 * 96).flat_map(|at| if at % 96 % 7 < 2 { ink } else { paper }).collect();
        Bitmap::new(96, 96, Layout::Rgb, pixels)
    }

    #[test]
    fn coloured_strokes_keep_their_colours() {
        let red_on_blue = strokes([220, 20, 20], [20, 20, 200]);
        assert!(coloured_edges(&red_on_blue) > 0.2);
        for codec in [Codec::Jpeg, Codec::Avif] {
            assert_eq!(choose(&red_on_blue, codec, 60, false), Chroma::C444);
        }
        assert_eq!(choose(&red_on_blue, Codec::Webp, 60, false), Chroma::C420);
    }

    #[test]
    fn black_on_white_has_no_colours_to_lose() {
        assert_eq!(coloured_edges(&strokes([0; 3], [255; 3])), 0.0);
        assert_eq!(choose(&strokes([0; 3], [255; 3]), Codec::Jpeg, 80, false), Chroma::C420);
    }

    #[test]
    fn high_quality_keeps_whole_colours() {
        let plain = strokes([90, 90, 90], [100, 100, 100]);
        assert_eq!(choose(&plain, Codec::Jpeg, 95, false), Chroma::C444);
        assert_eq!(choose(&plain, Codec::Avif, 60, false), Chroma::C420);
        assert_eq!(choose(&plain, Codec::Avif, 60, true), Chroma::C444);
    }

    #[test]
    fn what_is_transparent_is_not_looked_at() {
        let pixels = (0..64 * 64).flat_map(|at| if at % 2 == 0 { [255, 0, 0, 0] } else { [0, 0, 255, 255] }).collect();
        assert_eq!(coloured_edges(&Bitmap::new(64, 64, Layout::Rgba, pixels)), 0.0);
        assert_eq!(coloured_edges(&Bitmap::new(1, 1, Layout::Rgb, vec![1, 2, 3])), 0.0);
    }
}
