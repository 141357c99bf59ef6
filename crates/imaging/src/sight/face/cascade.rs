//! The funnel: every window of a picture at every size goes through the first look; what is left is judged more and more
//! closely, and boxes that mean the same face become one.
//!
//! However a picture is made, the work is bounded: windows by the picture's size, what is judged by [`MOST`].

use super::WINDOW;
use super::gray::Gray;
use super::lab::Codes;
use super::model::{MODEL, Model};
use super::surf::Slopes;
use crate::error::Error;
use crate::limits::Watch;

/// How far windows lie apart.
const STEP: usize = 4;
/// From one size of the picture to the next.
const SHRINK: f32 = 0.8;
/// Windows that each first look hands on; a photograph has a few hundred.
const MOST: usize = 1000;
/// Boxes that overlap by more than this, as a part of what they cover together, are the same window, or the same face.
const SAME_WINDOW: f64 = 0.8;
const SAME_FACE: f64 = 0.3;

/// A square that may reach out of the picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Square {
    pub(super) x: i32,
    pub(super) y: i32,
    /// 2 at least.
    pub(super) side: i32,
    /// The sum of how sure the looks were that found it.
    pub(super) score: f32,
}

/// Every face, the surest first. A picture that has a side shorter than a window has none.
pub(super) fn faces(gray: &Gray, watch: &Watch) -> Result<Vec<Square>, Error> {
    if gray.width.min(gray.height) < WINDOW {
        return Ok(Vec::new());
    }
    let model: &Model = &MODEL;
    let mut found = Vec::new();
    for proposals in proposals(model, gray, watch)? {
        found.extend(merged(proposals, SAME_WINDOW, watch)?);
    }
    for (number, judge) in model.judges.iter().enumerate() {
        let mut left = Vec::new();
        for square in found {
            watch.check()?;
            let slopes = Slopes::new(&gray.window(square.x, square.y, square.side as usize));
            let verdict = judge.judge(&slopes);
            left.extend(verdict.and_then(|verdict| square.moved(verdict.shift, verdict.side, verdict.sure, gray)));
        }
        found = match number {
            0 => merged(left, SAME_WINDOW, watch)?,
            1 => left,
            _ => merged(left, SAME_FACE, watch)?,
        };
    }
    Ok(found)
}

/// What each of the first looks lets through, at all sizes.
fn proposals(model: &Model, gray: &Gray, watch: &Watch) -> Result<Vec<Vec<Square>>, Error> {
    let mut proposals = vec![Vec::new(); model.scans.len()];
    let least = WINDOW as f32 / gray.width.min(gray.height) as f32;
    let mut scale = 1.0;
    while scale >= least {
        watch.check()?;
        // Rounding must not take a side below the window.
        let side = |side: usize| ((side as f32 * scale) as usize).max(WINDOW);
        let (width, height) = (side(gray.width), side(gray.height));
        let codes = Codes::new(&gray.scaled(width, height));
        let back = |at: usize| (at as f32 / scale + 0.5) as i32;
        for y in (0..=height - WINDOW).step_by(STEP) {
            watch.check()?;
            for x in (0..=width - WINDOW).step_by(STEP) {
                for (scan, proposals) in model.scans.iter().zip(&mut proposals) {
                    let square = |score| Square { x: back(x), y: back(y), side: back(WINDOW), score };
                    proposals.extend(scan.score(&codes, x, y).map(square));
                }
            }
        }
        scale *= SHRINK;
    }
    Ok(proposals)
}

impl Square {
    /// Where a judge sees the face; `None` where that is no square that the picture has a part in.
    fn moved(self, shift: (f32, f32), side: f32, score: f32, gray: &Gray) -> Option<Self> {
        let from = self.side as f32;
        let to = (side * from + 0.5).floor();
        let moved = |at: i32, shift: f32| (shift * from + at as f32 + (from - to) * 0.5 + 0.5).floor() as i32;
        // Casts of floats saturate.
        let square = Self { x: moved(self.x, shift.0), y: moved(self.y, shift.1), side: to as i32, score };
        let is_inside =
            |at: i32, length: usize| i64::from(at) < length as i64 && i64::from(at) + i64::from(square.side) > 0;
        let fits = (2..=2 * gray.width.max(gray.height) as i64).contains(&square.side.into());
        (fits && is_inside(square.x, gray.width) && is_inside(square.y, gray.height)).then_some(square)
    }

    /// What two cover both, as a part of what they cover together.
    fn overlap(&self, other: &Self) -> f64 {
        let shared = |a: i32, b: i32| (a + self.side).min(b + other.side) - a.max(b);
        let (across, down) = (shared(self.x, other.x), shared(self.y, other.y));
        if across <= 0 || down <= 0 {
            return 0.0;
        }
        let area = |a: i32, b: i32| f64::from(a) * f64::from(b);
        let both = area(across, down);
        both / (area(self.side, self.side) + area(other.side, other.side) - both)
    }
}

/// One square for all that overlap by more than `same`: the surest, with the sum of their scores.
fn merged(mut squares: Vec<Square>, same: f64, watch: &Watch) -> Result<Vec<Square>, Error> {
    // Stable: equally sure ones stay in the order of the looks.
    squares.sort_by(|a, b| b.score.total_cmp(&a.score));
    squares.truncate(MOST);
    let mut kept = Vec::new();
    while let Some((mut best, rest)) = squares.split_first().map(|(first, rest)| (*first, rest)) {
        watch.check()?;
        let reference = best;
        let mut left = Vec::with_capacity(rest.len());
        for square in rest {
            if reference.overlap(square) > same {
                best.score += square.score;
            } else {
                left.push(*square);
            }
        }
        kept.push(best);
        squares = left;
    }
    Ok(kept)
}
