//! `[page]`: the page for trying the server out.

use service::config::{Reader, Section};

/// The page at `/`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct PageConfig {
    pub enabled: bool,
    pub origin: String,
}

impl Section for PageConfig {
    const DOC: &'static str =
        "The page at / for trying the server out. It lists an origin's files: leave it off in production.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            enabled: r.bool("enabled", false, "Serve it."),
            origin: r.string("origin", "samples", "The file origin whose pictures it shows."),
        }
    }
}
