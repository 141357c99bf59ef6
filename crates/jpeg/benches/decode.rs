//! Decoding at every scale beside libjpeg-turbo (as mozjpeg builds it) and zune-jpeg, all with buffers that are kept.
//! On the photographs of the corpus where it is there (`../shared` beside the repository, or `TINTYPE_SHARED`), else
//! on a painted picture. `TINTYPE_BENCH_FILES=a.jpg:b.jpg` adds files.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zune_core::bytestream::ZCursor;

const PHOTOGRAPHS: [&str; 4] =
    ["dog_exif_extended_xmp_icc.jpg", "Canon_EOS_450D.jpg", "Kodak_PIXPRO_AZ521.jpg", "Issue_266.jpg"];

fn files() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("TINTYPE_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let mut paths: Vec<PathBuf> = PHOTOGRAPHS.iter().map(|name| shared.join("corpora/photo-jpeg").join(name)).collect();
    paths.extend(std::env::var_os("TINTYPE_BENCH_FILES").iter().flat_map(std::env::split_paths));
    let named = |path: PathBuf| {
        let bytes = std::fs::read(&path).ok()?;
        Some((path.file_name()?.to_string_lossy().into_owned(), bytes))
    };
    let mut found: Vec<_> = paths.into_iter().filter_map(named).collect();
    if found.is_empty() {
        println!("no photographs: a painted picture instead");
    }
    // A progressive file is in no corpus.
    found.push(("painted, progressive".to_owned(), painted(true)));
    if found.len() == 1 {
        found.push(("painted, baseline".to_owned(), painted(false)));
    }
    found
}

/// Waves under noise, 12 megapixels.
fn painted(progressive: bool) -> Vec<u8> {
    let (width, height) = (4000u16, 3000u16);
    let mut seed = 1u32;
    let mut pixels = Vec::with_capacity(36_000_000);
    for y in 0..u32::from(height) {
        for x in 0..u32::from(width) {
            let wave = (f64::from(x) / 37.0).sin() * (f64::from(y) / 23.0).cos() * 90.0 + 120.0;
            for channel in 0..3u32 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                pixels.push((wave + f64::from((seed >> 28) + 8 * channel)) as u8);
            }
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    encoder.set_progressive(progressive);
    encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb).expect("a picture of allowed size");
    bytes
}

fn ours(bytes: &[u8], scale: jpeg::Scale, workspace: &mut jpeg::Workspace, out: &mut Vec<u8>) {
    let mut decoder = jpeg::Decoder::new(bytes, &jpeg::Limits::default()).expect("a good file");
    decoder.scale(scale);
    out.resize(decoder.output_len().max(out.len()), 0);
    let len = decoder.output_len();
    decoder.decode_into(workspace, &|| false, &mut out[..len]).expect("a good file");
}

fn libjpeg(bytes: &[u8], scale: jpeg::Scale, out: &mut Vec<[u8; 3]>) {
    let mut decoder = mozjpeg::Decompress::new_mem(bytes).expect("a good file");
    decoder.scale(scale.eighths() as u8);
    let mut started = decoder.rgb().expect("a good file");
    let len = started.width() * started.height();
    out.resize(len.max(out.len()), [0; 3]);
    started.read_scanlines_into(&mut out[..len]).expect("a good file");
    started.finish().expect("a good file");
}

fn zune(bytes: &[u8], out: &mut Vec<u8>) {
    let mut decoder = zune_jpeg::JpegDecoder::new(ZCursor::new(bytes));
    decoder.decode_headers().expect("a good file");
    let len = decoder.output_buffer_size().expect("headers were read");
    out.resize(len.max(out.len()), 0);
    decoder.decode_into(&mut out[..len]).expect("a good file");
}

fn decode(criterion: &mut Criterion) {
    for (name, bytes) in files() {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
        let (mut workspace, mut own, mut pixels, mut other) =
            (jpeg::Workspace::default(), Vec::new(), Vec::new(), Vec::new());
        for scale in jpeg::Scale::ALL {
            let eighths = scale.eighths();
            group.bench_function(format!("{eighths}/8 jpeg"), |bencher| {
                bencher.iter(|| ours(black_box(&bytes), scale, &mut workspace, &mut own));
            });
            group.bench_function(format!("{eighths}/8 libjpeg"), |bencher| {
                bencher.iter(|| libjpeg(black_box(&bytes), scale, &mut pixels));
            });
        }
        group.bench_function("8/8 zune-jpeg", |bencher| bencher.iter(|| zune(black_box(&bytes), &mut other)));
        group.finish();
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
