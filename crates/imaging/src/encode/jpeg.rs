//! JPEG by mozjpeg: its quick side with better tables by default, its small side (trellis, progressive) from effort 8,
//! libjpeg-turbo's own work at effort 0. 4:2:0 unless 4:4:4 is asked for. See `docs/decisions/0003-jpeg-encoder.md` and
//! `0031-encoder-defaults.md`.

use super::Settings;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use cache_key::transform::Chroma;
use mozjpeg::qtable::{KleinSilversteinCarney, MSSSIM_Luma};
use mozjpeg::{ColorSpace, Compress};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// From this effort on, time is spent on bytes: about −10 % for 20 times the work.
const SMALL_FROM: u8 = 8;
/// From this effort on (and where none is asked for), Huffman tables are made for the picture.
const TABLES_FROM: u8 = 1;
/// How much better than the dial the lowest frequencies are kept.
const DC_BONUS: f32 = 4.0;
/// Rows between two looks at the watch: a multiple of the 16 rows of a 4:2:0 block.
const ROWS: usize = 128;

/// Encodes a picture without alpha.
pub(super) fn encode(bitmap: &Bitmap, settings: &Settings, watch: &Watch) -> Result<Vec<u8>, Error> {
    // libjpeg reports its errors by unwinding; whatever it was, nothing of it is used afterwards.
    let outcome = catch_unwind(AssertUnwindSafe(|| write(bitmap, settings, watch)));
    outcome.unwrap_or_else(|_| Err(Error::Internal("jpeg: the encoder gave up".into())))
}

fn write(bitmap: &Bitmap, settings: &Settings, watch: &Watch) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| Error::Internal(format!("jpeg: {error}"));
    let stride = bitmap.width() as usize * bitmap.layout().channels();
    let mut started = configure(bitmap, settings).start_compress(Vec::new()).map_err(failed)?;
    for rows in bitmap.pixels().chunks(ROWS * stride) {
        watch.check()?;
        started.write_scanlines(rows).map_err(failed)?;
    }
    watch.check()?;
    started.finish().map_err(failed)
}

fn configure(bitmap: &Bitmap, settings: &Settings) -> Compress {
    let gray = bitmap.layout() == Layout::Gray;
    let effort = settings.effort.unwrap_or(TABLES_FROM);
    let mut compress = Compress::new(if gray { ColorSpace::JCS_GRAYSCALE } else { ColorSpace::JCS_RGB });
    compress.set_size(bitmap.width() as usize, bitmap.height() as usize);
    if effort < SMALL_FROM {
        // Drops mozjpeg's own defaults: trellis, progressive, its quantisation tables.
        compress.set_fastest_defaults();
        compress.set_optimize_coding(effort >= TABLES_FROM);
    }
    if gray {
        compress.set_color_space(ColorSpace::JCS_GRAYSCALE);
    } else {
        compress.set_color_space(ColorSpace::JCS_YCbCr);
        let sampling = if settings.chroma == Chroma::C444 { (1, 1) } else { (2, 2) };
        compress.set_chroma_sampling_pixel_sizes(sampling, sampling);
    }
    if effort < TABLES_FROM {
        compress.set_quality(f32::from(settings.quality));
    } else {
        quantise(&mut compress, f32::from(settings.quality));
    }
    if settings.progressive || effort >= SMALL_FROM {
        // The usual scans: mozjpeg's search for the best ones costs half as much again for 1 %.
        compress.set_optimize_scans(false);
        compress.set_progressive_mode();
    }
    compress
}

/// Tables under which fewer bytes give the same SSIMULACRA2 than under those of Annex K: what was measured best of all
/// pairs that mozjpeg brings.
fn quantise(compress: &mut Compress, quality: f32) {
    let low = (quality + DC_BONUS).min(100.0);
    compress.set_luma_qtable(&MSSSIM_Luma.scaled(low, quality));
    compress.set_chroma_qtable(&KleinSilversteinCarney.scaled(low, quality));
}
