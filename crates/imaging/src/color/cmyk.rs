//! Four inks to sRGB: by the embedded profile when it can be used, else by the naive formula.

use super::CHUNK;
use crate::error::Error;
use crate::limits::Watch;
use moxcms::{ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};
use std::sync::Arc;

const INKS: usize = 4;
const COLORS: usize = 3;

/// Rewrites CMYK pixels as RGB in place; the buffer gets a quarter shorter.
/// `inverted`: 255 means no ink, as Adobe writes it.
///
/// # Errors
/// By `watch`.
pub(crate) fn cmyk_to_srgb(
    pixels: &mut Vec<u8>,
    icc: Option<&[u8]>,
    inverted: bool,
    watch: &Watch,
) -> Result<(), Error> {
    let transform = icc.and_then(transform_of);
    let mut inks = vec![0; CHUNK * INKS];
    let mut colors = vec![0; CHUNK * COLORS];
    let count = pixels.len() / INKS;
    for first in (0..count).step_by(CHUNK) {
        watch.check()?;
        let chunk = CHUNK.min(count - first);
        let (inks, colors) = (&mut inks[..chunk * INKS], &mut colors[..chunk * COLORS]);
        inks.copy_from_slice(&pixels[first * INKS..(first + chunk) * INKS]);
        if inverted {
            inks.iter_mut().for_each(|ink| *ink = 255 - *ink);
        }
        let done = transform.as_ref().is_some_and(|t| t.transform(inks, colors).is_ok());
        if !done {
            naive(inks, colors);
        }
        // The colours of a pixel lie at or before its inks, which were copied away.
        pixels[first * COLORS..(first + chunk) * COLORS].copy_from_slice(colors);
    }
    pixels.truncate(count * COLORS);
    Ok(())
}

fn transform_of(icc: &[u8]) -> Option<Arc<Transform8BitExecutor>> {
    let source = ColorProfile::new_from_slice(icc).ok()?;
    if source.color_space != DataColorSpace::Cmyk {
        return None;
    }
    // moxcms calls four channels of 8 bits `Rgba`, whatever they mean.
    source.create_transform_8bit(Layout::Rgba, &ColorProfile::new_srgb(), Layout::Rgb, TransformOptions::default()).ok()
}

/// Each colour is what its ink and black let through.
fn naive(inks: &[u8], colors: &mut [u8]) {
    for (color, ink) in colors.chunks_exact_mut(COLORS).zip(inks.chunks_exact(INKS)) {
        let through = |ink: u8| u32::from(255 - ink);
        for (out, &own) in color.iter_mut().zip(ink) {
            *out = ((through(own) * through(ink[3]) + 127) / 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naive_inks() {
        let mut pixels = vec![0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 255, 0, 0, 0, 128];
        cmyk_to_srgb(&mut pixels, None, false, &Watch::new()).expect("no watch ends it");
        assert_eq!(pixels, [255, 255, 255, 0, 255, 255, 255, 0, 0, 0, 0, 0, 127, 127, 127]);
    }

    #[test]
    fn adobe_inks_are_inverted_over_many_chunks() {
        let mut pixels = [255u8, 0, 255, 255].repeat(CHUNK * 2 + 5);
        cmyk_to_srgb(&mut pixels, Some(b"broken"), true, &Watch::new()).expect("no watch ends it");
        assert_eq!(pixels, [255u8, 0, 255].repeat(CHUNK * 2 + 5));
    }

    /// SWOP v2 of a photograph of the corpus, held against Little CMS 2.14 (`transicc -t 0`).
    #[test]
    fn inks_of_a_press_are_read_as_little_cms_reads_them() {
        let beside = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
        let folder = std::env::var_os("TINTYPE_SHARED").map_or(beside, Into::into);
        let Ok(bytes) = std::fs::read(folder.join("corpora/cmyk/Channel_digital_image_CMYK_color.jpg")) else {
            eprintln!("skipped: no corpus at {}", folder.display());
            return;
        };
        let icc = crate::metadata::read(&bytes, crate::SourceFormat::Jpeg).icc.expect("a profile").into_owned();
        let ink = |percent: u32| ((percent * 255 + 50) / 100) as u8;
        let inks = [[0, 0, 0, 0], [0, 0, 100, 0], [0, 100, 0, 0], [0, 0, 0, 100], [50, 40, 40, 10], [20, 60, 80, 30]];
        let expected = [[255, 255, 255], [255, 242, 0], [236, 0, 140], [35, 31, 32], [128, 131, 132], [152, 92, 53]];
        let mut pixels: Vec<u8> = inks.as_flattened().iter().map(|&percent| ink(percent)).collect();
        cmyk_to_srgb(&mut pixels, Some(&icc), false, &Watch::new()).expect("no watch ends it");
        for (got, expected) in pixels.iter().zip(expected.as_flattened()) {
            assert!(got.abs_diff(*expected) <= 4, "{pixels:?}");
        }
    }
}
