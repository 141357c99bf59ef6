//! Three colours mixed by a matrix, in sRGB values as CSS' filters do; the result is clipped. Alpha stays.

use super::Operation;
use super::channels::widen;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use std::fmt;

/// What red, green and blue become, each of red, green and blue.
pub(super) type Matrix = [[f32; 3]; 3];

/// Parts of one in the whole numbers that are multiplied.
const ONE: f32 = 16384.0;

/// An operation that is a matrix.
pub(super) trait Mixing: fmt::Debug {
    /// Whether grey stays what it is. Where it does not, a picture in grey becomes one in colours.
    const KEEPS_GREY: bool;

    /// As [`Operation::name`].
    const NAME: &'static str;

    /// What red, green and blue become, each of red, green and blue; parts below 4.
    fn matrix(&self) -> Matrix;
}

impl<M: Mixing> Operation for M {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn apply(&self, bitmap: Bitmap, _watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let mut bitmap = match bitmap.layout() {
            Layout::Gray if !M::KEEPS_GREY => widen(bitmap, Layout::Rgb, scratch),
            _ => bitmap,
        };
        mix(&mut bitmap, &self.matrix());
        Ok(bitmap)
    }
}

/// Mixes the colours of every pixel. Grey has one channel: it is left as it is, and must have been widened where the
/// matrix makes colours of it.
fn mix(bitmap: &mut Bitmap, matrix: &Matrix) {
    let parts = matrix.map(|row| row.map(|part| (part * ONE).round() as i32));
    match bitmap.layout() {
        Layout::Gray => {}
        Layout::Rgb => {
            for pixel in bitmap.pixels_mut().as_chunks_mut::<3>().0 {
                *pixel = mixed(*pixel, &parts);
            }
        }
        Layout::Rgba => {
            for pixel in bitmap.pixels_mut().as_chunks_mut::<4>().0 {
                let [r, g, b] = mixed([pixel[0], pixel[1], pixel[2]], &parts);
                *pixel = [r, g, b, pixel[3]];
            }
        }
    }
}

fn mixed(pixel: [u8; 3], parts: &[[i32; 3]; 3]) -> [u8; 3] {
    let [r, g, b] = pixel.map(i32::from);
    // Parts are below 4: sums stay below 2^26.
    parts.map(|[of_r, of_g, of_b]| ((of_r * r + of_g * g + of_b * b + (1 << 13)) >> 14).clamp(0, 255) as u8)
}
