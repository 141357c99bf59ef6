//! Bits of entropy-coded data, most significant first, with stuffed bytes removed on the way (T.81 F.2.2.5).
//! Knows no codes. Invariants: behind the data's end (a marker, or the file's) come zeros without end, and
//! [`Bits::overrun`] tells when one of them was used; the top `count` bits of `buffer` are the next ones, and what is
//! below them is either zero or equal to the bits that will be put there.

use crate::segment;

/// A reader. It is a value: loops keep a copy in registers and write it back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bits<'a> {
    data: &'a [u8],
    /// The next byte to take in.
    at: usize,
    buffer: u64,
    count: u32,
    /// Zeros that were added behind the end.
    padding: u32,
    /// `at` stands on a marker or at the end.
    ended: bool,
}

/// How many bits there are at least after [`Bits::refill`].
pub(crate) const REFILLED: u32 = 56;

impl<'a> Bits<'a> {
    /// Begins at `at`.
    pub(crate) fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at, buffer: 0, count: 0, padding: 0, ended: false }
    }

    /// Where the reader stands: bits up to 8 bytes in front of it may not have been used.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Whether bits behind the data's end were used.
    pub(crate) fn overrun(&self) -> bool {
        self.count < self.padding
    }

    /// Makes at least `need` (≤ 56) bits ready.
    #[inline(always)]
    pub(crate) fn ensure(&mut self, need: u32) {
        if self.count < need {
            self.refill();
        }
    }

    #[inline(always)]
    fn refill(&mut self) {
        if let Some(bytes) = self.data.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_be_bytes(*bytes);
            // Exact as a test for "no byte is 0xFF": the lowest such byte sets its mark without a borrow.
            let inverted = !word;
            if inverted.wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 == 0 {
                self.buffer |= word >> self.count;
                self.at += ((63 - self.count) >> 3) as usize;
                self.count |= 56;
                return;
            }
        }
        *self = refill_by_bytes(*self);
    }

    /// The next `n` (1 to 32) bits, without using them.
    #[inline(always)]
    pub(crate) fn peek(&self, n: u32) -> u32 {
        (self.buffer >> (64 - n)) as u32
    }

    /// The buffer, its next bit on top.
    #[inline(always)]
    pub(crate) fn window(&self) -> u64 {
        self.buffer
    }

    /// Uses `n` (≤ 32) bits that [`Self::ensure`] has made ready.
    #[inline(always)]
    pub(crate) fn consume(&mut self, n: u32) {
        self.buffer <<= n;
        self.count = self.count.wrapping_sub(n);
    }

    /// Reads `n` (0 to 16) bits that are ready.
    #[inline(always)]
    pub(crate) fn take(&mut self, n: u32) -> u32 {
        let value = (self.buffer >> 32 >> (32 - n)) as u32;
        self.consume(n);
        value
    }

    /// Goes to the restart marker numbered `expected` (0 to 7), by libjpeg's rules for damaged data: an earlier number
    /// is passed over, a later one or another marker is left standing, so that the interval between stays empty.
    /// Gives whether there is data to go on with.
    pub(crate) fn restart(&mut self, expected: u8) -> bool {
        let mut from = self.at;
        loop {
            let Some((position, marker)) = segment::find_marker(self.data, from) else {
                *self = Self { ended: true, ..Self::new(self.data, self.data.len()) };
                return false;
            };
            let ahead = marker.wrapping_sub(0xD0).wrapping_sub(expected) & 7;
            if !segment::is_restart(marker) || ahead == 1 || ahead == 2 {
                *self = Self { ended: true, ..Self::new(self.data, position) };
                return false;
            }
            from = position + 2;
            if ahead < 6 {
                *self = Self::new(self.data, from);
                return true;
            }
        }
    }
}

#[cold]
#[inline(never)]
fn refill_by_bytes(mut bits: Bits<'_>) -> Bits<'_> {
    while bits.count < REFILLED {
        let mut step = 1;
        let byte = match (bits.data.get(bits.at), bits.data.get(bits.at + 1)) {
            (Some(0xFF), Some(0)) => {
                step = 2;
                0xFF
            }
            (Some(0xFF), _) | (None, _) => {
                bits.ended = true;
                // Fill bytes: what lies ahead is a marker all the same.
                let add = 63 - bits.count;
                bits.padding = bits.padding.saturating_add(add);
                bits.count += add;
                return bits;
            }
            (Some(&byte), _) => byte,
        };
        bits.at += step;
        bits.buffer |= u64::from(byte) << (56 - bits.count);
        bits.count += 8;
    }
    bits
}

impl Bits<'_> {
    /// The same reader with its buffer filled.
    #[cfg(test)]
    pub(crate) fn primed(mut self) -> Self {
        self.refill();
        self
    }

    /// Whether the end has been seen: until then nothing can have been overrun.
    #[inline(always)]
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(data: &[u8], bits: usize) -> Vec<u32> {
        let mut reader = Bits::new(data, 0);
        (0..bits)
            .map(|_| {
                reader.ensure(32);
                reader.take(1)
            })
            .collect()
    }

    #[test]
    fn stuffing_is_removed_wherever_it_stands() {
        for lead in 0..20 {
            let mut data = vec![0x55; lead];
            data.extend([0xFF, 0x00, 0x80, 0x01]);
            data.extend([0xAA; 20]);
            let plain: Vec<u8> = data.iter().enumerate().filter(|&(i, _)| i != lead + 1).map(|(_, &b)| b).collect();
            let expected: Vec<u32> =
                plain.iter().flat_map(|&byte| (0..8).map(move |i| u32::from(byte >> (7 - i) & 1))).collect();
            assert_eq!(all(&data, expected.len()), expected, "{lead}");
        }
    }

    #[test]
    fn zeros_follow_the_end_and_are_noticed() {
        let data = [0xF0, 0xFF, 0xD9];
        let mut bits = Bits::new(&data, 0);
        bits.ensure(32);
        assert_eq!(bits.take(8), 0xF0);
        assert!(!bits.overrun());
        assert_eq!(bits.take(1), 0);
        assert!(bits.overrun());
        for _ in 0..1000 {
            bits.ensure(32);
            assert_eq!(bits.take(16), 0);
        }
        assert_eq!(bits.position(), 1);
    }

    #[test]
    fn restarts_are_found_by_number() {
        let data = [1, 0xFF, 0xD2, 7, 0xFF, 0xD3, 9];
        let mut bits = Bits::new(&data, 0);
        assert!(bits.restart(2));
        bits.ensure(8);
        assert_eq!(bits.take(8), 7);
        assert!(bits.restart(3));
        assert!(!bits.restart(4));
        // A lost marker: 2 is one ahead of 1, and stays for the next interval.
        let mut bits = Bits::new(&data, 0);
        assert!(!bits.restart(1));
        assert!(bits.restart(2));
        // An old marker is passed over.
        let mut bits = Bits::new(&data, 0);
        assert!(bits.restart(3));
        assert_eq!(bits.position(), 6);
    }
}
