//! Pictures that look alike: the bits in which two perceptual hashes differ, found by words of the hash's quarters.
//!
//! A hash has four quarters of 16 bits. If two hashes differ in `d` bits, some quarter differs in `d / 4` bits at most: so
//! whoever looks up all values within `d / 4` bits of each quarter misses nothing (recall 1, by the pigeonhole
//! principle). Of what is found so, every bit is compared. Invariant: the engines count and order by exact distances.

/// Largest distance that can be asked for: beyond it the words of quarters would be too many.
pub const MAX_DISTANCE: u8 = 15;

const QUARTERS: u32 = 4;
const QUARTER_BITS: u32 = 16;

/// Pictures whose perceptual hash differs from this one in at most some bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    /// pHash of the picture to compare with.
    pub hash: u64,
    /// Most bits that differ, 0 to [`MAX_DISTANCE`].
    pub within: u8,
}

/// The quarters of a hash as words of the index.
pub(crate) fn quarters(hash: u64) -> Vec<String> {
    (0..QUARTERS).map(|at| token(at, quarter(hash, at))).collect()
}

/// The bits of a hash as words of the index: one for each position.
pub(crate) fn bits(hash: u64) -> Vec<String> {
    (0..u64::BITS).map(|at| format!("{at}{}", if hash >> at & 1 == 1 { '+' } else { '-' })).collect()
}

impl Alike {
    /// The words of which a hash within the distance has at least one.
    pub(crate) fn probes(&self) -> Vec<String> {
        let most = u32::from(self.within) / QUARTERS;
        let flips: Vec<u16> = (0..=u16::MAX).filter(|flips| flips.count_ones() <= most).collect();
        let of = |at: u32| {
            let value = quarter(self.hash, at);
            flips.iter().map(move |flips| token(at, value ^ flips))
        };
        (0..QUARTERS).flat_map(of).collect()
    }
}

fn quarter(hash: u64, at: u32) -> u16 {
    (hash >> (at * QUARTER_BITS) & u64::from(u16::MAX)) as u16
}

fn token(at: u32, value: u16) -> String {
    format!("{at}{value:04x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_within_is_missed(hash: u64, flips in proptest::collection::btree_set(0_u32..64, 0..=usize::from(MAX_DISTANCE))) {
            let other = flips.iter().fold(hash, |hash, bit| hash ^ 1 << bit);
            let probes = Alike { hash, within: flips.len() as u8 }.probes();
            prop_assert!(quarters(other).iter().any(|quarter| probes.contains(quarter)));
        }

        #[test]
        fn equal_bits_are_equal_words(one: u64, two: u64) {
            let of = bits(one);
            let equal = bits(two).iter().filter(|bit| of.contains(bit)).count();
            prop_assert_eq!(equal as u32, 64 - (one ^ two).count_ones());
        }
    }

    #[test]
    fn probes_are_as_many_as_thought() {
        let count = |within| Alike { hash: 7, within }.probes().len();
        assert_eq!([count(3), count(7), count(11), count(15)], [4, 4 * 17, 4 * 137, 4 * 697]);
    }
}
