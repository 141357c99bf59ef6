//! The palette of a picture that has few colours anyway: nothing is lost. A photograph is given up after its first few
//! hundred pixels.

use super::{Alpha, Indexed, MOST, Palette, rgba};
use crate::bitmap::{Bitmap, Layout};

/// Slots of the table: four times what it may hold, so that probes are short.
const SLOTS: usize = 1024;

/// Open addressing over at most [`MOST`] colours.
struct Table {
    slots: [Option<([u8; 4], u8)>; SLOTS],
    colours: Vec<[u8; 4]>,
}

impl Table {
    /// The number of a colour, given in the order of appearance; `None` when there are too many.
    fn number(&mut self, colour: [u8; 4]) -> Option<u8> {
        let mut at = (u32::from_le_bytes(colour).wrapping_mul(0x9E37_79B1) >> 22) as usize;
        loop {
            match self.slots.get_mut(at % SLOTS)? {
                Some((known, number)) if *known == colour => return Some(*number),
                Some(_) => at += 1,
                free => {
                    if self.colours.len() == MOST {
                        return None;
                    }
                    let number = u8::try_from(self.colours.len()).ok()?;
                    *free = Some((colour, number));
                    self.colours.push(colour);
                    return Some(number);
                }
            }
        }
    }
}

pub(super) fn index(bitmap: &Bitmap, alpha: Alpha) -> Option<Indexed> {
    let layout = bitmap.layout();
    let mut table = Table { slots: [None; SLOTS], colours: Vec::new() };
    let mut indices = Vec::new();
    let mut last = None;
    for pixel in bitmap.pixels().chunks_exact(layout.channels()) {
        let colour = match (alpha, pixel) {
            // Colours below transparency count as well: nothing at all is lost.
            (Alpha::Levels, &[red, green, blue, cover]) => [red, green, blue, cover],
            _ => rgba(pixel, layout, alpha),
        };
        if alpha == Alpha::Bit && layout == Layout::Rgba && !matches!(pixel.get(3), Some(0 | 255)) {
            return None;
        }
        let number = match last {
            Some((known, number)) if known == colour => number,
            _ => table.number(colour)?,
        };
        last = Some((colour, number));
        indices.push(number);
    }
    Some(sorted(&table.colours, indices))
}

/// Colours with the least alpha first (PNG's `tRNS` may end with the last that is not opaque), then by luminance:
/// neighbours have near indices, which compresses better.
fn sorted(colours: &[[u8; 4]], mut indices: Vec<u8>) -> Indexed {
    let mut order: Vec<usize> = (0..colours.len()).collect();
    let key = |&at: &usize| {
        let [red, green, blue, alpha] = colours[at];
        (alpha, 2 * u32::from(red) + 5 * u32::from(green) + u32::from(blue), colours[at])
    };
    order.sort_by_key(key);
    let mut place = [0u8; MOST];
    for (new, &old) in (0..=u8::MAX).zip(&order) {
        place[old] = new;
    }
    indices.iter_mut().for_each(|index| *index = place[usize::from(*index)]);
    Indexed { palette: Palette { colours: order.iter().map(|&at| colours[at]).collect() }, indices }
}
