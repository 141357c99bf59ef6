//! Which sizes a route makes: others are refused, or brought to the next that there is.
//!
//! Without it everybody who may ask at all may ask for every size there is, and fill a cache with them. Knows no config.
//! Invariant: a transform that comes out asks for listed sides only, and putting it in again changes nothing.

use crate::error::{ParseError, Reason};
use crate::number::Decimal;
use crate::transform::{Length, Transform};
use std::num::NonZeroU32;

/// What `dpr` may be where sizes are listed: it multiplies them.
const DENSITIES: [i64; 5] = [10_000, 15_000, 20_000, 30_000, 40_000];

/// The sizes of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// What `w` and `min-w` may be, ascending, in CSS pixels; none: anything.
    pub widths: Vec<NonZeroU32>,
    /// What `h` and `min-h` may be, likewise.
    pub heights: Vec<NonZeroU32>,
    /// Others become the next larger one that is listed, the largest at most, rather than being refused.
    pub snap: bool,
}

impl Transform {
    /// The same in the route's sizes, in all of its passes. `auto` sides are left to the route's breakpoints.
    ///
    /// # Errors
    /// A side, or `dpr`, is none of those that are listed, and `snap` is off.
    pub fn sized(mut self, sizes: &Sizes) -> Result<Self, ParseError> {
        if sizes.widths.is_empty() && sizes.heights.is_empty() {
            return Ok(self);
        }
        self.bring(sizes)?;
        Ok(self.normalised())
    }

    fn bring(&mut self, sizes: &Sizes) -> Result<(), ParseError> {
        let size = &mut self.size;
        for (name, side, listed) in [("w", &mut size.width, &sizes.widths), ("h", &mut size.height, &sizes.heights)] {
            if let Some(Length::Px(pixels)) = side {
                *pixels = one_of(name, *pixels, listed, sizes.snap)?;
            }
        }
        for (name, side, listed) in
            [("min-w", &mut size.min_width, &sizes.widths), ("min-h", &mut size.min_height, &sizes.heights)]
        {
            if let Some(pixels) = side {
                *pixels = one_of(name, *pixels, listed, sizes.snap)?;
            }
        }
        if let Some(dpr) = size.dpr.filter(|dpr| !DENSITIES.contains(&dpr.scaled())) {
            if !sizes.snap {
                let allowed = "1, 1.5, 2, 3, 4, as this route makes some sizes only";
                return Err(ParseError::new(Reason::Value, "dpr", &dpr.to_string(), allowed));
            }
            let next = DENSITIES.into_iter().find(|density| *density >= dpr.scaled());
            size.dpr = Some(Decimal::from_scaled(next.unwrap_or(DENSITIES[DENSITIES.len() - 1])));
        }
        self.then.as_mut().map_or(Ok(()), |then| then.bring(sizes).map_err(|error| error.inside("then")))
    }
}

fn one_of(name: &'static str, side: NonZeroU32, listed: &[NonZeroU32], snap: bool) -> Result<NonZeroU32, ParseError> {
    let Some(largest) = listed.last() else { return Ok(side) };
    let next = listed.iter().find(|known| **known >= side);
    match next {
        Some(known) if *known == side || snap => Ok(*known),
        None if snap => Ok(*largest),
        _ => {
            let names = listed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            Err(ParseError::new(Reason::Value, name, &side.to_string(), names))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Presets, parse};

    fn sized(query: &str, widths: &[u32], heights: &[u32], snap: bool) -> Result<String, String> {
        let list = |sides: &[u32]| sides.iter().filter_map(|side| NonZeroU32::new(*side)).collect();
        let sizes = Sizes { widths: list(widths), heights: list(heights), snap };
        let transform = parse(Some(query), &Presets::none()).unwrap().transform;
        let once = transform.sized(&sizes).map_err(|error| error.to_string())?;
        assert_eq!(once.clone().sized(&sizes).unwrap(), once, "{query}: once is enough");
        Ok(once.canonical())
    }

    #[test]
    fn others_are_brought_to_the_next() {
        let snapped = |query| sized(query, &[320, 640], &[100, 200], true).unwrap();
        for (query, expected) in [
            ("", ""),
            ("w=320", "w=320"),
            ("w=1", "w=320"),
            ("w=321", "w=640"),
            ("w=5000&h=101", "h=200&w=640"),
            ("w=auto&h=50", "h=100&w=auto"),
            ("w=300&dpr=1.1", "dpr=1.5&w=320"),
            ("w=300&dpr=8", "dpr=4&w=320"),
            ("w=320&min-w=5&min-h=900", "min-h=200&min-w=320&w=320"),
            ("w=320&then=w%3D7", "then=w=320&w=320"),
            ("q=50&ar=16:9&w=500", "ar=16:9&q=50&w=640"),
        ] {
            assert_eq!(snapped(query), expected, "{query}");
        }
        assert_eq!(sized("w=7&h=7", &[320], &[], true).unwrap(), "h=7&w=320", "no heights: any");
    }

    #[test]
    fn or_refused() {
        let strict = |query| sized(query, &[320, 640], &[], false);
        assert_eq!(strict("w=640&h=7&dpr=2").unwrap(), "dpr=2&h=7&w=640");
        assert!(strict("w=641").unwrap_err().contains("allowed: 320, 640"));
        assert!(strict("w=320&min-w=7").unwrap_err().contains("`min-w`"));
        assert!(strict("w=320&dpr=1.01").unwrap_err().contains("1, 1.5, 2, 3, 4"));
        assert!(strict("w=320&then=w%3D7").unwrap_err().contains("`then.w`"));
        assert_eq!(sized("w=7&dpr=1.01", &[], &[], false).unwrap(), "dpr=1.01&w=7", "nothing listed: anything");
    }
}
