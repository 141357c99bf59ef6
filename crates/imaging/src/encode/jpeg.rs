//! JPEG by mozjpeg: its plain, quick side (equal to libjpeg-turbo) by default, its small side (trellis, progressive)
//! from effort 8. 4:2:0 unless 4:4:4 is asked for. See `docs/decisions/0003-jpeg-encoder.md`.

use super::Settings;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use cache_key::transform::Chroma;
use mozjpeg::{ColorSpace, Compress};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// From this effort on, time is spent on bytes: about −10 % for 20 times the work.
const SMALL_FROM: u8 = 8;
/// From this effort on, Huffman tables are made for the picture: about −2 % for twice the work.
const TABLES_FROM: u8 = 4;
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
    let effort = settings.effort.unwrap_or(0);
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
    compress.set_quality(f32::from(settings.quality));
    if settings.progressive || effort >= SMALL_FROM {
        // The usual scans: mozjpeg's search for the best ones costs half as much again for 1 %.
        compress.set_optimize_scans(false);
        compress.set_progressive_mode();
    }
    compress
}
