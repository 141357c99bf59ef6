//! Gaussian blur by sigma; edges repeat, as libvips' and sharp's do.
//!
//! Each axis is a pass over lines of floats: by the kernel itself while that is short, else by three extended boxes
//! (Gwosdek et al., *Theoretical Foundations of Gaussian Convolution by Extended Box Filtering*, 2011), whose cost
//! does not grow with sigma. Extra memory is one line, or one strip of columns.

use super::Operation;
use super::premultiply::{premultiply, unpremultiply};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;

/// A Gaussian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blur {
    /// Standard deviation in pixels, > 0.
    pub sigma: f32,
}

/// Up to here the kernel is quicker than the boxes, and exact.
const KERNEL_UP_TO: f32 = 2.5;
/// Samples of a row that are blurred down the columns together.
const LANES: usize = 16;
/// Rows after which the watch is asked.
const ROWS: usize = 64;

impl Operation for Blur {
    fn name(&self) -> &'static str {
        "blur"
    }

    fn apply(&self, mut bitmap: Bitmap, watch: &Watch, _scratch: &mut Scratch) -> Result<Bitmap, Error> {
        premultiply(&mut bitmap)?;
        self.convolve(&mut bitmap, watch)?;
        unpremultiply(&mut bitmap)?;
        Ok(bitmap)
    }
}

impl Blur {
    /// Blurs every channel alike: colour is premultiplied, if there is alpha.
    ///
    /// # Errors
    /// What `watch` says.
    pub(super) fn convolve(self, bitmap: &mut Bitmap, watch: &Watch) -> Result<(), Error> {
        let filter = Filter::new(self.sigma);
        let stride = bitmap.width() as usize * bitmap.layout().channels();
        let layout = bitmap.layout();
        for (number, row) in bitmap.pixels_mut().chunks_exact_mut(stride).enumerate() {
            if number % ROWS == 0 {
                watch.check()?;
            }
            match layout {
                Layout::Gray => along::<1>(row, &filter),
                Layout::Rgb => along::<3>(row, &filter),
                Layout::Rgba => along::<4>(row, &filter),
            }
        }
        down(bitmap.pixels_mut(), stride, &filter, watch)
    }
}

enum Filter {
    /// Weights from the centre outwards.
    Kernel(Vec<f32>),
    /// Three times: full weight up to `radius`, `edge` at the two samples beyond.
    Boxes { radius: usize, edge: f32 },
}

impl Filter {
    fn new(sigma: f32) -> Self {
        if sigma <= KERNEL_UP_TO {
            let reach = (sigma * 3.5).ceil() as usize;
            let weights: Vec<f32> = (0..=reach).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
            let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
            return Self::Kernel(weights.iter().map(|weight| weight / sum).collect());
        }
        let variance = f64::from(sigma).powi(2) / 3.0;
        let radius = (((12.0 * variance + 1.0).sqrt() - 1.0) / 2.0).floor();
        let edge = (2.0 * radius + 1.0) * (radius * (radius + 1.0) - 3.0 * variance)
            / (6.0 * (variance - (radius + 1.0).powi(2)));
        Self::Boxes { radius: radius as usize, edge: edge as f32 }
    }

    /// How many samples the edges have to be repeated by: each box looks at the result of the one before, which
    /// beyond the edge is not the edge's.
    fn margin(&self) -> usize {
        match self {
            Self::Kernel(_) => 0,
            Self::Boxes { radius, .. } => 3 * (radius + 1),
        }
    }

    /// Filters `line`; `spare` has its length.
    fn run<const N: usize>(&self, line: &mut Vec<[f32; N]>, spare: &mut Vec<[f32; N]>) {
        match self {
            Self::Kernel(weights) => {
                weigh(line, spare, weights);
                std::mem::swap(line, spare);
            }
            Self::Boxes { radius, edge } => {
                for _ in 0..3 {
                    average(line, spare, *radius, *edge);
                    std::mem::swap(line, spare);
                }
            }
        }
    }
}

fn weigh<const N: usize>(line: &[[f32; N]], out: &mut [[f32; N]], weights: &[f32]) {
    let last = line.len() - 1;
    for (i, out) in out.iter_mut().enumerate() {
        let mut sum: [f32; N] = std::array::from_fn(|lane| line[i][lane] * weights[0]);
        for (reach, &weight) in weights.iter().enumerate().skip(1) {
            let (before, after) = (&line[i.saturating_sub(reach)], &line[(i + reach).min(last)]);
            for lane in 0..N {
                sum[lane] += (before[lane] + after[lane]) * weight;
            }
        }
        *out = sum;
    }
}

/// One extended box, by a running sum.
fn average<const N: usize>(line: &[[f32; N]], out: &mut [[f32; N]], radius: usize, edge: f32) {
    let last = line.len() - 1;
    let norm = 1.0 / (2.0 * radius as f32 + 1.0 + 2.0 * edge);
    // f64: a sum that runs over thousands of samples does not drift.
    let mut sum = [0.0f64; N];
    for offset in 0..=2 * radius {
        let sample = &line[offset.saturating_sub(radius).min(last)];
        for lane in 0..N {
            sum[lane] += f64::from(sample[lane]);
        }
    }
    for (i, out) in out.iter_mut().enumerate() {
        let (before, after) = (&line[i.saturating_sub(radius + 1)], &line[(i + radius + 1).min(last)]);
        let leaving = &line[i.saturating_sub(radius)];
        for lane in 0..N {
            out[lane] = (sum[lane] as f32 + (before[lane] + after[lane]) * edge) * norm;
            sum[lane] += f64::from(after[lane]) - f64::from(leaving[lane]);
        }
    }
}

fn along<const N: usize>(row: &mut [u8], filter: &Filter) {
    let (pixels, _) = row.as_chunks_mut::<N>();
    let margin = filter.margin();
    let last = pixels.len() - 1;
    let mut line: Vec<[f32; N]> =
        (0..pixels.len() + 2 * margin).map(|i| pixels[i.saturating_sub(margin).min(last)].map(f32::from)).collect();
    let mut spare = line.clone();
    filter.run(&mut line, &mut spare);
    for (pixel, value) in pixels.iter_mut().zip(&line[margin..]) {
        *pixel = value.map(sample);
    }
}

fn down(pixels: &mut [u8], stride: usize, filter: &Filter, watch: &Watch) -> Result<(), Error> {
    let height = pixels.len() / stride;
    let margin = filter.margin();
    let mut line = vec![[0.0f32; LANES]; height + 2 * margin];
    let mut spare = line.clone();
    for left in (0..stride).step_by(LANES) {
        watch.check()?;
        let lanes = LANES.min(stride - left);
        for (i, values) in line.iter_mut().enumerate() {
            let start = i.saturating_sub(margin).min(height - 1) * stride + left;
            for (value, &byte) in values.iter_mut().zip(&pixels[start..start + lanes]) {
                *value = byte.into();
            }
        }
        filter.run(&mut line, &mut spare);
        for (values, row) in line[margin..].iter().zip(pixels.chunks_exact_mut(stride)) {
            for (&value, byte) in values.iter().zip(&mut row[left..left + lanes]) {
                *byte = sample(value);
            }
        }
    }
    Ok(())
}

/// Rounded; a cast of a float saturates.
fn sample(value: f32) -> u8 {
    (value + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition: a Gaussian far beyond its reach, in f64, edges repeated.
    fn direct(bitmap: &Bitmap, sigma: f64) -> Vec<f64> {
        let (width, height) = (i64::from(bitmap.width()), i64::from(bitmap.height()));
        let reach = (sigma * 6.0).ceil() as i64;
        let weight = |i: i64| (-0.5 * (i as f64 / sigma).powi(2)).exp();
        let norm: f64 = (-reach..=reach).map(weight).sum();
        let pass = |values: &[f64], horizontal: bool| -> Vec<f64> {
            let at = |x: i64, y: i64| values[(y.clamp(0, height - 1) * width + x.clamp(0, width - 1)) as usize];
            (0..width * height)
                .map(|i| {
                    let (x, y) = (i % width, i / width);
                    let sum: f64 = (-reach..=reach)
                        .map(|r| weight(r) * if horizontal { at(x + r, y) } else { at(x, y + r) })
                        .sum();
                    sum / norm
                })
                .collect()
        };
        let values: Vec<f64> = bitmap.pixels().iter().map(|&value| f64::from(value)).collect();
        pass(&pass(&values, true), false)
    }

    /// Hard edges, a spot and noise: the worst that a blur meets.
    fn hard(width: u32, height: u32) -> Bitmap {
        let pixels = (0..width * height)
            .map(|i| {
                let (x, y) = (i % width, i / width);
                let noise = i.wrapping_mul(2_654_435_761) >> 27;
                if x > width / 2 || (y / 16 + x / 16) % 5 == 0 { 255 - noise as u8 } else { noise as u8 }
            })
            .collect();
        Bitmap::new(width, height, Layout::Gray, pixels)
    }

    #[test]
    fn stays_near_the_definition() {
        for (sigma, bound) in [(0.3, 0.6), (0.8, 0.6), (2.5, 0.6), (3.0, 4.0), (5.5, 4.0), (12.0, 4.0), (60.0, 4.0)] {
            let bitmap = hard(97, 71);
            let expected = direct(&bitmap, sigma);
            let result =
                Blur { sigma: sigma as f32 }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("blurred");
            let worst = result
                .pixels()
                .iter()
                .zip(&expected)
                .map(|(&value, expected)| (f64::from(value) - expected).abs())
                .fold(0.0, f64::max);
            // 0.5 each is the rounding of two passes.
            assert!(worst <= bound + 0.5, "sigma {sigma}: off by {worst}");
        }
    }

    #[test]
    fn an_even_picture_stays_even() {
        for sigma in [0.5, 4.0, 250.0] {
            let bitmap = Bitmap::new(40, 3, Layout::Rgb, vec![200; 360]);
            let result = Blur { sigma }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("blurred");
            assert!(result.pixels().iter().all(|&value| value == 200));
        }
    }

    #[test]
    fn one_pixel_is_enough() {
        let bitmap = Bitmap::new(1, 1, Layout::Rgba, vec![10, 20, 30, 255]);
        let result = Blur { sigma: 100.0 }.apply(bitmap.clone(), &Watch::new(), &mut Scratch::new(0)).expect("blurred");
        assert_eq!(result, bitmap);
    }
}
