//! The level that a still picture needs (AV1 specification, annex A.3): rav1e would state the one without bounds, which
//! some players refuse.

/// `seq_level_idx`, and the most that it allows: pixels, width, height. Rates do not bind a single picture.
const LEVELS: [(u8, u64, u32, u32); 7] = [
    (0, 147_456, 2_048, 1_152),
    (1, 278_784, 2_816, 1_584),
    (4, 665_856, 4_352, 2_448),
    (5, 1_065_024, 5_504, 3_096),
    (8, 2_359_296, 6_144, 3_456),
    (12, 8_912_896, 8_192, 4_352),
    (16, 35_651_584, 16_384, 8_704),
];

/// Beyond all levels.
const UNBOUND: u8 = 31;

/// The lowest that holds the picture.
pub(crate) fn of(width: u32, height: u32) -> u8 {
    let pixels = u64::from(width) * u64::from(height);
    let holds =
        |&&(_, most, columns, rows): &&(u8, u64, u32, u32)| pixels <= most && width <= columns && height <= rows;
    LEVELS.iter().find(holds).map_or(UNBOUND, |level| level.0)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_lowest_that_holds_it() {
        assert_eq!([of(1, 1), of(512, 288), of(513, 288), of(800, 600)], [0, 0, 1, 4]);
        assert_eq!([of(1_920, 1_080), of(3_840, 2_160), of(1_152, 2_048), of(60_000, 10)], [8, 12, 8, 31]);
    }
}
