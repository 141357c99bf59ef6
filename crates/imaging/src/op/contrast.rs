//! `con`: CSS' `contrast()` (Filter Effects Module Level 1, section 10): the distance from middle grey times one factor.

use super::curve::PerChannel;

/// −100 is even grey, 0 nothing, 100 twice the distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contrast {
    /// −100–100.
    pub percent: i16,
}

impl PerChannel for Contrast {
    fn value(&self, value: f32) -> f32 {
        (value - 0.5) * (1.0 + f32::from(self.percent) / 100.0) + 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::curve::tests::changed;

    #[test]
    fn is_what_browsers_show() {
        let contrast = |percent| changed(vec![Box::new(Contrast { percent })], &[0, 100, 128, 200]);
        assert_eq!(contrast(50), [0, 86, 128, 236]);
        assert_eq!(contrast(-50), [64, 114, 128, 164]);
        assert_eq!(contrast(-100), [128; 4]);
    }
}
