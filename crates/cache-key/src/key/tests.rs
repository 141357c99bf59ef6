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
        assets: None,
        avif: None,
        untouched: false,
    }
    .key()
}

#[test]
fn vectors() {
    for (query, class, expected) in [
        ("", FormatClass::Baseline, "fe472b8838136a136187487f1e6e0566d9d2e2c4737c066c7e9bb533f0484c30"),
        ("w=100&h=50", FormatClass::Baseline, "a797e2211c4507248f2699c2e6a55f0b77eff5db9f688d22ca9444eeb8222773"),
        ("w=800&f=auto&q=80", FormatClass::Avif, "8cf92887dad561a841740543b13f89bb2b26dd596c28d42acd498f64b5aebc66"),
        ("w=800&f=auto&q=80", FormatClass::Webp, "f7265ce9bbe3794a4954b27ae5185607a83a5850b5fba2c7635f0c2643d74ec9"),
        (
            "w=300&then=blur=2.5&cb=%C3%A9",
            FormatClass::Baseline,
            "e156dce4f42797c3a7227cdf9dac91a14127163798c4e0a944f1f1cd8175b54d",
        ),
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
    let fields: [&[u8]; 10] = [
        b"tintype rendition",
        &[1, 0, 0, 0],
        b"default",
        b"samples",
        b"cats/tom.jpg",
        b"e\"v1\"",
        b"f=auto&w=100",
        b"webp",
        &[1, 0, 0, 0],
        &[0],
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
    let file = OriginalVersion::from_file(0, 0, 0, 0);
    let etag = OriginalVersion::from_etag(&file.as_bytes()[1..]);
    assert_ne!(file, etag);
    assert_ne!(OriginalVersion::from_file(1, 0, 0, 0), OriginalVersion::from_file(0, 1, 0, 0));
    assert_ne!(OriginalVersion::from_content(b"a"), OriginalVersion::from_content(b"b"));
}

#[test]
fn what_the_config_lends_is_in_the_key() {
    let path = SourcePath::parse("a").unwrap();
    let (version, variant) = (OriginalVersion::from_etag(b"\"v1\""), Variant::default());
    let with = |assets| {
        let (tenant, origin, pipeline, avif, untouched) = ("", "", 1, None, false);
        let (path, version, variant) = (&path, &version, &variant);
        RenditionParts { tenant, origin, path, version, variant, pipeline, assets, avif, untouched }.key()
    };
    let [a, b] = [b"a", b"b"].map(|content| OriginalVersion::from_content(content));
    let keys = [vec![], vec![a.clone()], vec![b.clone()], vec![a.clone(), b.clone()], vec![b, a]]
        .map(|used| with(AssetsVersion::new(&used)));
    for (number, key) in keys.iter().enumerate() {
        assert!(!keys[..number].contains(key), "{number}");
    }
    assert_eq!(AssetsVersion::new(&[]), None);
}

#[test]
fn who_encodes_avif_is_in_the_key_of_what_may_be_one() {
    let path = SourcePath::parse("a").unwrap();
    let version = OriginalVersion::from_etag(b"\"v1\"");
    let differs = |query, class, untouched| {
        let variant = variant(query, class);
        let by = |avif| {
            let (tenant, origin, pipeline, assets) = ("", "", 1, None);
            let (path, version, variant) = (&path, &version, &variant);
            RenditionParts { tenant, origin, path, version, variant, pipeline, assets, avif, untouched }.key()
        };
        assert!(by(Some("a")) != by(Some("b")) || by(None) == by(Some("a")), "{query}: some count and some do not");
        by(None) != by(Some("a"))
    };
    for (query, class, expected) in [
        ("f=avif", FormatClass::Baseline, true),
        ("f=auto", FormatClass::Avif, true),
        ("w=10", FormatClass::Baseline, true),
        ("f=auto", FormatClass::Webp, false),
        ("f=jpeg", FormatClass::Avif, false),
        ("f=json", FormatClass::Avif, false),
    ] {
        assert_eq!(differs(query, class, false), expected, "{query} {class:?}");
        assert!(!differs(query, class, true), "the original's own bytes are nobody's work");
    }
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
                        n in 0..3u32, n2 in 0..3u32, u: bool, u2: bool) {
        let make = |tenant: &str, origin: &str, path: &str, version: &str, pipeline: u32, untouched: bool| {
            let (path, version) = (SourcePath::parse(path).unwrap(), OriginalVersion::from_etag(version.as_bytes()));
            let variant = Variant::default();
            let (path, version, variant) = (&path, &version, &variant);
            let (assets, avif) = (None, None);
            let parts = RenditionParts { tenant, origin, path, version, variant, pipeline, assets, avif, untouched };
            (parts.key(), SourceParts { tenant, origin, path }.key())
        };
        let (first, second) = (make(&a, &b, &c, &d, n, u), make(&a2, &b2, &c2, &d2, n2, u2));
        prop_assert_eq!((&a, &b, &c, &d, n, u) == (&a2, &b2, &c2, &d2, n2, u2), first.0 == second.0);
        prop_assert_eq!((&a, &b, &c) == (&a2, &b2, &c2), first.1 == second.1);
    }
}
