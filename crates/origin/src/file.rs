//! Originals in a folder. The path cannot leave it: every open goes through a directory handle that resolves beneath
//! itself (`openat2` with `RESOLVE_BENEATH` on Linux, by cap-std), so `..`, absolute paths and symbolic links that point
//! outside fail, however they are spelt; links that stay inside work.

use super::{Cause, Missing, Original, Phase, Sighting, Trouble};
use cache_key::OriginalVersion;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// A folder of originals. Clones share the handle.
#[derive(Clone, Debug)]
pub struct FileOrigin {
    root: Arc<Dir>,
    /// What paths begin with below the root: empty, or with a slash at its end.
    folder: Arc<str>,
    max_bytes: u64,
}

impl FileOrigin {
    /// Opens the folder; a file may have up to `max_bytes`.
    ///
    /// # Errors
    /// The folder cannot be opened.
    pub fn open(root: &Path, max_bytes: u64) -> io::Result<Self> {
        let root = Dir::open_ambient_dir(root, ambient_authority())?;
        Ok(Self { root: Arc::new(root), folder: "".into(), max_bytes })
    }

    /// Serves what is in a folder below the root; links in it may lead to all that is below the root.
    #[must_use]
    pub fn within(self, folder: &str) -> Self {
        Self { folder: folder.into(), ..self }
    }

    /// Looks at an original without reading it.
    ///
    /// # Errors
    /// See [`Missing`].
    pub async fn look(&self, path: &str) -> Result<Sighting, Missing> {
        self.blocking(path, |origin, path| origin.open_file(path).map(|(_, sighting)| sighting)).await
    }

    /// Reads an original whole.
    ///
    /// # Errors
    /// See [`Missing`].
    pub async fn fetch(&self, path: &str) -> Result<Original, Missing> {
        self.blocking(path, Self::read).await
    }

    /// The names of regular files directly in the folder, sorted, with their sizes; at most `limit`.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn list(&self, limit: usize) -> io::Result<Vec<(String, u64)>> {
        let mut names: Vec<_> = self
            .root
            .read_dir(if self.folder.is_empty() { "." } else { &self.folder })?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let metadata = entry.metadata().ok()?;
                let name = entry.file_name().into_string().ok()?;
                (metadata.is_file() && !name.starts_with('.')).then_some((name, metadata.len()))
            })
            .take(limit)
            .collect();
        names.sort();
        Ok(names)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        path: &str,
        work: impl FnOnce(&Self, &str) -> Result<T, Missing> + Send + 'static,
    ) -> Result<T, Missing> {
        // The root cannot be left in any case; the folder only by links.
        if !self.folder.is_empty() && (path.starts_with('/') || path.split('/').any(|segment| segment == "..")) {
            return Err(Missing::NotFound);
        }
        let (origin, path) = (self.clone(), format!("{}{path}", self.folder));
        #[expect(clippy::disallowed_methods, reason = "reads of files, not pixels, on threads that the runtime bounds")]
        let task = tokio::task::spawn_blocking(move || work(&origin, &path));
        task.await.map_err(|error| failed(format!("the reader ended: {error}")))?
    }

    fn open_file(&self, path: &str) -> Result<(File, Sighting), Missing> {
        // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
        let options = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).clone();
        let file = self.root.open_with(path, &options).map_err(|error| missing(&error))?;
        let metadata = file.metadata().map_err(|error| missing(&error))?;
        if !metadata.is_file() {
            return Err(Missing::NotFound);
        }
        if metadata.len() > self.max_bytes {
            return Err(Missing::TooLarge { bytes: metadata.len(), limit: self.max_bytes });
        }
        Ok((file, sighting(&metadata)))
    }

    fn read(&self, path: &str) -> Result<Original, Missing> {
        let (file, sighting) = self.open_file(path)?;
        let mut bytes = Vec::with_capacity(usize::try_from(sighting.len).unwrap_or(0).saturating_add(1));
        // A file may grow while it is read: one byte more than allowed tells.
        file.take(self.max_bytes + 1).read_to_end(&mut bytes).map_err(|error| missing(&error))?;
        if bytes.len() as u64 > self.max_bytes {
            return Err(Missing::TooLarge { bytes: bytes.len() as u64, limit: self.max_bytes });
        }
        Ok(Original { bytes: bytes.into(), sighting })
    }
}

const O_NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// Inode, length, and times of change to the nanosecond: an atomic replacement changes the inode, a write in place the
/// times. `ctime` cannot be set back by those who write files, `mtime` can.
fn sighting(metadata: &Metadata) -> Sighting {
    let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let modified = nanos(metadata.mtime(), metadata.mtime_nsec());
    let changed = nanos(metadata.ctime(), metadata.ctime_nsec());
    Sighting {
        version: OriginalVersion::from_file(metadata.ino(), metadata.len(), modified, changed),
        modified: metadata.modified().ok().map(cap_std::time::SystemTime::into_std),
        len: metadata.len(),
    }
}

/// An escape from the root comes as `PermissionDenied` (cap-std) or `EXDEV` (the kernel): told apart, it would tell a
/// stranger what lies outside.
fn missing(error: &io::Error) -> Missing {
    use io::ErrorKind as K;
    match error.kind() {
        K::NotFound
        | K::PermissionDenied
        | K::NotADirectory
        | K::IsADirectory
        | K::InvalidInput
        | K::InvalidFilename
        | K::CrossesDevices => Missing::NotFound,
        // A loop of symbolic links has no stable kind yet.
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => Missing::NotFound,
        _ => failed(error.to_string()),
    }
}

fn failed(text: String) -> Missing {
    Trouble::new(Phase::File, Cause::Broken, text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn folder() -> (tempfile::TempDir, FileOrigin) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(folder.path().join("secret"), "outside").unwrap();
        fs::write(root.join("a.jpg"), "inside").unwrap();
        fs::write(root.join("sub/b.jpg"), "deeper").unwrap();
        let origin = FileOrigin::open(&root, 100).unwrap();
        (folder, origin)
    }

    #[tokio::test]
    async fn files_inside_are_read() {
        let (_folder, origin) = folder();
        assert_eq!(origin.fetch("a.jpg").await.unwrap().bytes, "inside");
        assert_eq!(origin.fetch("sub/b.jpg").await.unwrap().bytes, "deeper");
        assert_eq!(origin.look("a.jpg").await.unwrap(), origin.fetch("a.jpg").await.unwrap().sighting);
    }

    #[tokio::test]
    async fn nothing_outside_is_reachable() {
        let (folder, origin) = folder();
        let root = folder.path().join("root");
        symlink("../secret", root.join("link")).unwrap();
        symlink(folder.path().join("secret"), root.join("absolute")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("/proc/self/root", root.join("magic")).unwrap();
        let absolute = folder.path().join("secret").display().to_string();
        let magic = format!("magic{absolute}");
        for path in
            ["../secret", "sub/../../secret", "link", "absolute", "up/secret", &magic, &absolute, "", ".", "sub"]
        {
            assert_eq!(origin.fetch(path).await.err(), Some(Missing::NotFound), "{path}");
        }
    }

    #[tokio::test]
    async fn links_that_stay_inside_work() {
        let (folder, origin) = folder();
        symlink("../a.jpg", folder.path().join("root/sub/link.jpg")).unwrap();
        assert_eq!(origin.fetch("sub/link.jpg").await.unwrap().bytes, "inside");
    }

    #[tokio::test]
    async fn of_a_folder_inside_only_links_lead_to_the_rest() {
        let (folder, origin) = folder();
        symlink("../a.jpg", folder.path().join("root/sub/link.jpg")).unwrap();
        symlink("../../secret", folder.path().join("root/sub/out.jpg")).unwrap();
        let part = origin.within("sub/");
        assert_eq!(part.fetch("b.jpg").await.unwrap().bytes, "deeper");
        assert_eq!(part.fetch("link.jpg").await.unwrap().bytes, "inside");
        for path in ["a.jpg", "../a.jpg", "/a.jpg", "x/../../a.jpg", "out.jpg", "sub/b.jpg"] {
            assert_eq!(part.fetch(path).await.err(), Some(Missing::NotFound), "{path}");
        }
        assert_eq!(part.list(10).unwrap().iter().filter(|(name, _)| name == "b.jpg").count(), 1);
    }

    #[tokio::test]
    async fn a_pipe_is_no_original_and_does_not_hang() {
        let (folder, origin) = folder();
        let status = std::process::Command::new("mkfifo").arg(folder.path().join("root/pipe")).status().unwrap();
        assert!(status.success());
        assert_eq!(origin.fetch("pipe").await.err(), Some(Missing::NotFound));
    }

    #[tokio::test]
    async fn a_large_file_is_refused_with_its_size() {
        let (folder, origin) = folder();
        fs::write(folder.path().join("root/big"), vec![0; 101]).unwrap();
        assert_eq!(origin.look("big").await.err(), Some(Missing::TooLarge { bytes: 101, limit: 100 }));
        assert_eq!(origin.fetch("big").await.err(), Some(Missing::TooLarge { bytes: 101, limit: 100 }));
    }

    #[tokio::test]
    async fn a_changed_file_is_another_version() {
        let (folder, origin) = folder();
        let before = origin.look("a.jpg").await.unwrap();
        fs::write(folder.path().join("root/new"), "inside").unwrap();
        fs::rename(folder.path().join("root/new"), folder.path().join("root/a.jpg")).unwrap();
        assert_ne!(origin.look("a.jpg").await.unwrap().version, before.version);
    }
}
