//! The thread that writes the log, and the bounded queue before it.
//!
//! Invariant: sending never blocks. A full queue drops the line and counts it; the count is written as soon as there is
//! room. A sink that fails is not retried: there is nowhere to complain to.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait to be written.
const QUEUE: usize = 8192;

/// Longest wait for the queue to empty when the process ends.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Log lines that this process has dropped because they came faster than they could be written.
pub fn dropped_lines() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// How dropped lines are told of.
#[derive(Clone, Copy)]
enum Notice {
    None,
    Text,
    Json,
}

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// What the subscriber writes lines to.
#[derive(Clone)]
pub(super) struct LogWriter {
    queue: SyncSender<Message>,
    /// Lines that this very writer has dropped: what it tells of in its own log.
    dropped: Arc<AtomicU64>,
}

/// Writes out the queued lines when dropped.
#[derive(Debug)]
pub struct LogGuard {
    queue: SyncSender<Message>,
}

impl LogWriter {
    pub(super) fn start(sink: impl Write + Send + 'static, json: bool) -> io::Result<(Self, LogGuard)> {
        let notice = if json { Notice::Json } else { Notice::Text };
        Self::spawn(sink, notice)
    }

    /// One that does not tell of dropped lines in between: others read its lines by a form.
    pub(super) fn start_quiet(sink: impl Write + Send + 'static) -> io::Result<(Self, LogGuard)> {
        Self::spawn(sink, Notice::None)
    }

    fn spawn(sink: impl Write + Send + 'static, notice: Notice) -> io::Result<(Self, LogGuard)> {
        let (queue, lines) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let own = Arc::clone(&dropped);
        std::thread::Builder::new().name("log".into()).spawn(move || write_all(sink, &lines, notice, &own))?;
        Ok((Self { queue: queue.clone(), dropped }, LogGuard { queue }))
    }

    /// Queues one whole line, or drops and counts it.
    pub(super) fn send(&self, line: &[u8]) {
        match self.queue.try_send(Message::Line(line.to_vec())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                DROPPED.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Each call is one whole line: the subscriber formats an event into a buffer, then writes that at once.
impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.send(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let (done, written) = sync_channel(1);
        // A full queue has no room for this message either: then what is queued is lost with the process, as it would
        // be if the sink never moved again.
        if self.queue.try_send(Message::Flush(done)).is_ok() {
            let _: Result<(), RecvTimeoutError> = written.recv_timeout(FLUSH_LIMIT);
        }
    }
}

fn write_all(mut sink: impl Write, lines: &Receiver<Message>, notice: Notice, counter: &AtomicU64) {
    let mut told = 0;
    while let Ok(message) = lines.recv() {
        match message {
            Message::Line(line) => {
                let _ = sink.write_all(&line);
            }
            Message::Flush(done) => {
                let _ = sink.flush();
                let _ = done.try_send(());
            }
        }
        let dropped = counter.load(Ordering::Relaxed);
        if dropped > told {
            let _ = match notice {
                Notice::None => Ok(()),
                Notice::Text => writeln!(sink, "WARN log lines dropped count={}", dropped - told),
                Notice::Json => {
                    writeln!(sink, r#"{{"level":"WARN","message":"log lines dropped","count":{}}}"#, dropped - told)
                }
            };
            told = dropped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Instant;

    /// A sink that takes nothing until it is unlocked.
    struct Stuck(Arc<Mutex<Vec<u8>>>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stuck_sink_drops_and_counts_lines_and_holds_nobody_up() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut writer, guard) = LogWriter::start(Stuck(Arc::clone(&written)), true).unwrap();
        let before = dropped_lines();
        let locked = written.lock().unwrap();
        let begun = Instant::now();
        for _ in 0..QUEUE + 100 {
            writer.write_all(b"line\n").unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(10));
        let dropped = dropped_lines() - before;
        assert!((99..=100).contains(&dropped), "{dropped}: one line may be in the writer's hands");
        drop(locked);
        // Room for the flush message appears as soon as the sink moves.
        while written.lock().unwrap().len() < 5 * QUEUE / 2 {
            std::thread::yield_now();
        }
        drop(guard);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().filter(|line| *line == "line").count() as u64, QUEUE as u64 + 100 - dropped);
        assert!(
            text.contains(&format!("\"message\":\"log lines dropped\",\"count\":{dropped}}}")),
            "not told of {dropped}"
        );
    }
}
