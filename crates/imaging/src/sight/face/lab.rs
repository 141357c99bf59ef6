//! The first look, at every window: *locally assembled binary* features (Yan, Shan, Chen, Gao: CVPR 2008). Around each
//! point nine squares of 3 × 3 pixels lie in three rows; which of the outer eight are no brighter than the inner one is a
//! code of eight bits, and how well 150 codes at trained places fit a face is a sum.
//!
//! Sums are taken in groups and given up early: most windows fail the first.

use super::WINDOW;
use super::gray::Gray;

/// Different codes.
pub(super) const CODES: usize = 256;
/// Features between two thresholds.
pub(super) const GROUP: usize = 10;
/// Pixels that a code looks at, in each direction.
pub(super) const REACH: usize = 9;
/// The side of a square.
const SQUARE: usize = 3;
/// A window that differs less from its mean is as good as empty: the variance, in squared levels.
const LEAST_VARIANCE: f64 = 100.0;

/// A sum of features that tells windows with faces from others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Boosted {
    pub(super) groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    /// Column and row in the window.
    pub(super) places: Vec<(usize, usize)>,
    /// For each place one weight for each code.
    pub(super) weights: Vec<f32>,
    /// What the sum up to here has to reach.
    pub(super) threshold: f32,
}

/// A picture prepared for the look. No side may be shorter than the window.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    /// Positions of a code, across.
    across: usize,
    codes: Vec<u8>,
    /// Sums of all levels, and of their squares, above and left of a corner.
    sums: Vec<(u32, u64)>,
    /// Corners, across.
    corners: usize,
}

impl Codes {
    pub(super) fn new(gray: &Gray) -> Self {
        let corners = gray.width + 1;
        let mut sums = vec![(0, 0); corners * (gray.height + 1)];
        for (y, row) in gray.levels.chunks_exact(gray.width).enumerate() {
            let (above, below) = sums.split_at_mut((y + 1) * corners);
            let above = &above[y * corners..];
            let (mut sum, mut squares) = (0u32, 0u64);
            for ((level, above), below) in row.iter().zip(&above[1..]).zip(&mut below[1..corners]) {
                sum += u32::from(*level);
                squares += u64::from(*level) * u64::from(*level);
                *below = (above.0 + sum, above.1 + squares);
            }
        }
        let (across, down) = (gray.width + 1 - REACH, gray.height + 1 - REACH);
        let squares = squares(&sums, corners, (gray.width + 1 - SQUARE, gray.height + 1 - SQUARE));
        let mut codes = Vec::with_capacity(across * down);
        let stride = gray.width + 1 - SQUARE;
        for y in 0..down {
            let row = |number: usize| &squares[(y + number * SQUARE) * stride..][..stride];
            let (first, second, third) = (row(0), row(1), row(2));
            codes.extend((0..across).map(|x| {
                let inner = second[x + SQUARE];
                let bit = |outer: u16, bit: u8| if inner >= outer { bit } else { 0 };
                bit(first[x], 0x80)
                    | bit(first[x + SQUARE], 0x40)
                    | bit(first[x + 2 * SQUARE], 0x20)
                    | bit(second[x + 2 * SQUARE], 0x08)
                    | bit(third[x + 2 * SQUARE], 0x01)
                    | bit(third[x + SQUARE], 0x02)
                    | bit(third[x], 0x04)
                    | bit(second[x], 0x10)
            }));
        }
        Self { across, codes, sums, corners }
    }

    /// Whether there is anything in the window to be seen.
    fn is_varied(&self, x: usize, y: usize) -> bool {
        let (top, bottom) = (y * self.corners + x, (y + WINDOW) * self.corners + x);
        let part = |of: fn(&(u32, u64)) -> u64| {
            let at = |index: usize| of(&self.sums[index]);
            (at(bottom + WINDOW) + at(top)) - at(bottom) - at(top + WINDOW)
        };
        let pixels = (WINDOW * WINDOW) as f64;
        let mean = part(|sums| sums.0.into()) as f64 / pixels;
        part(|sums| sums.1) as f64 / pixels - mean * mean > LEAST_VARIANCE
    }
}

/// Sums of the levels in the square right and below of each position.
fn squares(sums: &[(u32, u64)], corners: usize, (across, down): (usize, usize)) -> Vec<u16> {
    let mut squares = Vec::with_capacity(across * down);
    for y in 0..down {
        let (top, bottom) = (&sums[y * corners..][..corners], &sums[(y + SQUARE) * corners..][..corners]);
        squares.extend((0..across).map(|x| {
            // Nine levels: 2295 at most.
            ((bottom[x + SQUARE].0 + top[x].0) - bottom[x].0 - top[x + SQUARE].0) as u16
        }));
    }
    squares
}

impl Boosted {
    /// How much the window whose top left corner this is looks like a face; `None`: it does not.
    pub(super) fn score(&self, codes: &Codes, x: usize, y: usize) -> Option<f32> {
        let window = &codes.codes[y * codes.across + x..];
        let mut score = 0.0;
        for group in &self.groups {
            for ((x, y), weights) in group.places.iter().zip(group.weights.chunks_exact(CODES)) {
                score += weights[usize::from(window[y * codes.across + x])];
            }
            if score < group.threshold {
                return None;
            }
        }
        codes.is_varied(x, y).then_some(score)
    }
}
