//! The clock. Only the server and background loops read it; all else is told the time.

use std::time::{Instant, SystemTime};

/// Two readings of one moment.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The time of day, for what is said to others.
    pub wall: fn() -> SystemTime,
    /// For durations.
    pub tick: fn() -> Instant,
}

impl Clock {
    /// The system's.
    pub const SYSTEM: Self = Self { wall: SystemTime::now, tick: Instant::now };
}
