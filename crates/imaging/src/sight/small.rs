//! A small upright copy to look at: each cell is the mean of a few samples, whatever the size of the picture.

use super::{CELLS, View};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::geometry::Plan;
use crate::limits::Watch;

/// Samples of a cell in each direction.
const SAMPLES: u32 = 4;

/// Colours on black, 0–255.
#[derive(Clone, Debug)]
pub(super) struct Small {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) cells: Vec<[f32; 3]>,
}

impl Small {
    /// What `plan` takes its window from.
    pub(super) fn new(view: &View<'_>, plan: &Plan, watch: &Watch) -> Result<Self, Error> {
        let region = plan.region;
        let longest = region.width.max(region.height);
        let side = |side: u32| {
            let cells = u64::from(side) * u64::from(CELLS.min(longest)) / u64::from(longest);
            (cells as u32).max(1)
        };
        let (width, height) = (side(region.width), side(region.height));
        let mut cells = Vec::with_capacity(width as usize * height as usize);
        for y in 0..height {
            watch.check()?;
            for x in 0..width {
                let point = |cell: u32, sample: u32, cells: u32, start: u32, length: u32, all: u32| {
                    let inside = (f64::from(cell) + (f64::from(sample) + 0.5) / f64::from(SAMPLES)) / f64::from(cells);
                    (f64::from(start) + inside * f64::from(length)) / f64::from(all)
                };
                let mut sum = [0.0f32; 3];
                for (i, j) in (0..SAMPLES).flat_map(|j| (0..SAMPLES).map(move |i| (i, j))) {
                    let across = point(x, i, width, region.x, region.width, plan.source.0);
                    let down = point(y, j, height, region.y, region.height, plan.source.1);
                    let colour = seen(view.bitmap, view.at((across, down)));
                    sum.iter_mut().zip(colour).for_each(|(sum, value)| *sum += value);
                }
                cells.push(sum.map(|sum| sum / (SAMPLES * SAMPLES) as f32));
            }
        }
        Ok(Self { width: width as usize, height: height as usize, cells })
    }

    /// The cell, or the nearest one inside.
    pub(super) fn cell(&self, x: isize, y: isize) -> [f32; 3] {
        let inside = |at: isize, side: usize| at.clamp(0, side as isize - 1) as usize;
        self.cells[inside(y, self.height) * self.width + inside(x, self.width)]
    }

    /// ITU-R BT.601 luma.
    pub(super) fn luma(&self, x: isize, y: isize) -> f32 {
        let [r, g, b] = self.cell(x, y);
        0.299 * r + 0.587 * g + 0.114 * b
    }
}

fn seen(bitmap: &Bitmap, (x, y): (usize, usize)) -> [f32; 3] {
    let at = y * bitmap.width() as usize + x;
    match bitmap.layout() {
        Layout::Gray => [f32::from(bitmap.pixels()[at]); 3],
        Layout::Rgb => bitmap.pixels().as_chunks::<3>().0[at].map(f32::from),
        Layout::Rgba => {
            let [r, g, b, a] = bitmap.pixels().as_chunks::<4>().0[at].map(f32::from);
            [r * a / 255.0, g * a / 255.0, b * a / 255.0]
        }
    }
}
