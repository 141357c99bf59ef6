//! What a request costs before the look-up: parsing, canonical key, source path, signature, negotiation.

use cache_key::{FormatClass, OriginalVersion, Presets, RenditionParts, SourcePath, Variant, parse};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue, header::ACCEPT};
use std::hint::black_box;
use tintype::semantics::{Classes, format_class};

const QUERIES: [(&str, &str); 3] = [
    ("1 parameter", "w=800"),
    ("5 parameters", "w=800&h=600&fit=cover&f=auto&q=80"),
    ("9 parameters", "w=800&h=600&fit=cover&g=fp:0.3:0.7&f=auto&q=80&bg=ffffff&sharpen=1.5&dpr=2"),
];

fn keys(c: &mut Criterion) {
    let presets = Presets::none();
    let path = SourcePath::parse("photos/2026/11/river.jpg").expect("a plain path");
    let version = OriginalVersion::from_etag(b"\"5f3a\"");
    for (name, query) in QUERIES {
        c.bench_function(&format!("parse, {name}"), |b| b.iter(|| parse(black_box(Some(query)), &presets)));
        let transform = parse(Some(query), &presets).expect("the query is valid").transform;
        let variant = Variant { transform, class: FormatClass::Avif };
        let parts = RenditionParts {
            tenant: "default",
            origin: "samples",
            path: &path,
            version: &version,
            variant: &variant,
            pipeline: 1,
            assets: None,
            avif: None,
            untouched: false,
        };
        c.bench_function(&format!("rendition key, {name}"), |b| b.iter(|| black_box(parts).key()));
    }
    c.bench_function("source path", |b| b.iter(|| SourcePath::parse(black_box("photos/2026/11/river%20bank.jpg"))));
}

fn negotiation(c: &mut Criterion) {
    let browsers =
        [("Chromium", "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"), ("any", "*/*")];
    for (name, accept) in browsers {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        c.bench_function(&format!("negotiate, {name}"), |b| {
            b.iter(|| format_class(black_box(&headers), Classes::default()));
        });
    }
}

fn verification(c: &mut Criterion) {
    let key = || signature::Key::new("2026-11", "default", b"an example of a secret, not to be used");
    let request = signature::Request { method: "GET", host: None, path: "/img/river.jpg", query: Some("w=800&f=auto") };
    let signed = signature::sign(&key().expect("a good key"), &request, None).expect("it can be signed");
    let (path, query) = signed.split_once('?').expect("a query");
    let verifier = signature::Verifier::new(vec![key().expect("a good key")]).expect("one key");
    let request = signature::Request { path, query: Some(query), ..request };
    c.bench_function("verify a signature", |b| b.iter(|| verifier.verify(black_box(&request), 1_800_000_000)));
}

criterion_group!(benches, keys, negotiation, verification);
criterion_main!(benches);
