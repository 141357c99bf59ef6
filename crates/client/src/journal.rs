//! What an import has done so far, in a file beside its work: an import that is interrupted goes on with it.
//!
//! Lines of JSON, added one by one; of a file's lines the last counts. Invariant: a line that was cut off by a kill is no line.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "step")]
pub(crate) enum Entry {
    /// It is being sent, to this upload.
    Begun { upload: String },
    /// The server has it.
    Done { hash: String },
}

#[derive(Serialize, Deserialize)]
struct Line {
    /// The name that it is published under.
    path: String,
    /// Length and time of change of the file: others, and it is another file.
    bytes: u64,
    modified: u64,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Serialize, Deserialize)]
struct Head {
    tintype_import: u32,
    server: String,
    prefix: String,
}

/// The file.
pub(crate) struct Journal {
    place: PathBuf,
    file: Mutex<File>,
    known: Known,
}

/// By published names: length and time of change of the file, and what became of it.
type Known = HashMap<String, (u64, u64, Entry)>;

pub(crate) fn stamp(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

impl Journal {
    /// Opens the journal of an import to `server` under `prefix`; another import's is begun anew.
    pub(crate) fn open(place: &Path, server: &str, prefix: &str) -> Result<Self, Failure> {
        let fault = |error| Failure::file(place, error);
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(place).map_err(fault)?;
        file.try_lock().map_err(|_| Failure::file(place, "another import is at work here"))?;
        let known = read(&file, server, prefix);
        if known.is_none() {
            file.set_len(0).map_err(fault)?;
            let head = Head { tintype_import: 1, server: server.to_owned(), prefix: prefix.to_owned() };
            write(&mut file, &head).map_err(fault)?;
        }
        // A line that was cut off must not run into the next.
        file.write_all(b"\n").map_err(fault)?;
        Ok(Self { place: place.to_owned(), file: Mutex::new(file), known: known.unwrap_or_default() })
    }

    /// What is known of a file, if it is still the same.
    pub(crate) fn known(&self, path: &str, bytes: u64, modified: SystemTime) -> Option<&Entry> {
        let (size, time, entry) = self.known.get(path)?;
        (*size == bytes && *time == stamp(modified)).then_some(entry)
    }

    pub(crate) fn note(&self, path: &str, bytes: u64, modified: SystemTime, entry: Entry) -> Result<(), Failure> {
        let line = Line { path: path.to_owned(), bytes, modified: stamp(modified), entry };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut file, &line).map_err(|error| Failure::file(&self.place, error))
    }

    /// The import is whole: nothing to go on with.
    pub(crate) fn remove(self) -> Result<(), Failure> {
        std::fs::remove_file(&self.place).map_err(|error| Failure::file(&self.place, error))
    }
}

/// What a journal says; `None` where it is another import's.
fn read(file: &File, server: &str, prefix: &str) -> Option<Known> {
    let mut lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    let head: Head = serde_json::from_slice(&lines.next()?).ok()?;
    if head.server != server || head.prefix != prefix || head.tintype_import != 1 {
        return None;
    }
    let lines = lines.filter_map(|line| serde_json::from_slice::<Line>(&line).ok());
    Some(lines.map(|line| (line.path, (line.bytes, line.modified, line.entry))).collect())
}

/// In one piece, so that lines of several threads do not mix.
fn write<T: Serialize>(file: &mut File, line: &T) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_known_again_and_cut_lines_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("journal");
        let time = SystemTime::now();
        let done = Entry::Done { hash: "abc".into() };
        {
            let journal = Journal::open(&place, "http://a", "x/").unwrap();
            journal.note("x/1.jpg", 10, time, Entry::Begun { upload: "/u/1".into() }).unwrap();
            journal.note("x/1.jpg", 10, time, done.clone()).unwrap();
            journal.note("x/2.jpg", 10, time, Entry::Begun { upload: "/u/2".into() }).unwrap();
            assert!(Journal::open(&place, "http://a", "x/").is_err(), "one import at a time");
        }
        let whole = std::fs::read(&place).unwrap();
        std::fs::write(&place, &whole[..whole.len() - 5]).unwrap();
        let journal = Journal::open(&place, "http://a", "x/").unwrap();
        assert_eq!(journal.known("x/1.jpg", 10, time), Some(&done));
        assert_eq!(journal.known("x/1.jpg", 11, time), None, "the file has changed");
        assert_eq!(journal.known("x/2.jpg", 10, time), None, "its line was cut off");
        journal.note("x/2.jpg", 10, time, done.clone()).unwrap();
        drop(journal);
        let journal = Journal::open(&place, "http://a", "x/").unwrap();
        assert_eq!(journal.known("x/2.jpg", 10, time), Some(&done));
        drop(journal);
        assert_eq!(Journal::open(&place, "http://b", "x/").unwrap().known("x/1.jpg", 10, time), None);
    }
}
