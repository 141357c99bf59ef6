//! The pictures of a folder, by their names' endings, in one order always.
//!
//! Invariants: links to folders are not followed, so that a walk ends; what cannot be read is told and does not end it.

use crate::failure::Failure;
use std::path::{Path, PathBuf};

/// Endings of files that are taken for pictures; the server looks at the content.
const ENDINGS: [&str; 14] =
    ["jpg", "jpeg", "jpe", "png", "webp", "gif", "avif", "heic", "heif", "tif", "tiff", "svg", "jxl", "bmp"];
/// Folders within folders.
const DEEPEST: usize = 64;

/// A picture of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) file: PathBuf,
    /// Its name below the folder, with slashes.
    pub(crate) name: String,
}

/// All pictures below `root`, and what could not be read.
pub(crate) fn pictures(root: &Path) -> Result<(Vec<Found>, Vec<Failure>), Failure> {
    let mut found = Vec::new();
    let mut unread = Vec::new();
    std::fs::read_dir(root).map_err(|error| Failure::file(root, error))?;
    into(root, "", 0, &mut found, &mut unread);
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok((found, unread))
}

fn into(folder: &Path, above: &str, depth: usize, found: &mut Vec<Found>, unread: &mut Vec<Failure>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return unread.push(Failure::file(folder, error)),
    };
    for entry in entries {
        let (entry, kind) = match entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind))) {
            Ok(pair) => pair,
            Err(error) => {
                unread.push(Failure::file(folder, error));
                continue;
            }
        };
        let file = entry.path();
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            unread.push(Failure::file(&file, "has a name that is no UTF-8"));
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let whole = format!("{above}{name}");
        if kind.is_dir() {
            if depth < DEEPEST {
                into(&file, &format!("{whole}/"), depth + 1, found, unread);
            }
        } else if is_picture(&file) && file.is_file() {
            found.push(Found { file, name: whole });
        }
    }
}

fn is_picture(file: &Path) -> bool {
    let ending = file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn pictures_are_found_in_one_order_and_links_make_no_circle() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("b/c")).unwrap();
        for name in ["z.JPG", "b/a.png", "b/c/x.webp", "notes.txt", ".hidden.jpg"] {
            fs::write(root.join(name), "x").unwrap();
        }
        std::os::unix::fs::symlink(root, root.join("b/again")).unwrap();
        let (found, unread) = pictures(root).unwrap();
        assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["b/a.png", "b/c/x.webp", "z.JPG"]);
        assert!(unread.is_empty());
        assert!(pictures(&root.join("none")).is_err());
    }
}
