//! ThumbHash (evanw.github.io/thumbhash): a blurred likeness with alpha in about 25 bytes. The numbers of the reference
//! implementation, byte for byte, for the same pixels.

use super::small::Small;
use std::f64::consts::PI;

/// The hash of a picture of at most 100 × 100 pixels.
pub(super) fn encode(small: &Small) -> Vec<u8> {
    let (width, height) = (small.width, small.height);
    let average = average(&small.pixels);
    let has_alpha = small.pixels.iter().any(|pixel| pixel[3] < 255.0);
    let longer = width.max(height) as f64;
    let limit = if has_alpha { 5.0 } else { 7.0 };
    let terms = |side: usize| (round(limit * side as f64 / longer)).max(1) as usize;
    let (across, down) = (terms(width), terms(height));

    let channels = split(&small.pixels, average);
    let wave = |channel: &[f64], nx, ny| Wave::of(channel, (width, height), (nx, ny));
    let luma = wave(&channels[0], across.max(3), down.max(3));
    let yellow = wave(&channels[1], 3, 3);
    let red = wave(&channels[2], 3, 3);
    let alpha = has_alpha.then(|| wave(&channels[3], 5, 5));

    let landscape = width > height;
    let header = round(63.0 * luma.mean)
        | round(31.5 + 31.5 * yellow.mean) << 6
        | round(31.5 + 31.5 * red.mean) << 12
        | round(31.0 * luma.scale) << 18
        | u32::from(has_alpha) << 23;
    let shape = (if landscape { down } else { across }) as u32
        | round(63.0 * yellow.scale) << 3
        | round(63.0 * red.scale) << 9
        | u32::from(landscape) << 15;
    let mut hash = Vec::with_capacity(25);
    hash.extend(header.to_le_bytes().iter().take(3));
    hash.extend(shape.to_le_bytes().iter().take(2));
    if let Some(alpha) = &alpha {
        hash.push((round(15.0 * alpha.mean) | round(15.0 * alpha.scale) << 4) as u8);
    }
    let waves = [Some(luma), Some(yellow), Some(red), alpha];
    let nibbles: Vec<u8> =
        waves.iter().flatten().flat_map(|wave| wave.terms.iter().map(|term| round(15.0 * term) as u8)).collect();
    hash.extend(nibbles.chunks(2).map(|two| two.iter().rev().fold(0, |byte, nibble| byte << 4 | nibble)));
    hash
}

fn round(value: f64) -> u32 {
    (value + 0.5).floor() as u32
}

/// Mean colour by alpha, 0–1.
fn average(pixels: &[[f64; 4]]) -> [f64; 3] {
    let (mut sum, mut weight) = ([0.0; 3], 0.0);
    for &[red, green, blue, alpha] in pixels {
        let alpha = alpha / 255.0;
        for (sum, value) in sum.iter_mut().zip([red, green, blue]) {
            *sum += alpha / 255.0 * value;
        }
        weight += alpha;
    }
    if weight > 0.0 { sum.map(|value| value / weight) } else { sum }
}

/// Luminance, blue to yellow, green to red, alpha, over the average colour.
fn split(pixels: &[[f64; 4]], [mean_red, mean_green, mean_blue]: [f64; 3]) -> [Vec<f64>; 4] {
    let mut channels: [Vec<f64>; 4] = Default::default();
    for &[red, green, blue, alpha] in pixels {
        let alpha = alpha / 255.0;
        let red = mean_red * (1.0 - alpha) + alpha / 255.0 * red;
        let green = mean_green * (1.0 - alpha) + alpha / 255.0 * green;
        let blue = mean_blue * (1.0 - alpha) + alpha / 255.0 * blue;
        let values = [(red + green + blue) / 3.0, (red + green) / 2.0 - blue, red - green, alpha];
        channels.iter_mut().zip(values).for_each(|(channel, value)| channel.push(value));
    }
    channels
}

/// The lowest terms of a cosine transform.
struct Wave {
    mean: f64,
    /// 0–1, 0.5 is nothing.
    terms: Vec<f64>,
    scale: f64,
}

impl Wave {
    fn of(channel: &[f64], (width, height): (usize, usize), (nx, ny): (usize, usize)) -> Self {
        let (mut mean, mut terms, mut scale) = (0.0, Vec::new(), 0.0_f64);
        let cosine = |side: usize, at: usize, term: usize| (PI / side as f64 * term as f64 * (at as f64 + 0.5)).cos();
        for cy in 0..ny {
            let down: Vec<f64> = (0..height).map(|y| cosine(height, y, cy)).collect();
            for cx in (0..nx).take_while(|cx| cx * ny < nx * (ny - cy)) {
                let across: Vec<f64> = (0..width).map(|x| cosine(width, x, cx)).collect();
                let mut sum = 0.0;
                for (row, fy) in channel.chunks_exact(width).zip(&down) {
                    for (value, fx) in row.iter().zip(&across) {
                        sum += value * fx * fy;
                    }
                }
                sum /= (width * height) as f64;
                if cx > 0 || cy > 0 {
                    terms.push(sum);
                    scale = scale.max(sum.abs());
                } else {
                    mean = sum;
                }
            }
        }
        if scale > 0.0 {
            terms.iter_mut().for_each(|term| *term = 0.5 + 0.5 / scale * *term);
        }
        Self { mean, terms, scale }
    }
}
