//! Four inks made smaller before they become colours: a press profile takes about 200 ns for each pixel, the resize 2.
//!
//! Inks are resized as they are stored: cyan, magenta and yellow as one picture, black as another, so that no channel is
//! taken for transparency.

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::op::Operation;
use crate::op::resize::Resize;
use crate::scratch::Scratch;

const INKS: usize = 4;

/// Whether resizing inks of `size` first is less work, and gives what resizing colours would: to be mixed as light is
/// for colours alone.
pub(super) fn is_worth_it(size: (u32, u32), resize: &Resize) -> bool {
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    !resize.resample.linear && area(resize.width, resize.height) < area(size.0, size.1)
}

/// What `resize`, in pixels of the stored picture, makes of inks of `size`.
///
/// # Errors
/// As [`Resize::apply`].
pub(super) fn resized(
    mut inks: Vec<u8>,
    size: (u32, u32),
    stored: (u32, u32),
    resize: Resize,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, Error> {
    let resize = resize.on_part(stored, (0, 0), size);
    let count = inks.len() / INKS;
    let mut black = scratch.take(count);
    for (black, pixel) in black.iter_mut().zip(inks.as_chunks::<INKS>().0) {
        *black = pixel[3];
    }
    // The others move together in place: reading runs ahead of writing.
    for index in 0..count {
        inks.copy_within(index * INKS..index * INKS + 3, index * 3);
    }
    inks.truncate(count * 3);
    let colored = resize.apply(Bitmap::new(size.0, size.1, Layout::Rgb, inks), watch, scratch)?;
    let black = resize.apply(Bitmap::new(size.0, size.1, Layout::Gray, black), watch, scratch)?;
    let mut joined = scratch.take(black.pixels().len() * INKS);
    let pixels = colored.pixels().as_chunks::<3>().0.iter().zip(black.pixels());
    for (out, (&[c, m, y], &k)) in joined.as_chunks_mut::<INKS>().0.iter_mut().zip(pixels) {
        *out = [c, m, y, k];
    }
    scratch.give(colored.into_pixels());
    scratch.give(black.into_pixels());
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Window;

    #[test]
    fn each_ink_is_resized_alone() {
        let inks: Vec<u8> = (0..16 * 8).flat_map(|i| [if i % 16 < 8 { 0 } else { 200 }, 10, 20, 255]).collect();
        let window = Window { x: 0.0, y: 0.0, width: 32.0, height: 16.0 };
        let resize = Resize { window, width: 4, height: 2, bounds: None, resample: Default::default() };
        let (watch, scratch) = (Watch::new(), &mut Scratch::new(0));
        assert!(is_worth_it((16, 8), &resize));
        let done = resized(inks, (16, 8), (32, 16), resize, &watch, scratch).expect("resized");
        assert_eq!(done.len(), 4 * 2 * INKS);
        for (index, pixel) in done.as_chunks::<INKS>().0.iter().enumerate() {
            assert_eq!(pixel[1..], [10, 20, 255]);
            assert!(pixel[0].abs_diff(if index % 4 < 2 { 0 } else { 200 }) < 30, "{pixel:?}");
        }
        assert!(!is_worth_it((16, 8), &Resize { width: 32, height: 16, ..resize }));
    }
}
