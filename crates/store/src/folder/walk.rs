//! All files below a folder in an order, page by page.
//!
//! Does not follow links. Invariant: names that begin with a point are not told; memory is bounded by the folders on the way
//! and the page.

use super::found;
use cap_std::fs::Dir;
use std::io;

/// Up to `limit` places of files and links below `folder`, those behind `after`, segment by segment in the order of bytes.
pub(super) fn files(root: &Dir, folder: &str, after: Option<&str>, limit: usize) -> io::Result<Vec<String>> {
    let mut told = Vec::new();
    let after = after.and_then(|after| after.strip_prefix(folder)).map(|rest| rest.trim_start_matches('/'));
    below(root, folder, after.filter(|rest| !rest.is_empty()), limit, &mut told)?;
    Ok(told)
}

/// As deep as the longest path.
fn below(root: &Dir, folder: &str, after: Option<&str>, limit: usize, told: &mut Vec<String>) -> io::Result<()> {
    let Some(entries) = found(root.read_dir(folder))? else { return Ok(()) };
    let (first, rest) = after.map_or((None, None), |after| match after.split_once('/') {
        Some((first, rest)) => (Some(first), Some(rest)),
        None => (Some(after), None),
    });
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.starts_with('.') && first.is_none_or(|first| name.as_str() >= first) {
            names.push((name, entry.file_type()?.is_dir()));
        }
    }
    names.sort();
    for (name, is_folder) in names {
        if told.len() >= limit {
            return Ok(());
        }
        let reached = first == Some(name.as_str());
        let place = format!("{folder}/{name}");
        if is_folder {
            below(root, &place, rest.filter(|_| reached), limit, told)?;
        } else if !reached || rest.is_some() {
            told.push(place);
        }
    }
    Ok(())
}
