//! What is being uploaded, as `staging/<id>/data` with a note beside it.
//!
//! Invariant: one writer at a time, by a lock on the file; what was kept as a content is not written to again.

use super::contents::part;
use super::{FolderStore, above, found, make, sync};
use crate::{Failure, Invitation, Later, MAX_NOTE, StageId, Staging};
use bytes::Bytes;
use cap_std::fs::{Dir, MetadataExt, OpenOptions};
use std::fs::TryLockError;
use std::io::{ErrorKind, Write};
use std::time::Duration;

/// A system call and a sync for each.
const PIECE: usize = 4 << 20;

impl Staging for FolderStore {
    fn piece(&self) -> usize {
        PIECE
    }

    fn append<'a>(&'a self, stage: &'a StageId, offset: u64, bytes: Bytes) -> Later<'a, u64> {
        let folder = stage.place();
        self.blocking(move |root| append(root, &folder, offset, &bytes))
    }

    fn length<'a>(&'a self, stage: &'a StageId) -> Later<'a, u64> {
        let place = format!("{}data", stage.place());
        self.blocking(move |root| Ok(found(root.metadata(place))?.map_or(0, |metadata| metadata.len())))
    }

    fn staged<'a>(&'a self, stage: &'a StageId, from: u64, most: usize) -> Later<'a, Bytes> {
        let place = format!("{}data", stage.place());
        self.blocking(move |root| part(root, &place, from, most)?.ok_or(Failure::NotStaged))
    }

    fn note<'a>(&'a self, stage: &'a StageId, note: Bytes) -> Later<'a, ()> {
        let folder = stage.place();
        self.blocking(move |root| {
            if note.len() > MAX_NOTE {
                return Err(Failure::Store(format!("a note of {} bytes", note.len())));
            }
            make(root, folder.trim_end_matches('/'))?;
            let (place, between) = (format!("{folder}note"), format!("{folder}note.new"));
            let mut file = root.create(&between)?;
            file.write_all(&note)?;
            file.sync_all()?;
            root.rename(&between, root, &place)?;
            Ok(sync(root, above(&place))?)
        })
    }

    fn noted<'a>(&'a self, stage: &'a StageId) -> Later<'a, Option<Bytes>> {
        let place = format!("{}note", stage.place());
        self.blocking(move |root| Ok(part(root, &place, 0, MAX_NOTE)?))
    }

    fn discard<'a>(&'a self, stage: &'a StageId) -> Later<'a, ()> {
        let folder = stage.place();
        self.blocking(move |root| {
            found(root.remove_dir_all(folder.trim_end_matches('/')))?;
            Ok(())
        })
    }

    fn stages<'a>(&'a self, after: Option<&'a StageId>, limit: usize) -> Later<'a, Vec<StageId>> {
        let after = after.cloned();
        self.blocking(move |root| {
            let entries = root.read_dir("staging")?;
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.parse::<StageId>().ok());
            let mut stages: Vec<StageId> =
                names.filter(|stage| after.as_ref().is_none_or(|after| stage > after)).collect();
            stages.sort();
            stages.truncate(limit);
            Ok(stages)
        })
    }

    fn invite<'a>(&'a self, _: &'a StageId, _: u64, _: Duration) -> Later<'a, Option<Invitation>> {
        Box::pin(async { Ok(None) })
    }
}

fn append(root: &Dir, folder: &str, offset: u64, bytes: &[u8]) -> Result<u64, Failure> {
    make(root, folder.trim_end_matches('/'))?;
    let place = format!("{folder}data");
    let file = match root.open_with(&place, OpenOptions::new().append(true).create(true)) {
        // It was kept, and cannot be written to since.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(Failure::Busy),
        file => file?,
    };
    let links = file.metadata()?.nlink();
    let mut file = file.into_std();
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Failure::Busy),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let length = file.metadata()?.len();
    if links > 1 {
        return Err(Failure::Busy);
    }
    if length != offset {
        return Err(Failure::Offset { length });
    }
    if let Err(error) = file.write_all(bytes) {
        // What came of it is no piece that anybody was told of.
        file.set_len(length)?;
        return Err(error.into());
    }
    file.sync_data()?;
    if length == 0 {
        sync(root, above(&place))?;
    }
    Ok(length + bytes.len() as u64)
}
