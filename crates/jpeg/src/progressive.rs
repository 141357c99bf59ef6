//! Entropy decoding of progressive scans (T.81 G.2) into the coefficients, and which scans a reduced size needs.
//! Invariant: a scan costs at most a few steps for each of its blocks; refinement looks at masks, so that blocks
//! without history in the band cost next to nothing.

use crate::Error;
use crate::bits::Bits;
use crate::coefficients::{Coefficients, Stored};
use crate::huffman::{AcTable, DcTable, END, SYMBOL_BITS};
use crate::kernel::tuned;
use crate::scan::Scan;
use crate::sequential::{Part, Walk, blocks};

/// Of the scans of a file, those that the coefficients in `wanted` (a set of zigzag positions for each component)
/// depend on. A refinement is read by the history of its whole band, so that it needs whatever came before it there.
pub(crate) fn needed(scans: &[Scan], mut wanted: Vec<u64>) -> Vec<bool> {
    let mut needed = vec![false; scans.len()];
    for (scan, needed) in scans.iter().zip(&mut needed).rev() {
        let band = scan.band();
        *needed = scan.components.iter().any(|c| wanted[c.index] & band != 0);
        if *needed && scan.high > 0 && scan.first > 0 {
            for component in &scan.components {
                wanted[component.index] |= band;
            }
        }
    }
    needed
}

/// Decodes a scan. Gives where it ended and whether it was whole.
pub(crate) fn collect(
    scanned: Part<'_>,
    bits: Bits<'_>,
    coefficients: &mut Coefficients<'_>,
) -> Result<(usize, bool), Error> {
    tuned(
        #[inline(always)]
        || match scanned.scan.first {
            0 => dc(scanned, bits, coefficients),
            _ => ac(scanned, bits, coefficients),
        },
    )
}

#[inline(always)]
fn dc(scanned: Part<'_>, bits: Bits<'_>, coefficients: &mut Coefficients<'_>) -> Result<(usize, bool), Error> {
    let Part { frame, scan, state, .. } = scanned;
    let table = |part: &crate::scan::ScanComponent| DcTable::new(&state.tables.dc(part.dc_table));
    // A refinement has no codes.
    let tables: Vec<DcTable> =
        if scan.high == 0 { scan.components.iter().map(table).collect::<Result<_, _>>()? } else { Vec::new() };
    let mut predictions = [0i32; 4];
    let walk = Walk::new(frame, scan);
    walk.visit(scanned, bits, |bits, anew, column, row| {
        if anew {
            predictions = [0; 4];
        }
        let mut good = true;
        for (i, (part, &(h, v))) in scan.components.iter().zip(&walk.factors).enumerate() {
            for (x, y) in blocks(column, row, h, v) {
                bits.ensure(SYMBOL_BITS);
                let mut stored = coefficients.block(part.index, x, y);
                if let Some(table) = tables.get(i) {
                    let symbol = table.read(bits);
                    good &= !symbol.bad;
                    let prediction = &mut predictions[part.index & 3];
                    *prediction = prediction.wrapping_add(symbol.value);
                    stored.set(0, (*prediction << scan.low) as i16);
                } else if bits.take(1) == 1 {
                    let before = if *stored.mask & 1 == 1 { stored.get(0) } else { 0 };
                    stored.set(0, before | 1 << scan.low);
                }
            }
        }
        good
    })
}

#[inline(always)]
fn ac(scanned: Part<'_>, bits: Bits<'_>, coefficients: &mut Coefficients<'_>) -> Result<(usize, bool), Error> {
    let Part { frame, scan, state, .. } = scanned;
    let part = scan.components[0];
    let band = Band { scan, table: AcTable::new(&state.tables.ac(part.ac_table)) };
    // Blocks that are still to come in the band's end, this one included.
    let mut run = 0u32;
    Walk::new(frame, scan).visit(scanned, bits, |bits, anew, column, row| {
        if anew {
            run = 0;
        }
        if scan.high == 0 && run > 0 {
            run -= 1;
            return true;
        }
        let mut stored = coefficients.block(part.index, column, row);
        let good;
        (run, good) = if scan.high == 0 { band.first(bits, &mut stored) } else { band.refine(bits, run, &mut stored) };
        good
    })
}

/// An AC scan.
struct Band<'a> {
    scan: &'a Scan,
    table: AcTable,
}

impl Band<'_> {
    /// First scan of a band (G.1.2.2). Gives the blocks behind this one that the band's end covers, and whether all
    /// codes were good.
    #[inline(always)]
    fn first(&self, bits: &mut Bits<'_>, stored: &mut Stored<'_>) -> (u32, bool) {
        let Scan { first, last, low, .. } = *self.scan;
        let mut k = first - 1;
        while k < last {
            bits.ensure(SYMBOL_BITS);
            let symbol = self.table.read(bits);
            if symbol.advance == END {
                return (end_of_band(bits, symbol.value) - 1, !symbol.bad);
            }
            k += symbol.advance;
            if k > last {
                // A last run of zeros may reach beyond; a coefficient may not.
                return (0, symbol.value == 0);
            }
            if symbol.value != 0 {
                stored.set(k, (symbol.value << low) as i16);
            }
        }
        (0, true)
    }

    /// Refinement of a band (G.1.2.3); `run`: blocks of the band's end, this one included.
    #[inline(always)]
    fn refine(&self, bits: &mut Bits<'_>, mut run: u32, stored: &mut Stored<'_>) -> (u32, bool) {
        let Scan { first, last, low, .. } = *self.scan;
        let band = self.scan.band();
        // What is left of the band, as positions.
        let mut left = band;
        let mut good = true;
        if run == 0 {
            let mut k = first;
            while k <= last {
                bits.ensure(SYMBOL_BITS);
                let symbol = self.table.read(bits);
                if symbol.advance == END {
                    run = end_of_band(bits, symbol.value);
                    good = !symbol.bad;
                    break;
                }
                // The run counts zeros without history; what has history on the way is corrected.
                let skip = symbol.advance - 1;
                let free = left & !*stored.mask;
                let at = nth(free, skip);
                let passed = if at > 63 { left } else { left & ((1 << at) - 1) };
                correct(bits, *stored.mask & passed, low, stored);
                if at > last {
                    return (0, symbol.value == 0 && good);
                }
                if symbol.value != 0 {
                    let value = if symbol.value > 0 { 1 << low } else { -1 << low };
                    stored.set(at, value);
                }
                k = at + 1;
                left = if k > 63 { 0 } else { band & (u64::MAX << k) };
            }
        }
        if run > 0 {
            correct(bits, *stored.mask & left, low, stored);
            run -= 1;
        }
        (run, good)
    }
}

/// How many blocks the band's end covers, this one included (G.1.2.2, EOBn).
#[inline(always)]
fn end_of_band(bits: &mut Bits<'_>, exponent: i32) -> u32 {
    bits.ensure(SYMBOL_BITS);
    let exponent = exponent as u32 & 15;
    (1 << exponent) + bits.take(exponent)
}

/// The position of the set bit before which `n` others are set; 64 if there is none.
#[inline(always)]
fn nth(mut set: u64, n: u32) -> u32 {
    for _ in 0..n {
        set &= set.wrapping_sub(1);
    }
    set.trailing_zeros()
}

/// Reads a correction bit for each position in `mask`, which all have a value.
#[inline(always)]
fn correct(bits: &mut Bits<'_>, mut mask: u64, low: u32, stored: &mut Stored<'_>) {
    let step = 1i16 << low;
    while mask != 0 {
        bits.ensure(1);
        let k = mask.trailing_zeros();
        if bits.take(1) == 1 {
            let value = stored.get(k);
            if value & step == 0 {
                stored.set(k, value.wrapping_add(if value >= 0 { step } else { -step }));
            }
        }
        mask &= mask - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::ScanComponent;

    fn scan(index: usize, first: u32, last: u32, high: u32, low: u32) -> Scan {
        Scan { components: vec![ScanComponent { index, dc_table: 0, ac_table: 0 }], first, last, high, low }
    }

    #[test]
    fn scans_above_the_kept_frequencies_are_not_needed() {
        let scans = [scan(0, 0, 0, 0, 0), scan(0, 1, 5, 0, 0), scan(0, 6, 63, 0, 0), scan(1, 1, 63, 0, 0)];
        assert_eq!(needed(&scans, vec![1, 0]), [true, false, false, false]);
        assert_eq!(needed(&scans, vec![0b1_1111, 1]), [true, true, false, false]);
    }

    #[test]
    fn a_refinement_needs_the_history_of_its_band() {
        let scans = [scan(0, 0, 0, 0, 0), scan(0, 1, 5, 0, 1), scan(0, 6, 63, 0, 1), scan(0, 1, 63, 1, 0)];
        assert_eq!(needed(&scans, vec![0b1_1111]), [true; 4]);
        assert_eq!(needed(&scans, vec![1]), [true, false, false, false]);
    }

    #[test]
    fn the_nth_bit_is_found() {
        assert_eq!(nth(0b1011_0100, 0), 2);
        assert_eq!(nth(0b1011_0100, 2), 5);
        assert_eq!(nth(0b1011_0100, 4), 64);
    }
}
