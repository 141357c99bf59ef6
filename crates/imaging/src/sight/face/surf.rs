//! The closer looks: *speeded-up robust features* (SURF) of a window, judged by a small network that says how sure it is
//! and where in the window the face lies (Wu, Kan, He, Shan, Chen: “Funnel-structured cascade for multi-view face
//! detection with alignment awareness”, 2016).
//!
//! A feature is a patch of 2 × 2 cells; each tells the sums of its slopes, eight of them: across and down, with and
//! without their signs, apart for the two signs of the other.

use super::WINDOW;
use std::sync::LazyLock;

/// Sums of a cell.
const SUMS: usize = 8;
/// Cells of a patch, in each direction.
const CELLS: usize = 2;
/// Numbers of a patch.
pub(super) const LENGTH: usize = CELLS * CELLS * SUMS;
/// The shortest side of a patch, and how far patches of one size lie apart.
const STEP: usize = 16;
/// Corners of the window's pixels, in each direction.
const CORNERS: usize = WINDOW + 1;

/// Pixels of a window.
pub(super) type Pixels = [u8; WINDOW * WINDOW];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Patch {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// Every patch, in the order in which the model counts them.
pub(super) static PATCHES: LazyLock<Vec<Patch>> = LazyLock::new(|| {
    let mut patches = Vec::new();
    for (across, down) in [(1, 1), (1, 2), (2, 1), (2, 3), (3, 2)] {
        for height in (STEP..=WINDOW).filter(|height| height.is_multiple_of(CELLS) && height.is_multiple_of(down)) {
            let width = height / down * across;
            if !width.is_multiple_of(CELLS) || !(STEP..=WINDOW).contains(&width) {
                continue;
            }
            for y in (0..=WINDOW - height).step_by(STEP) {
                patches.extend((0..=WINDOW - width).step_by(STEP).map(|x| Patch { x, y, width, height }));
            }
        }
    }
    patches
});

/// The slopes of a window, summed above and left of each corner of its pixels.
#[derive(Clone, Debug)]
pub(super) struct Slopes {
    sums: Vec<[i32; SUMS]>,
}

impl Slopes {
    pub(super) fn new(pixels: &Pixels) -> Self {
        let mut sums = vec![[0; SUMS]; CORNERS * CORNERS];
        let at = |x: usize, y: usize| i32::from(pixels[y * WINDOW + x]);
        // At the edge, where only one neighbour is, the difference counts twice.
        let slope = |i: usize| match i {
            0 => (0, 1, 2),
            i if i == WINDOW - 1 => (i - 1, i, 2),
            i => (i - 1, i + 1, 1),
        };
        for y in 0..WINDOW {
            let mut row = [0; SUMS];
            let (above, below, twice_down) = slope(y);
            for x in 0..WINDOW {
                let (left, right, twice_across) = slope(x);
                let across = (at(right, y) - at(left, y)) * twice_across;
                let down = (at(x, below) - at(x, above)) * twice_down;
                let first = if down < 0 { 2 } else { 0 };
                row[first] += across;
                row[first + 1] += across.abs();
                let second = if across < 0 { 6 } else { 4 };
                row[second] += down;
                row[second + 1] += down.abs();
                let above = sums[y * CORNERS + x + 1];
                sums[(y + 1) * CORNERS + x + 1] = std::array::from_fn(|i| above[i] + row[i]);
            }
        }
        Self { sums }
    }

    /// The numbers of a patch, brought to length 1 together.
    fn describe(&self, patch: Patch, numbers: &mut Vec<f32>) {
        let (width, height) = (patch.width / CELLS, patch.height / CELLS);
        let mut raw = [0i32; LENGTH];
        for (index, cell) in raw.as_chunks_mut::<SUMS>().0.iter_mut().enumerate() {
            let (x, y) = (patch.x + index % CELLS * width, patch.y + index / CELLS * height);
            let corner = |x: usize, y: usize| &self.sums[y * CORNERS + x];
            let (a, b, c, d) =
                (corner(x, y), corner(x + width, y), corner(x, y + height), corner(x + width, y + height));
            *cell = std::array::from_fn(|i| d[i] + a[i] - b[i] - c[i]);
        }
        let squares: f64 = raw.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
        let length = if squares == 0.0 { 1.0 } else { squares.sqrt() as f32 };
        numbers.extend(raw.iter().map(|value| *value as f32 / length));
    }
}

/// One network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judge {
    /// Indices of its patches.
    pub(super) patches: Vec<usize>,
    /// The least sureness that is a face.
    pub(super) threshold: f32,
    pub(super) layers: Vec<Layer>,
}

/// As many outputs as `biases`, each with `inputs` weights.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    pub(super) inputs: usize,
    pub(super) weights: Vec<f32>,
    pub(super) biases: Vec<f32>,
}

impl Layer {
    fn run(&self, input: &[f32]) -> impl Iterator<Item = f32> {
        self.weights.chunks_exact(self.inputs).zip(&self.biases).map(|(weights, bias)| dot(weights, input) + bias)
    }
}

/// Summed in eight lanes, always the same, so that it is quick and every machine sees the same face.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut lanes = [0.0f32; 8];
    for (a, b) in a.iter().zip(b) {
        lanes.iter_mut().zip(a).zip(b).for_each(|((lane, a), b)| *lane += a * b);
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

/// What a judge says of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Verdict {
    /// 0–1.
    pub(super) sure: f32,
    /// How far the face's middle lies from the window's, in sides of the window.
    pub(super) shift: (f32, f32),
    /// The face's side, in sides of the window, 0–2.
    pub(super) side: f32,
}

impl Judge {
    /// `None`: no face.
    pub(super) fn judge(&self, slopes: &Slopes) -> Option<Verdict> {
        let mut numbers = Vec::with_capacity(self.patches.len() * LENGTH);
        self.patches.iter().for_each(|patch| slopes.describe(PATCHES[*patch], &mut numbers));
        let (last, before) = self.layers.split_last()?;
        for layer in before {
            numbers = layer.run(&numbers).map(|value| value.max(0.0)).collect();
        }
        let mut outputs = last.run(&numbers).map(|value| 1.0 / (1.0 + (-value).exp()));
        let mut next = || outputs.next();
        let (sure, across, down, side) = (next()?, next()?, next()?, next()?);
        let shift = (across * 2.0 - 1.0, down * 2.0 - 1.0);
        (sure > self.threshold).then_some(Verdict { sure, shift, side: side * 2.0 })
    }
}
