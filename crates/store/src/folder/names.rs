//! Names as relative symbolic links, replaced by rename.
//!
//! Does not follow them: the edge does. Invariant: a link that is made here leads to `content/` of its own tenant, by `..`
//! that stay inside the root.

use super::{FolderStore, above, found, make, sync};
use crate::{ContentKey, Failure, Later, Name, Names};
use cap_std::fs::Dir;
use catalog::ContentHash;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of one segment, by most file systems.
const LONGEST_SEGMENT: usize = 255;
/// Another one may take a folder away, empty, between its making and its use.
const TRIES: usize = 5;

impl Names for FolderStore {
    fn fits<'a>(&'a self, name: &'a Name) -> Later<'a, ()> {
        let name = name.clone();
        self.blocking(move |root| fits(root, &name))
    }

    fn link<'a>(&'a self, name: &'a Name, hash: &'a ContentHash) -> Later<'a, ()> {
        let (name, content) = (name.clone(), ContentKey::new(name.tenant.clone(), *hash));
        self.blocking(move |root| link(root, &name, &content))
    }

    fn unlink<'a>(&'a self, name: &'a Name) -> Later<'a, ()> {
        let name = name.clone();
        self.blocking(move |root| Ok(unlink(root, &name)?))
    }

    fn resolve<'a>(&'a self, name: &'a Name) -> Later<'a, Option<ContentHash>> {
        let name = name.clone();
        self.blocking(move |root| Ok(target(root, &name)?))
    }

    fn names<'a>(&'a self, after: Option<&'a Name>, limit: usize) -> Later<'a, Vec<(Name, Option<ContentHash>)>> {
        let after = after.map(Name::place);
        self.blocking(move |root| {
            let places = super::walk::files(root, "names", after.as_deref(), limit)?;
            let names = places.iter().filter_map(|place| Name::at(place));
            Ok(names.map(|name| target(root, &name).map(|hash| (name, hash))).collect::<io::Result<_>>()?)
        })
    }
}

fn fits(root: &Dir, name: &Name) -> Result<(), Failure> {
    let path = name.path.as_str();
    if path.split('/').any(|segment| segment.len() > LONGEST_SEGMENT) {
        return Err(Failure::Name(format!("a segment is longer than {LONGEST_SEGMENT} bytes")));
    }
    let place = name.place();
    let tenant = format!("names/{}/", name.tenant);
    let mut folder = above(&place);
    while folder.len() >= tenant.len() {
        if found(root.symlink_metadata(folder))?.is_some_and(|found| !found.is_dir()) {
            let taken = folder.get(tenant.len()..).unwrap_or_default();
            return Err(Failure::Name(format!("`{taken}` is a picture, so it cannot be a folder")));
        }
        folder = above(folder);
    }
    match found(root.symlink_metadata(&place))? {
        Some(there) if there.is_dir() && root.read_dir(&place)?.next().is_some() => {
            Err(Failure::Name(format!("`{path}` is a folder of other pictures")))
        }
        _ => Ok(()),
    }
}

fn link(root: &Dir, name: &Name, content: &ContentKey) -> Result<(), Failure> {
    if found(root.metadata(content.place()))?.is_none() {
        return Err(Failure::Absent);
    }
    let place = name.place();
    let target = format!("{}{}", "../".repeat(place.matches('/').count()), content.place());
    let mut tries = 0;
    loop {
        tries += 1;
        fits(root, name)?;
        match replace(root, &place, &target) {
            Ok(()) => return Ok(()),
            Err(error) if tries < TRIES && may_pass(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A folder was taken away, or came to stand, at the same moment.
fn may_pass(error: &io::Error) -> bool {
    use ErrorKind as K;
    matches!(error.kind(), K::NotFound | K::IsADirectory | K::NotADirectory | K::AlreadyExists | K::DirectoryNotEmpty)
}

fn replace(root: &Dir, place: &str, target: &str) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let between = format!("staging/.link-{}-{number}", std::process::id());
    make(root, above(place))?;
    found(root.remove_file(&between))?;
    root.symlink(target, &between)?;
    let renamed = match root.rename(&between, root, place) {
        // An empty folder that other names have left.
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            root.remove_dir(place).and_then(|()| root.rename(&between, root, place))
        }
        renamed => renamed,
    };
    if renamed.is_err() {
        found(root.remove_file(&between))?;
    }
    renamed?;
    sync(root, above(place))
}

fn unlink(root: &Dir, name: &Name) -> io::Result<()> {
    let place = name.place();
    match found(root.symlink_metadata(&place))? {
        Some(there) if !there.is_dir() => {}
        _ => return Ok(()),
    }
    if found(root.remove_file(&place))?.is_none() {
        return Ok(());
    }
    let mut folder = above(&place);
    found(sync(root, folder))?;
    // Folders that nothing is in any more; one that somebody just needs is not empty, or is made again.
    while folder.matches('/').count() > 1 && root.remove_dir(folder).is_ok() {
        folder = above(folder);
    }
    Ok(())
}

fn target(root: &Dir, name: &Name) -> io::Result<Option<ContentHash>> {
    let place = name.place();
    let target = match root.read_link_contents(&place) {
        // What is no link is none of ours.
        Err(error) if error.kind() == ErrorKind::InvalidInput => None,
        target => found(target)?,
    };
    let target = target.and_then(|target| target.to_str().map(|text| text.trim_start_matches("../").to_owned()));
    let content = target.and_then(|place| ContentKey::at(&place)).filter(|content| content.tenant == name.tenant);
    Ok(content.map(|content| content.hash))
}
