//! Colours as they are compared: CIELAB (D65) rounded to a grid, so that every engine finds the same with plain words.
//!
//! A colour's *cell* is the nearest point of a grid with a step of 5 in L*, a* and b*; the distance of a picture's colour
//! from the one asked for is the Euclidean distance (CIE76 ΔE) between the latter and that point. Rounding moves a colour
//! by 4.4 at most, less than people tell apart in different pictures. Names are those of the eleven basic colour terms.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// Step of the grid.
const STEP: f32 = 5.0;
/// A palette's colour counts from this share of the picture on.
pub(crate) const MIN_SHARE: f32 = 0.1;
/// Largest distance that can be asked for.
pub(crate) const MAX_WITHIN: f32 = 40.0;

/// A colour of the sRGB space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub [u8; 3]);

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for Rgb {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        let plain = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let value = u32::from_str_radix(digits, 16).ok().filter(|_| plain);
        let [_, red, green, blue] = value.ok_or("a colour is written as #rrggbb")?.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl Serialize for Rgb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rgb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A colour of CIELAB under D65.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lab {
    /// Lightness, 0 to 100.
    pub l: f32,
    /// Green to red.
    pub a: f32,
    /// Blue to yellow.
    pub b: f32,
}

impl From<Rgb> for Lab {
    /// By IEC 61966-2-1 and CIE 15.
    fn from(rgb: Rgb) -> Self {
        let [red, green, blue] = rgb.0.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        let x = 0.412_456_4 * red + 0.357_576_1 * green + 0.180_437_5 * blue;
        let y = 0.212_672_9 * red + 0.715_152_2 * green + 0.072_175 * blue;
        let z = 0.019_333_9 * red + 0.119_192 * green + 0.950_304_1 * blue;
        let f = |value: f64| {
            const EDGE: f64 = 216.0 / 24_389.0;
            if value > EDGE { value.cbrt() } else { value.mul_add(24_389.0 / 27.0, 16.0) / 116.0 }
        };
        let (x, y, z) = (f(x / 0.950_47), f(y), f(z / 1.088_83));
        Self { l: (116.0 * y - 16.0) as f32, a: (500.0 * (x - y)) as f32, b: (200.0 * (y - z)) as f32 }
    }
}

/// What a colour is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NearTo {
    /// Any colour of the palette with a tenth of the picture or more.
    #[default]
    Palette,
    /// The mean colour.
    Average,
}

/// Pictures with a colour near this one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// The colour.
    pub colour: Rgb,
    /// Largest distance (CIE76 ΔE) from it, 1 to 40.
    pub within: f32,
    /// Compared with what.
    pub to: NearTo,
}

/// A point of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Cell([i16; 3]);

impl Cell {
    pub(crate) fn of(rgb: Rgb) -> Self {
        let Lab { l, a, b } = rgb.into();
        Self([l, a, b].map(|value| (value / STEP).round() as i16))
    }

    /// As a word of the index.
    pub(crate) fn token(self) -> String {
        let [l, a, b] = self.0;
        format!("{l}.{a}.{b}")
    }

    fn distance(self, from: Lab) -> f32 {
        let [l, a, b] = self.0.map(|value| f32::from(value) * STEP);
        ((l - from.l).powi(2) + (a - from.a).powi(2) + (b - from.b).powi(2)).sqrt()
    }
}

impl Near {
    /// The cells within, by their distance in whole steps of ΔE, the nearest first.
    pub(crate) fn rings(&self) -> Vec<(u32, Vec<String>)> {
        let centre = Lab::from(self.colour);
        let reach = (self.within / STEP).ceil() as i16 + 1;
        let [l, a, b] = Cell::of(self.colour).0;
        let mut rings: std::collections::BTreeMap<u32, Vec<String>> = std::collections::BTreeMap::new();
        for l in (l - reach).max(0)..=(l + reach).min(20) {
            for a in a - reach..=a + reach {
                for b in b - reach..=b + reach {
                    let cell = Cell([l, a, b]);
                    let distance = cell.distance(centre);
                    if distance <= self.within {
                        rings.entry(distance as u32).or_default().push(cell.token());
                    }
                }
            }
        }
        rings.into_iter().collect()
    }
}

/// The eleven basic colour terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum ColourName {
    /// Black.
    Black,
    /// Blue.
    Blue,
    /// Brown.
    Brown,
    /// Green.
    Green,
    /// Grey.
    Grey,
    /// Orange.
    Orange,
    /// Pink.
    Pink,
    /// Purple.
    Purple,
    /// Red.
    Red,
    /// White.
    White,
    /// Yellow.
    Yellow,
}

impl ColourName {
    /// All, in the order of their names.
    pub const ALL: [Self; 11] = [
        Self::Black,
        Self::Blue,
        Self::Brown,
        Self::Green,
        Self::Grey,
        Self::Orange,
        Self::Pink,
        Self::Purple,
        Self::Red,
        Self::White,
        Self::Yellow,
    ];

    /// What people mostly call a colour: by lightness, chroma and hue of CIELAB.
    #[must_use]
    pub fn of(rgb: Rgb) -> Self {
        let Lab { l, a, b } = rgb.into();
        let chroma = a.hypot(b);
        let hue = b.atan2(a).to_degrees().rem_euclid(360.0);
        if l < 12.0 || (l < 20.0 && chroma < 10.0) {
            return Self::Black;
        }
        if chroma < 10.0 {
            return if l > 90.0 { Self::White } else { Self::Grey };
        }
        match hue {
            _ if !(20.0..345.0).contains(&hue) => {
                if l > 62.0 || hue >= 345.0 && l > 45.0 {
                    Self::Pink
                } else {
                    Self::Red
                }
            }
            h if h < 48.0 => match () {
                () if l > 70.0 => Self::Pink,
                () if chroma < 45.0 => Self::Brown,
                () => Self::Red,
            },
            h if h < 76.0 => {
                if l < 58.0 || chroma < 32.0 {
                    Self::Brown
                } else {
                    Self::Orange
                }
            }
            h if h < 110.0 => {
                if l < 50.0 || (chroma < 30.0 && l < 75.0) {
                    Self::Brown
                } else {
                    Self::Yellow
                }
            }
            h if h < 192.0 => Self::Green,
            h if h < 309.0 => Self::Blue,
            _ => {
                if l > 70.0 && hue > 320.0 {
                    Self::Pink
                } else {
                    Self::Purple
                }
            }
        }
    }

    /// In English, as it is written in queries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::Blue => "blue",
            Self::Brown => "brown",
            Self::Green => "green",
            Self::Grey => "grey",
            Self::Orange => "orange",
            Self::Pink => "pink",
            Self::Purple => "purple",
            Self::Red => "red",
            Self::White => "white",
            Self::Yellow => "yellow",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rgb(text: &str) -> Rgb {
        text.parse().unwrap()
    }

    #[test]
    fn lab_is_that_of_the_tables() {
        for (colour, l, a, b) in [
            ("#ffffff", 100.0, 0.0, 0.0),
            ("#000000", 0.0, 0.0, 0.0),
            ("#ff0000", 53.24, 80.09, 67.20),
            ("#00ff00", 87.73, -86.18, 83.18),
            ("#0000ff", 32.30, 79.19, -107.86),
        ] {
            let lab = Lab::from(rgb(colour));
            let off = (lab.l - l).abs().max((lab.a - a).abs()).max((lab.b - b).abs());
            assert!(off < 0.05, "{colour}: {lab:?}");
        }
    }

    #[test]
    fn colours_have_the_names_people_give_them() {
        for (colour, name) in [
            ("#000000", "black"),
            ("#ffffff", "white"),
            ("#808080", "grey"),
            ("#ff0000", "red"),
            ("#8b0000", "red"),
            ("#00a000", "green"),
            ("#006400", "green"),
            ("#0000ff", "blue"),
            ("#87ceeb", "blue"),
            ("#ffff00", "yellow"),
            ("#ffd700", "yellow"),
            ("#ffa500", "orange"),
            ("#ff8c00", "orange"),
            ("#ffc0cb", "pink"),
            ("#ff69b4", "pink"),
            ("#800080", "purple"),
            ("#8a2be2", "purple"),
            ("#8b4513", "brown"),
            ("#5e4e31", "brown"),
        ] {
            assert_eq!(ColourName::of(rgb(colour)).as_str(), name, "{colour}");
        }
        let mut sorted = ColourName::ALL;
        sorted.sort_by_key(|name| name.as_str());
        assert_eq!(sorted, ColourName::ALL);
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for bad in ["", "#12345", "#1234567", "red", "#+12345", "#gggggg"] {
            assert!(bad.parse::<Rgb>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn rings_hold_exactly_the_cells_within(one: [u8; 3], two: [u8; 3], within in 1.0_f32..MAX_WITHIN) {
            let near = Near { colour: Rgb(one), within, to: NearTo::Palette };
            let cell = Cell::of(Rgb(two));
            let found = near.rings().into_iter().find(|(_, cells)| cells.contains(&cell.token())).map(|(ring, _)| ring);
            let distance = cell.distance(Rgb(one).into());
            prop_assert_eq!(found, (distance <= within).then_some(distance as u32));
        }

        #[test]
        fn rounding_moves_little(one: [u8; 3]) {
            prop_assert!(Cell::of(Rgb(one)).distance(Rgb(one).into()) <= 4.4);
        }

        #[test]
        fn what_is_written_reads_back(one: [u8; 3]) {
            prop_assert_eq!(Rgb(one).to_string().parse::<Rgb>(), Ok(Rgb(one)));
        }
    }
}
