//! Lines for a file or for standard output, such as an access log: through a thread and a bounded queue as the log is.
//!
//! Knows no form. Invariant: a file that was moved away (by `logrotate`) is opened anew within a second.

use super::writer::{LogGuard, LogWriter};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Standard output.
    Output,
    /// The end of a file.
    File(PathBuf),
}

/// Takes lines. Clones write to the same place; the last one's drop waits until all is written.
#[derive(Clone)]
pub struct Lines {
    writer: LogWriter,
    _written: std::sync::Arc<LogGuard>,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

impl Lines {
    /// Opens it, and starts the thread.
    ///
    /// # Errors
    /// The file cannot be opened, or the system gives no thread.
    pub fn open(sink: &Sink) -> io::Result<Self> {
        let (writer, guard) = match sink {
            Sink::Output => LogWriter::start_quiet(io::stdout())?,
            Sink::File(path) => LogWriter::start_quiet(Rotated::open(path)?)?,
        };
        Ok(Self { writer, _written: guard.into() })
    }

    /// Writes one line, which ends with a line feed, or drops it where the queue is full.
    pub fn write(&self, line: &[u8]) {
        self.writer.send(line);
    }
}

/// A file that others may move away.
struct Rotated {
    path: PathBuf,
    file: File,
    looked: Instant,
}

impl Rotated {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        Ok(Self { path: path.to_owned(), file, looked: Instant::now() })
    }

    fn follow(&mut self) {
        use std::os::unix::fs::MetadataExt as _;
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        let same = |there: std::fs::Metadata| {
            self.file.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (there.dev(), there.ino()))
        };
        if !std::fs::metadata(&self.path).is_ok_and(same)
            && let Ok(fresh) = Self::open(&self.path)
        {
            *self = fresh;
        }
    }
}

impl Write for Rotated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.follow();
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_all_written_and_a_moved_file_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("access.log"), folder.path().join("access.log.1"));
        let lines = Lines::open(&Sink::File(path.clone())).unwrap();
        for number in 0..100 {
            lines.write(format!("{number}\n").as_bytes());
        }
        drop(lines);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 100);
        let mut file = Rotated::open(&path).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        file.looked -= LOOK;
        file.write_all(b"after\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "after\n");
        assert!(Lines::open(&Sink::File(folder.path().join("no/such/folder"))).is_err());
    }
}
