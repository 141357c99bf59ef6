//! Parameters that mostly mean something, in two orders: one transform, one canonical text, one key.
#![no_main]

use arbitrary::Unstructured;
use cache_key::{
    FormatClass, OriginalVersion, Presets, RenditionKey, RenditionParts, SourcePath, Transform, Variant, parse,
};
use libfuzzer_sys::{Corpus, fuzz_target};
use tintype_fuzz::{join, query};

fn key(transform: Transform) -> RenditionKey {
    RenditionParts {
        tenant: "default",
        origin: "samples",
        path: &SourcePath::parse("a.jpg").expect("a plain name"),
        version: &OriginalVersion::from_etag(b"1"),
        variant: &Variant { transform, class: FormatClass::Baseline },
        pipeline: 1,
        assets: None,
        avif: None,
        untouched: false,
    }
    .key()
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let mut u = Unstructured::new(data);
    let Ok(mut pairs) = query(&mut u) else { return Corpus::Reject };
    let one = join(&pairs);
    for i in (1..pairs.len()).rev() {
        pairs.swap(i, u.int_in_range(0..=i).unwrap_or(0));
    }
    let other = join(&pairs);
    let presets = Presets::none();
    match (parse(Some(&one), &presets), parse(Some(&other), &presets)) {
        (Ok(a), Ok(b)) => {
            assert_eq!(a.transform, b.transform, "{one} and {other}");
            assert_eq!(a.transform.canonical(), b.transform.canonical());
            let again = parse(Some(&a.transform.canonical()), &presets).expect("a canonical form parses");
            assert_eq!(again.transform, a.transform, "{one}");
            assert_eq!(key(a.transform), key(b.transform));
        }
        (Err(_), Err(_)) => {}
        (a, b) => panic!("order decides: {one}: {a:?}; {other}: {b:?}"),
    }
    Corpus::Keep
});
