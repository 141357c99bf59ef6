//! The scan header (T.81 B.2.3). Invariant: its components are of the frame, each once, and its band and bit positions
//! are such that the entropy decoders can index by them.

use crate::Error;
use crate::frame::{Coding, Frame};

/// A component's part in a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScanComponent {
    /// Its place in the frame.
    pub(crate) index: usize,
    pub(crate) dc_table: u8,
    pub(crate) ac_table: u8,
}

/// A scan header.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) components: Vec<ScanComponent>,
    /// First and last coefficient in zigzag order, 0 to 63.
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// Bit position of the scan that this one refines; 0: none.
    pub(crate) high: u32,
    /// Bit position of this scan, 0 to 13.
    pub(crate) low: u32,
}

impl Scan {
    /// Reads a SOS payload.
    pub(crate) fn read(frame: &Frame, payload: &[u8]) -> Result<Self, Error> {
        const BAD: Error = Error::Malformed("a scan header");
        let (&count, rest) = payload.split_first().ok_or(BAD)?;
        let count = usize::from(count);
        if !(1..=4).contains(&count) || rest.len() < 2 * count + 3 {
            return Err(BAD);
        }
        let (selectors, progress) = rest.split_at(2 * count);
        let mut components = Vec::with_capacity(count);
        for pair in selectors.chunks_exact(2) {
            let index = Self::component(frame, pair[0], &components).ok_or(BAD)?;
            if pair[1] >> 4 > 3 || pair[1] & 15 > 3 {
                return Err(BAD);
            }
            components.push(ScanComponent { index, dc_table: pair[1] >> 4, ac_table: pair[1] & 15 });
        }
        if frame.coding != Coding::Progressive {
            // Some writers leave nonsense here; the whole block is meant anyway.
            return Ok(Self { components, first: 0, last: 63, high: 0, low: 0 });
        }
        let scan = Self {
            components,
            first: u32::from(progress[0]),
            last: u32::from(progress[1]),
            high: u32::from(progress[2] >> 4),
            low: u32::from(progress[2] & 15),
        };
        scan.is_possible().then_some(scan).ok_or(Error::Malformed("a progressive scan's band or bits"))
    }

    /// Identifiers that the frame repeats are taken in order.
    fn component(frame: &Frame, id: u8, taken: &[ScanComponent]) -> Option<usize> {
        (0..frame.components.len())
            .find(|&i| frame.components[i].id == id && taken.iter().all(|other| other.index != i))
    }

    fn is_possible(&self) -> bool {
        let band = if self.first == 0 { self.last == 0 } else { self.last >= self.first && self.last <= 63 };
        let alone = self.first == 0 || self.components.len() == 1;
        band && alone && self.low <= 13 && (self.high == 0 || self.high == self.low + 1)
    }

    /// The coefficients of the scan as a set of zigzag positions.
    pub(crate) fn band(&self) -> u64 {
        (u64::MAX >> (63 - self.last)) & (u64::MAX << self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(coding: Coding) -> Frame {
        Frame::read(coding, &[8, 0, 8, 0, 8, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]).unwrap()
    }

    #[test]
    fn bands_that_break_the_rules_are_refused() {
        let frame = frame(Coding::Progressive);
        let scan = |tail: [u8; 3]| Scan::read(&frame, &[&[1, 1, 0], tail.as_slice()].concat());
        assert_eq!(scan([1, 5, 2]).unwrap().band(), 0b11_1110);
        assert_eq!(scan([1, 63, 0x10]).unwrap().band(), u64::MAX - 1);
        for bad in [[0, 5, 0], [6, 5, 0], [1, 64, 0], [1, 5, 14], [1, 5, 0x20]] {
            assert!(scan(bad).is_err(), "{bad:?}");
        }
        assert!(Scan::read(&frame, &[2, 1, 0, 2, 0, 1, 5, 0]).is_err());
    }

    #[test]
    fn a_component_appears_once() {
        assert!(Scan::read(&frame(Coding::Baseline), &[2, 1, 0, 1, 0, 0, 63, 0]).is_err());
        assert!(Scan::read(&frame(Coding::Baseline), &[1, 9, 0, 0, 63, 0]).is_err());
    }
}
