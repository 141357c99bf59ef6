//! What is taken, what is refused and why: small files of our own, and the corpus where it is there.

use super::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn looked(bytes: &[u8], declared: &Declared) -> Result<Found, Refused> {
    let watch = Watch::until(Instant::now() + Duration::from_secs(20));
    inspect(&Bytes::copy_from_slice(bytes), declared, Private::Keep, &Limits::default(), &watch)
}

fn reason(bytes: &[u8], name: &str) -> Option<Reason> {
    let declared = Declared { media_type: None, name: Some(name.to_owned()) };
    looked(bytes, &declared).err().map(|refused| refused.reason)
}

#[test]
fn a_picture_is_told_of() {
    let png = testkit::picture::gradient(30, 20);
    let found = looked(&png, &Declared::default()).unwrap();
    let Content { hash, bytes, width, height, frames, .. } = &found.content;
    assert_eq!((*hash, *bytes, *width, *height, *frames), (ContentHash::of(&png), png.len() as u64, 30, 20, 1));
    assert_eq!(found.content.media_type.as_str(), "image/png");
    assert!(found.facts["looks"]["thumbhash"].is_string() && found.suspicion.is_none());
    assert!(!found.facts.contains_key("result"));
}

#[test]
fn what_is_no_picture_has_its_reason() {
    let png = testkit::picture::gradient(30, 20);
    for (bytes, name, expected) in [
        (&b""[..], "a.png", Reason::Empty),
        (b"hello", "a.png", Reason::NotAPicture),
        (b"MZ\x90\0", "a.jpg", Reason::NotAPicture),
        (&png, "a.jpg", Reason::TypeMismatch),
        (&png, "a.html", Reason::TypeMismatch),
        (&png[..png.len() - 20], "a.png", Reason::Truncated),
        (&testkit::picture::promise(60_000, 60_000), "a.png", Reason::TooLarge),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "a.svg", Reason::ActiveSvg),
    ] {
        assert_eq!(reason(bytes, name), Some(expected), "{name}");
    }
}

#[test]
fn what_is_more_than_a_picture_is_kept_apart() {
    let png = testkit::picture::gradient(30, 20);
    let with = |more: &[u8]| looked(&[&png, more].concat(), &Declared::default()).unwrap().suspicion;
    assert_eq!(with(b""), None);
    assert_eq!(with(&[0; 64]), None, "padding");
    assert_eq!(with(b"tail"), Some(Suspicion::Trailing(4)));
    assert!(matches!(with(b"<html><script>alert(1)</script>"), Some(Suspicion::Foreign(_))));
}

fn corpora() -> PathBuf {
    let shared = std::env::var_os("TINTYPE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    shared.join("corpora")
}

/// Folders of what must not be published, but for what others read.
pub(crate) const HOSTILE: [&str; 6] = ["mislabelled", "truncated", "svg-attack", "bomb", "malformed", "malformed-heif"];

/// The corpus beside the checkout, where it is there.
pub(crate) fn corpus(folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(corpora().join(folder)) else {
        println!("skipped: no corpora/{folder} (CONTRIBUTING.md)");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
    files.retain(|path| {
        path.extension().is_none_or(|end| end != "md" && end != "txt" && end != "json")
            || path.ends_with("text.txt.png")
    });
    files.sort();
    files
}

/// Whether one of two other readers takes a file of the corpus: then it need not be refused.
pub(crate) fn is_readable(file: &str) -> bool {
    let manifest = fs::read(corpora().join("manifest.json")).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let entries = manifest.as_array().map(Vec::as_slice).unwrap_or_default();
    let entry = entries.iter().find(|entry| entry["file"] == file);
    entry.is_some_and(|entry| entry["expected"]["agree"] != "both_fail")
}

#[test]
fn hostile_files_are_not_published() {
    for folder in HOSTILE {
        let mut passed = Vec::new();
        for path in corpus(folder) {
            let bytes = fs::read(&path).expect("a file");
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let declared = Declared { media_type: None, name: Some(name.clone()) };
            match looked(&bytes, &declared) {
                Ok(found) if found.suspicion.is_none() => passed.push(name),
                Ok(found) => println!("{folder}/{name}: {}", found.suspicion.expect("checked")),
                Err(refused) => println!("{folder}/{name}: {} {refused}", refused.reason.as_str()),
            }
        }
        if folder.starts_with("malformed") {
            passed.retain(|name| !is_readable(&format!("{folder}/{name}")));
        }
        assert!(passed.is_empty(), "{folder}: {passed:?}");
    }
}

#[test]
fn pictures_of_cameras_and_programs_are_taken() {
    for folder in ["photo-jpeg", "exif-orientation", "png-misc", "webp", "gif", "apng", "avif", "tiff", "svg"] {
        for path in corpus(folder).into_iter().take(25) {
            let bytes = fs::read(&path).expect("a file");
            match looked(&bytes, &Declared::default()) {
                Ok(found) if found.suspicion.is_none() => {}
                Ok(found) => println!("{folder}: {}: {}", path.display(), found.suspicion.expect("checked")),
                Err(refused) => println!("{folder}: {}: {} {refused}", path.display(), refused.reason.as_str()),
            }
        }
    }
}
