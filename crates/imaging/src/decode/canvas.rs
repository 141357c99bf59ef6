//! What is seen of an animation: patches laid over each other, and taken away again before the next comes.
//!
//! Blending and disposal are those that GIF89a, PNG (third edition, 13.6) and WebP (RFC 9649, 2.7.1) have in common.
//! "Background" is transparent, as in browsers, whatever colour a file names. A patch may reach beyond the canvas.

use super::size_of;
use crate::bitmap::{Bitmap, Layout};
use crate::scratch::Scratch;

/// How a patch and what lies below it become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blend {
    /// The patch alone, transparency included.
    Replace,
    /// The patch over what is there.
    Over,
}

/// What happens to the patch's place before the next one comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dispose {
    Keep,
    Clear,
    /// What was there before the patch comes back.
    Restore,
}

/// A frame as it is stored.
pub(super) struct Patch {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) bitmap: Bitmap,
    pub(super) blend: Blend,
    pub(super) dispose: Dispose,
}

/// Left, top, width, height of a part of the canvas, in pixels.
type Place = (usize, usize, usize, usize);

/// RGBA, transparent at first.
pub(super) struct Canvas {
    bitmap: Bitmap,
    /// To be done before the next patch.
    clear: Option<Place>,
    restore: Option<(Place, Vec<u8>)>,
}

const CHANNELS: usize = Layout::Rgba.channels();

impl Canvas {
    pub(super) fn new(width: u32, height: u32, scratch: &mut Scratch) -> Self {
        let mut pixels = scratch.take(size_of(width, height, Layout::Rgba));
        pixels.fill(0);
        Self { bitmap: Bitmap::new(width, height, Layout::Rgba, pixels), clear: None, restore: None }
    }

    pub(super) fn seen(&self) -> &Bitmap {
        &self.bitmap
    }

    pub(super) fn into_seen(self, scratch: &mut Scratch) -> Bitmap {
        if let Some((_, saved)) = self.restore {
            scratch.give(saved);
        }
        self.bitmap
    }

    /// Takes away what the patch before asked for, and lays this one on.
    pub(super) fn show(&mut self, patch: Patch, scratch: &mut Scratch) {
        if let Some(place) = self.clear.take() {
            self.rows(place).for_each(|row| row.fill(0));
        }
        if let Some((place, saved)) = self.restore.take() {
            let stride = place.2 * CHANNELS;
            self.rows(place).zip(saved.chunks_exact(stride)).for_each(|(row, saved)| row.copy_from_slice(saved));
            scratch.give(saved);
        }
        if let Some(place) = self.place(&patch) {
            match patch.dispose {
                Dispose::Keep => {}
                Dispose::Clear => self.clear = Some(place),
                Dispose::Restore => {
                    let mut saved = scratch.take(place.2 * place.3 * CHANNELS);
                    let stride = place.2 * CHANNELS;
                    self.rows(place).zip(saved.chunks_exact_mut(stride)).for_each(|(row, to)| to.copy_from_slice(row));
                    self.restore = Some((place, saved));
                }
            }
            self.lay(&patch, place);
        }
        scratch.give(patch.bitmap.into_pixels());
    }

    /// The part of the canvas that a patch covers.
    fn place(&self, patch: &Patch) -> Option<Place> {
        let side = |start: u32, length: u32, canvas: u32| {
            let length = length.min(canvas.checked_sub(start)?);
            (length > 0).then_some((start as usize, length as usize))
        };
        let (left, width) = side(patch.left, patch.bitmap.width(), self.bitmap.width())?;
        let (top, height) = side(patch.top, patch.bitmap.height(), self.bitmap.height())?;
        Some((left, top, width, height))
    }

    fn rows(&mut self, (left, top, width, height): Place) -> impl Iterator<Item = &mut [u8]> {
        let stride = self.bitmap.width() as usize * CHANNELS;
        let rows = self.bitmap.pixels_mut().chunks_exact_mut(stride).skip(top).take(height);
        rows.filter_map(move |row| row.get_mut(left * CHANNELS..(left + width) * CHANNELS))
    }

    fn lay(&mut self, patch: &Patch, place: Place) {
        let layout = patch.bitmap.layout();
        let stride = patch.bitmap.width() as usize * layout.channels();
        for (row, from) in self.rows(place).zip(patch.bitmap.pixels().chunks_exact(stride)) {
            let row = row.as_chunks_mut::<4>().0;
            match layout {
                Layout::Gray => row.iter_mut().zip(from).for_each(|(pixel, &v)| *pixel = [v, v, v, 255]),
                Layout::Rgb => {
                    let from = from.as_chunks::<3>().0;
                    row.iter_mut().zip(from).for_each(|(pixel, &[r, g, b])| *pixel = [r, g, b, 255]);
                }
                Layout::Rgba => {
                    let from = from.as_chunks::<4>().0;
                    match patch.blend {
                        Blend::Replace => row.iter_mut().zip(from).for_each(|(pixel, &new)| *pixel = new),
                        Blend::Over => row.iter_mut().zip(from).for_each(|(pixel, &new)| over(pixel, new)),
                    }
                }
            }
        }
    }
}

/// Porter and Duff's "over" on straight alpha, rounded once.
fn over(below: &mut [u8; 4], new: [u8; 4]) {
    match new[3] {
        0 => {}
        255 => *below = new,
        alpha => {
            let cover = u32::from(alpha) * 255;
            let rest = u32::from(below[3]) * (255 - u32::from(alpha));
            let sum = cover + rest;
            for (below, new) in below.iter_mut().zip(new).take(3) {
                *below = ((u32::from(new) * cover + u32::from(*below) * rest + sum / 2) / sum) as u8;
            }
            below[3] = ((sum + 127) / 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(left: u32, width: u32, pixel: [u8; 4], blend: Blend, dispose: Dispose) -> Patch {
        let bitmap = Bitmap::new(width, 1, Layout::Rgba, pixel.repeat(width as usize));
        Patch { left, top: 0, bitmap, blend, dispose }
    }

    /// The red channel and the alpha of each pixel of a row of four.
    fn shown(patches: Vec<Patch>) -> Vec<[(u8, u8); 4]> {
        let mut scratch = Scratch::new(1 << 10);
        scratch.give(vec![99; 64]);
        let mut canvas = Canvas::new(4, 1, &mut scratch);
        let see = |canvas: &Canvas| {
            let pixels = canvas.seen().pixels().as_chunks::<4>().0;
            std::array::from_fn(|i| (pixels[i][0], pixels[i][3]))
        };
        let play = |patch| {
            canvas.show(patch, &mut scratch);
            see(&canvas)
        };
        patches.into_iter().map(play).collect()
    }

    const RED: [u8; 4] = [200, 0, 0, 255];
    const DARK: [u8; 4] = [100, 0, 0, 255];
    const NOTHING: [u8; 4] = [0; 4];

    #[test]
    fn patches_are_kept_cleared_or_taken_back() {
        let after = |dispose| {
            let base = patch(0, 3, RED, Blend::Over, Dispose::Keep);
            let middle = patch(1, 2, DARK, Blend::Over, dispose);
            shown(vec![base, middle, patch(3, 1, RED, Blend::Over, Dispose::Keep)]).remove(2)
        };
        let (red, dark, none) = ((200, 255), (100, 255), (0, 0));
        assert_eq!(after(Dispose::Keep), [red, dark, dark, red]);
        assert_eq!(after(Dispose::Clear), [red, none, none, red]);
        assert_eq!(after(Dispose::Restore), [red, red, red, red]);
    }

    #[test]
    fn transparency_covers_only_where_it_replaces() {
        let after = |blend| {
            let base = patch(0, 4, RED, Blend::Over, Dispose::Keep);
            shown(vec![base, patch(1, 2, NOTHING, blend, Dispose::Keep)]).remove(1)
        };
        assert_eq!(after(Blend::Over), [(200, 255); 4]);
        assert_eq!(after(Blend::Replace), [(200, 255), (0, 0), (0, 0), (200, 255)]);
    }

    #[test]
    fn half_over_half_is_three_quarters() {
        let half = [200, 0, 0, 128];
        let seen = shown(vec![
            patch(0, 1, [100, 0, 0, 128], Blend::Over, Dispose::Keep),
            patch(0, 1, half, Blend::Over, Dispose::Keep),
        ]);
        // 128 of 200 and 127/255 × 128 of 100, out of 191.75.
        assert_eq!(seen[1][0], (167, 192));
    }

    #[test]
    fn what_lies_beyond_the_canvas_is_not_seen() {
        let seen =
            shown(vec![patch(3, 9, RED, Blend::Over, Dispose::Restore), patch(7, 1, RED, Blend::Over, Dispose::Clear)]);
        assert_eq!(seen, [[(0, 0), (0, 0), (0, 0), (200, 255)], [(0, 0); 4]]);
    }
}
