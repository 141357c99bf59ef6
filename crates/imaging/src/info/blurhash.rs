//! BlurHash (github.com/woltapp/blurhash, Algorithm.md): a blurred likeness as text of 28 characters. The text of the
//! reference's C encoder for the same pixels; alpha is not kept.

use super::small::Small;
use crate::color::curve;
use std::f64::consts::PI;

const DIGITS: &[u8; 83] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

/// Terms across and down: four along the longer side, three along the other.
pub(super) fn terms(small: &Small) -> (usize, usize) {
    if small.width >= small.height { (4, 3) } else { (3, 4) }
}

/// The hash of a picture with 1 to 9 terms in each direction.
pub(super) fn encode(small: &Small, (across, down): (usize, usize)) -> String {
    let light: Vec<[f64; 3]> =
        small.pixels.iter().map(|&[red, green, blue, _]| [red, green, blue].map(linear)).collect();
    let factors: Vec<[f64; 3]> =
        (0..down).flat_map(|y| (0..across).map(move |x| (x, y))).map(|at| factor(small, &light, at)).collect();
    let (first, rest) = factors.split_first().map_or(([0.0; 3], [].as_slice()), |(first, rest)| (*first, rest));

    let mut text = String::with_capacity(28);
    let mut digits = |value: u32, length: u32| {
        for place in (0..length).rev() {
            text.push(char::from(DIGITS[(value / 83_u32.pow(place) % 83) as usize]));
        }
    };
    digits((across - 1 + (down - 1) * 9) as u32, 1);
    let largest = rest.iter().flatten().fold(0.0_f64, |most, value| most.max(value.abs()));
    let quantised = if rest.is_empty() { 0.0 } else { (largest * 166.0 - 0.5).floor().clamp(0.0, 82.0) };
    let most = if rest.is_empty() { 1.0 } else { (quantised + 1.0) / 166.0 };
    digits(quantised as u32, 1);
    digits(first.map(encoded).iter().fold(0, |value, byte| value << 8 | byte), 4);
    for term in rest {
        let step = |value: f64| {
            let root = (value / most).abs().sqrt().copysign(value);
            (root * 9.0 + 9.5).floor().clamp(0.0, 18.0) as u32
        };
        digits(term.map(step).iter().fold(0, |value, step| value * 19 + step), 2);
    }
    text
}

fn factor(small: &Small, light: &[[f64; 3]], (x, y): (usize, usize)) -> [f64; 3] {
    let normal = if (x, y) == (0, 0) { 1.0 } else { 2.0 };
    let (width, height) = (small.width as f64, small.height as f64);
    let across: Vec<f64> = (0..small.width).map(|at| (PI * x as f64 * at as f64 / width).cos()).collect();
    let mut sum = [0.0; 3];
    for (row, line) in light.chunks_exact(small.width).enumerate() {
        let down = (PI * y as f64 * row as f64 / height).cos();
        for (pixel, across) in line.iter().zip(&across) {
            let basis = normal * across * down;
            sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += basis * value);
        }
    }
    sum.map(|value| value / (width * height))
}

/// sRGB to light, as the reference has it.
fn linear(value: f64) -> f64 {
    curve::to_light(value.round() / 255.0)
}

fn encoded(light: f64) -> u32 {
    (curve::of_light(light.clamp(0.0, 1.0)) * 255.0 + 0.5) as u32
}
