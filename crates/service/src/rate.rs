//! Token buckets in memory, by the generic cell rate algorithm: of each client only the moment is kept at which it has all
//! of its tokens back.
//!
//! The table has a fixed size. Each client has one cell in each of two rows, found by keyed hashes, and is judged by the
//! emptier one: whom another shares a cell with is held back only if others share both of its cells (a count-min sketch with
//! conservative update: Estan, Varghese, 2002). Reads no clock. Invariant: nobody gets more than the rule allows.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Cells of a row.
const CELLS: usize = 1 << 17;
const ROWS: usize = 2;

/// What one client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Microseconds in which one token comes back.
    interval: u64,
    /// Microseconds that may be drawn in advance.
    burst: u64,
}

impl Rule {
    /// `rate` tokens a second in the long run (more than 0), `burst` at once.
    #[must_use]
    pub fn new(rate: f64, burst: u32) -> Self {
        let interval = ((1e6 / rate) as u64).max(1);
        Self { interval, burst: interval.saturating_mul(burst.max(1).into()) }
    }

    /// Microseconds in which one token comes back.
    pub const fn interval(self) -> u64 {
        self.interval
    }

    /// Microseconds after which a client that has spent all of its tokens has them back.
    pub const fn burst(self) -> u64 {
        self.burst
    }

    /// The moment after one token more was taken, or how long to wait for one. All in microseconds of one clock.
    fn take(self, full_at: u64, now: u64) -> Result<u64, u64> {
        let next = full_at.max(now).saturating_add(self.interval);
        match (next - now).checked_sub(self.burst) {
            None | Some(0) => Ok(next),
            Some(early) => Err(early),
        }
    }
}

/// The buckets of all clients of one sort.
#[derive(Debug)]
pub struct Table {
    rule: Rule,
    rows: Mutex<Vec<[u64; ROWS]>>,
    hashers: [RandomState; ROWS],
}

impl Table {
    /// Buckets that are all full.
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        Self { rule, rows: Mutex::new(vec![[0; ROWS]; CELLS]), hashers: std::array::from_fn(|_| RandomState::new()) }
    }

    /// What each client may do.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Takes a token. `now` counts from any fixed moment.
    ///
    /// # Errors
    /// There is none; one comes after this time.
    pub fn take(&self, client: impl Hash, now: Duration) -> Result<(), Duration> {
        // From one on, so that an unused cell is in the past.
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX >> 1).saturating_add(1);
        let places: [usize; ROWS] = std::array::from_fn(|row| self.hashers[row].hash_one(&client) as usize % CELLS);
        // Held for a few reads and writes, and by misses only.
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let emptier = (0..ROWS).map(|row| rows[places[row]][row]).min().unwrap_or_default();
        let next = self.rule.take(emptier, now).map_err(Duration::from_micros)?;
        for (row, &place) in places.iter().enumerate() {
            let cell = &mut rows[place][row];
            *cell = (*cell).max(next);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_then_the_rate() {
        let table = Table::new(Rule::new(10.0, 5));
        for _ in 0..5 {
            assert_eq!(table.take("a", SECOND), Ok(()));
        }
        assert_eq!(table.take("a", SECOND), Err(Duration::from_millis(100)));
        assert_eq!(table.take("b", SECOND), Ok(()), "another");
        assert_eq!(table.take("a", SECOND + Duration::from_millis(99)), Err(Duration::from_millis(1)));
        assert_eq!(table.take("a", SECOND + Duration::from_millis(100)), Ok(()));
        assert!(table.take("a", SECOND + Duration::from_millis(100)).is_err());
        for _ in 0..5 {
            assert_eq!(table.take("a", 10 * SECOND), Ok(()), "after a rest");
        }
        assert!(table.take("a", 10 * SECOND).is_err());
    }

    #[test]
    fn many_others_hold_back_hardly_anybody() {
        let table = Table::new(Rule::new(0.001, 1));
        let spent = (0..10_000).filter(|attacker| table.take(attacker, SECOND).is_ok()).count();
        assert!(spent > 9_900, "{spent}");
        let held_back = (10_000..12_000).filter(|client| table.take(client, SECOND).is_err()).count();
        // A thirteenth of each row is full, and so one in 180 has both cells full.
        assert!(held_back < 40, "{held_back} of 2,000");
    }

    proptest! {
        /// Over any span nobody gets more than the burst and what came back in it.
        #[test]
        fn nobody_gets_more_than_the_rule(
            rate in 0.5f64..500.0,
            burst in 1u32..50,
            pauses in proptest::collection::vec(0u64..200_000, 1..200),
        ) {
            let table = Table::new(Rule::new(rate, burst));
            let (mut now, mut got) = (0, 0.0);
            for pause in &pauses {
                now += pause;
                if table.take("a", Duration::from_micros(now)).is_ok() {
                    got += 1.0;
                }
            }
            let span = (now - pauses[0]) as f64 / 1e6;
            // The interval is whole microseconds, rounded down.
            prop_assert!(got <= f64::from(burst) + span * rate * 1.001 + 1e-6, "{got} in {span} s");
        }
    }
}
