//! Resampling with the kernel widened when shrinking (Lanczos3 where the URL says nothing); a crop is part of the same
//! read.
//!
//! With alpha the source is premultiplied in its own memory (we own it) instead of in a copy of its size. Nothing
//! here knows where the window came from.

pub(crate) mod kernel;
mod linear;

use super::Operation;
use super::channels::drop_alpha;
use super::premultiply::{is_opaque, premultiply, unpremultiply};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::geometry::{Rect, Window};
use crate::limits::Watch;
use crate::scratch::Scratch;
use cache_key::transform::{Kernel, Resample};
use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{PixelTrait, ResizeAlg, ResizeOptions};

/// Reads `window` and makes `width` × `height` of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resize {
    /// In pixels of the bitmap; lies inside it.
    pub window: Window,
    /// Pixels, not 0.
    pub width: u32,
    /// Pixels, not 0.
    pub height: u32,
    /// What the kernel may look at, where that is less than the bitmap: what a crop cut off does not shine in.
    pub bounds: Option<Window>,
    /// Kernel, and whether colours are mixed as light.
    pub resample: Resample,
}

impl Resize {
    /// The same on a bitmap that is the part from `origin` on of the picture of `stored` pixels scaled to `whole`.
    pub fn on_part(self, stored: (u32, u32), origin: (u32, u32), whole: (u32, u32)) -> Self {
        let across = f64::from(whole.0) / f64::from(stored.0);
        let down = f64::from(whole.1) / f64::from(stored.1);
        let moved = |window: Window| Window {
            x: window.x * across - f64::from(origin.0),
            y: window.y * down - f64::from(origin.1),
            width: window.width * across,
            height: window.height * down,
        };
        Self { window: moved(self.window), bounds: self.bounds.map(moved), ..self }
    }

    fn changes_nothing(&self, bitmap: &Bitmap) -> bool {
        (self.width, self.height) == (bitmap.width(), bitmap.height())
            && self.window
                == Window { x: 0.0, y: 0.0, width: f64::from(bitmap.width()), height: f64::from(bitmap.height()) }
    }

    /// The pixels of a bitmap that the kernel may look at; those that the bounds cut are among them.
    fn seen(&self, bitmap: &Bitmap) -> Rect {
        let side = |bounds: Option<(f64, f64)>, all: u32| {
            let (start, length) = bounds.unwrap_or((0.0, f64::from(all)));
            // Casts of floats saturate. A little less than a hundredth of a pixel is the error of the scale.
            let from = ((start + 0.01).floor() as u32).min(all - 1);
            let to = ((start + length - 0.01).ceil() as u32).clamp(from + 1, all);
            (from, to - from)
        };
        let (x, width) = side(self.bounds.map(|bounds| (bounds.x, bounds.width)), bitmap.width());
        let (y, height) = side(self.bounds.map(|bounds| (bounds.y, bounds.height)), bitmap.height());
        Rect { x, y, width, height }
    }

    /// Only cuts: every pixel of the result is one of the source.
    fn only_cuts(&self) -> bool {
        let window = self.window;
        window.width == f64::from(self.width)
            && window.height == f64::from(self.height)
            && window.x.fract() == 0.0
            && window.y.fract() == 0.0
    }
}

impl Operation for Resize {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn apply(&self, mut bitmap: Bitmap, watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let opaque = is_opaque(&bitmap);
        if self.changes_nothing(&bitmap) {
            return Ok(if opaque { drop_alpha(bitmap) } else { bitmap });
        }
        let layout = bitmap.layout();
        let linear = self.resample.linear && !self.only_cuts();
        // In linear light that is done on the light.
        let mixes_alpha = !opaque && !linear && self.algorithm() != ResizeAlg::Nearest;
        if mixes_alpha {
            premultiply(&mut bitmap)?;
        }
        let length = self.width as usize * self.height as usize * layout.channels();
        let mut pixels = scratch.take(length);
        let outcome = if linear {
            linear::resample(self, &bitmap, &mut pixels, watch, scratch)
        } else {
            self.resample(&bitmap, &mut pixels, scratch)
        };
        // The large buffer is free again before anything else happens.
        scratch.give(bitmap.into_pixels());
        outcome?;
        let mut result = Bitmap::new(self.width, self.height, layout, pixels);
        if mixes_alpha {
            unpremultiply(&mut result)?;
        }
        Ok(if opaque { drop_alpha(result) } else { result })
    }
}

impl Resize {
    /// A cut copies pixels, whatever the kernel.
    fn algorithm(&self) -> ResizeAlg {
        kernel::algorithm(if self.only_cuts() { Kernel::Nearest } else { self.resample.kernel })
    }

    fn resample(&self, bitmap: &Bitmap, pixels: &mut [u8], scratch: &mut Scratch) -> Result<(), Error> {
        match bitmap.layout() {
            Layout::Gray => self.resample_as::<U8>(bitmap, pixels, scratch),
            Layout::Rgb => self.resample_as::<U8x3>(bitmap, pixels, scratch),
            Layout::Rgba => self.resample_as::<U8x4>(bitmap, pixels, scratch),
        }
    }

    /// By type and not by the crate's run-time dispatch, which would compile its ten other kinds of pixel as well.
    fn resample_as<P: PixelTrait>(
        &self,
        bitmap: &Bitmap,
        pixels: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("resize: {error}"));
        let source = TypedImageRef::<P>::from_buffer(bitmap.width(), bitmap.height(), bitmap.pixels())
            .map_err(|error| failed(&error))?;
        let mut target =
            TypedImage::<P>::from_buffer(self.width, self.height, pixels).map_err(|error| failed(&error))?;
        let seen = self.seen(bitmap);
        let source = TypedCroppedImage::from_ref(&source, seen.x, seen.y, seen.width, seen.height)
            .map_err(|error| failed(&error))?;
        let (width, height) = (f64::from(seen.width), f64::from(seen.height));
        let x = (self.window.x - f64::from(seen.x)).clamp(0.0, width);
        let y = (self.window.y - f64::from(seen.y)).clamp(0.0, height);
        let options = ResizeOptions::new().resize_alg(self.algorithm()).use_alpha(false).crop(
            x,
            y,
            self.window.width.min(width - x),
            self.window.height.min(height - y),
        );
        scratch.resizer().resize_typed(&source, &mut target, &options).map_err(|error| failed(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bitmap: &Bitmap, width: u32, height: u32) -> Resize {
        let window = Window { x: 0.0, y: 0.0, width: bitmap.width().into(), height: bitmap.height().into() };
        Resize { window, width, height, bounds: None, resample: Resample::default() }
    }

    #[test]
    fn an_even_picture_stays_even() {
        let scratch = &mut Scratch::new(1 << 20);
        for layout in [Layout::Gray, Layout::Rgb] {
            let bitmap = Bitmap::new(100, 60, layout, vec![77; 6000 * layout.channels()]);
            let result = whole(&bitmap, 33, 150).apply(bitmap, &Watch::new(), scratch).expect("resized");
            assert_eq!((result.width(), result.height(), result.layout()), (33, 150, layout));
            assert!(result.pixels().iter().all(|&value| value == 77));
        }
    }

    #[test]
    fn what_nobody_sees_does_not_shine_through() {
        // Left half opaque red, right half transparent green.
        let pixels = (0..64 * 64).flat_map(|i| if i % 64 < 32 { [255, 0, 0, 255] } else { [0, 255, 0, 0] }).collect();
        let bitmap = Bitmap::new(64, 64, Layout::Rgba, pixels);
        let result = whole(&bitmap, 15, 15).apply(bitmap, &Watch::new(), &mut Scratch::new(1 << 20)).expect("resized");
        for pixel in result.pixels().as_chunks::<4>().0 {
            assert_eq!(pixel[1], 0, "green bleeds: {pixel:?}");
            assert!(pixel[3] < 8 || pixel[0] > 250, "red is darkened: {pixel:?}");
        }
    }

    #[test]
    fn kernels_differ_and_light_keeps_its_brightness() {
        // Columns of black and white: 128 as values, 188 as light.
        let pixels: Vec<u8> = (0..64 * 8).map(|i| if i % 2 == 0 { 0 } else { 255 }).collect();
        let bitmap = Bitmap::new(64, 8, Layout::Gray, pixels);
        let half = |kernel, linear, layout| {
            let bitmap = super::super::channels::widen(bitmap.clone(), layout, &mut Scratch::new(0));
            let resize = Resize { resample: Resample { kernel, linear }, ..whole(&bitmap, 16, 4) };
            let result = resize.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("resized");
            result.pixels()[result.layout().channels() * 24]
        };
        for kernel in
            [Kernel::Box, Kernel::Linear, Kernel::CatmullRom, Kernel::Mitchell, Kernel::Lanczos2, Kernel::Lanczos3]
        {
            for layout in [Layout::Gray, Layout::Rgb, Layout::Rgba] {
                assert!(half(kernel, false, layout).abs_diff(128) <= 2, "{kernel:?}");
                assert!(half(kernel, true, layout).abs_diff(188) <= 2, "{kernel:?}");
            }
        }
        assert!([0, 255].contains(&half(Kernel::Nearest, false, Layout::Gray)));
        assert!([0, 255].contains(&half(Kernel::Nearest, true, Layout::Gray)));
    }

    #[test]
    fn linear_light_keeps_to_alpha() {
        let pixels = (0..64 * 64).flat_map(|i| if i % 64 < 32 { [255, 0, 0, 255] } else { [0, 255, 0, 0] }).collect();
        let bitmap = Bitmap::new(64, 64, Layout::Rgba, pixels);
        let resample = Resample { linear: true, ..Resample::default() };
        let resize = Resize { resample, ..whole(&bitmap, 15, 15) };
        let result = resize.apply(bitmap, &Watch::new(), &mut Scratch::new(1 << 20)).expect("resized");
        assert!(result.pixels().as_chunks::<4>().0.iter().all(|p| p[1] == 0 && (p[3] < 8 || p[0] > 250)));
    }

    #[test]
    fn what_is_out_of_bounds_does_not_shine_in() {
        // White up to column 20, black from there on.
        let pixels: Vec<u8> = (0..64 * 8).map(|i| if i % 64 < 20 { 255 } else { 0 }).collect();
        let bitmap = Bitmap::new(64, 8, Layout::Gray, pixels);
        let window = Window { x: 20.0, y: 0.0, width: 40.0, height: 8.0 };
        for linear in [false, true] {
            let resample = Resample { linear, ..Resample::default() };
            let resize = |bounds| {
                let resize = Resize { window, width: 16, height: 4, bounds, resample };
                resize.apply(bitmap.clone(), &Watch::new(), &mut Scratch::new(0)).expect("resized").into_pixels()
            };
            assert!(resize(Some(window)).iter().all(|&value| value == 0));
            assert!(resize(None).iter().any(|&value| value > 0));
        }
    }

    #[test]
    fn opaque_alpha_goes() {
        let bitmap = Bitmap::new(8, 8, Layout::Rgba, [9, 8, 7, 255].repeat(64));
        let result = whole(&bitmap, 4, 4).apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("resized");
        assert_eq!((result.layout(), result.pixels()), (Layout::Rgb, [9, 8, 7].repeat(16).as_slice()));
    }

    #[test]
    fn a_cut_copies_pixels_exactly() {
        let bitmap = Bitmap::new(4, 3, Layout::Gray, (0..12).collect());
        let cut = |at: f64, side: u32| {
            let window = Window { x: at, y: at, width: side.into(), height: side.into() };
            Resize { window, width: side, height: side, bounds: None, resample: Resample::default() }
        };
        assert_eq!(
            cut(1.0, 2).apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("cut").pixels(),
            [5, 6, 9, 10]
        );
        // Straight colour under transparent pixels survives a cut.
        let bitmap = Bitmap::new(2, 1, Layout::Rgba, vec![1, 2, 3, 0, 4, 5, 6, 7]);
        assert_eq!(cut(0.0, 1).apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("cut").pixels(), [1, 2, 3, 0]);
    }
}
