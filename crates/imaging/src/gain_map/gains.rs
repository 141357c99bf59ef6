//! What the values of a gain map mean (Ultra HDR 1.1, "Gain map metadata"): read from the second picture's XMP and
//! written as such. Numbers only: nothing of the packet is copied.
//!
//! Invariant: all numbers are finite and small, gammas are above 0, and maxima are not below their minima.

use super::HDRGM;
use crate::metadata::xmp::{self, Property};
use std::fmt::Write;

/// No number of an honest gain map is larger: gains are powers of two.
const MAX: f64 = 1000.0;
/// What is meant where nothing is said.
const DEFAULT_OFFSET: f64 = 1.0 / 64.0;

/// How values become gains; for red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gains {
    /// The gain of the value 0, as a power of two.
    pub min: [f64; 3],
    /// The gain of the value 255, as a power of two.
    pub max: [f64; 3],
    /// The power that values were raised to before they were stored.
    pub gamma: [f64; 3],
    /// Added to the ordinary picture's light before the gain.
    pub offset_sdr: [f64; 3],
    /// Taken from the result.
    pub offset_hdr: [f64; 3],
    /// Up to this headroom of a display (a power of two) nothing is applied.
    pub capacity_min: f64,
    /// From this headroom on all of it is.
    pub capacity_max: f64,
}

impl Gains {
    /// Out of a packet. `None`: it describes no gain map; `Some(None)`: it does, and breaks a rule, or the picture that
    /// it belongs to is the bright one.
    pub fn of_packet(packet: &[u8]) -> Option<Option<Self>> {
        let properties = xmp::properties(packet);
        let texts = |name: &str| {
            let found = properties.iter().find(|property: &&Property| property.name == name);
            found.map(|property| property.texts.as_slice())
        };
        texts("hdrgm:Version")?;
        let channels = |name: &str, default: Option<f64>| match texts(name) {
            Some(texts) => numbers(texts),
            None => default.map(|value| [value; 3]),
        };
        let read = || {
            let is_bright = texts("hdrgm:BaseRenditionIsHDR").is_some_and(|texts| texts != ["False"]);
            let gains = Self {
                min: channels("hdrgm:GainMapMin", Some(0.0))?,
                max: channels("hdrgm:GainMapMax", None)?,
                gamma: channels("hdrgm:Gamma", Some(1.0))?,
                offset_sdr: channels("hdrgm:OffsetSDR", Some(DEFAULT_OFFSET))?,
                offset_hdr: channels("hdrgm:OffsetHDR", Some(DEFAULT_OFFSET))?,
                capacity_min: channels("hdrgm:HDRCapacityMin", Some(0.0))?[0],
                capacity_max: channels("hdrgm:HDRCapacityMax", None)?[0],
            };
            (!is_bright).then_some(gains)?.checked()
        };
        Some(read())
    }

    /// Itself where it holds what this file promises.
    pub(super) fn checked(self) -> Option<Self> {
        let channels = [self.min, self.max, self.gamma, self.offset_sdr, self.offset_hdr];
        let capacities = [self.capacity_min, self.capacity_max];
        let is_sane = |number: &f64| number.is_finite() && number.abs() <= MAX;
        let ordered = self.min.iter().zip(&self.max).all(|(min, max)| min <= max);
        let sane = channels.as_flattened().iter().chain(&capacities).all(is_sane);
        let whole = sane && ordered && self.gamma.iter().all(|&gamma| gamma > 0.0);
        (whole && 0.0 <= self.capacity_min && self.capacity_min < self.capacity_max).then_some(self)
    }

    /// The values that change nothing, or as little as this gain map can: what lies where there is no picture.
    pub fn neutral(&self) -> [u8; 3] {
        std::array::from_fn(|channel| {
            let (min, max, gamma) = (self.min[channel], self.max[channel], self.gamma[channel]);
            let share = if max > min { (-min / (max - min)).clamp(0.0, 1.0) } else { 0.0 };
            // A cast of a float saturates.
            (share.powf(gamma) * 255.0).round() as u8
        })
    }

    /// As a packet for the second picture.
    pub fn packet(&self) -> String {
        let mut attributes = format!(" xmlns:hdrgm=\"{HDRGM}\" hdrgm:Version=\"1.0\"");
        let mut elements = String::new();
        let channels = [
            ("GainMapMin", self.min),
            ("GainMapMax", self.max),
            ("Gamma", self.gamma),
            ("OffsetSDR", self.offset_sdr),
            ("OffsetHDR", self.offset_hdr),
            ("HDRCapacityMin", [self.capacity_min; 3]),
            ("HDRCapacityMax", [self.capacity_max; 3]),
        ];
        for (name, [red, green, blue]) in channels {
            let _infallible = if red == green && green == blue {
                write!(attributes, " hdrgm:{name}=\"{red}\"")
            } else {
                let list = [red, green, blue].map(|value| format!("<rdf:li>{value}</rdf:li>")).concat();
                write!(elements, "<hdrgm:{name}><rdf:Seq>{list}</rdf:Seq></hdrgm:{name}>")
            };
        }
        attributes.push_str(" hdrgm:BaseRenditionIsHDR=\"False\"");
        xmp::packet(&format!("<rdf:Description rdf:about=\"\"{attributes}>{elements}</rdf:Description>"))
    }
}

/// One number for all channels, or one for each.
fn numbers(texts: &[String]) -> Option<[f64; 3]> {
    match texts {
        [one] => one.parse().ok().map(|value| [value; 3]),
        [red, green, blue] => Some([red.parse().ok()?, green.parse().ok()?, blue.parse().ok()?]),
        _ => None,
    }
}
