//! `g=face`: the part of a picture that keeps faces whole. A detector finds them on a small grey copy; the cut that keeps
//! the most of them, each counted by its side, wins, and lies round their common middle. No face: as `g=smart`.
//!
//! The detector is SeetaFace's funnel (frontal faces, upright within some 30°), written anew without `unsafe`; its trained
//! numbers are in `model/`. It sees pixels that a stranger chose: its work is bounded whatever they are.

mod cascade;
mod gray;
mod lab;
mod model;
mod surf;

use super::View;
use crate::error::Error;
use crate::geometry::Plan;
use crate::limits::Watch;
use cascade::Square;
use gray::Gray;

/// The longest side of a picture as the detector looks at it, in pixels.
pub(crate) const SIDE: u32 = 400;
/// What a look costs on a photograph, in nanoseconds; decision 0021 has what was measured.
pub(crate) const NANOSECONDS: u64 = 30_000_000;
/// Side of the window that a classifier looks at: what it was trained on, and the smallest face that is found.
const WINDOW: usize = 40;
/// Classifiers that look at every window.
const LOOKS: usize = 3;
/// The summed score from which a square counts as a face. One window alone scores 1 at most.
const LEAST_SCORE: f32 = 1.5;
/// Faces that are weighed against each other, the largest.
const MOST: usize = 32;

/// From where to where on one axis.
type Span = (f64, f64);

/// A face, in fractions of the region that was looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Face {
    across: Span,
    down: Span,
    /// Its side in pixels of the small copy.
    weight: f64,
}

/// The point round which a cut that keeps `kept` (in fractions) keeps the most of all faces; `None`: there is none.
pub(super) fn focus(
    view: &View<'_>,
    plan: &Plan,
    kept: (f64, f64),
    watch: &Watch,
) -> Result<Option<(f64, f64)>, Error> {
    let gray = Gray::new(view, plan, watch)?;
    let faces = cascade::faces(&gray, watch)?;
    let faces = faces.into_iter().filter(|square| square.score >= LEAST_SCORE);
    let mut faces: Vec<Face> = faces.map(|square| Face::new(square, &gray)).collect();
    faces.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    faces.truncate(MOST);
    Ok(best(&faces, kept))
}

impl Face {
    /// What of it lies in the picture.
    fn new(square: Square, gray: &Gray) -> Self {
        let span = |at: i32, length: usize| {
            let inside = |at: i32| f64::from(at).clamp(0.0, length as f64) / length as f64;
            (inside(at), inside(at.saturating_add(square.side)))
        };
        Self { across: span(square.x, gray.width), down: span(square.y, gray.height), weight: square.side.into() }
    }
}

/// The middle of all faces in the best window. Of faces that do not fit into any, the largest.
fn best(faces: &[Face], kept: (f64, f64)) -> Option<(f64, f64)> {
    let largest = faces.first()?;
    // Some best window begins where a face begins.
    let starts = |span: fn(&Face) -> Span, kept: f64| -> Vec<f64> {
        faces.iter().map(|face| span(face).0.min(1.0 - kept)).collect()
    };
    let (columns, rows) = (starts(|face| face.across, kept.0), starts(|face| face.down, kept.1));
    let mut best: (f64, Vec<&Face>) = (0.0, vec![largest]);
    for (left, top) in columns.iter().flat_map(|left| rows.iter().map(move |top| (*left, *top))) {
        let holds = |start: f64, kept: f64, span: Span| span.0 >= start - 1e-9 && span.1 <= start + kept + 1e-9;
        let inside = |face: &&Face| holds(left, kept.0, face.across) && holds(top, kept.1, face.down);
        let inside: Vec<&Face> = faces.iter().filter(inside).collect();
        let weight: f64 = inside.iter().map(|face| face.weight).sum();
        if weight > best.0 {
            best = (weight, inside);
        }
    }
    let middle = |span: fn(&Face) -> Span| {
        let from = best.1.iter().map(|face| span(face).0).fold(f64::INFINITY, f64::min);
        let to = best.1.iter().map(|face| span(face).1).fold(0.0, f64::max);
        f64::midpoint(from, to)
    };
    Some((middle(|face| face.across), middle(|face| face.down)))
}

#[cfg(test)]
mod tests;
