//! From features and a wish to a dial, and from a missed wish to a better dial. The numbers are in [`super::fit`].

use super::features::Features;
use super::fit::{COEFFICIENTS, SLOPES, USUAL};
use cache_key::transform::{Chroma, Codec, QualityTarget};

/// Dials that are used to reach a wish: beyond, nothing changes but the bytes.
const RANGE: (f64, f64) = (5.0, 98.0);

/// Which row of the fit.
const fn row(codec: Codec, chroma: Chroma) -> usize {
    match (codec, chroma) {
        (Codec::Avif, Chroma::C444) => 4,
        (Codec::Avif, _) => 3,
        (Codec::Webp, _) => 2,
        (_, Chroma::C444) => 1,
        _ => 0,
    }
}

/// The dial that most pictures need.
pub(super) const fn usual(codec: Codec, target: QualityTarget) -> u8 {
    USUAL[row(codec, Chroma::C420)][target as usize]
}

/// The dial that a picture of these features needs.
pub(super) fn predict(codec: Codec, chroma: Chroma, target: QualityTarget, features: &Features) -> u8 {
    let coefficients = &COEFFICIENTS[row(codec, chroma)][target as usize];
    dial(coefficients.iter().zip(features).map(|(coefficient, feature)| coefficient * feature).sum())
}

/// The dial after one look: `missing` is how much score is lacking (below 0: too much).
pub(super) fn corrected(codec: Codec, chroma: Chroma, target: QualityTarget, tried: u8, missing: f64) -> u8 {
    dial(f64::from(tried) + missing / SLOPES[row(codec, chroma)][target as usize])
}

fn dial(value: f64) -> u8 {
    value.round().clamp(RANGE.0, RANGE.1) as u8
}
