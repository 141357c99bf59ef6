//! ISO 21496-1's description of a gain map: a segment of fractions, read and written anew.
//!
//! The layout is that of the standard's annex C as libultrahdr and libavif write it; the flag for one denominator that
//! all fractions share is libultrahdr's, read here and never written.

use super::{Gains, app2};
use crate::metadata::{be16, be32};

pub(super) const NAME: &[u8] = b"urn:iso:std:iso:ts:21496:-1\0";
/// What the first picture says: lowest version that a reader must know, the writer's.
pub(super) const VERSIONS: &[u8] = &[0; 4];

const MULTICHANNEL: u8 = 0x80;
const BASE_COLOURS: u8 = 0x40;
const COMMON_DENOMINATOR: u8 = 0x08;
/// The first picture is the bright one.
const BACKWARD: u8 = 0x04;

/// Numerator and denominator; whether the numerator has a sign is known by its place.
type Fraction = (u32, u32);

/// The description; fractions stay what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iso {
    /// Whether gains are meant in the colours of the first picture.
    pub uses_base_colours: bool,
    /// Of the ordinary and of the bright picture, as powers of two.
    headrooms: [Fraction; 2],
    /// Minimum, maximum, gamma, offset of the ordinary and of the bright picture; one for all channels, or three.
    channels: Vec<[Fraction; 5]>,
}

/// The first segment of the standard's name.
pub(super) fn segment(bytes: &[u8]) -> Option<&[u8]> {
    app2(bytes, NAME).next().map(|(_, body)| body)
}

impl Iso {
    /// Reads a segment's body without the name. `None` for versions and kinds that are not known, and for what is no
    /// sane gain map.
    pub fn read(body: &[u8]) -> Option<Self> {
        // Later writers may append; what needs a later reader says so in the first number.
        if be16(body, 0)? != 0 {
            return None;
        }
        let flags = *body.get(4)?;
        let mut at = 5;
        let mut number = || {
            let number = be32(body, at);
            at += 4;
            number
        };
        let common = if flags & COMMON_DENOMINATOR == 0 { None } else { Some(number()?) };
        let mut fraction = || Some((number()?, common.map_or_else(&mut number, Some)?));
        let headrooms = [fraction()?, fraction()?];
        let mut channels = Vec::new();
        for _ in 0..if flags & MULTICHANNEL == 0 { 1 } else { 3 } {
            channels.push([fraction()?, fraction()?, fraction()?, fraction()?, fraction()?]);
        }
        let iso = Self { uses_base_colours: flags & BASE_COLOURS != 0, headrooms, channels };
        (flags & BACKWARD == 0 && iso.gains().is_some()).then_some(iso)
    }

    /// A segment's body with its name.
    pub fn written(&self) -> Vec<u8> {
        let mut out = [NAME, VERSIONS].concat();
        let base = if self.uses_base_colours { BASE_COLOURS } else { 0 };
        out.push(base | if self.channels.len() == 3 { MULTICHANNEL } else { 0 });
        for (numerator, denominator) in self.headrooms.iter().chain(self.channels.as_flattened()) {
            out.extend(numerator.to_be_bytes());
            out.extend(denominator.to_be_bytes());
        }
        out
    }

    /// The same as numbers.
    pub fn gains(&self) -> Option<Gains> {
        let unsigned = |(numerator, denominator): Fraction| f64::from(numerator) / f64::from(denominator);
        let signed = |(numerator, denominator): Fraction| f64::from(numerator.cast_signed()) / f64::from(denominator);
        let [red, green, blue] = match self.channels.as_slice() {
            [one] => [one; 3],
            [red, green, blue] => [red, green, blue],
            _ => return None,
        };
        let each = |of: &dyn Fn(&[Fraction; 5]) -> f64| [of(red), of(green), of(blue)];
        let gains = Gains {
            min: each(&|channel| signed(channel[0])),
            max: each(&|channel| signed(channel[1])),
            gamma: each(&|channel| unsigned(channel[2])),
            offset_sdr: each(&|channel| signed(channel[3])),
            offset_hdr: each(&|channel| signed(channel[4])),
            capacity_min: unsigned(self.headrooms[0]),
            capacity_max: unsigned(self.headrooms[1]),
        };
        gains.checked()
    }
}
