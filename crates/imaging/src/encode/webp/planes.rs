//! From interleaved pixels to the planes of a lossy WebP: BT.601 in limited range, colours halved both ways.
//!
//! Halved colours change how light a pixel is, most where saturated colours meet; the luma here makes up for that, as the
//! usual decoder will enlarge the colours. It is what libwebp calls sharp, at a tenth of its time. Knows no encoder.

use crate::bitmap::{Bitmap, Layout};

/// The planes of a bitmap, of its size, without gaps between rows.
pub(super) struct Planes {
    pub(super) luma: Vec<u8>,
    /// Half as many columns and rows, rounded up: blue and red differences.
    pub(super) chroma: [Vec<u8>; 2],
    pub(super) alpha: Option<Vec<u8>>,
}

/// Parts of light in BT.709's primaries.
const LIGHT: [f32; 3] = [0.2126, 0.7152, 0.0722];
/// Newton's steps towards a pixel's light; a third changes no sample by more than 1.
const STEPS: usize = 2;
/// BT.601's luma.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

impl Planes {
    pub(super) fn of(bitmap: &Bitmap) -> Self {
        match bitmap.layout() {
            Layout::Gray => Self::gray(bitmap),
            Layout::Rgb => Self::colours::<3>(bitmap),
            Layout::Rgba => Self::colours::<4>(bitmap),
        }
    }

    fn gray(bitmap: &Bitmap) -> Self {
        let (width, height) = (bitmap.width() as usize, bitmap.height() as usize);
        let luma = bitmap.pixels().iter().map(|&value| limited(f32::from(value))).collect();
        let neutral = vec![128; width.div_ceil(2) * height.div_ceil(2)];
        Self { luma, chroma: [neutral.clone(), neutral], alpha: None }
    }

    fn colours<const N: usize>(bitmap: &Bitmap) -> Self {
        let (width, height) = (bitmap.width() as usize, bitmap.height() as usize);
        let pixels = bitmap.pixels().as_chunks::<N>().0;
        let alpha = (N == 4).then(|| pixels.iter().map(|pixel| pixel[N - 1]).collect());
        let chroma = halved(width, pixels);
        let mut luma = Vec::with_capacity(pixels.len());
        let mut shown = [vec![0.0; width], vec![0.0; width]];
        for (y, row) in pixels.chunks_exact(width).enumerate() {
            enlarge(&chroma, width.div_ceil(2), height.div_ceil(2), y, &mut shown);
            let [blueness, redness] = &shown;
            luma.extend(row.iter().zip(blueness.iter().zip(redness)).map(|(pixel, (&blueness, &redness))| {
                matching(pixel[0].into(), pixel[1].into(), pixel[2].into(), blueness, redness)
            }));
        }
        Self { luma, chroma, alpha }
    }
}

/// The luma that gives the pixel its light, as near as eight bits come, beside the colour that a decoder will put there.
fn matching(red: f32, green: f32, blue: f32, blueness: f32, redness: f32) -> u8 {
    let wanted = light(red, green, blue);
    let (on_red, on_green, on_blue) = (1.596 * redness, -0.392 * blueness - 0.813 * redness, 2.017 * blueness);
    let mut luma = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue;
    for _ in 0..STEPS {
        luma += wanted - light(within(luma + on_red), within(luma + on_green), within(luma + on_blue));
    }
    limited(luma)
}

/// A pixel's light on a scale of values, with a display's curve taken for a square.
fn light(red: f32, green: f32, blue: f32) -> f32 {
    (LIGHT[0] * red * red + LIGHT[1] * green * green + LIGHT[2] * blue * blue).sqrt()
}

/// What a decoder makes of values out of range.
fn within(value: f32) -> f32 {
    value.clamp(0.0, 255.0)
}

/// From 0–255 to 16–235.
fn limited(value: f32) -> u8 {
    (within(value) * (219.0 / 255.0) + 16.5) as u8
}

/// Colours of the mean light of 2 × 2 pixels, each weighed by its alpha; the last column and row of an odd side count twice.
fn halved<const N: usize>(width: usize, pixels: &[[u8; N]]) -> [Vec<u8>; 2] {
    let rows: Vec<&[[u8; N]]> = pixels.chunks_exact(width).collect();
    let size = width.div_ceil(2) * rows.len().div_ceil(2);
    let mut planes = [Vec::with_capacity(size), Vec::with_capacity(size)];
    for pair in rows.chunks(2) {
        let (upper, lower) = (pair[0], pair[pair.len() - 1]);
        for (a, b) in upper.chunks(2).zip(lower.chunks(2)) {
            let [red, green, blue] = mean([&a[0], &a[a.len() - 1], &b[0], &b[b.len() - 1]]);
            planes[0].push((128.5 - 0.148 * red - 0.291 * green + 0.439 * blue) as u8);
            planes[1].push((128.5 + 0.439 * red - 0.368 * green - 0.071 * blue) as u8);
        }
    }
    planes
}

fn mean<const N: usize>(block: [&[u8; N]; 4]) -> [f32; 3] {
    let (mut red, mut green, mut blue, mut weights) = (0.0, 0.0, 0.0, 0.0);
    let clear = N == 4 && block.iter().all(|pixel| pixel[N - 1] == 0);
    for pixel in block {
        let weight = if N == 4 && !clear { f32::from(pixel[N - 1]) } else { 1.0 };
        let (r, g, b) = (f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2]));
        red += weight * r * r;
        green += weight * g * g;
        blue += weight * b * b;
        weights += weight;
    }
    [(red / weights).sqrt(), (green / weights).sqrt(), (blue / weights).sqrt()]
}

/// One row of colours as the usual decoder enlarges them: by 9, 3, 3 and 1 sixteenth of the nearest four; 0 is neutral.
fn enlarge(chroma: &[Vec<u8>; 2], columns: usize, rows: usize, y: usize, out: &mut [Vec<f32>; 2]) {
    let near = y / 2;
    let far = if y % 2 == 1 { (near + 1).min(rows - 1) } else { near.saturating_sub(1) };
    for (plane, out) in chroma.iter().zip(out) {
        let (near, far) = (&plane[near * columns..][..columns], &plane[far * columns..][..columns]);
        let at = |x: usize| f32::from(near[x]) * 0.75 + f32::from(far[x]) * 0.25 - 128.0;
        let mut before = at(0);
        let mut here = before;
        for (x, pair) in out.chunks_mut(2).enumerate() {
            let after = at((x + 1).min(columns - 1));
            pair[0] = here * 0.75 + before * 0.25;
            if let Some(second) = pair.get_mut(1) {
                *second = here * 0.75 + after * 0.25;
            }
            (before, here) = (here, after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planes(width: u32, pixels: &[[u8; 3]]) -> Planes {
        let height = pixels.len() as u32 / width;
        Planes::of(&Bitmap::new(width, height, Layout::Rgb, pixels.concat()))
    }

    /// As the usual decoder does it, for one pixel.
    fn shown(luma: u8, blue: u8, red: u8) -> [f32; 3] {
        let luma = (f32::from(luma) - 16.0) * 1.164;
        let (blue, red) = (f32::from(blue) - 128.0, f32::from(red) - 128.0);
        [within(luma + 1.596 * red), within(luma - 0.392 * blue - 0.813 * red), within(luma + 2.017 * blue)]
    }

    #[test]
    fn even_colours_come_back() {
        for pixel in [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [12, 130, 77], [200, 190, 10]]
        {
            let planes = planes(3, &[pixel; 9]);
            assert_eq!((planes.luma.len(), planes.chroma[0].len(), planes.chroma[1].len()), (9, 4, 4));
            let back = shown(planes.luma[4], planes.chroma[0][0], planes.chroma[1][0]);
            for (back, &was) in back.iter().zip(&pixel) {
                assert!((back - f32::from(was)).abs() < 5.0, "{pixel:?}: {back}");
            }
        }
    }

    #[test]
    fn greys_are_neutral_from_one_channel_and_from_three() {
        for value in [0, 1, 77, 128, 254, 255] {
            let three = planes(2, &[[value; 3]; 4]);
            let one = Planes::of(&Bitmap::new(2, 2, Layout::Gray, vec![value; 4]));
            assert_eq!((&one.luma, &one.chroma), (&three.luma, &three.chroma));
            assert_eq!(one.chroma, [[128], [128]]);
        }
    }

    /// Red beside blue: plain luma leaves pixels much lighter or darker than they were.
    #[test]
    fn light_is_kept_where_colours_meet() {
        let pixels: Vec<[u8; 3]> =
            (0..64).map(|i| if (i + i / 8) % 2 == 0 { [230, 20, 30] } else { [20, 40, 220] }).collect();
        let made = planes(8, &pixels);
        let mut enlarged = [vec![0.0; 8], vec![0.0; 8]];
        let (mut ours, mut plain) = (0.0_f32, 0.0_f32);
        for (y, row) in pixels.chunks(8).enumerate() {
            enlarge(&made.chroma, 4, 4, y, &mut enlarged);
            for (x, &[r, g, b]) in row.iter().enumerate() {
                let colour = |plane: usize| (enlarged[plane][x] + 128.0).round() as u8;
                let usual = limited(0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b));
                let off = |luma: u8| {
                    let [red, green, blue] = shown(luma, colour(0), colour(1));
                    (light(red, green, blue) - light(r.into(), g.into(), b.into())).abs()
                };
                ours = ours.max(off(made.luma[y * 8 + x]));
                plain = plain.max(off(usual));
            }
        }
        assert!(ours < 2.0 && plain > 15.0, "off by {ours}, plainly by {plain}");
    }

    #[test]
    fn what_is_clear_lends_no_colour() {
        let pixels = [[255, 0, 0, 0], [0, 0, 255, 255], [255, 0, 0, 0], [0, 0, 255, 255]].concat();
        let made = Planes::of(&Bitmap::new(2, 2, Layout::Rgba, pixels));
        let blue = planes(2, &[[0, 0, 255]; 4]);
        assert_eq!((made.chroma, made.alpha), (blue.chroma, Some(vec![0, 255, 0, 255])));
        let clear = Planes::of(&Bitmap::new(1, 1, Layout::Rgba, vec![9, 9, 9, 0]));
        assert_eq!(clear.chroma, [[128], [128]], "nothing is divided by nothing");
    }
}
