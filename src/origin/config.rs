//! `[[origins]]`: where originals come from.

use service::config::{Choice, Reader, Section};
use std::path::PathBuf;

/// The kinds of origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// A folder.
    File,
}

impl Choice for OriginKind {
    const NAMES: &'static [(&'static str, Self)] = &[("file", Self::File)];
}

/// One origin.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct OriginConfig {
    pub name: String,
    pub kind: OriginKind,
    pub root: PathBuf,
    pub max_bytes: u64,
}

impl Section for OriginConfig {
    const DOC: &'static str = "Where originals come from.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            name: r.required("name", "samples", "What routes call it; part of every cache key."),
            kind: r.choice("kind", OriginKind::File, "file: a folder of this machine."),
            root: r.required(
                "root",
                "samples",
                "The folder. Nothing outside it can be reached, also not by symbolic links.",
            ),
            max_bytes: r.bytes(
                "max_bytes",
                "64MiB",
                "1KiB"..="4GiB",
                "Largest original; larger ones are answered 422.",
            ),
        };
        if config.name.is_empty() {
            r.reject("name", "\"\"", "a name", "");
        }
        config
    }
}
