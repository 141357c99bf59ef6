//! Lays a picture over a palette: the nearest colour for each pixel, the error spread over its neighbours by Floyd and
//! Steinberg's weights, rows in alternating directions. Found colours are remembered by cells of 6 bits a channel.

use super::{Alpha, Palette, Point, point, rgba};
use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::limits::Watch;

/// How much of the error is handed on, in 1/256: less than all of it, or flat areas crawl.
const STRENGTH: i32 = 224;
/// An error beyond this is not handed on: colours that no palette entry is near to would smear.
const MOST_ERROR: i32 = 48;
/// Rows between two looks at the watch.
const ROWS: usize = 64;

/// Finds the nearest of some points, by comparing all of them: they lie side by side for the vector units.
pub(super) struct Nearest {
    channels: [Vec<f32>; 4],
}

/// Points compared at a time.
const LANES: usize = 8;

impl Nearest {
    pub(super) fn new(points: &[Point]) -> Self {
        let padded = points.len().next_multiple_of(LANES);
        // What fills the last group is further than anything.
        let channel = |axis: usize| {
            let mut values: Vec<f32> = points.iter().map(|p| p[axis]).collect();
            values.resize(padded, 1e9);
            values
        };
        Self { channels: [channel(0), channel(1), channel(2), channel(3)] }
    }

    /// Which one it is. There is at least one.
    pub(super) fn of(&self, point: Point) -> usize {
        let [a, b, c, d] = &self.channels;
        let mut least = [f32::MAX; LANES];
        let mut which = [0u32; LANES];
        let groups = a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0);
        let groups = groups.zip(c.as_chunks::<LANES>().0.iter().zip(d.as_chunks::<LANES>().0));
        for (group, ((a, b), (c, d))) in (0u32..).zip(groups) {
            for lane in 0..LANES {
                let (x, y) = (a[lane] - point[0], b[lane] - point[1]);
                let (z, w) = (c[lane] - point[2], d[lane] - point[3]);
                let distance = x * x + y * y + z * z + w * w;
                let nearer = distance < least[lane];
                least[lane] = if nearer { distance } else { least[lane] };
                which[lane] = if nearer { group } else { which[lane] };
            }
        }
        let lane = (0..LANES).min_by(|&a, &b| least[a].total_cmp(&least[b])).unwrap_or(0);
        which[lane] as usize * LANES + lane
    }
}

/// Remembers what was found for colours that are opaque.
struct Memory {
    nearest: Nearest,
    /// By 6 bits a channel; 0 is unknown, else the index and 1.
    opaque: Vec<u16>,
}

impl Memory {
    fn of(&mut self, colour: [u8; 4]) -> u8 {
        let [red, green, blue, alpha] = colour;
        if alpha != u8::MAX {
            return self.nearest.of(point(colour)) as u8;
        }
        let cell = usize::from(red >> 2) << 12 | usize::from(green >> 2) << 6 | usize::from(blue >> 2);
        let known = &mut self.opaque[cell];
        if *known == 0 {
            // The middle of the cell, so that the answer does not depend on who asks first.
            let middle = [red & 0xFC | 2, green & 0xFC | 2, blue & 0xFC | 2, alpha];
            *known = self.nearest.of(point(middle)) as u16 + 1;
        }
        (*known - 1) as u8
    }
}

/// Errors of one row, 1/16 of a level, with a pixel of margin on both sides.
type Errors = Vec<[i32; 3]>;

pub(super) fn lay(palette: &Palette, bitmap: &Bitmap, alpha: Alpha, watch: &Watch) -> Result<Vec<u8>, Error> {
    let points: Vec<Point> = palette.colours.iter().copied().map(point).collect();
    let mut memory = Memory { nearest: Nearest::new(&points), opaque: vec![0; 1 << 18] };
    let (width, layout) = (bitmap.width() as usize, bitmap.layout());
    let mut indices = vec![0u8; width * bitmap.height() as usize];
    let mut errors: [Errors; 2] = [vec![[0; 3]; width + 2], vec![[0; 3]; width + 2]];
    let rows = bitmap.pixels().chunks_exact(width * layout.channels()).zip(indices.chunks_exact_mut(width));
    for (y, (row, line)) in rows.enumerate() {
        if y.is_multiple_of(ROWS) {
            watch.check()?;
        }
        let [here, below] = &mut errors;
        below.fill([0; 3]);
        let pixel = |x: usize| rgba(&row[x * layout.channels()..(x + 1) * layout.channels()], layout, alpha);
        let forwards = y % 2 == 0;
        for step in 0..width {
            let x = if forwards { step } else { width - 1 - step };
            let index = place(pixel(x), palette, &mut memory, here[x + 1]);
            line[x] = index.0;
            spread(here, below, x + 1, forwards, index.1);
        }
        errors.swap(0, 1);
    }
    Ok(indices)
}

/// The index for one pixel that has inherited an error, and the error that it leaves, in levels.
fn place(pixel: [u8; 4], palette: &Palette, memory: &mut Memory, inherited: [i32; 3]) -> (u8, [i32; 3]) {
    if pixel[3] == 0
        && let Some(index) = palette.transparent()
    {
        return (index, [0; 3]);
    }
    let mut wanted = pixel;
    for (value, error) in wanted.iter_mut().zip(inherited) {
        *value = (i32::from(*value) + (error + 8) / 16).clamp(0, 255) as u8;
    }
    let index = memory.of(wanted);
    let chosen = palette.colours.get(usize::from(index)).copied().unwrap_or_default();
    let error = std::array::from_fn(|at| {
        let left = i32::from(wanted[at]) - i32::from(chosen[at]);
        left.clamp(-MOST_ERROR, MOST_ERROR) * STRENGTH / 256
    });
    (index, error)
}

/// 7/16 to the next pixel, 3/16, 5/16 and 1/16 below. `x` counts the margin.
fn spread(here: &mut Errors, below: &mut Errors, x: usize, forwards: bool, error: [i32; 3]) {
    let (next, last) = if forwards { (x + 1, x - 1) } else { (x - 1, x + 1) };
    for channel in 0..3 {
        let left = error[channel];
        here[next][channel] += left * 7;
        below[last][channel] += left * 3;
        below[x][channel] += left * 5;
        below[next][channel] += left;
    }
}
