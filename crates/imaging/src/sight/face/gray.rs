//! Grey pictures for the detector: the small upright copy of what a plan takes its window from, smaller ones of it, and
//! windows cut out of it, which may reach over its edges.

use super::{SIDE, WINDOW};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::geometry::Plan;
use crate::limits::Watch;
use crate::sight::View;

/// Samples of a pixel in each direction.
const SAMPLES: usize = 2;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gray {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Row by row.
    pub(super) levels: Vec<u8>,
}

impl Gray {
    /// What `plan` takes its window from, at most [`SIDE`] pixels long and never larger than it is.
    pub(super) fn new(view: &View<'_>, plan: &Plan, watch: &Watch) -> Result<Self, Error> {
        let region = plan.region;
        let longest = region.width.max(region.height);
        let side = |side: u32| {
            let pixels = u64::from(side) * u64::from(SIDE.min(longest)) / u64::from(longest);
            (pixels as usize).max(1)
        };
        let (width, height) = (side(region.width), side(region.height));
        let samples = |pixels: usize, start: u32, length: u32, all: u32| {
            (0..pixels * SAMPLES).map(move |sample| {
                let inside = (sample as f64 + 0.5) / (pixels * SAMPLES) as f64;
                (f64::from(start) + inside * f64::from(length)) / f64::from(all)
            })
        };
        // A turn by quarters moves each axis on its own.
        let swaps = view.turn.transpose;
        let across = samples(width, region.x, region.width, plan.source.0).map(|across| {
            let (x, y) = view.at((across, 0.5));
            if swaps { y } else { x }
        });
        let down = samples(height, region.y, region.height, plan.source.1).map(|down| {
            let (x, y) = view.at((0.5, down));
            if swaps { x } else { y }
        });
        let across: Vec<[usize; SAMPLES]> = across.collect::<Vec<_>>().as_chunks().0.to_vec();
        let down: Vec<usize> = down.collect();
        let mut levels = Vec::with_capacity(width * height);
        for rows in down.as_chunks::<SAMPLES>().0 {
            watch.check()?;
            levels.extend(across.iter().map(|columns| {
                let mut sum = 0;
                for row in rows {
                    for column in columns {
                        let (x, y) = if swaps { (*row, *column) } else { (*column, *row) };
                        sum += luma(view.bitmap, x, y);
                    }
                }
                // Each is 0–255.
                (sum / (SAMPLES * SAMPLES) as u32) as u8
            }));
        }
        Ok(Self { width, height, levels })
    }

    /// A smaller copy, between pixels. Both sides must have two pixels at least.
    pub(super) fn scaled(&self, width: usize, height: usize) -> Self {
        let columns = between(self.width, width);
        let mut levels = Vec::with_capacity(width * height);
        for (y, weight) in between(self.height, height) {
            let (upper, lower) = self.levels[y * self.width..][..2 * self.width].split_at(self.width);
            levels.extend(columns.iter().map(|(x, across)| {
                let pair = |row: &[u8]| mix(row[*x].into(), row[*x + 1].into(), *across);
                mix(pair(upper), pair(lower), weight) as u8
            }));
        }
        Self { width, height, levels }
    }

    /// The square of `side` pixels at `x`, `y` as a window; black where it reaches out of the picture. A side has two
    /// pixels at least.
    pub(super) fn window(&self, x: i32, y: i32, side: usize) -> [u8; WINDOW * WINDOW] {
        let inside = |at: i32, offset: usize, side: usize| {
            usize::try_from(i64::from(at) + offset as i64).ok().filter(|at| *at < side)
        };
        let level = |row: Option<usize>, column: Option<usize>| match (row, column) {
            (Some(row), Some(column)) => f64::from(self.levels[row * self.width + column]),
            _ => 0.0,
        };
        let places = between(side, WINDOW);
        let mut pixels = [0; WINDOW * WINDOW];
        for (line, (down, weight)) in pixels.chunks_exact_mut(WINDOW).zip(&places) {
            let rows = [inside(y, *down, self.height), inside(y, *down + 1, self.height)];
            for (pixel, (across, weight_across)) in line.iter_mut().zip(&places) {
                let columns = [inside(x, *across, self.width), inside(x, *across + 1, self.width)];
                let pair = |row| mix(level(row, columns[0]), level(row, columns[1]), *weight_across);
                *pixel = mix(pair(rows[0]), pair(rows[1]), *weight) as u8;
            }
        }
        pixels
    }
}

/// Between which pixels of `from` those of `to` lie: the first, and how much the second counts.
fn between(from: usize, to: usize) -> Vec<(usize, f64)> {
    let step = from as f64 / to as f64;
    let place = |index: usize| {
        let at = step * index as f64;
        let first = (at as usize).min(from.saturating_sub(2));
        (first, at - first as f64)
    };
    (0..to).map(place).collect()
}

fn mix(a: f64, b: f64, weight: f64) -> f64 {
    (1.0 - weight) * a + weight * b
}

/// ITU-R BT.601 luma on black, 0–255.
fn luma(bitmap: &Bitmap, x: usize, y: usize) -> u32 {
    let at = y * bitmap.width() as usize + x;
    let of = |r: u8, g: u8, b: u8| (77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b)) >> 8;
    match bitmap.layout() {
        Layout::Gray => bitmap.pixels()[at].into(),
        Layout::Rgb => {
            let [r, g, b] = bitmap.pixels().as_chunks::<3>().0[at];
            of(r, g, b)
        }
        Layout::Rgba => {
            let [r, g, b, a] = bitmap.pixels().as_chunks::<4>().0[at];
            of(r, g, b) * u32::from(a) / 255
        }
    }
}
