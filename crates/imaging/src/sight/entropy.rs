//! `g=entropy`: where most detail is. As libvips and thumbor do it, slices are cut off the two ends of the picture, each
//! time the one whose shades are more alike, until what is left is the window's size.

use super::small::Small;

/// Shades that are told apart.
const SHADES: usize = 32;
/// Slices in which the excess goes, at least.
const SLICES: usize = 8;

/// The middle of what is left when `kept` (in fractions) of the picture is left, in fractions.
pub(super) fn focus(small: &Small, kept: (f64, f64)) -> (f64, f64) {
    let shade = |x: usize, y: usize| {
        let luma = small.luma(x as isize, y as isize);
        ((luma * SHADES as f32 / 256.0) as usize).min(SHADES - 1)
    };
    let across = left(small.width, kept.0, |from, to| {
        entropy((from..to).flat_map(|x| (0..small.height).map(move |y| (x, y))).map(|(x, y)| shade(x, y)))
    });
    let down = left(small.height, kept.1, |from, to| {
        entropy((from..to).flat_map(|y| (0..small.width).map(move |x| (x, y))).map(|(x, y)| shade(x, y)))
    });
    (across, down)
}

/// Along one axis.
fn left(cells: usize, kept: f64, detail: impl Fn(usize, usize) -> f64) -> f64 {
    let length = ((kept * cells as f64).round() as usize).clamp(1, cells);
    let (mut from, mut to) = (0, cells);
    let slice = ((cells - length) / SLICES).max(1);
    while to - from > length {
        let slice = slice.min(to - from - length);
        let (first, last) = (detail(from, from + slice), detail(to - slice, to));
        // Alike: the side that is further from the middle goes.
        let first_goes = if (first - last).abs() < 1e-9 { from <= cells - to } else { first < last };
        if first_goes { from += slice } else { to -= slice }
    }
    if from.abs_diff(cells - to) <= 1 {
        return 0.5;
    }
    (from + to) as f64 / 2.0 / cells as f64
}

/// Bits by which the shades differ (Shannon).
fn entropy(shades: impl Iterator<Item = usize>) -> f64 {
    let mut counts = [0u32; SHADES];
    shades.for_each(|shade| counts[shade] += 1);
    let all = f64::from(counts.iter().sum::<u32>());
    let part = |&count: &u32| {
        let share = f64::from(count) / all;
        if count == 0 { 0.0 } else { -share * share.log2() }
    };
    counts.iter().map(part).sum()
}
