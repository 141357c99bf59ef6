//! From microseconds to the units of a format, without losing time: what one frame is rounded by, the next makes good.

use crate::motion::HASTE;

/// Counts the time told so far.
#[derive(Debug)]
pub(super) struct Pace {
    /// Microseconds.
    unit: u64,
    exact: u64,
    told: u64,
}

impl Pace {
    pub(super) fn new(unit: u64) -> Self {
        Self { unit, exact: 0, told: 0 }
    }

    /// The duration of the next frame in units. One that browsers show as it is never becomes one that they stretch, nor
    /// the other way round.
    pub(super) fn next(&mut self, micros: u64) -> u64 {
        self.exact = self.exact.saturating_add(micros);
        let units = (self.exact.saturating_add(self.unit / 2) / self.unit).saturating_sub(self.told);
        let most_hasty = HASTE / self.unit;
        let units = if micros > HASTE { units.max(most_hasty + 1) } else { units.min(most_hasty) };
        self.told = self.told.saturating_add(units);
        units
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn rounding_loses_no_time() {
        let mut pace = Pace::new(10_000);
        let thirds: Vec<u64> = (0..6).map(|_| pace.next(33_333)).collect();
        assert_eq!(thirds, [3, 4, 3, 3, 4, 3]);
    }

    #[test]
    fn nobody_changes_sides() {
        let mut pace = Pace::new(10_000);
        assert_eq!([pace.next(11_000), pace.next(12_000), pace.next(14_000)], [2, 2, 2], "1 would be shown as 10");
        let mut pace = Pace::new(10_000);
        assert_eq!([0, 0, 10_000, 10_000].map(|micros| pace.next(micros)), [0, 0, 1, 1]);
    }
}
