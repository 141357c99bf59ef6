//! The process as the kernel sees it: time on processors, open files, threads.
//!
//! Read when somebody scrapes, on Linux; nothing elsewhere.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;

/// Ticks a second of the times in `/proc` (`USER_HZ`, the same on all machines that we build for).
const TICKS: f64 = 100.0;

/// Reads it.
#[derive(Debug)]
pub(crate) struct Process;

/// Seconds on processors, and threads.
fn stat() -> Option<(f64, i64)> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold anything; what comes after the last bracket are numbers.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<i64>().ok();
    // utime, stime and num_threads are the fields 14, 15 and 20; the first here is the third.
    Some(((number(11)? + number(12)?) as f64 / TICKS, number(17)?))
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        if let Some((seconds, threads)) = stat() {
            let cpu = ConstCounter::new(seconds);
            let help = "Time on processors, user and system";
            cpu.encode(encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), cpu.metric_type())?)?;
            let threads = ConstGauge::new(threads);
            threads.encode(encoder.encode_descriptor("process_threads", "Threads", None, threads.metric_type())?)?;
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            let files = ConstGauge::new(i64::try_from(files.count()).unwrap_or(i64::MAX));
            files.encode(encoder.encode_descriptor("process_open_fds", "Open files", None, files.metric_type())?)?;
        }
        Ok(())
    }
}
