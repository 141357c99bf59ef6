//! Which colours a picture (or an animation) has, and how often: cells of 5 bits a colour and 4 of alpha, each with
//! the mean of what fell into it. From them a palette is chosen.

use super::{Alpha, Palette, Point, Wish, colour, pixels, point, split};
use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::limits::Watch;

/// Bits 0–4 blue, 5–9 green, 10–14 red, 15–18 alpha.
const CELLS: usize = 1 << 19;
/// No cell yet.
const NONE: u32 = u32::MAX;

/// The colours of pictures.
pub(crate) struct Histogram {
    alpha: Alpha,
    /// Where in `sums` a cell is.
    places: Vec<u32>,
    sums: Vec<Sum>,
    transparent: bool,
}

/// What fell into a cell. 2³² pixels of 255 fit.
struct Sum {
    count: u64,
    channels: [u64; 4],
}

/// The mean of a cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Colour {
    pub(super) point: Point,
    /// How many pixels.
    pub(super) weight: f32,
}

impl Histogram {
    /// Without any colour.
    pub(crate) fn new(alpha: Alpha) -> Self {
        Self { alpha, places: vec![NONE; CELLS], sums: Vec::new(), transparent: false }
    }

    /// Counts a picture's colours.
    ///
    /// # Errors
    /// What [`Watch::check`] returns.
    pub(crate) fn add(&mut self, bitmap: &Bitmap, watch: &Watch) -> Result<(), Error> {
        pixels(bitmap, self.alpha, watch, |pixel| self.count(pixel))
    }

    fn count(&mut self, [red, green, blue, alpha]: [u8; 4]) {
        if alpha == 0 {
            self.transparent = true;
            return;
        }
        let cell = usize::from(alpha >> 4) << 15
            | usize::from(red >> 3) << 10
            | usize::from(green >> 3) << 5
            | usize::from(blue >> 3);
        let place = &mut self.places[cell];
        if *place == NONE {
            *place = self.sums.len() as u32;
            self.sums.push(Sum { count: 0, channels: [0; 4] });
        }
        let sum = &mut self.sums[*place as usize];
        sum.count += 1;
        for (total, value) in sum.channels.iter_mut().zip([red, green, blue, alpha]) {
            *total += u64::from(value);
        }
    }

    /// Chooses the colours. An empty histogram has one, transparent.
    ///
    /// # Errors
    /// What [`Watch::check`] returns.
    pub(crate) fn palette(&self, wish: Wish, watch: &Watch) -> Result<Palette, Error> {
        let mut found: Vec<Colour> = self.sums.iter().map(Sum::mean).collect();
        let transparent = self.transparent || found.is_empty();
        let room = wish.colours.clamp(1, super::MOST).saturating_sub(transparent.into());
        let tolerance = 0.12 * f32::from(100 - wish.quality.clamp(1, 100));
        let mut colours = if transparent { vec![[0; 4]] } else { Vec::new() };
        if room > 0 && !found.is_empty() {
            let chosen = split::choose(&mut found, room, tolerance, watch)?;
            let mut chosen: Vec<[u8; 4]> = chosen.into_iter().map(colour).collect();
            // By alpha for PNG's sake, then dark to bright: near indices compress better.
            chosen.sort_by_key(|c| (c[3], 2 * u32::from(c[0]) + 5 * u32::from(c[1]) + u32::from(c[2]), *c));
            chosen.dedup();
            colours.extend(chosen.into_iter().filter(|c| c[3] > 0));
        }
        if colours.is_empty() {
            colours.push([0; 4]);
        }
        Ok(Palette { colours })
    }
}

impl Sum {
    fn mean(&self) -> Colour {
        let channel = |at: usize| ((self.channels[at] + self.count / 2) / self.count.max(1)).min(255) as u8;
        Colour { point: point([channel(0), channel(1), channel(2), channel(3)]), weight: self.count as f32 }
    }
}
