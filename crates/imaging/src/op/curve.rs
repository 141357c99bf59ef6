//! What changes each colour channel by itself, done with one table for all of it: however many such changes follow
//! each other, values are rounded once. Alpha stays.

use super::Operation;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use std::fmt;

/// A change of one sRGB value, 0–1, that knows nothing of the other channels.
pub trait PerChannel: fmt::Debug {
    /// The new value; beyond 0–1 it is clipped.
    fn value(&self, value: f32) -> f32;
}

/// Changes in their order.
#[derive(Debug)]
pub struct Curve(pub Vec<Box<dyn PerChannel>>);

impl Curve {
    fn table(&self) -> [u8; 256] {
        std::array::from_fn(|i| {
            let value = self.0.iter().fold(i as f32 / 255.0, |value, step| step.value(value).clamp(0.0, 1.0));
            (value * 255.0).round() as u8
        })
    }
}

impl Operation for Curve {
    fn name(&self) -> &'static str {
        "curve"
    }

    fn apply(&self, mut bitmap: Bitmap, _watch: &Watch, _scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let table = self.table();
        let pixels = bitmap.layout();
        match pixels {
            Layout::Gray | Layout::Rgb => {
                for value in bitmap.pixels_mut() {
                    *value = table[usize::from(*value)];
                }
            }
            Layout::Rgba => {
                for [r, g, b, _] in bitmap.pixels_mut().as_chunks_mut::<4>().0 {
                    (*r, *g, *b) = (table[usize::from(*r)], table[usize::from(*g)], table[usize::from(*b)]);
                }
            }
        }
        Ok(bitmap)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What becomes of these values.
    pub(in crate::op) fn changed(steps: Vec<Box<dyn PerChannel>>, values: &[u8]) -> Vec<u8> {
        let bitmap = Bitmap::new(values.len() as u32, 1, Layout::Gray, values.to_vec());
        Curve(steps).apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("changed").into_pixels()
    }

    #[derive(Debug)]
    struct Twice;

    impl PerChannel for Twice {
        fn value(&self, value: f32) -> f32 {
            value * 2.0
        }
    }

    #[test]
    fn alpha_stays_and_values_are_clipped() {
        let bitmap = Bitmap::new(1, 1, Layout::Rgba, vec![10, 100, 200, 77]);
        let result = Curve(vec![Box::new(Twice)]).apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("changed");
        assert_eq!(result.pixels(), [20, 200, 255, 77]);
    }
}
