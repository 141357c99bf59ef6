//! Contents as files that nobody writes to again.
//!
//! A content is a hard link to what was staged: it is there whole or not at all. Invariant: once it is there its bytes and
//! times do not change, which the edge takes for its version, but for the one link that goes when its stage is discarded.

use super::{FolderStore, above, found, make, sync};
use crate::{ContentKey, Contents, Failure, Kept, Later, StageId};
use bytes::Bytes;
use cap_std::fs::{Dir, Permissions, PermissionsExt};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

impl Contents for FolderStore {
    fn keep<'a>(&'a self, stage: &'a StageId, key: &'a ContentKey) -> Later<'a, Kept> {
        let (staged, place) = (format!("{}data", stage.place()), key.place());
        self.blocking(move |root| keep(root, &staged, &place))
    }

    fn look<'a>(&'a self, key: &'a ContentKey) -> Later<'a, Option<u64>> {
        let place = key.place();
        self.blocking(move |root| Ok(found(root.metadata(place))?.map(|metadata| metadata.len())))
    }

    fn read<'a>(&'a self, key: &'a ContentKey, from: u64, most: usize) -> Later<'a, Bytes> {
        let place = key.place();
        self.blocking(move |root| part(root, &place, from, most)?.ok_or(Failure::Absent))
    }

    fn remove<'a>(&'a self, key: &'a ContentKey) -> Later<'a, ()> {
        let place = key.place();
        self.blocking(move |root| {
            if found(root.remove_file(&place))?.is_some() {
                sync(root, above(&place))?;
            }
            Ok(())
        })
    }

    fn contents<'a>(&'a self, after: Option<&'a ContentKey>, limit: usize) -> Later<'a, Vec<ContentKey>> {
        let after = after.map(ContentKey::place);
        self.blocking(move |root| {
            let places = super::walk::files(root, "content", after.as_deref(), limit)?;
            Ok(places.iter().filter_map(|place| ContentKey::at(place)).collect())
        })
    }
}

/// At most `most` bytes of a file.
pub(super) fn part(root: &Dir, place: &str, from: u64, most: usize) -> io::Result<Option<Bytes>> {
    let Some(mut file) = found(root.open(place))? else { return Ok(None) };
    let left = file.metadata()?.len().saturating_sub(from).min(most as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::with_capacity(usize::try_from(left).unwrap_or_default());
    file.take(left).read_to_end(&mut bytes)?;
    Ok(Some(bytes.into()))
}

fn keep(root: &Dir, staged: &str, place: &str) -> Result<Kept, Failure> {
    let Some(source) = found(root.open(staged))? else { return Err(Failure::NotStaged) };
    let length = source.metadata()?.len();
    // Before anybody can see it: later changes would look like another version to the edge.
    root.set_permissions(staged, Permissions::from_mode(0o444))?;
    source.sync_all()?;
    make(root, above(place))?;
    let kept = match root.hard_link(staged, root, place) {
        Ok(()) => Kept::New,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if root.metadata(place)?.len() == length {
                Kept::Known
            } else {
                // Something else damaged it; what is staged was hashed just now.
                copy(root, staged, place)?;
                Kept::New
            }
        }
        // A file system without hard links.
        Err(_) => {
            copy(root, staged, place)?;
            Kept::New
        }
    };
    sync(root, above(place))?;
    Ok(kept)
}

fn copy(root: &Dir, staged: &str, place: &str) -> io::Result<()> {
    let between = format!("{staged}.copy");
    found(root.remove_file(&between))?;
    root.copy(staged, root, &between)?;
    root.open(&between)?.sync_all()?;
    root.rename(&between, root, place)
}
