//! The fonts that texts in drawings are set in: those that ship with this crate, whatever family a drawing names. None of
//! the system's: the same drawing looks the same on every machine.

use resvg::usvg::fontdb::Database;
use std::sync::{Arc, LazyLock};

/// The family of the fonts that are always there.
pub(super) const FAMILY: &str = "DejaVu Sans";

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    for set in [
        Database::set_serif_family,
        Database::set_sans_serif_family,
        Database::set_cursive_family,
        Database::set_fantasy_family,
        Database::set_monospace_family,
    ] {
        set(&mut fonts, FAMILY);
    }
    Arc::new(fonts)
});

/// All of them, read once.
pub(super) fn all() -> Arc<Database> {
    Arc::clone(&FONTS)
}
