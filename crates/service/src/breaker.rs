//! Leaves alone what fails: after some failures in a row nothing is asked of it for a while, then one call tries.
//!
//! Pure: told what time it is and how calls ended. Knows neither what it guards nor what a failure is. Invariant: while it
//! is open at most one call in each pause goes through, so that what is dead costs nobody anything and is taken up again
//! within seconds.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When one opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Failures in a row that open it; 0 never does.
    pub failures: u32,
    /// They open it only when the first is so long ago: a burst of calls that fail together says little.
    pub lasting: Duration,
    /// How long nothing goes through, each time.
    pub pause: Duration,
}

/// The state of one guarded thing.
#[derive(Debug)]
pub struct Breaker {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// All may go through: failures in a row so far, and when the first of them was.
    Closed(u32, Option<Instant>),
    /// Nothing goes through before this moment.
    Open(Instant),
    /// One call tries. Where it never tells how it ended, another tries from this moment on.
    HalfOpen(Instant),
}

impl Breaker {
    /// A closed one.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::new(State::Closed(0, None)) }
    }

    /// Whether a call may be made now.
    ///
    /// # Errors
    /// How long none may. When that is over one may, and the others wait for how it ends, or for another pause.
    pub fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.lock();
        let (State::Open(until) | State::HalfOpen(until)) = *state else { return Ok(()) };
        match until.saturating_duration_since(now) {
            Duration::ZERO => {
                *state = State::HalfOpen(now + self.limits.pause);
                Ok(())
            }
            left => Err(left),
        }
    }

    /// A call ended well; `true` where this closed it.
    pub fn succeeded(&self) -> bool {
        let before = std::mem::replace(&mut *self.lock(), State::Closed(0, None));
        !matches!(before, State::Closed(..))
    }

    /// A call failed; `true` where this opened it, not where it was a trial that failed.
    pub fn failed(&self, now: Instant) -> bool {
        let mut state = self.lock();
        let until = now + self.limits.pause;
        match *state {
            State::Closed(before, since) => {
                let (failures, since) = (before.saturating_add(1), since.unwrap_or(now));
                let lasted = now.saturating_duration_since(since) >= self.limits.lasting;
                let opens = self.limits.failures > 0 && failures >= self.limits.failures && lasted;
                *state = if opens { State::Open(until) } else { State::Closed(failures, Some(since)) };
                opens
            }
            State::HalfOpen(_) => {
                *state = State::Open(until);
                false
            }
            // A call that began before it opened.
            State::Open(_) => false,
        }
    }

    /// Whether it is left alone, a trial under way or not.
    pub fn is_open(&self) -> bool {
        !matches!(*self.lock(), State::Closed(..))
    }

    /// Every change is one assignment, so a poisoned state is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAUSE: Duration = Duration::from_secs(5);
    const MOMENT: Duration = Duration::from_secs(1);

    fn breaker(failures: u32, lasting: Duration) -> (Breaker, Instant) {
        (Breaker::new(Limits { failures, lasting, pause: PAUSE }), Instant::now())
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let (breaker, now) = breaker(3, Duration::ZERO);
        assert!(!breaker.failed(now) && !breaker.failed(now) && !breaker.succeeded());
        assert!(!breaker.failed(now) && !breaker.failed(now) && breaker.admit(now).is_ok());
        assert!(breaker.failed(now), "the third in a row");
        assert!(breaker.is_open());
        assert_eq!(breaker.admit(now + MOMENT), Err(PAUSE - MOMENT));
        assert!(!breaker.failed(now + MOMENT), "a call that began before is no news");
        assert_eq!(breaker.admit(now + MOMENT), Err(PAUSE - MOMENT), "and does not make it longer");
    }

    #[test]
    fn a_burst_does_not_open_it() {
        let (breaker, now) = breaker(2, MOMENT);
        assert!((0..100).all(|_| !breaker.failed(now)) && breaker.admit(now).is_ok());
        assert!(breaker.failed(now + MOMENT));
        assert!(breaker.succeeded());
        assert!(!breaker.failed(now + 2 * MOMENT), "counted anew");
    }

    #[test]
    fn one_call_tries_and_decides() {
        let (breaker, start) = breaker(1, Duration::ZERO);
        breaker.failed(start);
        let now = start + PAUSE;
        assert_eq!(breaker.admit(now), Ok(()), "one tries");
        assert_eq!(breaker.admit(now), Err(PAUSE), "the others do not");
        assert!(breaker.is_open() && !breaker.failed(now + MOMENT), "it was open already");
        assert_eq!(breaker.admit(now + PAUSE), Err(MOMENT), "the pause begins where the trial ended");
        assert_eq!(breaker.admit(now + MOMENT + PAUSE), Ok(()));
        assert!(breaker.succeeded() && !breaker.is_open());
        assert!((0..9).all(|_| breaker.admit(now + MOMENT + PAUSE).is_ok()));
    }

    #[test]
    fn a_trial_that_never_ends_is_followed_by_another() {
        let (breaker, start) = breaker(1, Duration::ZERO);
        breaker.failed(start);
        for pauses in 1..4 {
            assert_eq!(breaker.admit(start + PAUSE * pauses), Ok(()));
            assert_eq!(breaker.admit(start + PAUSE * pauses), Err(PAUSE));
        }
    }

    #[test]
    fn zero_failures_never_open_it() {
        let (breaker, now) = breaker(0, Duration::ZERO);
        assert!((0..100).all(|_| !breaker.failed(now)) && breaker.admit(now).is_ok() && !breaker.is_open());
    }

    proptest! {
        /// Whatever happens when: while nothing succeeds, no two calls are let through within one pause of its opening.
        #[test]
        fn at_most_one_call_in_each_pause(steps in prop::collection::vec((0..3_000_u64, any::<bool>()), 0..200)) {
            let (breaker, mut now) = breaker(1, Duration::ZERO);
            breaker.failed(now);
            let mut last = now;
            for (millis, fails) in steps {
                now += Duration::from_millis(millis);
                if breaker.admit(now).is_ok() {
                    prop_assert!(now - last >= PAUSE);
                    last = now;
                }
                if fails {
                    prop_assert!(!breaker.failed(now));
                }
                prop_assert!(breaker.is_open());
            }
        }
    }
}
