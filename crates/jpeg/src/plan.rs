//! From the frame to what is asked for: which blocks are needed, how large each comes out of its transform, how its
//! plane is brought to the output's size. Pure arithmetic. Invariant: `Plan` addresses samples of its strip only.

use crate::Error;
use crate::frame::{Colour, Frame};

/// How much smaller the output is than the frame, on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scale {
    /// 1/8: the mean of each block.
    Eighth,
    /// 1/4.
    Quarter,
    /// 1/2.
    Half,
    /// 1/1.
    #[default]
    Full,
}

impl Scale {
    /// All, the smallest first.
    pub const ALL: [Self; 4] = [Self::Eighth, Self::Quarter, Self::Half, Self::Full];

    /// Samples that a block of 8 yields on a side: 1, 2, 4 or 8.
    pub const fn eighths(self) -> u32 {
        match self {
            Self::Eighth => 1,
            Self::Quarter => 2,
            Self::Half => 4,
            Self::Full => 8,
        }
    }

    /// What a side of the frame becomes: rounded up, as libjpeg does.
    pub const fn of(self, side: u32) -> u32 {
        (side * self.eighths()).div_ceil(8)
    }

    /// The smallest scale at which a frame of `width × height` still has `min_width × min_height` pixels; `Full` if
    /// none has.
    pub fn at_least(width: u32, height: u32, min_width: u32, min_height: u32) -> Self {
        let enough = |scale: &Self| scale.of(width) >= min_width && scale.of(height) >= min_height;
        Self::ALL.into_iter().find(enough).unwrap_or(Self::Full)
    }
}

/// Channels of the output, interleaved, 8 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Luminance.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Cyan, magenta, yellow, black as stored: see [`crate::Info::adobe_transform`] for which way round.
    Cmyk,
}

impl Layout {
    /// Bytes of a pixel.
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }

    pub(crate) const fn of(colour: Colour) -> Self {
        match colour {
            Colour::Gray => Self::Gray,
            Colour::YCbCr | Colour::Rgb => Self::Rgb,
            Colour::Cmyk | Colour::Ycck => Self::Cmyk,
        }
    }
}

/// A part of the output, in pixels of the scaled picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Pixels from the left.
    pub x: u32,
    /// Pixels from the top.
    pub y: u32,
    /// Pixels across, at least 1.
    pub width: u32,
    /// Pixels down, at least 1.
    pub height: u32,
}

/// How a component's plane becomes as large as the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upsample {
    /// It is.
    None,
    /// Twice as wide, by a triangle filter (libjpeg's "fancy").
    Across,
    /// Twice as high, likewise.
    Down,
    /// Both.
    Both,
    /// The nearest sample: output × `of` / `to`, across and down.
    Nearest { of_x: u32, to_x: u32, of_y: u32, to_y: u32 },
}

/// One component's plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plane {
    /// Blocks in an MCU.
    pub(crate) h: u32,
    pub(crate) v: u32,
    /// Samples that a block yields on a side: 1, 2, 4, 8.
    pub(crate) size: u32,
    /// The last coefficient that the transform to `size` looks at, in zigzag order.
    pub(crate) keep: u32,
    /// Blocks of a row that are needed: from, to.
    pub(crate) columns: (u32, u32),
    /// Samples of the plane that lie in the picture.
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) upsample: Upsample,
    /// Where the plane's strip begins, and from row to row.
    pub(crate) base: usize,
    pub(crate) stride: usize,
}

impl Plane {
    /// Rows that an MCU row adds.
    pub(crate) fn rows(&self) -> u32 {
        self.v * self.size
    }
}

/// The whole plan.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) region: Region,
    /// Lines of output that an MCU row adds.
    pub(crate) lines: u32,
    /// The height of the whole scaled picture.
    pub(crate) height: u32,
    /// MCU rows that are needed: from, to.
    pub(crate) rows: (u32, u32),
    pub(crate) planes: Vec<Plane>,
    /// Bytes of the strip of all planes.
    pub(crate) strip: usize,
}

/// Bytes beyond each row, so that vector kernels may write whole vectors.
pub(crate) const SLACK: usize = 64;

/// By `eighths`: the last zigzag position inside the kept square.
const fn keep(size: u32) -> u32 {
    match size {
        1 => 0,
        2 => 4,
        4 => 24,
        _ => 63,
    }
}

impl Plan {
    pub(crate) fn new(frame: &Frame, scale: Scale, region: Option<Region>) -> Result<Self, Error> {
        let (width, height) = (scale.of(frame.width), scale.of(frame.height));
        let region = region.unwrap_or(Region { x: 0, y: 0, width, height });
        let inside = |at: u32, size: u32, whole: u32| size > 0 && at.checked_add(size).is_some_and(|end| end <= whole);
        if !inside(region.x, region.width, width) || !inside(region.y, region.height, height) {
            return Err(Error::Usage("the region is not inside the picture"));
        }
        let lines = frame.v_max * scale.eighths();
        // One line more on either side: filters look at their neighbours.
        let rows = (region.y.saturating_sub(1) / lines, ((region.y + region.height) / lines + 1).min(frame.mcus_h));
        let mut plan = Self { region, lines, height, rows, planes: Vec::new(), strip: 0 };
        for component in &frame.components {
            let plane = plan.plane(frame, (component.h, component.v), scale.eighths());
            // One row more: the last of the MCU row above.
            plan.strip += plane.stride * (plane.rows() as usize + 1);
            plan.planes.push(plane);
        }
        Ok(plan)
    }

    fn plane(&self, frame: &Frame, (h, v): (u32, u32), base_size: u32) -> Plane {
        let (full_x, full_y) = (frame.h_max * base_size, frame.v_max * base_size);
        // Chroma that is coded at half the size needs half the shrinking (libjpeg's rule: on both sides alike).
        let mut size = base_size;
        while size < 8 && full_x % (h * size * 2) == 0 && full_y % (v * size * 2) == 0 {
            size *= 2;
        }
        let (of_x, of_y) = (h * size, v * size);
        let width = (frame.width * of_x).div_ceil(8 * frame.h_max);
        let height = (frame.height * of_y).div_ceil(8 * frame.v_max);
        let fancy = base_size > 1;
        let upsample = match (of_x * 2 == full_x, of_y * 2 == full_y) {
            _ if of_x == full_x && of_y == full_y => Upsample::None,
            (true, false) if of_y == full_y && fancy && width > 2 => Upsample::Across,
            (false, true) if of_x == full_x && fancy => Upsample::Down,
            (true, true) if fancy && width > 2 => Upsample::Both,
            _ => Upsample::Nearest { of_x, to_x: full_x, of_y, to_y: full_y },
        };
        let (left, right) = (self.region.x, self.region.x + self.region.width - 1);
        let first = (left * of_x / full_x).saturating_sub(1) / size;
        let last = (right * of_x / full_x + 1) / size;
        let columns = (first, (last + 1).min(frame.mcus_w * h));
        let stride = (frame.mcus_w * h * size) as usize + SLACK;
        Plane { h, v, size, keep: keep(size), columns, width, height, upsample, base: self.strip, stride }
    }

    /// Lines at the end of an MCU row that wait for the next row, since their filters look at it.
    pub(crate) fn lag(&self) -> u32 {
        u32::from(self.planes.iter().any(|plane| matches!(plane.upsample, Upsample::Down | Upsample::Both)))
    }

    /// The line up to which those of the region can be written once MCU row `row` is complete.
    pub(crate) fn until(&self, row: u32) -> u32 {
        let (there, end) = ((row + 1) * self.lines, self.region.y + self.region.height);
        if there >= self.height { end } else { (there - self.lag()).clamp(self.region.y, end) }
    }

    /// Bytes for two upsampled or gathered lines of each component.
    pub(crate) fn line_len(&self) -> usize {
        // Twice the samples of the region, and both neighbours.
        (self.region.width as usize + 8).next_multiple_of(64) + SLACK
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Coding;

    fn frame(width: u16, height: u16, factors: &[u8]) -> Frame {
        let mut payload = vec![8];
        payload.extend(height.to_be_bytes());
        payload.extend(width.to_be_bytes());
        payload.push(factors.len() as u8);
        for (id, &factor) in factors.iter().enumerate() {
            payload.extend([id as u8, factor, 0]);
        }
        Frame::read(Coding::Baseline, &payload).unwrap()
    }

    #[test]
    fn the_smallest_scale_that_is_enough_is_chosen() {
        assert_eq!(Scale::at_least(800, 600, 100, 75), Scale::Eighth);
        assert_eq!(Scale::at_least(800, 600, 101, 75), Scale::Quarter);
        assert_eq!(Scale::at_least(800, 600, 900, 1), Scale::Full);
        assert_eq!(Scale::at_least(801, 1, 101, 1), Scale::Eighth);
    }

    #[test]
    fn halved_chroma_is_transformed_larger_instead_of_upsampled() {
        let frame = frame(100, 100, &[0x22, 0x11, 0x11]);
        let half = Plan::new(&frame, Scale::Half, None).unwrap();
        assert_eq!((half.planes[0].size, half.planes[1].size), (4, 8));
        assert_eq!(half.planes[1].upsample, Upsample::None);
        let full = Plan::new(&frame, Scale::Full, None).unwrap();
        assert_eq!(full.planes[1].upsample, Upsample::Both);
    }

    #[test]
    fn only_halving_across_is_upsampled_across() {
        let frame = frame(100, 100, &[0x21, 0x11, 0x11]);
        let half = Plan::new(&frame, Scale::Half, None).unwrap();
        assert_eq!((half.planes[1].size, half.planes[1].upsample), (4, Upsample::Across));
        let eighth = Plan::new(&frame, Scale::Eighth, None).unwrap();
        assert!(matches!(eighth.planes[1].upsample, Upsample::Nearest { of_x: 1, to_x: 2, of_y: 1, to_y: 1 }));
    }

    #[test]
    fn a_region_needs_its_blocks_and_their_neighbours() {
        let frame = frame(1600, 1600, &[0x22, 0x11, 0x11]);
        let region = Region { x: 160, y: 320, width: 32, height: 16 };
        let plan = Plan::new(&frame, Scale::Full, Some(region)).unwrap();
        assert_eq!(plan.rows, (19, 22));
        assert_eq!(plan.planes[0].columns, (19, 25));
        assert_eq!(plan.planes[1].columns, (9, 13));
        let outside = Region { x: 1599, y: 0, width: 2, height: 1 };
        assert!(matches!(Plan::new(&frame, Scale::Full, Some(outside)), Err(Error::Usage(_))));
    }
}
