//! Look-ups that turn the next bits into a coefficient: code and value bits in one step where they fit.
//! Knows codes, not blocks. Invariant: every look-up uses at least one bit and moves at least one coefficient on, so
//! that every block ends; codes that the table does not define are noticed and read as an end of block.

use crate::Error;
use crate::bits::Bits;
use crate::tables::HuffmanSpec;

/// Bits that the main look-ups see.
const LOOK: u32 = 10;
/// Bits that the skipping look-up sees.
const SKIP_LOOK: u32 = 12;
/// `advance` of an end of block: beyond the block from wherever it is.
pub(crate) const END: u32 = 64;
/// Bits that a symbol uses at most: a code of 16 and a value of 15.
pub(crate) const SYMBOL_BITS: u32 = 31;

/// A decoded symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    /// Coefficients to move on: the run and 1; 16 for a run of zeros alone; [`END`].
    pub(crate) advance: u32,
    /// The coefficient; for an end of band its exponent (0 to 14).
    pub(crate) value: i32,
    /// The code is not in the table.
    pub(crate) bad: bool,
}

/// One entry: bits used in all (0–6), `advance` (8–15), then either the value (16–31), or, if `OPEN`, the bits of the
/// code (16–23; none: the code is longer than the look-up) and of the value (24–31).
type Entry = u32;
const OPEN: u32 = 0x80;

/// The codes in canonical order, for those longer than a look-up.
#[derive(Clone, Debug)]
struct LongCodes {
    /// For each length: the first code beyond it, aligned to 16 bits.
    limit: [u32; 17],
    /// For each length: what to add to a code for its place in `symbols`.
    offset: [i32; 17],
    symbols: [u8; 256],
}

impl LongCodes {
    fn new(spec: &HuffmanSpec) -> Self {
        let mut codes = Self { limit: [0; 17], offset: [0; 17], symbols: spec.symbols };
        let (mut code, mut index) = (0u32, 0i32);
        for (length, &count) in (1..).zip(&spec.counts) {
            codes.offset[length] = index - code as i32;
            code += u32::from(count);
            index += i32::from(count);
            codes.limit[length] = code << (16 - length);
            code <<= 1;
        }
        codes
    }

    /// The length and symbol that the next 16 bits begin with.
    fn find(&self, bits: u32) -> Option<(u32, u8)> {
        let length = (1..=16).find(|&length| bits < self.limit[length])?;
        let index = (bits >> (16 - length)) as i32 + self.offset[length];
        Some((length as u32, *self.symbols.get(index as usize)?))
    }
}

/// T.81 F.2.2.1: a value of `size` bits is negative if its first bit is 0.
#[inline(always)]
fn extend(bits: u32, size: u32) -> i32 {
    let value = bits as i32;
    if size > 0 && bits >> (size - 1) == 0 { value - ((1 << size) - 1) } else { value }
}

/// Fills a look-up of `look` bits: `entry` makes it from the code's length, its symbol and the bits behind the code.
fn fill<T: Clone>(spec: &HuffmanSpec, look: u32, table: &mut [T], entry: impl Fn(u32, u8, u32) -> T) {
    let (mut code, mut index) = (0u32, 0usize);
    for (length, &count) in (1u32..=look).zip(&spec.counts) {
        for _ in 0..count {
            let rest = look - length;
            for tail in 0..1u32 << rest {
                // A specification is a prefix code, so that the place exists.
                if let Some(slot) = table.get_mut((code << rest | tail) as usize) {
                    *slot = entry(length, spec.symbols[index & 255], tail);
                }
            }
            code += 1;
            index += 1;
        }
        code <<= 1;
    }
}

fn entry(advance: u32, length: u32, size: u32, tail: u32, rest: u32) -> Entry {
    let head = (length + size) | advance << 8;
    if size <= rest {
        let value = extend(tail >> (rest - size), size);
        head | (value as u32) << 16
    } else {
        head | OPEN | length << 16 | size << 24
    }
}

/// The code of DC differences.
#[derive(Clone, Debug)]
pub(crate) struct DcTable {
    main: Box<[Entry; 1 << LOOK]>,
    long: LongCodes,
}

impl DcTable {
    /// # Errors
    /// If a symbol names more bits than a difference can have.
    pub(crate) fn new(spec: &HuffmanSpec) -> Result<Self, Error> {
        let total = spec.counts.iter().map(|&n| usize::from(n)).sum();
        if spec.symbols.iter().take(total).any(|&size| size > 15) {
            return Err(Error::Malformed("a DC table has differences of over 15 bits"));
        }
        let mut main = Box::new([OPEN; 1 << LOOK]);
        fill(spec, LOOK, main.as_mut_slice(), |length, symbol, tail| {
            entry(1, length, u32::from(symbol), tail, LOOK - length)
        });
        Ok(Self { main, long: LongCodes::new(spec) })
    }

    /// Reads a difference; [`SYMBOL_BITS`] are ready.
    #[inline(always)]
    pub(crate) fn read(&self, bits: &mut Bits<'_>) -> Symbol {
        let entry = self.main[bits.peek(LOOK) as usize];
        read(entry, bits, |bits| read_long(&self.long, bits, |symbol| (1, u32::from(symbol))))
    }
}

/// The code of AC coefficients.
#[derive(Clone, Debug)]
pub(crate) struct AcTable {
    main: Box<[Entry; 1 << LOOK]>,
    /// Several symbols at once, for coefficients that nobody wants: bits (0–7), coefficients to move on (8–14), ends
    /// the block (15). Zero: use `main`.
    skip: Box<[u16; 1 << SKIP_LOOK]>,
    long: LongCodes,
}

/// A symbol's step and the bits of its value.
fn ac_symbol(symbol: u8) -> (u32, u32) {
    match (u32::from(symbol >> 4), u32::from(symbol & 15)) {
        (15, 0) => (16, 0),
        (_, 0) => (END, 0),
        (run, size) => (run + 1, size),
    }
}

impl AcTable {
    pub(crate) fn new(spec: &HuffmanSpec) -> Self {
        let mut main = Box::new([OPEN; 1 << LOOK]);
        fill(spec, LOOK, main.as_mut_slice(), |length, symbol, tail| {
            let (advance, size) = ac_symbol(symbol);
            let made = entry(advance, length, size, tail, LOOK - length);
            if advance == END { made | u32::from(symbol >> 4) << 16 } else { made }
        });
        Self { main, skip: Box::new([0; 1 << SKIP_LOOK]), long: LongCodes::new(spec) }
    }

    /// The same, able to [`Self::skip`].
    pub(crate) fn with_skip(spec: &HuffmanSpec) -> Self {
        let mut table = Self::new(spec);
        // One symbol each at first: (bits, step, ends).
        let mut single = vec![(0u32, 0u32, false); 1 << SKIP_LOOK];
        fill(spec, SKIP_LOOK, &mut single, |length, symbol, _| {
            let (advance, size) = ac_symbol(symbol);
            if length + size > SKIP_LOOK {
                (0, 0, false)
            } else if advance == END {
                (length, 0, true)
            } else {
                (length + size, advance, false)
            }
        });
        for (window, slot) in table.skip.iter_mut().enumerate() {
            let (mut used, mut steps, mut ends) = (0, 0, false);
            while !ends {
                let ahead = (window << used) & ((1 << SKIP_LOOK) - 1);
                let (bits, advance, last) = single[ahead];
                if bits == 0 || used + bits > SKIP_LOOK || steps + advance > 63 {
                    break;
                }
                (used, steps, ends) = (used + bits, steps + advance, last);
            }
            *slot = (used | steps << 8 | u32::from(ends) << 15) as u16;
        }
        table
    }

    /// The symbol that lies wholly within a window of `look` bits, and the bits that it uses.
    pub(crate) fn within(&self, window: u32, look: u32) -> Option<(Symbol, u32)> {
        let (length, symbol) = self.long.find(window << (16 - look))?;
        let (advance, size) = ac_symbol(symbol);
        let rest = look.checked_sub(length + size)?;
        let value = if advance == END { 0 } else { extend(window >> rest & ((1 << size) - 1), size) };
        Some((Symbol { advance, value, bad: false }, length + size))
    }

    /// Reads a coefficient; [`SYMBOL_BITS`] are ready.
    #[inline(always)]
    pub(crate) fn read(&self, bits: &mut Bits<'_>) -> Symbol {
        let entry = self.main[bits.peek(LOOK) as usize];
        read(entry, bits, |bits| read_long(&self.long, bits, ac_symbol))
    }

    /// Passes over the coefficients behind `k` to the end of the block. Gives whether all codes were good.
    /// The table must be made by [`Self::with_skip`], else it is slow.
    #[inline(always)]
    pub(crate) fn skip(&self, bits: &mut Bits<'_>, mut k: u32) -> bool {
        while k < 63 {
            bits.ensure(SKIP_LOOK);
            let entry = u32::from(self.skip[bits.peek(SKIP_LOOK) as usize]);
            let (steps, ends) = (entry >> 8 & 63, entry >> 15);
            if entry & 0xFF != 0 && k + steps + ends <= 63 {
                bits.consume(entry & 0xFF);
                k += steps;
                if ends == 1 {
                    return true;
                }
            } else {
                bits.ensure(SYMBOL_BITS);
                let symbol = self.read(bits);
                if symbol.bad {
                    return false;
                }
                k += symbol.advance;
            }
        }
        true
    }
}

#[inline(always)]
fn read<'a>(entry: Entry, bits: &mut Bits<'a>, long: impl FnOnce(&mut Bits<'a>) -> Symbol) -> Symbol {
    let advance = entry >> 8 & 0xFF;
    if entry & OPEN == 0 {
        bits.consume(entry & 0x7F);
        return Symbol { advance, value: entry as i32 >> 16, bad: false };
    }
    if entry == OPEN {
        return long(bits);
    }
    let (length, size) = (entry >> 16 & 0xFF, entry >> 24);
    let value = extend(((bits.window() << length) >> (64 - size)) as u32, size);
    bits.consume(entry & 0x7F);
    Symbol { advance, value, bad: false }
}

/// A code longer than the look-up. By values, so that the reader stays in registers elsewhere.
#[inline(always)]
fn read_long(codes: &LongCodes, bits: &mut Bits<'_>, split: fn(u8) -> (u32, u32)) -> Symbol {
    let (symbol, after) = read_long_cold(codes, *bits, split);
    *bits = after;
    symbol
}

#[cold]
#[inline(never)]
fn read_long_cold<'a>(codes: &LongCodes, mut bits: Bits<'a>, split: fn(u8) -> (u32, u32)) -> (Symbol, Bits<'a>) {
    let Some((length, symbol)) = codes.find(bits.peek(16)) else {
        bits.consume(16);
        return (Symbol { advance: END, value: 0, bad: true }, bits);
    };
    bits.consume(length);
    let (advance, size) = split(symbol);
    if advance == END {
        return (Symbol { advance, value: i32::from(symbol >> 4), bad: false }, bits);
    }
    let value = extend(bits.take(size), size);
    (Symbol { advance, value, bad: false }, bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Tables;

    /// Writes codes of K.3's luminance table, most significant bit first.
    fn write(spec: &HuffmanSpec, symbols: &[(u8, u32)]) -> Vec<u8> {
        let mut out = Vec::new();
        let (mut word, mut count) = (0u64, 0);
        let mut put = |value: u64, bits: u32| {
            for i in (0..bits).rev() {
                word = word << 1 | (value >> i & 1);
                count += 1;
                if count == 8 {
                    out.push(word as u8);
                    if word as u8 == 0xFF {
                        out.push(0);
                    }
                    (word, count) = (0, 0);
                }
            }
        };
        for &(symbol, extra) in symbols {
            let (mut code, mut index) = (0u64, 0usize);
            'found: for (length, &n) in (1u32..).zip(&spec.counts) {
                for _ in 0..n {
                    if spec.symbols[index] == symbol {
                        put(code, length);
                        break 'found;
                    }
                    code += 1;
                    index += 1;
                }
                code <<= 1;
            }
            put(u64::from(extra), u32::from(symbol & 15));
        }
        put(0x7F, 7);
        out
    }

    /// Every symbol with its smallest, its largest and its least positive value.
    fn every_symbol() -> (HuffmanSpec, Vec<(u8, u32)>) {
        let spec = Tables::default().ac(0);
        let symbols = spec.symbols[..162]
            .iter()
            .filter(|&&symbol| symbol & 15 != 0)
            .flat_map(|&symbol| [0, (1 << (symbol & 15)) - 1, 1 << ((symbol & 15) - 1)].map(|extra| (symbol, extra)))
            .collect();
        (spec, symbols)
    }

    #[test]
    fn every_symbol_of_a_table_comes_back() {
        let (spec, symbols) = every_symbol();
        let data = write(&spec, &symbols);
        let table = AcTable::new(&spec);
        let mut bits = Bits::new(&data, 0);
        for (symbol, extra) in symbols {
            bits.ensure(SYMBOL_BITS);
            let size = u32::from(symbol & 15);
            let value = if extra >> (size - 1) == 1 { extra as i32 } else { extra as i32 - (1 << size) + 1 };
            let expected = Symbol { advance: u32::from(symbol >> 4) + 1, value, bad: false };
            assert_eq!(table.read(&mut bits), expected, "{symbol:#x}");
        }
        assert!(!bits.overrun());
    }

    #[test]
    fn skipping_ends_where_reading_ends() {
        let spec = Tables::default().ac(0);
        // Blocks that end by EOB and by their 63rd coefficient, with symbols of every length.
        let blocks: [Vec<(u8, u32)>; 4] = [
            vec![(0x01, 1), (0x02, 2), (0x11, 0), (0x00, 0)],
            vec![(0x00, 0)],
            vec![(0x01, 0); 63],
            vec![(0xF0, 0), (0xF0, 0), (0xF0, 0), (0xE1, 1)],
        ];
        for pattern in 0..256usize {
            let chosen: Vec<_> = (0..4).map(|i| &blocks[pattern >> (2 * i) & 3]).collect();
            let data = write(&spec, &chosen.iter().flat_map(|block| block.iter().copied()).collect::<Vec<_>>());
            let table = AcTable::with_skip(&spec);
            let (mut skipped, mut read) = (Bits::new(&data, 0), Bits::new(&data, 0));
            for _ in 0..4 {
                assert!(table.skip(&mut skipped, 0));
                let mut k = 0;
                while k < 63 {
                    read.ensure(SYMBOL_BITS);
                    k += table.read(&mut read).advance;
                }
                skipped.ensure(REFILLED_FOR_TEST);
                read.ensure(REFILLED_FOR_TEST);
                assert_eq!(skipped.peek(24), read.peek(24), "{pattern}");
            }
        }
    }
    const REFILLED_FOR_TEST: u32 = crate::bits::REFILLED;

    #[test]
    fn a_code_that_is_not_defined_is_noticed() {
        let spec = Tables::default().ac(0);
        let data = [0xFF, 0x00, 0xFF, 0x00, 0, 0, 0, 0];
        let mut bits = Bits::new(&data, 0);
        bits.ensure(SYMBOL_BITS);
        assert!(AcTable::new(&spec).read(&mut bits).bad);
        assert!(!AcTable::with_skip(&spec).skip(&mut Bits::new(&data, 0), 0));
    }

    #[test]
    fn ends_of_band_give_their_exponent() {
        let spec = HuffmanSpec {
            counts: [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            symbols: {
                let mut symbols = [0; 256];
                symbols[..3].copy_from_slice(&[0x30, 0x01, 0xE0]);
                symbols
            },
        };
        let table = AcTable::new(&spec);
        let data = [0b0010_0000, 0, 0b0000_0000, 0];
        let mut bits = Bits::new(&data, 0);
        bits.ensure(SYMBOL_BITS);
        assert_eq!(table.read(&mut bits), Symbol { advance: END, value: 3, bad: false });
        bits.ensure(SYMBOL_BITS);
        let _ = bits.take(0);
        let data = [0b1000_0000, 0, 0, 0];
        assert_eq!(table.read(&mut Bits::new(&data, 0).primed()).value, 14);
    }
}
