//! Uniform edges, as sharp and libvips see them: a pixel is content when a channel differs from the edge's colour by more
//! than the tolerance, and when most of the nine pixels round it do: specks and hairlines are no content.

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::geometry::Window;
use crate::limits::Watch;

/// Pixels of nine that have to differ: what a median would show.
const MOST: u8 = 5;

/// The pixel as red, green, blue, alpha.
pub(super) fn pixel(bitmap: &Bitmap, x: usize, y: usize) -> [u8; 4] {
    let at = y * bitmap.width() as usize + x;
    match bitmap.layout() {
        Layout::Gray => {
            let value = bitmap.pixels()[at];
            [value, value, value, u8::MAX]
        }
        Layout::Rgb => {
            let [r, g, b] = bitmap.pixels().as_chunks::<3>().0[at];
            [r, g, b, u8::MAX]
        }
        Layout::Rgba => bitmap.pixels().as_chunks::<4>().0[at],
    }
}

/// The box round all content, in the bitmap's axes; `None` where there is none. Work is done for the edges alone: rows
/// in between are looked at from both ends up to what is known to be content.
pub(super) fn content(bitmap: &Bitmap, edge: [u8; 4], tolerance: u8, watch: &Watch) -> Result<Option<Window>, Error> {
    let scan = Scan { bitmap, edge: seen(edge), tolerance: tolerance.into() };
    let (width, height) = (bitmap.width() as usize, bitmap.height() as usize);
    let first = |rows: &mut dyn Iterator<Item = usize>| -> Result<Option<usize>, Error> {
        for y in rows {
            watch.check()?;
            if scan.first(y, 0, width).is_some() {
                return Ok(Some(y));
            }
        }
        Ok(None)
    };
    let Some(top) = first(&mut (0..height))? else { return Ok(None) };
    let bottom = first(&mut (top..height).rev())?.unwrap_or(top);
    let (mut left, mut right) = (width, 0);
    for y in top..=bottom {
        watch.check()?;
        left = scan.first(y, 0, left).unwrap_or(left);
        right = scan.last(y, right, width).unwrap_or(right);
    }
    let (left, right) = (left.min(width - 1), right.max(left.min(width - 1)));
    Ok(Some(Window {
        x: left as f64,
        y: top as f64,
        width: (right - left + 1) as f64,
        height: (bottom - top + 1) as f64,
    }))
}

struct Scan<'a> {
    bitmap: &'a Bitmap,
    edge: [i32; 4],
    tolerance: i32,
}

impl Scan<'_> {
    /// The first column from `from` to before `to` whose pixel in this row is content.
    fn first(&self, y: usize, from: usize, to: usize) -> Option<usize> {
        let mut columns = [0, self.column(from.saturating_sub(1), y), self.column(from, y)];
        (from..to).find(|&x| {
            columns = [columns[1], columns[2], self.column(x + 1, y)];
            columns.iter().sum::<u8>() >= MOST
        })
    }

    /// The last one likewise.
    fn last(&self, y: usize, from: usize, to: usize) -> Option<usize> {
        let mut columns = [0, self.column(to, y), self.column(to.saturating_sub(1), y)];
        (from..to).rev().find(|&x| {
            columns = [columns[1], columns[2], self.column(x.saturating_sub(1), y)];
            columns.iter().sum::<u8>() >= MOST
        })
    }

    /// How many of three pixels over each other differ; what lies outside is as the nearest pixel.
    fn column(&self, x: usize, y: usize) -> u8 {
        let (right, bottom) = (self.bitmap.width() as usize - 1, self.bitmap.height() as usize - 1);
        let rows = [y.saturating_sub(1), y, (y + 1).min(bottom)];
        rows.iter().map(|&row| u8::from(self.differs(x.min(right), row))).sum()
    }

    fn differs(&self, x: usize, y: usize) -> bool {
        let pixel = seen(pixel(self.bitmap, x, y));
        pixel.iter().zip(self.edge).any(|(value, edge)| (value - edge).abs() > self.tolerance)
    }
}

/// As it is seen on black, and its alpha: what nobody sees has no colour.
fn seen([r, g, b, a]: [u8; 4]) -> [i32; 4] {
    let times = |value: u8| if a == u8::MAX { value.into() } else { (i32::from(value) * i32::from(a) + 127) / 255 };
    [times(r), times(g), times(b), a.into()]
}
