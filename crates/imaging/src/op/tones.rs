//! Colours given by brightness alone: a table from the luminance of a pixel (as `gray` sees it) to what it becomes.
//! The table's alpha is how strongly: 0 leaves the pixel. The picture's own alpha stays.

use super::channels::widen;
use super::gray::luminance;
use crate::bitmap::{Bitmap, Layout};
use crate::scratch::Scratch;

/// One colour and its strength for each luminance.
pub(super) type Tones = [[u8; 4]; 256];

/// Gives every pixel its tone.
pub(super) fn tone(bitmap: Bitmap, tones: &Tones, scratch: &mut Scratch) -> Bitmap {
    let layout = if bitmap.layout() == Layout::Gray { Layout::Rgb } else { bitmap.layout() };
    let mut bitmap = widen(bitmap, layout, scratch);
    match layout {
        Layout::Rgba => {
            for pixel in bitmap.pixels_mut().as_chunks_mut::<4>().0 {
                let [r, g, b] = toned([pixel[0], pixel[1], pixel[2]], tones);
                *pixel = [r, g, b, pixel[3]];
            }
        }
        _ => {
            for pixel in bitmap.pixels_mut().as_chunks_mut::<3>().0 {
                *pixel = toned(*pixel, tones);
            }
        }
    }
    bitmap
}

fn toned(pixel: [u8; 3], tones: &Tones) -> [u8; 3] {
    let [r, g, b] = pixel;
    let tone = tones[usize::from(luminance(r, g, b))];
    let strength = u32::from(tone[3]);
    let mix = |old: u8, new: u8| ((u32::from(old) * (255 - strength) + u32::from(new) * strength + 127) / 255) as u8;
    [mix(r, tone[0]), mix(g, tone[1]), mix(b, tone[2])]
}
