//! The frame as SOFn declares it (T.81 B.2.2) and what the application segments say of its colours.
//! Knows the geometry of the file, not of the output. Invariant: sides, factors and counts are within T.81's ranges.

use crate::Error;

/// How the samples are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// SOF0.
    Baseline,
    /// SOF1.
    Extended,
    /// SOF2.
    Progressive,
}

/// What the stored components mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// One component.
    Gray,
    /// Three, as JFIF's YCbCr.
    YCbCr,
    /// Three, stored as they are.
    Rgb,
    /// Four, stored as they are.
    Cmyk,
    /// Four: YCbCr of the complement of CMY, and K.
    Ycck,
}

/// Sampling factors of a component, 1 to 4 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Samples across, relative to the others.
    pub horizontal: u8,
    /// Samples down, relative to the others.
    pub vertical: u8,
}

/// What the headers tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Pixels across, 1 to 65535.
    pub width: u32,
    /// Pixels down, 1 to 65535.
    pub height: u32,
    /// How it is coded.
    pub coding: Coding,
    /// What the components mean.
    pub colour: Colour,
    /// One for each component.
    pub sampling: Vec<Sampling>,
    /// The transform byte of Adobe's APP14, if that segment is there. Files of four components that have it hold
    /// inverted inks: 255 is no ink.
    pub adobe_transform: Option<u8>,
    /// Whether there are pieces of an ICC profile.
    pub has_icc: bool,
    /// Whether there is an EXIF segment.
    pub has_exif: bool,
}

/// One component of the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Component {
    pub(crate) id: u8,
    /// Sampling factors.
    pub(crate) h: u32,
    pub(crate) v: u32,
    /// The number of its quantisation table.
    pub(crate) quant: u8,
    /// Blocks that hold pixels.
    pub(crate) blocks_w: u32,
    pub(crate) blocks_h: u32,
}

/// The frame header.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) coding: Coding,
    pub(crate) components: Vec<Component>,
    /// The largest sampling factors.
    pub(crate) h_max: u32,
    pub(crate) v_max: u32,
    /// Interleaved MCUs across and down.
    pub(crate) mcus_w: u32,
    pub(crate) mcus_h: u32,
}

impl Frame {
    /// Reads the payload of SOF0, SOF1 or SOF2.
    pub(crate) fn read(coding: Coding, payload: &[u8]) -> Result<Self, Error> {
        const SHORT: Error = Error::Malformed("the frame header is too short");
        let (head, rest) = payload.split_at_checked(6).ok_or(SHORT)?;
        if head[0] != 8 {
            return Err(Error::Unsupported("samples of other than 8 bits"));
        }
        let height = u32::from(u16::from_be_bytes([head[1], head[2]]));
        let width = u32::from(u16::from_be_bytes([head[3], head[4]]));
        if width == 0 {
            return Err(Error::Malformed("the frame has no width"));
        }
        if height == 0 {
            return Err(Error::Unsupported("a height that follows the picture (DNL)"));
        }
        let count = usize::from(head[5]);
        match count {
            1 | 3 | 4 => {}
            0 => return Err(Error::Malformed("the frame has no components")),
            _ => return Err(Error::Unsupported("a number of components other than 1, 3 and 4")),
        }
        let (fields, _) = rest.split_at_checked(3 * count).ok_or(SHORT)?;
        let mut components = Vec::with_capacity(count);
        for field in fields.chunks_exact(3) {
            let (h, v) = (u32::from(field[1] >> 4), u32::from(field[1] & 15));
            if !(1..=4).contains(&h) || !(1..=4).contains(&v) || field[2] > 3 {
                return Err(Error::Malformed("a component's sampling factor or table"));
            }
            components.push(Component { id: field[0], h, v, quant: field[2], blocks_w: 0, blocks_h: 0 });
        }
        if let [only] = components.as_mut_slice() {
            // A single component is never interleaved: its factors say nothing.
            (only.h, only.v) = (1, 1);
        }
        Ok(Self::measured(coding, width, height, components))
    }

    fn measured(coding: Coding, width: u32, height: u32, mut components: Vec<Component>) -> Self {
        let h_max = components.iter().map(|c| c.h).max().unwrap_or(1);
        let v_max = components.iter().map(|c| c.v).max().unwrap_or(1);
        for component in &mut components {
            component.blocks_w = (width * component.h).div_ceil(8 * h_max);
            component.blocks_h = (height * component.v).div_ceil(8 * v_max);
        }
        let (mcus_w, mcus_h) = (width.div_ceil(8 * h_max), height.div_ceil(8 * v_max));
        Self { width, height, coding, components, h_max, v_max, mcus_w, mcus_h }
    }

    /// Blocks of all components, with those that fill the last MCUs.
    pub(crate) fn blocks(&self) -> u64 {
        let in_mcu: u64 = self.components.iter().map(|c| u64::from(c.h * c.v)).sum();
        in_mcu * u64::from(self.mcus_w) * u64::from(self.mcus_h)
    }

    /// What the components mean, by the rules that libjpeg made common.
    pub(crate) fn colour(&self, jfif: bool, adobe: Option<u8>) -> Colour {
        let ids: Vec<u8> = self.components.iter().map(|c| c.id).collect();
        match (ids.as_slice(), adobe) {
            ([_], _) => Colour::Gray,
            ([_, _, _], _) if jfif => Colour::YCbCr,
            ([_, _, _], Some(0)) => Colour::Rgb,
            ([_, _, _], Some(_)) => Colour::YCbCr,
            ([b'R', b'G', b'B'], None) => Colour::Rgb,
            ([_, _, _], None) => Colour::YCbCr,
            (_, Some(2)) => Colour::Ycck,
            _ => Colour::Cmyk,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sof(height: u16, width: u16, components: &[[u8; 3]]) -> Vec<u8> {
        let mut payload = vec![8];
        payload.extend(height.to_be_bytes());
        payload.extend(width.to_be_bytes());
        payload.push(u8::try_from(components.len()).unwrap());
        payload.extend(components.concat());
        payload
    }

    #[test]
    fn blocks_are_counted_for_each_component() {
        let payload = sof(17, 33, &[[1, 0x22, 0], [2, 0x11, 1], [3, 0x11, 1]]);
        let frame = Frame::read(Coding::Baseline, &payload).unwrap();
        assert_eq!((frame.mcus_w, frame.mcus_h), (3, 2));
        assert_eq!((frame.components[0].blocks_w, frame.components[0].blocks_h), (5, 3));
        assert_eq!((frame.components[1].blocks_w, frame.components[1].blocks_h), (3, 2));
        assert_eq!(frame.blocks(), 36);
    }

    #[test]
    fn colours_follow_markers_then_identifiers() {
        let ids =
            |a, b, c| Frame::read(Coding::Baseline, &sof(1, 1, &[[a, 0x11, 0], [b, 0x11, 0], [c, 0x11, 0]])).unwrap();
        assert_eq!(ids(b'R', b'G', b'B').colour(false, None), Colour::Rgb);
        assert_eq!(ids(b'R', b'G', b'B').colour(true, None), Colour::YCbCr);
        assert_eq!(ids(1, 2, 3).colour(false, Some(0)), Colour::Rgb);
        assert_eq!(ids(7, 8, 9).colour(false, None), Colour::YCbCr);
    }

    #[test]
    fn impossible_frames_are_refused() {
        assert!(Frame::read(Coding::Baseline, &sof(1, 0, &[[1, 0x11, 0]])).is_err());
        assert!(Frame::read(Coding::Baseline, &sof(1, 1, &[[1, 0x51, 0]])).is_err());
        assert!(Frame::read(Coding::Baseline, &sof(1, 1, &[[1, 0x11, 4]])).is_err());
        assert!(matches!(Frame::read(Coding::Baseline, &sof(0, 1, &[[1, 0x11, 0]])), Err(Error::Unsupported(_))));
    }
}
