//! Decimal numbers as URLs carry them: fixed point, so that equal values are equal, hash alike and print alike.

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
}
