//! `bri`: CSS' `brightness()` (Filter Effects Module Level 1, section 10): every value times one factor.

use super::curve::PerChannel;

/// −100 is black, 0 nothing, 100 twice as bright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brightness {
    /// −100–100.
    pub percent: i16,
}

impl PerChannel for Brightness {
    fn value(&self, value: f32) -> f32 {
        value * (1.0 + f32::from(self.percent) / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::curve::tests::changed;

    #[test]
    fn is_what_browsers_show() {
        let bright = |percent| changed(vec![Box::new(Brightness { percent })], &[0, 40, 100, 200]);
        assert_eq!(bright(50), [0, 60, 150, 255]);
        assert_eq!(bright(-25), [0, 30, 75, 150]);
        assert_eq!(bright(-100), [0; 4]);
    }
}
