//! Any text as a path and query: parsing what the canonical form says gives the same again (parse ∘ format = identity).
#![no_main]

use cache_key::{Presets, SourcePath, canonical_url, parse};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let presets = Presets::none();
    if let Ok(parsed) = parse(Some(text), &presets) {
        let canonical = parsed.transform.canonical();
        let again = parse(Some(&canonical), &presets).unwrap_or_else(|e| panic!("{text:?} → {canonical:?}: {e}"));
        assert_eq!(again.transform, parsed.transform, "{text:?} → {canonical:?}");
        assert_eq!(again.transform.canonical(), canonical);
        assert!(again.unknown.is_empty(), "the canonical form knows its own names: {:?}", again.unknown);
    }
    if let Ok(path) = SourcePath::parse(text) {
        assert!(path.segments().all(|s| !s.is_empty() && s != "." && s != ".."), "{path}");
        assert!(!path.as_str().contains(['\\', '\0']), "{path:?}");
        assert_eq!(SourcePath::parse(&path.encoded()), Ok(path));
    }
    if let Ok(once) = canonical_url(text, &presets) {
        assert_eq!(canonical_url(&once, &presets).as_ref(), Ok(&once), "{text:?}");
    }
    Corpus::Keep
});
