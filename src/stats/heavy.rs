//! The most frequent of very many, in constant room: *space-saving* (Metwally, Agrawal, El Abbadi, ICDT 2005).
//!
//! Invariants: whoever came more often than total/room is among those remembered; a count is at most `over` too high,
//! never too low.

/// What is remembered.
#[derive(Debug)]
pub(super) struct Heavy {
    entries: Vec<Entry>,
    room: usize,
}

#[derive(Debug)]
struct Entry {
    what: Box<str>,
    count: u64,
    /// What of the count may be others' whose place this took.
    over: u64,
}

impl Heavy {
    pub(super) fn new(room: usize) -> Self {
        Self { entries: Vec::new(), room: room.max(1) }
    }

    /// Counts one more of `what`.
    pub(super) fn offer(&mut self, what: &str) {
        if let Some(known) = self.entries.iter_mut().find(|entry| *entry.what == *what) {
            known.count += 1;
            return;
        }
        if self.entries.len() < self.room {
            self.entries.push(Entry { what: what.into(), count: 1, over: 0 });
            return;
        }
        if let Some(least) = self.entries.iter_mut().min_by_key(|entry| entry.count) {
            *least = Entry { what: what.into(), count: least.count + 1, over: least.count };
        }
    }

    /// The most frequent with count and error, at most `most`.
    pub(super) fn top(&self, most: usize) -> Vec<(String, u64, u64)> {
        let mut all: Vec<_> = self.entries.iter().collect();
        all.sort_by(|a, b| (b.count - b.over, &a.what).cmp(&(a.count - a.over, &b.what)));
        all.iter().take(most).map(|entry| (entry.what.to_string(), entry.count, entry.over)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn the_frequent_are_there_and_counts_are_never_too_low(
            offers in proptest::collection::vec(0_u8..40, 0..400), room in 1_usize..12,
        ) {
            let mut heavy = Heavy::new(room);
            let mut exact = HashMap::<String, u64>::new();
            for offer in &offers {
                let what = offer.to_string();
                heavy.offer(&what);
                *exact.entry(what).or_default() += 1;
            }
            let top = heavy.top(usize::MAX);
            prop_assert!(top.len() <= room);
            for (what, count, over) in &top {
                let true_count = exact[what];
                prop_assert!(*count >= true_count && count - over <= true_count);
            }
            for (what, count) in exact {
                if count > (offers.len() / room) as u64 {
                    prop_assert!(top.iter().any(|(known, ..)| *known == what), "{} of {}", what, offers.len());
                }
            }
        }
    }
}
