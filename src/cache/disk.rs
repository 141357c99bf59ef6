//! The disk tier: one file for each entry in a folder of its own, within a budget of bytes.
//!
//! Knows bytes under names. Files are written beside and renamed, so that a reader sees all or nothing; the file's time of
//! change is its expiry. Invariant: the sum of the files stays within the budget, but for the entry being written; the
//! least recently written go first.

use super::envelope::Envelope;
use super::tier::{Failure, Later, Name, Tier, Void};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// The tier. Clones share it.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    root: PathBuf,
    budget: u64,
    /// Told the time, so that a test can.
    now: fn() -> SystemTime,
    index: Mutex<Index>,
    turns: AtomicU64,
}

/// What is in the folder: sizes by name, and the order in which entries go.
#[derive(Debug, Default)]
struct Index {
    entries: HashMap<Name, Entry>,
    order: BTreeMap<u64, Name>,
    next: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    turn: u64,
    bytes: u64,
}

impl Index {
    fn add(&mut self, name: Name, bytes: u64) {
        self.forget(&name);
        let turn = self.next;
        self.next += 1;
        self.order.insert(turn, name);
        self.entries.insert(name, Entry { turn, bytes });
        self.bytes += bytes;
    }

    fn forget(&mut self, name: &Name) -> bool {
        let Some(entry) = self.entries.remove(name) else { return false };
        self.order.remove(&entry.turn);
        self.bytes -= entry.bytes;
        true
    }

    /// Names to delete until `more` fits.
    fn make_room(&mut self, budget: u64, more: u64) -> Vec<Name> {
        let mut gone = Vec::new();
        while self.bytes.saturating_add(more) > budget
            && let Some((_, name)) = self.order.pop_first()
        {
            self.forget(&name);
            gone.push(name);
        }
        gone
    }
}

impl Disk {
    /// Takes the folder (made where it is missing) and what an earlier run left there, oldest first.
    ///
    /// # Errors
    /// The folder cannot be made, read or written.
    pub fn open(root: &Path, budget: u64, now: fn() -> SystemTime) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let mut index = Index::default();
        for (name, bytes) in found(root)? {
            index.add(name, bytes);
        }
        let gone = index.make_room(budget, 0);
        let parts = Parts { root: root.to_owned(), budget, now, index: Mutex::new(index), turns: AtomicU64::new(0) };
        let disk = Self(Arc::new(parts));
        gone.iter().for_each(|name| disk.0.delete(name));
        Ok(disk)
    }

    /// Bytes of all entries.
    pub fn bytes(&self) -> u64 {
        self.0.lock().bytes
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let parts = Arc::clone(&self.0);
        #[expect(clippy::disallowed_methods, reason = "files, not pixels, and asked by bounded queues only")]
        let task = tokio::task::spawn_blocking(move || work(&parts));
        task.await.unwrap_or_else(|_| Err(Failure::Refused("the reading thread ended".into())))
    }
}

/// Entries of an earlier run by their times; leftovers of writes that were cut off are deleted.
fn found(root: &Path) -> io::Result<Vec<(Name, u64)>> {
    let mut entries = Vec::new();
    for folder in fs::read_dir(root)? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(&folder)? {
            let file = file?;
            let Ok(metadata) = file.metadata() else { continue };
            match file.file_name().to_str().and_then(parse) {
                Some(name) => entries.push((metadata.modified().ok(), name, metadata.len())),
                None => drop(fs::remove_file(file.path())),
            }
        }
    }
    entries.sort_by_key(|(modified, ..)| *modified);
    Ok(entries.into_iter().map(|(_, name, bytes)| (name, bytes)).collect())
}

fn parse(hex: &str) -> Option<Name> {
    let bytes = hex.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut name = [0; 32];
    if bytes.len() != 64 {
        return None;
    }
    for (byte, pair) in name.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(name)
}

impl Parts {
    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, name: &Name) -> PathBuf {
        use std::fmt::Write as _;
        let mut hex = String::with_capacity(64);
        for byte in name {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
        }
        self.root.join(&hex[..2]).join(hex)
    }

    fn read(&self, name: &Name) -> Result<Option<Bytes>, Failure> {
        if !self.lock().entries.contains_key(name) {
            return Ok(None);
        }
        let path = self.path(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.lock().forget(name);
                return Ok(None);
            }
            Err(error) => return Err(failure(&error)),
        };
        let expires = fs::metadata(&path).and_then(|metadata| metadata.modified()).map_err(|error| failure(&error))?;
        if expires <= (self.now)() {
            self.remove(name);
            return Ok(None);
        }
        Ok(Some(bytes.into()))
    }

    /// The first bytes of an entry; `None` where there is none any more.
    fn head(&self, name: &Name) -> Result<Option<Bytes>, Failure> {
        let mut head = Vec::with_capacity(4096);
        match File::open(self.path(name)).and_then(|file| file.take(Envelope::HEAD as u64).read_to_end(&mut head)) {
            Ok(_) => Ok(Some(head.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failure(&error)),
        }
    }

    fn sweep(&self, void: &Void) -> Result<u64, Failure> {
        let names: Vec<Name> = self.lock().entries.keys().copied().collect();
        let mut gone = 0;
        for name in names {
            if self.head(&name)?.is_some_and(|head| void(&name, &head)) {
                self.remove(&name);
                gone += 1;
            }
        }
        Ok(gone)
    }

    fn write(&self, name: &Name, bytes: &Bytes, keep: Duration) -> Result<(), Failure> {
        let size = bytes.len() as u64;
        if size > self.budget {
            return Err(Failure::TooLarge);
        }
        let gone = self.lock().make_room(self.budget, size);
        gone.iter().for_each(|name| self.delete(name));
        let path = self.path(name);
        // Two may write one name at once: each has a file of its own.
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let beside = path.with_extension(format!("{:x}-{turn:x}", std::process::id()));
        let written = self.write_beside(&beside, bytes, keep).and_then(|()| fs::rename(&beside, &path));
        if let Err(error) = written {
            // What cannot be deleted now is when the folder is next opened.
            let _ = fs::remove_file(&beside);
            return Err(failure(&error));
        }
        self.lock().add(*name, size);
        Ok(())
    }

    fn write_beside(&self, beside: &Path, bytes: &Bytes, keep: Duration) -> io::Result<()> {
        let mut file = match File::create(beside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(beside.parent().unwrap_or(&self.root))?;
                File::create(beside)?
            }
            file => file?,
        };
        file.write_all(bytes)?;
        file.set_modified((self.now)() + keep.min(FAR))
    }

    fn remove(&self, name: &Name) {
        if self.lock().forget(name) {
            self.delete(name);
        }
    }

    fn delete(&self, name: &Name) {
        // Gone already is as good.
        let _ = fs::remove_file(self.path(name));
    }
}

/// Ten years: file systems cannot say all times.
const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Failure::Full,
        _ => Failure::Refused(error.to_string()),
    }
}

impl Tier for Disk {
    fn get<'a>(&'a self, name: &'a Name) -> Later<'a, Result<Option<Bytes>, Failure>> {
        let name = *name;
        Box::pin(self.blocking(move |parts| parts.read(&name)))
    }

    fn put<'a>(&'a self, name: &'a Name, bytes: Bytes, keep: Duration) -> Later<'a, Result<(), Failure>> {
        let name = *name;
        Box::pin(self.blocking(move |parts| parts.write(&name, &bytes, keep)))
    }

    fn remove<'a>(&'a self, name: &'a Name) -> Later<'a, Result<(), Failure>> {
        let name = *name;
        Box::pin(self.blocking(move |parts| {
            parts.remove(&name);
            Ok(())
        }))
    }

    fn sweep(&self, void: Void) -> Option<Later<'_, Result<u64, Failure>>> {
        Some(Box::pin(self.blocking(move |parts| parts.sweep(&void))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::contract;

    const LONG: Duration = Duration::from_secs(600);

    fn open(root: &Path, budget: u64) -> Disk {
        Disk::open(root, budget, SystemTime::now).expect("a folder")
    }

    #[tokio::test]
    async fn the_contract_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        contract::holds(&open(folder.path(), 100_000), 100_000).await;
    }

    #[tokio::test]
    async fn the_budget_holds_and_the_oldest_go_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = open(folder.path(), 10_000);
        for number in 0..20 {
            disk.put(&[number; 32], vec![number; 1500].into(), LONG).await.expect("put");
            assert!(disk.bytes() <= 10_000);
        }
        assert_eq!((disk.get(&[13; 32]).await, disk.bytes()), (Ok(None), 9000));
        assert!(disk.get(&[14; 32]).await.expect("get").is_some());
        let files = fs::read_dir(folder.path()).expect("a folder").filter_map(Result::ok);
        let kept: usize = files.map(|dir| fs::read_dir(dir.path()).map_or(0, Iterator::count)).sum();
        assert_eq!(kept, 6, "what has gone is deleted");
    }

    #[tokio::test]
    async fn another_run_takes_over_what_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        open(folder.path(), 10_000).put(&[1; 32], vec![1; 3000].into(), LONG).await.expect("put");
        let cut = folder.path().join("01").join(format!("{}.beef", "01".repeat(32)));
        fs::write(&cut, "half").expect("a leftover");
        let again = open(folder.path(), 10_000);
        assert_eq!((again.get(&[1; 32]).await.expect("get").map(|b| b.len()), again.bytes()), (Some(3000), 3000));
        assert!(!cut.exists(), "what was cut off is cleared away");
        assert_eq!(open(folder.path(), 2000).bytes(), 0, "a smaller budget holds at once");
    }

    #[tokio::test]
    async fn a_file_that_somebody_deleted_is_a_miss() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = open(folder.path(), 10_000);
        disk.put(&[1; 32], vec![1; 100].into(), LONG).await.expect("put");
        fs::remove_dir_all(folder.path().join("01")).expect("deleted");
        assert_eq!((disk.get(&[1; 32]).await, disk.bytes()), (Ok(None), 0));
        disk.put(&[1; 32], vec![1; 100].into(), LONG).await.expect("its folder is made again");
    }
}
