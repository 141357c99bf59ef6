//! A temporary folder of originals with something secret beside it: what lies outside of the root must stay there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// What the file beside the root holds.
pub const SECRET: &str = "this lies outside of the root";

/// A folder of originals; gone when dropped.
#[derive(Debug)]
pub struct Folder {
    place: TempDir,
    root: PathBuf,
    incoming: AtomicUsize,
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// An empty one, with the file `secret.png` of [`SECRET`] beside it.
    ///
    /// # Panics
    /// Where the system has no room for temporary files.
    #[must_use]
    pub fn new() -> Self {
        let place = tempfile::tempdir().expect("a temporary folder");
        let root = place.path().join("root");
        fs::create_dir(&root).expect("a folder in it");
        fs::write(place.path().join("secret.png"), SECRET).expect("a file in it");
        Self { place, root, incoming: AtomicUsize::new(0) }
    }

    /// The folder of originals.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder round it, where [`SECRET`] lies.
    #[must_use]
    pub fn outside(&self) -> &Path {
        self.place.path()
    }

    /// Adds a file or replaces it atomically, as deployments do. Makes the folders that its name needs.
    ///
    /// # Panics
    /// Where that cannot be done.
    pub fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.root.join(name);
        // Several threads may add files at once.
        let fresh = self.place.path().join(format!("incoming-{}", self.incoming.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("folders in it");
        fs::write(&fresh, bytes).expect("a file in it");
        fs::rename(fresh, path).expect("a file system that renames");
        self
    }
}
