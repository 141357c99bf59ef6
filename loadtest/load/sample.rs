//! What a server holds, read from time to time, and whether it stays level.
//!
//! Medians over stretches of time, since any one reading may fall into a burst.

use crate::edge::{Edge, Verdict};
use crate::visitor::percentile;
use std::time::{Duration, Instant};

const MIB: f64 = (1 << 20) as f64;

/// One reading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Since the first.
    pub(crate) at: Duration,
    /// MiB of memory.
    pub(crate) resident: f64,
    /// Open files and sockets.
    pub(crate) files: f64,
    pub(crate) threads: f64,
    /// Tasks that have not ended.
    pub(crate) tasks: f64,
    /// Connections open.
    pub(crate) connections: f64,
    /// Seconds on processors so far.
    pub(crate) processor: f64,
}

impl Sample {
    pub(crate) fn take(edge: &Edge, began: Instant) -> Self {
        let metrics = edge.metrics();
        Self {
            at: began.elapsed(),
            resident: edge.resident() as f64 / MIB,
            files: edge.files() as f64,
            threads: edge.threads() as f64,
            tasks: metrics.sum("tintype_tasks"),
            connections: metrics.sum("tintype_connections"),
            processor: metrics.sum("tintype_process_cpu_seconds_total"),
        }
    }
}

/// The median of a reading over the samples between two shares of the whole time.
pub(crate) fn median(samples: &[Sample], from: f64, to: f64, read: impl Fn(&Sample) -> f64) -> f64 {
    let share = |share: f64| ((samples.len() as f64 * share) as usize).min(samples.len());
    let mut values: Vec<f64> = samples[share(from)..share(to)].iter().map(read).collect();
    percentile(&mut values, 0.5)
}

/// Holds the last quarter against the second: the first is the filling of caches.
pub(crate) fn level(samples: &[Sample], verdict: &mut Verdict) {
    type Reading = (&'static str, fn(&Sample) -> f64, f64, f64);
    // Beside a share, some that come and go: blocks that the allocator keeps, clients that happen to be there.
    let readings: [Reading; 4] = [
        ("memory, MiB", |s| s.resident, 1.10, 8.0),
        ("files", |s| s.files, 1.10, 16.0),
        ("tasks", |s| s.tasks, 1.10, 32.0),
        ("threads", |s| s.threads, 1.10, 4.0),
    ];
    for (what, read, share, some) in readings {
        let (before, after) = (median(samples, 0.25, 0.5, read), median(samples, 0.75, 1.0, read));
        let kept = after <= before * share + some;
        verdict.hold(kept, format!("{what}: {before:.1} in the second quarter, {after:.1} in the last"));
    }
}

/// A table with a row for every `step`.
pub(crate) fn table(samples: &[Sample], step: Duration) {
    println!("| minute | memory MiB | files | tasks | threads | connections | cores in use |");
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    let mut due = Duration::ZERO;
    let mut last: Option<Sample> = None;
    for sample in samples {
        if sample.at < due {
            continue;
        }
        let Sample { at, resident, files, threads, tasks, connections, processor } = *sample;
        let cores = last.map_or(0.0, |last| (processor - last.processor) / (at - last.at).as_secs_f64());
        let minute = at.as_secs_f64() / 60.0;
        println!("| {minute:.1} | {resident:.1} | {files} | {tasks} | {threads} | {connections} | {cores:.3} |");
        (due, last) = (at + step - Duration::from_secs(1), Some(*sample));
    }
}
