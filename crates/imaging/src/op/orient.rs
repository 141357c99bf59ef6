//! Quarter turns and mirror images: the eight symmetries of a rectangle, exact, without resampling.
//!
//! `rot`, `flip` and the orientation in the metadata are one [`Turn`] in the end, so that pixels move once, after
//! the resize has made them few.

use super::Operation;
use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::geometry::Window;
use crate::limits::Watch;
use crate::orientation::Orientation;
use crate::scratch::Scratch;

/// First the axes change places (if `transpose`), then columns are reversed, then rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Mirror in the diagonal from top left to bottom right.
    pub transpose: bool,
    /// Left and right change places.
    pub flip_x: bool,
    /// Top and bottom change places.
    pub flip_y: bool,
}

impl Turn {
    /// A mirror image.
    pub const fn flip(flip_x: bool, flip_y: bool) -> Self {
        Self { transpose: false, flip_x, flip_y }
    }

    /// Clockwise by so many quarters.
    pub const fn quarters(quarters: u32) -> Self {
        match quarters % 4 {
            0 => Self { transpose: false, flip_x: false, flip_y: false },
            1 => Self { transpose: true, flip_x: true, flip_y: false },
            2 => Self { transpose: false, flip_x: true, flip_y: true },
            _ => Self { transpose: true, flip_x: false, flip_y: true },
        }
    }

    /// This turn, and then `next`.
    pub const fn then(self, next: Self) -> Self {
        // A reversal of columns before the axes change places is one of rows after it.
        let (flip_x, flip_y) = if next.transpose { (self.flip_y, self.flip_x) } else { (self.flip_x, self.flip_y) };
        Self {
            transpose: self.transpose != next.transpose,
            flip_x: flip_x != next.flip_x,
            flip_y: flip_y != next.flip_y,
        }
    }

    /// The turn that undoes this one.
    pub const fn inverse(self) -> Self {
        if self.transpose { Self { transpose: true, flip_x: self.flip_y, flip_y: self.flip_x } } else { self }
    }

    /// The size of a turned picture.
    pub const fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.transpose { (height, width) } else { (width, height) }
    }

    /// Where a rectangle of a picture of `size` lies once the picture is turned.
    pub fn window(self, window: Window, size: (u32, u32)) -> Window {
        let turned = self.size(size);
        let mut result = if self.transpose {
            Window { x: window.y, y: window.x, width: window.height, height: window.width }
        } else {
            window
        };
        if self.flip_x {
            result.x = (f64::from(turned.0) - result.x - result.width).max(0.0);
        }
        if self.flip_y {
            result.y = (f64::from(turned.1) - result.y - result.height).max(0.0);
        }
        result
    }
}

impl From<Orientation> for Turn {
    fn from(orientation: Orientation) -> Self {
        let (transpose, flip_x, flip_y) = match orientation {
            Orientation::Upright => (false, false, false),
            Orientation::FlipHorizontal => (false, true, false),
            Orientation::Rotate180 => (false, true, true),
            Orientation::FlipVertical => (false, false, true),
            Orientation::Transpose => (true, false, false),
            Orientation::Rotate90 => (true, true, false),
            Orientation::Transverse => (true, true, true),
            Orientation::Rotate270 => (true, false, true),
        };
        Self { transpose, flip_x, flip_y }
    }
}

impl Operation for Turn {
    fn name(&self) -> &'static str {
        "orient"
    }

    fn apply(&self, mut bitmap: Bitmap, _watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let channels = bitmap.layout().channels();
        if !self.transpose {
            mirror(&mut bitmap, *self);
            return Ok(bitmap);
        }
        let (width, height) = self.size((bitmap.width(), bitmap.height()));
        let mut turned = scratch.take(bitmap.pixels().len());
        match channels {
            1 => transpose::<1>(&bitmap, &mut turned, *self),
            3 => transpose::<3>(&bitmap, &mut turned, *self),
            _ => transpose::<4>(&bitmap, &mut turned, *self),
        }
        let layout = bitmap.layout();
        scratch.give(bitmap.into_pixels());
        Ok(Bitmap::new(width, height, layout, turned))
    }
}

/// Columns and rows of a picture reversed in place.
fn mirror(bitmap: &mut Bitmap, turn: Turn) {
    let (channels, height) = (bitmap.layout().channels(), bitmap.height() as usize);
    let stride = bitmap.width() as usize * channels;
    let pixels = bitmap.pixels_mut();
    if turn.flip_y {
        let (upper, lower) = pixels.split_at_mut(height / 2 * stride);
        for (above, below) in upper.chunks_exact_mut(stride).zip(lower.chunks_exact_mut(stride).rev()) {
            above.swap_with_slice(below);
        }
    }
    if turn.flip_x {
        for row in pixels.chunks_exact_mut(stride) {
            match channels {
                1 => row.reverse(),
                3 => row.as_chunks_mut::<3>().0.reverse(),
                _ => row.as_chunks_mut::<4>().0.reverse(),
            }
        }
    }
}

/// Side of the square tiles that are walked, so that both pictures stay in the cache.
const TILE: usize = 32;

fn transpose<const N: usize>(source: &Bitmap, target: &mut [u8], turn: Turn) {
    let (width, height) = (source.width() as usize, source.height() as usize);
    let (from, _) = source.pixels().as_chunks::<N>();
    let (to, _) = target.as_chunks_mut::<N>();
    // The target is `height` wide and `width` high.
    for top in (0..width).step_by(TILE) {
        for left in (0..height).step_by(TILE) {
            for y in top..(top + TILE).min(width) {
                let column = y;
                let row = if turn.flip_y { width - 1 - y } else { y };
                for x in left..(left + TILE).min(height) {
                    let at = if turn.flip_x { height - 1 - x } else { x };
                    to[row * height + at] = from[x * width + column];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitmap::Layout;
    use proptest::prelude::*;

    /// `12` over `34` over `56`.
    fn sample() -> Bitmap {
        Bitmap::new(2, 3, Layout::Gray, vec![1, 2, 3, 4, 5, 6])
    }

    fn turned(turn: Turn) -> (u32, u32, Vec<u8>) {
        let result = turn.apply(sample(), &Watch::new(), &mut Scratch::new(1 << 20)).expect("turned");
        (result.width(), result.height(), result.into_pixels())
    }

    #[test]
    fn quarters_go_clockwise() {
        assert_eq!(turned(Turn::quarters(1)), (3, 2, vec![5, 3, 1, 6, 4, 2]));
        assert_eq!(turned(Turn::quarters(2)), (2, 3, vec![6, 5, 4, 3, 2, 1]));
        assert_eq!(turned(Turn::quarters(3)), (3, 2, vec![2, 4, 6, 1, 3, 5]));
    }

    #[test]
    fn flips_mirror() {
        assert_eq!(turned(Turn::flip(true, false)), (2, 3, vec![2, 1, 4, 3, 6, 5]));
        assert_eq!(turned(Turn::flip(false, true)), (2, 3, vec![5, 6, 3, 4, 1, 2]));
    }

    fn any_turn() -> impl Strategy<Value = Turn> {
        any::<(bool, bool, bool)>().prop_map(|(transpose, flip_x, flip_y)| Turn { transpose, flip_x, flip_y })
    }

    fn picture(width: u32, height: u32, layout: Layout) -> Bitmap {
        let length = width as usize * height as usize * layout.channels();
        Bitmap::new(width, height, layout, (0..length).map(|i| (i * 31 % 251) as u8).collect())
    }

    proptest! {
        #[test]
        fn one_turn_does_the_work_of_two(
            a in any_turn(), b in any_turn(), width in 1u32..70, height in 1u32..70, layout in 0usize..3,
        ) {
            let picture = picture(width, height, [Layout::Gray, Layout::Rgb, Layout::Rgba][layout]);
            let scratch = &mut Scratch::new(1 << 20);
            let twice = b.apply(a.apply(picture.clone(), &Watch::new(), scratch).expect("a"), &Watch::new(), scratch).expect("b");
            prop_assert_eq!(a.then(b).apply(picture.clone(), &Watch::new(), scratch).expect("both"), twice);
            let back = a.inverse().apply(a.apply(picture.clone(), &Watch::new(), scratch).expect("a"), &Watch::new(), scratch).expect("back");
            prop_assert_eq!(back, picture);
        }

        #[test]
        fn windows_follow_pixels(turn in any_turn(), x in 0u32..5, y in 0u32..7, w in 1u32..5, h in 1u32..5) {
            let size = (10, 12);
            let inside = |window: Window, at: (u32, u32)| {
                let (px, py) = (f64::from(at.0) + 0.5, f64::from(at.1) + 0.5);
                px > window.x && px < window.x + window.width && py > window.y && py < window.y + window.height
            };
            let window =
                Window { x: x.into(), y: y.into(), width: w.into(), height: h.into() };
            let moved = turn.window(window, size);
            // Mark each pixel with whether it lies in the window; the turned marks are the turned window.
            let marks: Vec<u8> =
                (0..120).map(|i| u8::from(inside(window, (i % 10, i / 10)))).collect();
            let result = turn.apply(Bitmap::new(10, 12, Layout::Gray, marks), &Watch::new(), &mut Scratch::new(1 << 20)).expect("turned");
            for (i, &mark) in result.pixels().iter().enumerate() {
                let at = (i as u32 % result.width(), i as u32 / result.width());
                prop_assert_eq!(mark == 1, inside(moved, at));
            }
        }
    }
}
