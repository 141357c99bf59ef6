//! One axis of a resize: for every pixel of the result, the source pixels that it looks at and their weights.
//! Invariant: starts and ends never go back from one pixel of the result to the next.

use std::f64::consts::PI;
use std::ops::Range;

/// Lanczos3 reaches three pixels of the smaller side.
const REACH: f64 = 3.0;
/// 32-bit sums of bytes times weights, with two bits for what lies beyond a byte.
const MAX_PRECISION: u32 = 22;
/// Weights of a pixel fill whole groups of this many; those added are 0.
pub(super) const GROUP: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct Axis {
    spans: Vec<Range<u32>>,
    weights: Vec<i16>,
    /// Weights from pixel to pixel.
    stride: usize,
    /// Bits of fraction of a weight.
    precision: u32,
}

impl Axis {
    /// `output` pixels out of the `length` pixels from `from` on, of `input`. The kernel is widened when shrinking;
    /// weights are those of `fast_image_resize` (and of Pillow before it), bit by bit.
    pub(super) fn lanczos3(input: u32, from: f64, length: f64, output: u32) -> Self {
        let scale = length / f64::from(output);
        let widened = scale.max(1.0);
        let (reach, narrow) = (REACH * widened, 1.0 / widened);
        let stride = (reach.ceil() as usize * 2 + 1).min(input as usize).next_multiple_of(GROUP);
        let mut exact = Vec::with_capacity(stride * output as usize);
        let mut spans = Vec::with_capacity(output as usize);
        for at in 0..output {
            let middle = from + (f64::from(at) + 0.5) * scale;
            let first = ((middle - reach).floor().max(0.0) as u32).min(input.saturating_sub(1));
            let end = ((middle + reach).ceil().min(f64::from(input)) as u32).max(first + 1);
            let row = exact.len();
            exact.extend((first..end).map(|x| lanczos3((f64::from(x) - (middle - 0.5)) * narrow)));
            let sum: f64 = exact[row..].iter().sum();
            if sum != 0.0 {
                exact[row..].iter_mut().for_each(|weight| *weight /= sum);
            }
            exact.resize(row + stride, 0.0);
            spans.push(first..end);
        }
        let precision = precision(exact.iter().copied().fold(0.0, f64::max));
        let one = f64::from(1u32 << precision);
        let weights = exact.iter().map(|weight| (weight * one).round() as i16).collect();
        Self { spans, weights, stride, precision }
    }

    /// The source pixels that pixel `at` of the result looks at.
    pub(super) fn span(&self, at: u32) -> Range<u32> {
        self.spans.get(at as usize).cloned().unwrap_or_default()
    }

    /// Its weights, filled up to whole groups.
    pub(super) fn weights(&self, at: usize) -> &[i16] {
        &self.weights[at * self.stride..][..self.stride]
    }

    pub(super) fn precision(&self) -> u32 {
        self.precision
    }

    /// All source pixels that anything looks at.
    pub(super) fn used(&self) -> Range<u32> {
        self.spans.first().map_or(0, |span| span.start)..self.spans.last().map_or(0, |span| span.end)
    }

    /// Bytes of its weights.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.weights.len() * size_of::<i16>()
    }

    /// How many pixels of the result look at one source pixel at most.
    pub(super) fn overlap(&self) -> usize {
        let ends = self.spans.iter().enumerate();
        ends.map(|(at, span)| self.spans[at..].iter().take_while(|later| later.start < span.end).count())
            .max()
            .unwrap_or(0)
    }
}

/// The most bits of fraction with which the largest weight fits 16 bits.
fn precision(largest: f64) -> u32 {
    let fits = |bits: u32| (largest * f64::from(1u32 << (bits + 1))).round() < f64::from(1u32 << 15);
    (0..MAX_PRECISION).find(|&bits| !fits(bits)).unwrap_or(MAX_PRECISION - 1)
}

fn lanczos3(x: f64) -> f64 {
    if (-REACH..REACH).contains(&x) { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_to_one_and_spans_go_on() {
        for (input, from, length, output) in
            [(100, 0.0, 100.0, 33), (2136, 3.7, 2001.2, 800), (10_000, 0.0, 10_000.0, 1), (5, 1.0, 3.0, 3)]
        {
            let axis = Axis::lanczos3(input, from, length, output);
            for at in 0..axis.spans.len() {
                let sum: i32 = axis.weights(at).iter().map(|&weight| i32::from(weight)).sum();
                let one = 1 << axis.precision();
                assert!((sum - one).abs() <= axis.stride as i32 / 2 + 1, "{input} → {output}: {sum} of {one}");
            }
            for pair in axis.spans.windows(2) {
                assert!(pair[0].start <= pair[1].start && pair[0].end <= pair[1].end);
            }
            assert!(axis.used().end <= input);
            assert!(axis.overlap() <= 8, "{}", axis.overlap());
        }
    }

    #[test]
    fn a_scale_of_one_copies() {
        let axis = Axis::lanczos3(9, 2.0, 5.0, 5);
        for at in 0..5 {
            let weights = axis.weights(at);
            let middle = (at + 2 - axis.span(at as u32).start as usize) as i16;
            assert!(weights.iter().zip(0..).all(|(&w, i)| w == if i == middle { 1 << 14 } else { 0 }), "{weights:?}");
        }
    }
}
