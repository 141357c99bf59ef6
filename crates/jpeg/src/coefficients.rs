//! Quantised coefficients of a whole frame, for files whose blocks come in several scans.
//! Knows no bits. Invariant: a value means something only where its block's mask has its bit, so that the large array
//! is never cleared and pages that no coefficient falls on are never touched.

use crate::frame::Frame;
use crate::kernel::Block;
use crate::plan::{Plan, Plane};
use crate::strip::Strip;

/// Zigzag position → place in an 8 × 8 block (T.81 figure 5).
#[rustfmt::skip]
const ZIGZAG: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// How a component's coefficients become a block for its transform.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dequantiser {
    /// By zigzag position: the step (0–15) and the place in the block (16–23). What the transform does not look at goes
    /// behind the block; so does what lies behind position 63.
    entries: [u32; 128],
}

/// Where in a block nobody looks.
const ASIDE: u32 = 64;

impl Dequantiser {
    pub(crate) fn new(steps: [u16; 64], size: u32) -> Self {
        let side = size as usize;
        let mut entries = [ASIDE << 16; 128];
        for ((entry, natural), step) in entries.iter_mut().zip(ZIGZAG).zip(steps) {
            let (y, x) = (usize::from(natural) / 8, usize::from(natural) % 8);
            let place = if y < side && x < side { (y * side + x) as u32 } else { ASIDE };
            *entry = u32::from(step) | place << 16;
        }
        Self { entries }
    }

    /// The dequantised value, wrapped to 16 bits: only nonsense is that large.
    #[inline(always)]
    pub(crate) fn value(&self, k: u32, value: i32) -> i16 {
        (self.entries[(k & 127) as usize] as i16).wrapping_mul(value as i16)
    }

    /// `k` may be up to 127: beyond 63 nothing comes of it.
    #[inline(always)]
    pub(crate) fn put(&self, block: &mut Block, k: u32, value: i32) {
        let entry = self.entries[(k & 127) as usize];
        let place = (entry >> 16) as usize;
        // Never false; the compiler cannot know.
        if let Some(slot) = block.get_mut(place) {
            *slot = (entry as i16).wrapping_mul(value as i16);
        }
    }
}

/// Where a component's blocks are.
#[derive(Clone, Copy, Debug)]
struct Area {
    /// The first block's mask, and its first value.
    mask: usize,
    value: usize,
    /// Values that a block has room for; those behind are known by their mask alone.
    slots: u32,
    /// Blocks in a row.
    width: usize,
}

/// The coefficients.
#[derive(Debug)]
pub(crate) struct Coefficients<'a> {
    areas: Vec<Area>,
    masks: &'a mut [u64],
    values: &'a mut [i16],
}

/// Room for the coefficients up to `keep`.
const fn slots(keep: u32) -> u32 {
    match keep {
        0 => 1,
        1..=7 => 8,
        8..=31 => 32,
        _ => 64,
    }
}

/// One block's coefficients.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    /// Positions that are not zero, in zigzag order.
    pub(crate) mask: &'a mut u64,
    values: &'a mut [i16],
}

impl Stored<'_> {
    /// The value at a position whose bit is set; 0 where there is no room.
    #[inline(always)]
    pub(crate) fn get(&self, k: u32) -> i16 {
        self.values.get(k as usize).copied().unwrap_or(0)
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, k: u32, value: i16) {
        *self.mask |= 1 << (k & 63);
        if let Some(slot) = self.values.get_mut(k as usize) {
            *slot = value;
        }
    }
}

impl<'a> Coefficients<'a> {
    /// Masks and values that a frame needs at a plan's scale.
    pub(crate) fn len(frame: &Frame, plan: &Plan) -> (usize, usize) {
        let areas = Self::areas(frame, plan);
        areas.1
    }

    fn areas(frame: &Frame, plan: &Plan) -> (Vec<Area>, (usize, usize)) {
        let (mut mask, mut value) = (0, 0);
        let mut areas = Vec::with_capacity(plan.planes.len());
        for plane in &plan.planes {
            let (width, height) = ((frame.mcus_w * plane.h) as usize, (frame.mcus_h * plane.v) as usize);
            let slots = slots(plane.keep);
            areas.push(Area { mask, value, slots, width });
            mask += width * height;
            value += width * height * slots as usize;
        }
        (areas, (mask, value))
    }

    /// Takes memory of at least [`Self::len`], of any content.
    pub(crate) fn new(frame: &Frame, plan: &Plan, masks: &'a mut [u64], values: &'a mut [i16]) -> Self {
        let (areas, (mask_len, _)) = Self::areas(frame, plan);
        masks[..mask_len].fill(0);
        Self { areas, masks, values }
    }

    /// The block at (`x`, `y`) of a component.
    #[inline(always)]
    pub(crate) fn block(&mut self, component: usize, x: u32, y: u32) -> Stored<'_> {
        let area = &self.areas[component];
        let index = y as usize * area.width + x as usize;
        let slots = area.slots as usize;
        let start = area.value + index * slots;
        Stored { mask: &mut self.masks[area.mask + index], values: &mut self.values[start..start + slots] }
    }

    /// Transforms the blocks of MCU row `row` that the plan needs.
    pub(crate) fn transform(&mut self, plan: &Plan, row: u32, dequantisers: &[Dequantiser], strip: &mut Strip<'_>) {
        for (component, (plane, dequantiser)) in plan.planes.iter().zip(dequantisers).enumerate() {
            let wanted = (u64::MAX >> (63 - plane.keep)) & !1;
            for y in 0..plane.v {
                for x in plane.columns.0..plane.columns.1 {
                    let stored = self.block(component, x, row * plane.v + y);
                    let mask = *stored.mask;
                    let dc = if mask & 1 == 1 { dequantiser.value(0, i32::from(stored.get(0))) } else { 0 };
                    let mut rest = mask & wanted;
                    if rest == 0 {
                        strip.flat(plane, x, y, dc);
                        continue;
                    }
                    let block = strip.slot(plane);
                    block[0] = dc;
                    while rest != 0 {
                        let k = rest.trailing_zeros();
                        dequantiser.put(block, k, i32::from(stored.get(k)));
                        rest &= rest - 1;
                    }
                    strip.push(plane, x, y);
                }
            }
        }
    }
}

/// A plane's blocks, for walks that want only those.
pub(crate) fn wanted(plane: &Plane, x: u32) -> bool {
    (plane.columns.0..plane.columns.1).contains(&x)
}
