//! Two coefficients by one look-up: most codes are short, and the chain from one look-up to the next is what entropy
//! decoding waits for. Knows codes, not blocks. Invariant: an entry says what reading its symbols one by one would.

use crate::huffman::{AcTable, END, Symbol};

/// Bits that the look-up sees.
const LOOK: u32 = 11;
/// Bits that it needs.
pub(crate) const PAIR_BITS: u32 = LOOK;

/// What the next bits begin with: bits used by both symbols (0–7; 0: read one the long way) and by the first alone
/// (8–15), steps to the first coefficient (16–23) and to the second (24–31), their values (32–47, 48–63). Where there is
/// one symbol only, the second is the first over again; an end of block is a step of [`END`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair(u64);

impl Pair {
    #[inline(always)]
    pub(crate) fn bits(self) -> u32 {
        self.0 as u32 & 0xFF
    }
    #[inline(always)]
    pub(crate) fn first_bits(self) -> u32 {
        self.0 as u32 >> 8 & 0xFF
    }
    #[inline(always)]
    pub(crate) fn first(self) -> (u32, i32) {
        (self.0 as u32 >> 16 & 0xFF, i32::from((self.0 >> 32) as i16))
    }
    #[inline(always)]
    pub(crate) fn second(self) -> (u32, i32) {
        (self.0 as u32 >> 24, (self.0 as i64 >> 48) as i32)
    }
}

/// The look-up.
#[derive(Clone, Debug)]
pub(crate) struct PairTable(Box<[Pair; 1 << LOOK]>);

impl PairTable {
    /// Of the same code.
    pub(crate) fn new(table: &AcTable) -> Self {
        let mut pairs = Box::new([Pair(0); 1 << LOOK]);
        for (window, pair) in (0u32..).zip(pairs.iter_mut()) {
            let Some((first, first_bits)) = table.within(window, LOOK) else { continue };
            let rest = LOOK - first_bits;
            let second = if first.advance == END { None } else { table.within(window & ((1 << rest) - 1), rest) };
            let (second, bits) = match second {
                Some((second, bits)) => {
                    (Symbol { advance: first.advance + second.advance, ..second }, first_bits + bits)
                }
                None => (first, first_bits),
            };
            *pair = Pair(
                u64::from(bits | first_bits << 8 | first.advance << 16 | second.advance << 24)
                    | u64::from(first.value as u16) << 32
                    | u64::from(second.value as u16) << 48,
            );
        }
        Self(pairs)
    }

    /// What `LOOK` bits begin with.
    #[inline(always)]
    pub(crate) fn look(&self, window: u64) -> Pair {
        self.0[(window >> (64 - LOOK)) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::Bits;
    use crate::huffman::SYMBOL_BITS;
    use crate::tables::Tables;

    /// Every window's entry, against reading symbol by symbol.
    #[test]
    fn a_pair_is_what_two_reads_give() {
        for number in 0..2 {
            let table = AcTable::new(&Tables::default().ac(number));
            let pairs = PairTable::new(&table);
            let mut double = 0;
            for window in 0..1u32 << LOOK {
                // What follows the window decides nothing.
                let bytes = (u64::from(window) << (64 - LOOK)).to_be_bytes();
                // A reader would stop at 0xFF.
                if bytes.contains(&0xFF) {
                    continue;
                }
                let mut bits = Bits::new(&bytes, 0).primed();
                let pair = pairs.look(bits.window());
                if pair.bits() == 0 {
                    continue;
                }
                let first = table.read(&mut bits);
                assert_eq!(pair.first().0, first.advance, "{window:b}");
                if first.advance != END {
                    assert_eq!(pair.first().1, first.value, "{window:b}");
                }
                if pair.bits() == pair.first_bits() {
                    assert_eq!(pair.first(), pair.second());
                    continue;
                }
                bits.ensure(SYMBOL_BITS);
                let second = table.read(&mut bits);
                assert_eq!(pair.second().0, first.advance + second.advance, "{window:b}");
                if second.advance != END {
                    assert_eq!(pair.second().1, second.value, "{window:b}");
                }
                double += 1;
            }
            assert!(double > 500, "most windows hold two: {double}");
        }
    }
}
