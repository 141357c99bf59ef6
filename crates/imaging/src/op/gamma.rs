//! `gam`: every sRGB value to the power of 1/gamma, as ImageMagick's `-gamma`: above 1 lightens.

use super::curve::PerChannel;

/// Black and white stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamma {
    /// > 0.
    pub gamma: f32,
}

impl PerChannel for Gamma {
    fn value(&self, value: f32) -> f32 {
        value.powf(1.0 / self.gamma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::curve::tests::changed;

    #[test]
    fn above_one_lightens() {
        let gamma = |gamma| changed(vec![Box::new(Gamma { gamma })], &[0, 64, 128, 255]);
        assert_eq!(gamma(2.0), [0, 128, 181, 255]);
        assert_eq!(gamma(0.5), [0, 16, 64, 255]);
    }
}
