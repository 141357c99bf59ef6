//! Pinned vectors: a change here empties every cache, and is made on purpose together with `KEY_SCHEMA`.

use super::*;
use crate::{Presets, parse};
use proptest::prelude::*;

fn variant(query: &str, class: FormatClass) -> Variant {
    Variant { transform: parse(Some(query), &Presets::none()).unwrap().transform, class }
}

fn key(query: &str, class: FormatClass) -> RenditionKey {
    let path = SourcePath::parse("cats/tom.jpg").unwrap();
    let version = OriginalVersion::from_etag(b"\"v1\"");
    let variant = variant(query, class);
    RenditionParts {
        tenant: "default",
        origin: "samples",
        path: &path,
        version: &version,
        variant: &variant,
        pipeline: 1,
    }
    .key()
}

#[test]
fn vectors() {
    for (query, class, expected) in [
        ("", FormatClass::Baseline, "b23af8ae91a4d70a639e1ea3a7bce0db905d8fe49cadb0e47a0038711db9059a"),
        ("w=100&h=50", FormatClass::Baseline, "a258fd6a3872b6b449ad747d4fa53ccaf23049601a1172e06a2bba334bbf594f"),
        ("w=800&f=auto&q=80", FormatClass::Avif, "275f7066d39b09b2533b64ceb7153ee71adb582248403edf5e7369cf7cac9463"),
        ("w=800&f=auto&q=80", FormatClass::Webp, "90860003405db9c69eb1c9f185445451f3f16dd4a54e8adc65ca67ffc2bcce8a"),
        ("w=300&then=blur=2.5&cb=%C3%A9", FormatClass::Baseline, "85c9989d19ea5a17e774282aa0ef86653ab0bf9a50ab23cca04b4d7e15d27b67"),
    ] {
        assert_eq!(key(query, class).to_string(), expected, "{query} {class:?}");
    }
    let path = SourcePath::parse("cats/tom.jpg").unwrap();
    let source = SourceParts { tenant: "default", origin: "samples", path: &path }.key();
    assert_eq!(source.to_string(), "cd6d71bfbe1d5eb1a3da2614d5f2e97c0aca21e7933d12c6bde37139a43ffea7");
}

/// The layout, spelt out once more by hand.
#[test]
fn layout() {
    let mut bytes = Vec::new();
    let fields: [&[u8]; 9] = [
        b"tintype rendition",
        &[1, 0, 0, 0],
        b"default",
        b"samples",
        b"cats/tom.jpg",
        b"e\"v1\"",
        b"f=auto&w=100",
        b"webp",
        &[1, 0, 0, 0],
    ];
    for field in fields {
        bytes.extend_from_slice(&(field.len() as u64).to_le_bytes());
        bytes.extend_from_slice(field);
    }
    assert_eq!(key("w=100&f=auto", FormatClass::Webp).as_bytes(), blake3::hash(&bytes).as_bytes());
}

#[test]
fn equal_requests_share_a_key() {
    for (a, b) in [("w=100&h=50", "h=50&width=100.0"), ("", "blur=0&fit=max"), ("bg=fff", "background=%23FFFFFF")] {
        assert_eq!(key(a, FormatClass::Baseline), key(b, FormatClass::Baseline));
    }
    assert_eq!(key("f=png", FormatClass::Avif), key("f=png", FormatClass::Baseline), "no negotiation, no class");
    assert_ne!(key("f=auto", FormatClass::Avif), key("f=auto", FormatClass::Baseline));
}

#[test]
fn versions_of_different_kinds_differ() {
    let file = OriginalVersion::from_file(0, 0);
    let etag = OriginalVersion::from_etag(&file.as_bytes()[1..]);
    assert_ne!(file, etag);
    assert_ne!(OriginalVersion::from_file(1, 0), OriginalVersion::from_file(0, 1));
    assert_ne!(OriginalVersion::from_content(b"a"), OriginalVersion::from_content(b"b"));
}

#[test]
fn debug_names_the_sort() {
    let path = SourcePath::parse("a").unwrap();
    let source = SourceParts { tenant: "", origin: "", path: &path }.key();
    assert!(format!("{source:?}").starts_with("SourceKey("));
}

proptest! {
    /// Moving a byte across a field's end makes another key; so does any change of any field.
    #[test]
    fn fields_have_ends(a in "[a-c]{0,3}", b in "[a-c]{0,3}", c in "[a-c]{1,3}", d in "[a-c]{0,3}",
                        a2 in "[a-c]{0,3}", b2 in "[a-c]{0,3}", c2 in "[a-c]{1,3}", d2 in "[a-c]{0,3}",
                        n in 0..3u32, n2 in 0..3u32) {
        let make = |tenant: &str, origin: &str, path: &str, version: &str, pipeline: u32| {
            let (path, version) = (SourcePath::parse(path).unwrap(), OriginalVersion::from_etag(version.as_bytes()));
            let variant = Variant::default();
            let parts =
                RenditionParts { tenant, origin, path: &path, version: &version, variant: &variant, pipeline };
            (parts.key(), SourceParts { tenant, origin, path: &path }.key())
        };
        let (first, second) = (make(&a, &b, &c, &d, n), make(&a2, &b2, &c2, &d2, n2));
        prop_assert_eq!((&a, &b, &c, &d, n) == (&a2, &b2, &c2, &d2, n2), first.0 == second.0);
        prop_assert_eq!((&a, &b, &c) == (&a2, &b2, &c2), first.1 == second.1);
    }
}
