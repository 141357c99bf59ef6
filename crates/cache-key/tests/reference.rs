//! `docs/url.md` is the table of parameters, word for word.

use std::path::Path;

#[test]
fn the_reference_is_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/url.md");
    let expected = cache_key::dialect::native::reference();
    if std::env::var_os("TINTYPE_BLESS").is_some_and(|v| v == "1") {
        std::fs::write(&file, &expected).expect("docs/ can be written");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "docs/url.md differs from the table of parameters; write it anew with \
         TINTYPE_BLESS=1 cargo test -p tintype-cache-key --test reference"
    );
}
