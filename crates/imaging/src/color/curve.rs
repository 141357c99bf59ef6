//! The transfer curve of sRGB (IEC 61966-2-1), from 0 to 1 both ways. Negative values follow the straight part.

/// Light of a value.
pub(crate) fn to_light(value: f64) -> f64 {
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Value of a light.
pub(crate) fn of_light(light: f64) -> f64 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}
