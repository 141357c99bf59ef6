//! Decimal numbers as URLs carry them: fixed point, so that equal values are equal, hash alike and print alike.

use std::fmt;

/// A decimal with four places after the point, kept as a whole number of ten-thousandths.
///
/// `1`, `1.0` and `01.0000` are one value; floating point never enters a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

impl Decimal {
    /// Ten-thousandths in one whole.
    pub const SCALE: i64 = 10_000;
    /// 0
    pub const ZERO: Self = Self(0);
    /// 1
    pub const ONE: Self = Self(Self::SCALE);

    /// From a number of ten-thousandths.
    pub const fn from_scaled(ten_thousandths: i64) -> Self {
        Self(ten_thousandths)
    }

    /// From a whole number.
    pub const fn from_int(value: i32) -> Self {
        Self(value as i64 * Self::SCALE)
    }

    /// The number of ten-thousandths.
    pub const fn scaled(self) -> i64 {
        self.0
    }

    /// The nearest `f64`, for arithmetic on pixels; never fed back into a key.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::SCALE as f64
    }

    /// The whole number that this is, if it is one.
    pub const fn to_int(self) -> Option<i64> {
        if self.0 % Self::SCALE == 0 { Some(self.0 / Self::SCALE) } else { None }
    }

    /// Reads `-?digits[.digits]` or `-?.digits`, the whole of the text: at most ten digits before the point and twenty
    /// after it. Places beyond the fourth are rounded, halves away from zero. No exponent, no plus sign.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None if digits.is_empty() => return None,
            None => (digits, ""),
        };
        if whole.len() > 10 || fraction.len() > 20 {
            return None;
        }
        let mut scaled: i64 = 0;
        for byte in whole.bytes() {
            scaled = scaled * 10 + digit(byte)?;
        }
        let mut places = fraction.bytes();
        for _ in 0..4 {
            scaled = scaled * 10 + places.next().map_or(Some(0), digit)?;
        }
        if places.next().map_or(Some(0), digit)? >= 5 {
            scaled += 1;
        }
        for byte in places {
            digit(byte)?;
        }
        Some(Self(if negative { -scaled } else { scaled }))
    }
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

/// The shortest form: no trailing zeros, no point without places after it.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let scale = Self::SCALE.unsigned_abs();
        let (whole, mut fraction) = (magnitude / scale, magnitude % scale);
        if self.0 < 0 {
            f.write_str("-")?;
        }
        write!(f, "{whole}")?;
        if fraction == 0 {
            return Ok(());
        }
        let mut width = 4;
        while fraction % 10 == 0 {
            fraction /= 10;
            width -= 1;
        }
        write!(f, ".{fraction:0width$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_prints() {
        for (text, printed) in [
            ("1", "1"),
            ("01.0000", "1"),
            ("0.50", "0.5"),
            (".5", "0.5"),
            ("-0.0001", "-0.0001"),
            ("-0", "0"),
            ("0.33335", "0.3334"),
            ("0.33334999", "0.3333"),
            ("9999999999", "9999999999"),
        ] {
            assert_eq!(Decimal::parse(text).map(|d| d.to_string()).as_deref(), Some(printed), "{text}");
        }
        for text in ["", "-", ".", "1.", "+1", "1e3", "1,5", " 1", "1 ", "12345678901", "0.5x", "٣", "--1", "1.00000x"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(scaled in -99_999_999_999_999_i64..=99_999_999_999_999) {
            let value = Decimal::from_scaled(scaled);
            prop_assert_eq!(Decimal::parse(&value.to_string()), Some(value));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = Decimal::parse(&text);
        }
    }
}
