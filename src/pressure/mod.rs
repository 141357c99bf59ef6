//! Memory before the kernel steps in: budgets as shares of what there is, and caches that shrink when it runs short.
//!
//! Knows sizes, not what fills them. Above the high mark the caches give up what is missing to the low one; until memory is
//! below that, they keep to the size they have been brought to, and after that they may grow again. Invariant: between the
//! marks nothing changes, so that caches are not emptied and filled in turn.

pub mod amount;
pub mod config;
pub mod machine;

pub use amount::Amount;

use crate::app::App;
use config::MemoryConfig;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How often memory is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// The marks, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Above it caches shrink.
    pub high: u64,
    /// Below it they may grow again.
    pub low: u64,
}

/// Watches memory. What it finds is read off for metrics.
#[derive(Debug)]
pub struct Pressure {
    marks: Marks,
    limit: u64,
    resident: AtomicU64,
    short: AtomicBool,
    shrunk: AtomicU64,
}

/// What is to be done after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing.
    Enough,
    /// Caches are to hold at most so many bytes together.
    Keep(u64),
}

impl Pressure {
    /// With marks as shares of the limit.
    #[must_use]
    pub fn new(config: &MemoryConfig) -> Self {
        let limit = config.limit();
        let share = |share: f64| (limit as f64 * share) as u64;
        Self {
            marks: Marks { high: share(config.high), low: share(config.low) },
            limit,
            resident: AtomicU64::new(0),
            short: AtomicBool::new(false),
            shrunk: AtomicU64::new(0),
        }
    }

    /// Bytes that the process may have.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Bytes that it had when last looked at.
    pub fn resident(&self) -> u64 {
        self.resident.load(Ordering::Relaxed)
    }

    /// Whether memory is short.
    pub fn is_short(&self) -> bool {
        self.short.load(Ordering::Relaxed)
    }

    /// Bytes that caches have given up since the start.
    pub fn shrunk(&self) -> u64 {
        self.shrunk.load(Ordering::Relaxed)
    }

    /// `resident` bytes in memory, `cached` of them in caches that can give some up.
    fn look(&self, resident: u64, cached: u64) -> Verdict {
        self.resident.store(resident, Ordering::Relaxed);
        let was_short = self.is_short();
        let short = if was_short { resident >= self.marks.low } else { resident > self.marks.high };
        self.short.store(short, Ordering::Relaxed);
        match short {
            false => Verdict::Enough,
            // What was given up is not free at once: the allocator takes a second to give it back. Only what is missing
            // to the high mark is taken again.
            true if was_short && resident <= self.marks.high => Verdict::Keep(cached),
            true => Verdict::Keep(cached.saturating_sub(resident - self.marks.low)),
        }
    }
}

/// Looks every second for as long as the server lives.
pub async fn watch(app: App) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut held = u64::MAX;
    loop {
        ticks.tick().await;
        let Some(resident) = machine::resident(Path::new("/")) else { return };
        held = step(&app, resident, held);
    }
}

/// One look; `held` is what caches were brought to while memory has been short.
fn step(app: &App, resident: u64, held: u64) -> u64 {
    let pressure = &app.pressure;
    let was_short = pressure.is_short();
    let cached = app.renditions.bytes() + app.originals.bytes.bytes();
    match pressure.look(resident, cached) {
        Verdict::Enough => {
            if was_short {
                tracing::info!(resident, limit = pressure.limit(), "memory suffices again");
            }
            u64::MAX
        }
        Verdict::Keep(bytes) => {
            let keep = bytes.min(held);
            if !was_short {
                tracing::warn!(resident, limit = pressure.limit(), cached, keep, "memory is short: caches shrink");
            }
            let given = shrink(app, cached, keep);
            pressure.shrunk.fetch_add(given, Ordering::Relaxed);
            keep
        }
    }
}

/// Each cache in proportion. Gives the bytes that went.
fn shrink(app: &App, cached: u64, keep: u64) -> u64 {
    if cached <= keep {
        return 0;
    }
    let share = |bytes: u64| (u128::from(bytes) * u128::from(keep) / u128::from(cached.max(1))) as u64;
    let (renditions, originals) = (&app.renditions, &app.originals.bytes);
    renditions.shrink(share(renditions.bytes())) + originals.shrink(share(originals.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn pressure() -> Pressure {
        let sets = ["limit=1000MiB".to_owned(), "high=0.8".to_owned(), "low=0.7".to_owned()];
        Pressure::new(&service::config::load::<MemoryConfig>(None, [], &sets).expect("a sound config").config)
    }

    #[test]
    fn caches_shrink_above_the_high_mark_and_are_left_alone_between() {
        let pressure = pressure();
        assert_eq!(pressure.look(790 * MIB, 400 * MIB), Verdict::Enough, "below the high mark");
        assert_eq!(pressure.look(850 * MIB, 400 * MIB), Verdict::Keep(250 * MIB), "to the low mark");
        assert!(pressure.is_short());
        assert_eq!(pressure.look(780 * MIB, 250 * MIB), Verdict::Keep(250 * MIB), "the allocator gives it back slowly");
        assert_eq!(pressure.look(900 * MIB, 250 * MIB), Verdict::Keep(50 * MIB), "it was not enough");
        assert_eq!(pressure.look(900 * MIB, 50 * MIB), Verdict::Keep(0), "all there is");
        assert_eq!(pressure.look(690 * MIB, 0), Verdict::Enough);
        assert!(!pressure.is_short());
        assert_eq!(pressure.look(790 * MIB, 100 * MIB), Verdict::Enough, "and may grow again");
        assert_eq!((pressure.resident(), pressure.limit()), (790 * MIB, 1000 * MIB));
    }
}
