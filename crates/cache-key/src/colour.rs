//! Colours as URLs write them: hexadecimal or a CSS name; printed in one form only, lower-case hexadecimal.

mod names;

use crate::percent::hex;
use crate::transform::Colour;
use std::fmt;

impl Colour {
    /// Black, opaque.
    pub const BLACK: Self = Self::opaque(0);
    /// White, opaque.
    pub const WHITE: Self = Self::opaque(0x00ff_ffff);
    /// Nothing at all.
    pub const TRANSPARENT: Self = Self { r: 0, g: 0, b: 0, a: 0 };

    /// From `0xRRGGBB`.
    pub const fn opaque(rgb: u32) -> Self {
        let [_, r, g, b] = rgb.to_be_bytes();
        Self { r, g, b, a: 255 }
    }

    /// Reads `rgb`, `rgba`, `rrggbb`, `rrggbbaa` (a leading `#` is allowed), `transparent`, or one of the 148 names of
    /// CSS Color Module Level 4. Case does not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        let mut nibbles = [0; 8];
        let all_hex = digits.len() <= 8
            && nibbles.iter_mut().zip(digits.bytes()).all(|(slot, byte)| hex(byte).map(|v| *slot = v).is_some());
        let [n0, n1, n2, n3, n4, n5, n6, n7] = nibbles;
        let short = |n: u8| n << 4 | n;
        let long = |high: u8, low: u8| high << 4 | low;
        match digits.len() {
            3 if all_hex => Some(Self { r: short(n0), g: short(n1), b: short(n2), a: 255 }),
            4 if all_hex => Some(Self { r: short(n0), g: short(n1), b: short(n2), a: short(n3) }),
            6 if all_hex => Some(Self { r: long(n0, n1), g: long(n2, n3), b: long(n4, n5), a: 255 }),
            8 if all_hex => Some(Self { r: long(n0, n1), g: long(n2, n3), b: long(n4, n5), a: long(n6, n7) }),
            _ if text.starts_with('#') => None,
            _ => named(text),
        }
    }
}

fn named(text: &str) -> Option<Colour> {
    let lower = text.to_ascii_lowercase();
    if lower == "transparent" {
        return Some(Colour::TRANSPARENT);
    }
    let found = names::NAMES.binary_search_by(|(name, _)| (*name).cmp(lower.as_str())).ok()?;
    names::NAMES.get(found).map(|(_, rgb)| Colour::opaque(*rgb))
}

/// `rrggbb`, or `rrggbbaa` where it is not opaque.
impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}{:02x}", self.r, self.g, self.b)?;
        if self.a != 255 {
            write!(f, "{:02x}", self.a)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_of_one_colour() {
        for text in ["f00", "#F00", "f00f", "ff0000", "#ff0000FF", "red", "RED"] {
            assert_eq!(Colour::parse(text), Some(Colour::opaque(0xff_0000)), "{text}");
        }
        assert_eq!(Colour::parse("transparent"), Some(Colour::TRANSPARENT));
        assert_eq!(Colour::parse("12345678").unwrap().to_string(), "12345678");
        for text in ["", "#", "ff", "fffff", "fffffff", "ggg", "#red", "reddish", "fff\0", "é12", "ff00000000"] {
            assert_eq!(Colour::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_sorted() {
        assert!(names::NAMES.is_sorted());
        for (name, rgb) in names::NAMES {
            assert_eq!(Colour::parse(name), Some(Colour::opaque(rgb)));
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(r: u8, g: u8, b: u8, a: u8) {
            let colour = Colour { r, g, b, a };
            prop_assert_eq!(Colour::parse(&colour.to_string()), Some(colour));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,12}") {
            let _ = Colour::parse(&text);
        }
    }
}
