//! sRGB values and linear light (IEC 61966-2-1), by tables: 8 bits one way, 16 bits back.

use crate::color::curve;
use std::sync::LazyLock;

/// sRGB value → linear light, 65535 is all.
pub(super) static LINEAR: LazyLock<[u16; 256]> =
    LazyLock::new(|| std::array::from_fn(|value| (curve::to_light(value as f64 / 255.0) * 65535.0).round() as u16));

/// Linear light → sRGB value.
pub(super) static ENCODED: LazyLock<Box<[u8; 65536]>> = LazyLock::new(|| {
    let mut table = Box::new([0; 65536]);
    for (light, value) in table.iter_mut().enumerate() {
        *value = (curve::of_light(light as f64 / 65535.0) * 255.0).round() as u8;
    }
    table
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for value in 0..=255u8 {
            assert_eq!(ENCODED[usize::from(LINEAR[usize::from(value)])], value);
        }
        // 50 % of the light.
        assert_eq!(ENCODED[32768], 188);
    }
}
