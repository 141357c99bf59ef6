//! Resampling in linear light: the part that the kernel looks at is decoded to 16 bits a channel, premultiplied there,
//! resampled, and encoded again. Its memory is twice that part's.

use super::{Resize, kernel};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::op::light::{ENCODED, LINEAR};
use crate::scratch::Scratch;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U16, U16x3, U16x4};
use fast_image_resize::{PixelTrait, ResizeOptions};

/// Writes every byte of `pixels`.
pub(super) fn resample(
    resize: &Resize,
    bitmap: &Bitmap,
    pixels: &mut [u8],
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<(), Error> {
    let (light, encoded) = (&*LINEAR, &*ENCODED);
    let light = |value: u8| light[usize::from(value)];
    match bitmap.layout() {
        Layout::Gray => {
            let source = part(resize, bitmap, watch, |[value]: [u8; 1]| U16::new(light(value)))?;
            let result = run(resize, &source, scratch)?;
            for (to, from) in pixels.iter_mut().zip(result.pixels()) {
                *to = encoded[usize::from(from.0)];
            }
        }
        Layout::Rgb => {
            let source = part(resize, bitmap, watch, |pixel: [u8; 3]| U16x3::new(pixel.map(light)))?;
            let result = run(resize, &source, scratch)?;
            for (to, from) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(result.pixels()) {
                *to = from.0.map(|value| encoded[usize::from(value)]);
            }
        }
        Layout::Rgba => {
            let source = part(resize, bitmap, watch, |[r, g, b, a]: [u8; 4]| {
                let times = |value: u8| ((u32::from(light(value)) * u32::from(a) + 127) / 255) as u16;
                U16x4::new([times(r), times(g), times(b), u16::from(a) * 257])
            })?;
            let result = run(resize, &source, scratch)?;
            for (to, from) in pixels.as_chunks_mut::<4>().0.iter_mut().zip(result.pixels()) {
                let [r, g, b, a] = from.0;
                let straight = |value: u16| {
                    let value = (u32::from(value) * 65535 + u32::from(a) / 2).checked_div(a.into()).unwrap_or(0);
                    encoded[value.min(65535) as usize]
                };
                *to = [straight(r), straight(g), straight(b), ((u32::from(a) + 128) / 257) as u8];
            }
        }
    }
    Ok(())
}

/// The pixels that the kernel looks at, and where they begin.
struct Part<P> {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    pixels: Vec<P>,
}

fn part<P, const N: usize>(
    resize: &Resize,
    bitmap: &Bitmap,
    watch: &Watch,
    decode: impl Fn([u8; N]) -> P,
) -> Result<Part<P>, Error> {
    let window = resize.window;
    let seen = resize.seen(bitmap);
    let side = |start: f64, length: f64, kept: u32, (first, all): (u32, u32)| {
        let reach = kernel::REACH * (length / f64::from(kept)).max(1.0) + 1.0;
        // Casts of floats saturate.
        let from = ((start - reach).floor() as u32).clamp(first, first + all - 1);
        let to = ((start + length + reach).ceil() as u32).clamp(from + 1, first + all);
        (from, to - from)
    };
    let (left, width) = side(window.x, window.width, resize.width, (seen.x, seen.width));
    let (top, height) = side(window.y, window.height, resize.height, (seen.y, seen.height));
    let mut pixels = Vec::with_capacity(width as usize * height as usize);
    let rows = bitmap.pixels().as_chunks::<N>().0.chunks_exact(bitmap.width() as usize);
    for row in rows.skip(top as usize).take(height as usize) {
        watch.check()?;
        pixels.extend(row[left as usize..(left + width) as usize].iter().map(|pixel| decode(*pixel)));
    }
    Ok(Part { left, top, width, height, pixels })
}

fn run<P: PixelTrait>(resize: &Resize, part: &Part<P>, scratch: &mut Scratch) -> Result<TypedImage<'static, P>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("resize in linear light: {error}"));
    let source = TypedImageRef::new(part.width, part.height, &part.pixels).map_err(|error| failed(&error))?;
    let mut target = TypedImage::new(resize.width, resize.height);
    let (width, height) = (f64::from(part.width), f64::from(part.height));
    let x = (resize.window.x - f64::from(part.left)).clamp(0.0, width);
    let y = (resize.window.y - f64::from(part.top)).clamp(0.0, height);
    let options = ResizeOptions::new().resize_alg(kernel::algorithm(resize.resample.kernel)).use_alpha(false).crop(
        x,
        y,
        resize.window.width.min(width - x),
        resize.window.height.min(height - y),
    );
    scratch.resizer().resize_typed(&source, &mut target, &options).map_err(|error| failed(&error))?;
    Ok(target)
}
