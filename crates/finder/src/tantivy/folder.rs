//! The folder of an embedded index: a subfolder for each generation, `current` a link to one of them, and a lock.
//!
//! Invariant: `current` names a whole generation at any moment, also after a kill: it is replaced by renaming another
//! link over it. Whoever holds the lock is the only one who writes here.

use super::generation::broken;
use crate::error::FinderError;
use std::cell::Cell;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const CURRENT: &str = "current";
const NEXT: &str = "current.next";
const LOCK: &str = "lock";
/// Tries to remove a folder.
const REMOVALS: usize = 5;

/// A locked folder.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// The highest number that was given out.
    last: Cell<u64>,
    _lock: File,
}

impl Folder {
    /// Makes it where it is missing, and locks it until it is dropped (or the process ends).
    pub(super) fn open(root: &Path) -> Result<Self, FinderError> {
        let failed = |error: io::Error| FinderError::Broken(format!("{}: {error}", root.display()));
        fs::create_dir_all(root).map_err(failed)?;
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(root.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: root.to_owned(), last: Cell::new(0), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                let why = format!("{} is in use by another process: an embedded index has one", root.display());
                Err(FinderError::Unavailable(why))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The current generation's name.
    pub(super) fn current(&self) -> Option<String> {
        let target = fs::read_link(self.root.join(CURRENT)).ok()?;
        target.to_str().filter(|name| number(name).is_some()).map(str::to_owned)
    }

    /// All generations' names.
    pub(super) fn names(&self) -> Result<Vec<String>, FinderError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(broken)? {
            let entry = entry.map_err(broken)?;
            if let Some(name) = entry.file_name().to_str().filter(|name| number(name).is_some()) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// A name that no generation has, and none had since this was opened.
    pub(super) fn next_name(&self) -> Result<String, FinderError> {
        let there = self.names()?.last().and_then(|name| number(name)).unwrap_or(0);
        self.last.set(there.max(self.last.get()) + 1);
        Ok(format!("g{:08}", self.last.get()))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Makes `name` the current one.
    pub(super) fn point_to(&self, name: &str) -> Result<(), FinderError> {
        let next = self.root.join(NEXT);
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(broken(error)),
            _ => {}
        }
        symlink(name, &next).map_err(broken)?;
        fs::rename(&next, self.root.join(CURRENT)).map_err(broken)?;
        File::open(&self.root).and_then(|root| root.sync_all()).map_err(broken)
    }

    /// Removes a generation; what is still open of it stays readable for those who have it.
    pub(super) fn remove(&self, name: &str) -> Result<(), FinderError> {
        let mut removed = Ok(());
        // A merge that was under way may still write a file into it.
        for _ in 0..REMOVALS {
            removed = fs::remove_dir_all(self.path(name));
            match &removed {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                _ => break,
            }
        }
        removed.map_err(broken)
    }
}

fn number(name: &str) -> Option<u64> {
    let digits =
        name.strip_prefix('g').filter(|digits| digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::Folder;

    #[test]
    fn one_process_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        assert!(Folder::open(root.path()).is_err_and(|error| error.is_transient()));
        drop(folder);
        Folder::open(root.path()).unwrap();
    }

    #[test]
    fn the_link_moves() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path()).unwrap();
        assert_eq!(folder.current(), None);
        for expected in ["g00000001", "g00000002"] {
            let name = folder.next_name().unwrap();
            assert_eq!(name, expected);
            std::fs::create_dir(folder.path(&name)).unwrap();
            folder.point_to(&name).unwrap();
            assert_eq!(folder.current().as_deref(), Some(expected));
        }
        folder.remove("g00000001").unwrap();
        assert_eq!(folder.names().unwrap(), ["g00000002"]);
    }
}
