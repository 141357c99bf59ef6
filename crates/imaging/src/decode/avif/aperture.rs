//! `clap`, the clean aperture (ISO/IEC 14496-12, 12.1.4): the part of a picture that is meant to be seen.

/// Left, top, width and height, or `None` when the aperture is the whole picture, does not lie in it, or its sides are no
/// whole numbers (everything is shown then). A start between two pixels (an odd difference of the sides) is rounded down,
/// as libheif does.
pub(super) fn rectangle(values: [u32; 8], width: u32, height: u32) -> Option<(u32, u32, u32, u32)> {
    let [width_n, width_d, height_n, height_d, x_n, x_d, y_n, y_d] = values;
    let (left, columns) = span(width_n, width_d, x_n, x_d, width)?;
    let (top, rows) = span(height_n, height_d, y_n, y_d, height)?;
    ((columns, rows) != (width, height)).then_some((left, top, columns, rows))
}

/// Start and length on one axis: the aperture's middle lies `offset` right of (below) the picture's middle.
fn span(length_n: u32, length_d: u32, offset_n: u32, offset_d: u32, side: u32) -> Option<(u32, u32)> {
    if length_d == 0 || offset_d == 0 || !length_n.is_multiple_of(length_d) {
        return None;
    }
    let length = length_n / length_d;
    // The offset is signed; its denominator is positive in every file that makes sense.
    let offset_n = i128::from(offset_n as i32);
    let offset_d = i128::from(offset_d);
    // start = (side − length) / 2 + offset
    let doubled = (i128::from(side) - i128::from(length)) * offset_d + 2 * offset_n;
    let start = u32::try_from(doubled.div_euclid(2 * offset_d)).ok()?;
    let inside = length > 0 && start.checked_add(length)? <= side;
    inside.then_some((start, length))
}

#[cfg(test)]
mod tests {
    use super::rectangle;

    #[test]
    fn apertures_lie_where_their_middle_says() {
        assert_eq!(rectangle([4, 1, 2, 1, 0, 1, 0, 1], 10, 10), Some((3, 4, 4, 2)));
        // A middle 3 to the left, given in halves; 1 below.
        assert_eq!(rectangle([4, 1, 2, 1, -6_i32 as u32, 2, 1, 1], 10, 10), Some((0, 5, 4, 2)));
        // An odd difference: with half a pixel of offset, and without.
        assert_eq!(rectangle([5, 1, 10, 1, 1, 2, 0, 1], 10, 10), Some((3, 0, 5, 10)));
        assert_eq!(rectangle([5, 1, 10, 1, 0, 1, 0, 1], 10, 10), Some((2, 0, 5, 10)));
    }

    #[test]
    fn senseless_apertures_show_everything() {
        for values in [
            [10, 1, 10, 1, 0, 1, 0, 1],
            [11, 1, 10, 1, 0, 1, 0, 1],
            [4, 1, 4, 1, 4, 1, 0, 1],
            [4, 0, 4, 1, 0, 1, 0, 1],
            [4, 1, 4, 1, 0, 0, 0, 1],
            [5, 2, 4, 1, 0, 1, 0, 1],
            [0, 1, 4, 1, 0, 1, 0, 1],
            [u32::MAX, 1, u32::MAX, 1, u32::MAX, u32::MAX, u32::MAX, 1],
        ] {
            assert_eq!(rectangle(values, 10, 10), None, "{values:?}");
        }
    }
}
