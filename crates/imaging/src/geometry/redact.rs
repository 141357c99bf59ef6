//! Regions to make unreadable, in whole pixels: rounded outward, so that a pixel that a region only touches is in it.

use super::{Rect, Window};
use crate::error::Error;
use cache_key::Decimal;
use cache_key::transform::{Crop, Extent};

/// The pixels of an upright picture of `size` that `region` touches.
///
/// # Errors
/// [`Error::Impossible`] when the region lies outside: it was meant for another picture, and who serves this one bare
/// may serve what should have been hidden.
pub(crate) fn outward(size: (u32, u32), region: Crop) -> Result<Rect, Error> {
    let (x, width) = span(region.x, region.width, size.0);
    let (y, height) = span(region.y, region.height, size.1);
    if width == 0 || height == 0 {
        return Err(Error::Impossible(format!(
            "a region to redact lies outside the picture of {} × {} pixels",
            size.0, size.1
        )));
    }
    Ok(Rect { x, y, width, height })
}

/// One axis: where the region begins and how long it is; 0 where it lies beyond the end.
fn span(start: Extent, length: Extent, side: u32) -> (u32, u32) {
    // In ten-thousandths of a pixel, exactly: at most 10^6 × 10^4, twice.
    let parts = |extent: Extent| match extent {
        Extent::Px(px) => i64::from(px) * Decimal::SCALE,
        Extent::Fraction(fraction) => fraction.scaled() * i64::from(side),
    };
    let from = parts(start).div_euclid(Decimal::SCALE);
    let to = (parts(start) + parts(length) + Decimal::SCALE - 1).div_euclid(Decimal::SCALE).min(i64::from(side));
    if from >= to {
        return (0, 0);
    }
    // Both lie between 0 and a side.
    (from as u32, (to - from) as u32)
}

/// The pixels that a rectangle of the picture of `stored` pixels touches on the bitmap that is the part from `origin` on
/// of that picture scaled to `whole`.
pub(crate) fn on_part(block: Window, stored: (u32, u32), origin: (u32, u32), whole: (u32, u32)) -> Rect {
    let side = |start: f64, length: f64, stored: u32, origin: u32, whole: u32| {
        let scale = f64::from(whole) / f64::from(stored);
        // A decoder that scales mixes neighbours; at whole size the numbers are exact.
        let margin = if whole == stored { 0.0 } else { 1.0 };
        // Casts of floats saturate: what lies before the part begins at 0.
        let from = ((start * scale).floor() - margin - f64::from(origin)).max(0.0) as u32;
        let to = (((start + length) * scale).ceil() + margin - f64::from(origin)).max(0.0) as u32;
        (from, to.saturating_sub(from))
    };
    let (x, width) = side(block.x, block.width, stored.0, origin.0, whole.0);
    let (y, height) = side(block.y, block.height, stored.1, origin.1, whole.1);
    Rect { x, y, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fraction(text: &str) -> Extent {
        Extent::Fraction(Decimal::parse(text).expect("a number"))
    }

    #[test]
    fn regions_grow_outward() {
        let region = Crop { x: fraction("0.333"), y: Extent::Px(2), width: fraction("0.1"), height: Extent::Px(9_999) };
        assert_eq!(outward((10, 5), region), Ok(Rect { x: 3, y: 2, width: 2, height: 3 }));
        let beyond = Crop { x: Extent::Px(10), ..region };
        assert!(outward((10, 5), beyond).is_err());
        let whole = Crop { x: Extent::Px(0), y: Extent::Px(0), width: fraction("1"), height: fraction("1") };
        assert_eq!(outward((7, 3), whole), Ok(Rect { x: 0, y: 0, width: 7, height: 3 }));
    }

    proptest! {
        #[test]
        fn every_pixel_that_is_touched_is_covered(
            start in 0i64..10_000, length in 1i64..10_000, side in 1u32..5_000, whole in 1u32..5_000,
        ) {
            let extents = |parts| Extent::Fraction(Decimal::from_scaled(parts));
            let (from, long) = span(extents(start), extents(length), side);
            let (begin, end) = (start as f64 / 1e4 * f64::from(side), (start + length) as f64 / 1e4 * f64::from(side));
            prop_assert!(f64::from(from) <= begin + 1e-6);
            prop_assert!(f64::from(from + long) >= end.min(side.into()) - 1e-6);
            let block = Window { x: from.into(), y: 0.0, width: long.into(), height: 1.0 };
            let rect = on_part(block, (side, 1), (0, 0), (whole, 1));
            let scale = f64::from(whole) / f64::from(side);
            prop_assert!(f64::from(rect.x) <= f64::from(from) * scale);
            prop_assert!(f64::from(rect.x + rect.width) >= f64::from(from + long) * scale - 1e-9);
        }
    }
}
