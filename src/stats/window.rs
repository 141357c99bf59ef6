//! The last ten minutes of a route's counters, as samples: what happened within a time is a difference.
//!
//! Reads no clock. Invariant: as many samples as fit the longest window, the oldest go.

use super::{SAMPLE, Totals};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Ten minutes, and one sample to count from.
const MOST: usize = 600 / SAMPLE.as_secs() as usize + 1;

/// Samples, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Window(VecDeque<(Instant, Totals)>);

impl Window {
    pub(super) fn push(&mut self, now: Instant, totals: Totals) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((now, totals));
    }

    /// What came since the youngest sample that is at least `span` old, or the oldest there is; and how long that is.
    pub(super) fn within(&self, span: Duration, now: Instant, totals: &Totals) -> Option<(Duration, Totals)> {
        let old_enough = |(at, _): &&(Instant, Totals)| now.saturating_duration_since(*at) >= span;
        let (at, before) = self.0.iter().rev().find(old_enough).or(self.0.front())?;
        let took = now.saturating_duration_since(*at);
        (!took.is_zero()).then(|| (took, totals.since(before)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_difference() {
        let (mut window, start) = (Window::default(), Instant::now());
        let totals = |bytes| Totals { bytes, ..Totals::default() };
        assert_eq!(window.within(SAMPLE, start, &totals(5)), None);
        for number in 0..200 {
            window.push(start + SAMPLE * number, totals(u64::from(number)));
        }
        assert_eq!(window.0.len(), MOST);
        let now = start + SAMPLE * 200;
        let minute = Duration::from_secs(60);
        assert_eq!(window.within(minute, now, &totals(200)), Some((minute, totals(6))));
        assert_eq!(window.within(minute * 10, now, &totals(200)), Some((minute * 10, totals(60))));
        let longest = window.within(minute * 99, now, &totals(200)).expect("the oldest there is");
        assert_eq!(longest.0, SAMPLE * MOST as u32);
    }
}
