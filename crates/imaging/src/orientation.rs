//! How a stored picture has to be turned to stand upright: the eight values of EXIF tag 0x0112 (EXIF 2.32, 4.6.4 A).
//! It moves no pixels; `op` does.

/// What the stored picture needs, in the sense of EXIF: `Rotate90` means that the *viewer* turns it by 90° clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Orientation {
    /// 1: as stored.
    #[default]
    Upright,
    /// 2: mirror left and right.
    FlipHorizontal,
    /// 3: turn by 180°.
    Rotate180,
    /// 4: mirror top and bottom.
    FlipVertical,
    /// 5: mirror at the diagonal from top left: rows become columns.
    Transpose,
    /// 6: turn by 90° clockwise.
    Rotate90,
    /// 7: mirror at the diagonal from top right.
    Transverse,
    /// 8: turn by 270° clockwise.
    Rotate270,
}

impl Orientation {
    /// All, in the order of their EXIF values 1 to 8.
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::FlipHorizontal,
        Self::Rotate180,
        Self::FlipVertical,
        Self::Transpose,
        Self::Rotate90,
        Self::Transverse,
        Self::Rotate270,
    ];

    /// From the EXIF value, 1 to 8; `None` for anything else (readers then take the picture as stored).
    pub fn from_exif(value: u32) -> Option<Self> {
        let index = usize::try_from(value).ok()?.checked_sub(1)?;
        Self::ALL.get(index).copied()
    }

    /// The EXIF value, 1 to 8.
    pub const fn exif(self) -> u8 {
        self as u8 + 1
    }

    /// Whether width and height change places.
    pub const fn swaps_sides(self) -> bool {
        matches!(self, Self::Transpose | Self::Rotate90 | Self::Transverse | Self::Rotate270)
    }

    /// Width and height after turning a picture of `width` × `height`.
    pub const fn turned(self, width: u32, height: u32) -> (u32, u32) {
        if self.swaps_sides() { (height, width) } else { (width, height) }
    }
}

#[cfg(test)]
mod tests {
    use super::Orientation;

    #[test]
    fn exif_values_go_round() {
        for (index, orientation) in Orientation::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(orientation.exif()), index + 1);
            assert_eq!(Orientation::from_exif(u32::from(orientation.exif())), Some(orientation));
        }
        for wrong in [0, 9, u32::MAX] {
            assert_eq!(Orientation::from_exif(wrong), None);
        }
    }

    #[test]
    fn the_upper_four_swap_the_sides() {
        for orientation in Orientation::ALL {
            let expected = if orientation.exif() >= 5 { (2, 3) } else { (3, 2) };
            assert_eq!(orientation.turned(3, 2), expected, "{orientation:?}");
        }
    }
}
