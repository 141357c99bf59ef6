//! What criterion measures here: the time that this thread had a processor, so that other work on the machine counts
//! little. Invariant: work that is spread over threads is not measured with it.

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use std::ffi::{c_int, c_long};
use std::time::Duration;

#[repr(C)]
struct Time {
    seconds: c_long,
    nanoseconds: c_long,
}

unsafe extern "C" {
    fn clock_gettime(clock: c_int, time: *mut Time) -> c_int;
}

#[cfg(target_os = "linux")]
const THREAD: c_int = 3;
#[cfg(not(target_os = "linux"))]
const THREAD: c_int = 16;

/// Processor time of the calling thread.
pub(crate) struct CpuTime;

fn now() -> Duration {
    let mut time = Time { seconds: 0, nanoseconds: 0 };
    // SAFETY: POSIX writes both fields of a `timespec`, which on 64-bit systems are longs.
    let status = unsafe { clock_gettime(THREAD, &mut time) };
    assert!(status == 0, "a thread has a clock");
    Duration::new(time.seconds.unsigned_abs(), u32::try_from(time.nanoseconds).unwrap_or(0))
}

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        now()
    }

    fn end(&self, start: Duration) -> Duration {
        now() - start
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Nanoseconds
    }
}

/// As criterion writes wall time.
struct Nanoseconds;

impl ValueFormatter for Nanoseconds {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_values(typical, values)
    }

    fn scale_throughputs(&self, typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_throughputs(typical, throughput, values)
    }

    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_for_machines(values)
    }
}
