//! The store in a folder: contents as files, names as relative symbolic links, which the edge's file origin follows inside
//! that folder.
//!
//! Owns the folder's layout (`key.rs` has the places). Several processes may use one folder. Invariants: every open resolves beneath the root; what is promised as durable is synced,
//! with the folder that names it.

mod contents;
mod names;
mod staging;
mod walk;

use crate::{Failure, Later};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Calls of the file system that are made at once, each on a thread of its own.
const AT_ONCE: usize = 16;

/// A folder. Clones share it.
#[derive(Clone, Debug)]
pub struct FolderStore {
    root: Arc<Dir>,
    slots: Arc<Semaphore>,
}

impl FolderStore {
    /// Opens the folder, and makes it where there is none.
    ///
    /// # Errors
    /// It cannot be made, opened or written to.
    pub fn open(root: &Path) -> io::Result<Self> {
        Dir::create_ambient_dir_all(root, ambient_authority())?;
        let root = Dir::open_ambient_dir(root, ambient_authority())?;
        for part in ["content", "names", "staging"] {
            make(&root, part)?;
        }
        Ok(Self { root: Arc::new(root), slots: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Does blocking work away from the threads of sockets.
    fn blocking<'a, T: Send + 'static>(
        &'a self,
        work: impl FnOnce(&Dir) -> Result<T, Failure> + Send + 'static,
    ) -> Later<'a, T> {
        Box::pin(async move {
            let slot =
                Arc::clone(&self.slots).acquire_owned().await.map_err(|error| Failure::Store(error.to_string()))?;
            let root = Arc::clone(&self.root);
            #[expect(clippy::disallowed_methods, reason = "files, not pixels, on a bounded number of threads")]
            let task = tokio::task::spawn_blocking(move || {
                let _held = slot;
                work(&root)
            });
            task.await.map_err(|error| Failure::Store(error.to_string()))?
        })
    }
}

/// Makes a folder and those above it, durably. Those that are there stay as they are.
fn make(root: &Dir, place: &str) -> io::Result<()> {
    let mut at = 0;
    loop {
        let end = place.get(at..).and_then(|rest| rest.find('/')).map_or(place.len(), |found| at + found);
        let folder = place.get(..end).unwrap_or(place);
        match root.create_dir_with(folder, &DirBuilder::new()) {
            Ok(()) => sync(root, above(folder))?,
            // Something that is no folder shows itself when something is put into it.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        if end == place.len() {
            return Ok(());
        }
        at = end + 1;
    }
}

/// What a folder names is durable after this.
fn sync(root: &Dir, folder: &str) -> io::Result<()> {
    root.open(if folder.is_empty() { "." } else { folder })?.sync_all()
}

/// The folder that a place is in.
fn above(place: &str) -> &str {
    place.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `None` for what is not there.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
