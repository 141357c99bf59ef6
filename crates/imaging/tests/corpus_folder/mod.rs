//! Where the corpus of real and hostile pictures is: `../shared` beside the checkout, or where `TINTYPE_SHARED` points.
//! It is no part of the repository: where it is missing, that is said and the test passes.

use std::path::PathBuf;

/// A file or folder of the corpus; `None`, aloud, where it is not there.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("TINTYPE_SHARED").map_or(beside, PathBuf::from).join("corpora").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no corpus with {}", path.display());
    None
}
