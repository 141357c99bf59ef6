//! Takes the samples of a chunk apart and brings each to 8 bits: whole numbers to the nearest, floating ones through
//! sRGB's curve. Indices of a palette stay what they are.

use crate::metadata::tiff::TiffHeader;

/// Where a chunk lies in its band of rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Its number from the left.
    pub(super) across: u32,
    /// Which sample it holds, where each has its own chunks.
    pub(super) plane: Option<usize>,
    /// Rows of the band that belong to the picture.
    pub(super) rows: usize,
}

/// How samples become 8 bits.
pub(super) struct Table {
    /// For up to 8 bits.
    narrow: [u8; 256],
}

impl Table {
    pub(super) fn of(header: &TiffHeader<'_>) -> Self {
        let most = (1u32 << header.bits.min(8)) - 1;
        let index = header.photometric == 3;
        // Lab's a and b are signed by nature; the others' sign bit is a way of counting from the middle.
        let signed = header.format == 2 && header.photometric != 8;
        let narrow = std::array::from_fn(|value| {
            let value = value as u32 & most;
            match (index, signed) {
                (true, _) => value as u8,
                (false, true) => (value.min(most / 2) * 255 / (most / 2).max(1)).min(255) as u8,
                (false, false) => ((value * 255 + most / 2) / most) as u8,
            }
        });
        // A negative number has no colour.
        let narrow = if signed && !index {
            std::array::from_fn(|value| if value as u32 & most > most / 2 { 0 } else { narrow[value] })
        } else {
            narrow
        };
        Self { narrow }
    }

    /// Puts the samples of a chunk where they belong in the band (rows of all samples of all pixels).
    pub(super) fn spread(&self, header: &TiffHeader<'_>, width: u32, stored: &[u8], place: Place, band: &mut [u8]) {
        let samples = usize::from(header.samples);
        let (mine, first, step) = match place.plane {
            Some(plane) => (1, plane, samples),
            None => (samples, 0, 1),
        };
        let stride = (width as usize * mine * usize::from(header.bits)).div_ceil(8);
        let left = place.across as usize * width as usize;
        let here = (width as usize).min((header.width as usize).saturating_sub(left));
        let lines = band.chunks_exact_mut(header.width as usize * samples);
        for (row, line) in stored.chunks_exact(stride.max(1)).zip(lines).take(place.rows) {
            let out = line.get_mut(left * samples + first..).unwrap_or_default().iter_mut().step_by(step);
            self.row(header, row, out.take(here * mine));
        }
    }

    fn row<'a>(&self, header: &TiffHeader<'_>, row: &[u8], out: impl Iterator<Item = &'a mut u8>) {
        let little = header.little;
        match (header.bits, header.format) {
            (8, _) => out.zip(row).for_each(|(out, &value)| *out = self.narrow[usize::from(value)]),
            (16, 3) => each::<2>(row, out, little, |bits| float(half(bits as u16))),
            (32, 3) => each::<4>(row, out, little, |bits| float(f32::from_bits(bits as u32))),
            (64, 3) => each::<8>(row, out, little, |bits| float(f64::from_bits(bits) as f32)),
            (16, 2) => each::<2>(row, out, little, |bits| signed(i64::from(bits as u16 as i16), 15)),
            (32, 2) => each::<4>(row, out, little, |bits| signed(i64::from(bits as u32 as i32), 31)),
            (16, _) => each::<2>(row, out, little, |bits| ((bits * 255 + 32_767) / 65_535) as u8),
            (24, _) => each::<3>(row, out, little, |bits| (bits >> 16) as u8),
            (32, _) => each::<4>(row, out, little, |bits| (bits >> 24) as u8),
            (bits, _) => self.packed(bits.into(), row, out),
        }
    }

    /// Samples that share bytes, from the highest bit.
    fn packed<'a>(&self, bits: usize, row: &[u8], out: impl Iterator<Item = &'a mut u8>) {
        for (number, out) in out.enumerate() {
            let at = number * bits;
            let byte = |at: usize| u32::from(row.get(at).copied().unwrap_or_default());
            let window = byte(at / 8) << 16 | byte(at / 8 + 1) << 8 | byte(at / 8 + 2);
            let value = window >> (24 - bits - at % 8) & ((1 << bits) - 1);
            *out = if bits > 8 { (value >> (bits - 8)) as u8 } else { self.narrow[value as usize & 255] };
        }
    }
}

fn each<'a, const SIZE: usize>(
    row: &[u8],
    out: impl Iterator<Item = &'a mut u8>,
    little: bool,
    narrow: impl Fn(u64) -> u8,
) {
    for (out, bytes) in out.zip(row.as_chunks::<SIZE>().0) {
        let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        *out = narrow(if little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) });
    }
}

/// From 0 up; a negative number has no colour.
fn signed(value: i64, bits: u32) -> u8 {
    ((value.max(0) * 255) >> bits).min(255) as u8
}

/// Linear light, 0 to 1, through the curve of IEC 61966-2-1. No number is black.
pub(super) fn float(value: f32) -> u8 {
    let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
    let curved = if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
    (curved * 255.0 + 0.5) as u8
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let value = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    };
    if sign == 1 { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read() {
        for (bits, value) in [(0x3C00, 1.0), (0xC000, -2.0), (0x3555, 0.333_251_95), (0x0001, 5.960_464_5e-8), (0, 0.0)]
        {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7C01).is_nan());
        assert_eq!((float(f32::NAN), float(-1.0), float(9.0), float(0.214)), (0, 0, 255, 127));
    }

    #[test]
    fn negative_numbers_are_black() {
        assert_eq!((signed(-5, 15), signed(32_767, 15), signed(16_384, 15)), (0, 254, 127));
    }
}
