//! Renders by format and size, one thread, buffers reused: `samples/landscape.jpg` (12 megapixels) and a Kodak picture.

use cache_key::{FormatClass, Presets, Variant, parse};
use criterion::{Criterion, criterion_group, criterion_main};
use imaging::{Scratch, Setup, Watch, render};
use std::hint::black_box;

fn renders(c: &mut Criterion) {
    let (setup, watch, mut scratch) = (Setup::default(), Watch::new(), Scratch::new(256 << 20));
    let mut group = c.benchmark_group("render");
    group.sample_size(10);
    for picture in ["landscape.jpg", "barn.jpg", "statue.png", "logo.png"] {
        let path = format!("{}/samples/{picture}", env!("CARGO_MANIFEST_DIR"));
        let original = std::fs::read(path).expect("the samples are part of the repository");
        for query in ["w=400&f=jpeg", "w=800&f=jpeg", "w=800&f=webp", "w=800&f=avif", "w=400&f=png"] {
            let transform = parse(Some(query), &Presets::none()).expect("a valid query").transform;
            let variant = Variant { transform, class: FormatClass::Baseline };
            group.bench_function(format!("{picture} {query}"), |b| {
                b.iter(|| render(black_box(&original), &variant, &setup, &watch, &mut scratch).expect("it renders"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, renders);
criterion_main!(benches);
