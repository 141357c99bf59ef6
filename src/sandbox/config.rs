//! `[sandbox]`: whether the process closes itself off, and what stays open beside what the config names.

use service::config::{Choice, Reader, Section};
use std::path::PathBuf;

/// Whether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As far as the kernel can.
    Auto,
    /// Not at all.
    Off,
    /// Wholly, or the server does not start.
    Required,
}

impl Choice for Mode {
    const NAMES: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("off", Self::Off), ("required", Self::Required)];
}

/// The sandbox.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct SandboxConfig {
    pub mode: Mode,
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
}

impl Section for SandboxConfig {
    const DOC: &'static str =
        "The process opens only files that this configuration names, and starts no program. See docs/sandbox.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let paths = |list: Vec<String>| list.into_iter().map(PathBuf::from).collect();
        Self {
            mode: r.choice(
                "mode",
                Mode::Auto,
                "auto: as far as the kernel can. required: the server does not start where it cannot.",
            ),
            read: paths(r.list("read", &[], "Further files and folders that may be read.")),
            write: paths(r.list("write", &[], "Further folders that may be written.")),
        }
    }
}
