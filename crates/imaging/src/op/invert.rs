//! `invert`: the negative, as CSS' `invert(1)` and sharp's `negate`. Alpha stays.

use super::curve::PerChannel;

/// Has no settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invert;

impl PerChannel for Invert {
    fn value(&self, value: f32) -> f32 {
        1.0 - value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::curve::tests::changed;

    #[test]
    fn twice_is_nothing() {
        assert_eq!(changed(vec![Box::new(Invert)], &[0, 1, 100, 255]), [255, 254, 155, 0]);
        assert_eq!(changed(vec![Box::new(Invert), Box::new(Invert)], &[0, 1, 100, 255]), [0, 1, 100, 255]);
    }
}
