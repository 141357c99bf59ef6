//! How fast this machine renders: what renders took, over what they were expected to take.
//!
//! An exponentially weighted mean. Large renders weigh more, by their price: it is of them that queues consist. Reads no
//! clock. Invariant: one odd render moves it by a bounded factor only.

use std::time::Duration;

/// The share that one render of [`TYPICAL`] has.
const SHARE: f64 = 0.05;
/// The price of a render of weight one. One that is dearer weighs more, up to [`MOST_WEIGHT`] times.
const TYPICAL: f64 = 0.1;
const MOST_WEIGHT: f64 = 4.0;
/// One render counts as at most so many times faster or slower than what is known.
const MOST_ODD: f64 = 4.0;
/// Beyond these the price is wrong in another way than by the machine's speed.
const BOUNDS: (f64, f64) = (0.02, 50.0);

/// Seconds that a render takes for each second of its price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Speed(f64);

impl Default for Speed {
    fn default() -> Self {
        Self(1.0)
    }
}

impl Speed {
    /// What work of this price is expected to take here.
    pub(super) fn expect(self, price: Duration) -> Duration {
        price.mul_f64(self.0)
    }

    /// Learns from a render.
    pub(super) fn learn(&mut self, price: Duration, took: Duration) {
        let price = price.as_secs_f64();
        if price <= 0.0 {
            return;
        }
        let ratio = (took.as_secs_f64() / price).clamp(self.0 / MOST_ODD, self.0 * MOST_ODD);
        let share = SHARE * (price / TYPICAL).clamp(0.1, MOST_WEIGHT);
        self.0 = (self.0 + (ratio - self.0) * share).clamp(BOUNDS.0, BOUNDS.1);
    }

    /// For metrics.
    pub(super) fn factor(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_machine_twice_as_slow_is_known_after_a_while() {
        let mut speed = Speed::default();
        let price = Duration::from_millis(200);
        assert_eq!(speed.expect(price), price);
        for _ in 0..60 {
            speed.learn(price, 2 * price);
        }
        let expected = speed.expect(price);
        assert!(expected > price.mul_f64(1.95) && expected < price.mul_f64(2.01), "{expected:?}");
        speed.learn(price, Duration::from_secs(3600));
        assert!(speed.expect(price) < 5 * price, "one odd render: {speed:?}");
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(renders in proptest::collection::vec((0u64..100_000, 0u64..10_000_000), 0..200)) {
            let mut speed = Speed::default();
            for (price, took) in renders {
                speed.learn(Duration::from_millis(price), Duration::from_millis(took));
                prop_assert!((BOUNDS.0..=BOUNDS.1).contains(&speed.factor()), "{:?}", speed);
            }
        }
    }
}
