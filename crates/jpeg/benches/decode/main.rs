//! Decoding at every scale beside libjpeg-turbo (`turbo`), its descendant mozjpeg and zune-jpeg, all with buffers that
//! are kept, in processor time of one thread. On the photographs of the corpus where it is there (`../shared` beside the
//! repository, or `TINTYPE_SHARED`), also made progressive where jpegtran is there (Debian: `libjpeg-turbo-progs`); else
//! on a painted picture. `TINTYPE_BENCH_FILES=a.jpg:b.jpg` adds files. Group `helpers` is wall time: files with restart
//! markers, read by several threads.

#![expect(unsafe_code, reason = "libjpeg-turbo is C, and so is the clock of a thread")]

mod cpu;
mod turbo;

use cpu::CpuTime;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use turbo::Turbo;
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
    let progressive =
        |(name, bytes): &(String, Vec<u8>)| Some((format!("{name}, progressive"), jpegtran(&["-progressive"], bytes)?));
    found.extend(found.iter().filter_map(progressive).collect::<Vec<_>>());
    if found.is_empty() {
        println!("no photographs: a painted picture instead");
        found.push(("painted, baseline".to_owned(), painted(false)));
    }
    if !found.iter().any(|(name, _)| name.ends_with("progressive")) {
        found.push(("painted, progressive".to_owned(), painted(true)));
    }
    found
}

/// The file, rewritten without loss.
fn jpegtran(arguments: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
    let (input, output) = (Stdio::piped(), Stdio::piped());
    let child = Command::new("jpegtran").args(arguments).stdin(input).stdout(output).stderr(Stdio::null()).spawn();
    let mut child = child.ok()?;
    // It reads all before it writes anything.
    child.stdin.take()?.write_all(bytes).ok()?;
    let output = child.wait_with_output().ok()?;
    output.status.success().then_some(output.stdout)
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

fn ours(bytes: &[u8], scale: jpeg::Scale, helpers: usize, workspace: &mut jpeg::Workspace, out: &mut Vec<u8>) {
    let mut decoder = jpeg::Decoder::new(bytes, &jpeg::Limits::default()).expect("a good file");
    decoder.scale(scale).helpers(helpers);
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

fn decode(criterion: &mut Criterion<CpuTime>) {
    let mut turbo = Turbo::new();
    for (name, bytes) in files() {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
        let (mut workspace, mut own, mut pixels, mut other) =
            (jpeg::Workspace::default(), Vec::new(), Vec::new(), Vec::new());
        for scale in jpeg::Scale::ALL {
            let eighths = scale.eighths();
            group.bench_function(format!("{eighths}/8 jpeg"), |bencher| {
                bencher.iter(|| ours(black_box(&bytes), scale, 0, &mut workspace, &mut own));
            });
            if let Some(turbo) = &mut turbo {
                let info = jpeg::Decoder::new(&bytes, &jpeg::Limits::default()).expect("a good file").info();
                let size = (scale.of(info.width), scale.of(info.height));
                group.bench_function(format!("{eighths}/8 libjpeg-turbo"), |bencher| {
                    bencher.iter(|| turbo.decode(black_box(&bytes), size, &mut other));
                });
            }
            group.bench_function(format!("{eighths}/8 mozjpeg"), |bencher| {
                bencher.iter(|| libjpeg(black_box(&bytes), scale, &mut pixels));
            });
        }
        group.bench_function("8/8 zune-jpeg", |bencher| bencher.iter(|| zune(black_box(&bytes), &mut other)));
        group.finish();
    }
}

/// By the clock on the wall: what somebody who waits gains.
fn helpers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("helpers");
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    let marked = |(name, bytes): (String, Vec<u8>)| Some((name, jpegtran(&["-restart", "1"], &bytes)?));
    for (name, bytes) in files().into_iter().filter(|(name, _)| !name.ends_with("progressive")).filter_map(marked) {
        let (mut workspace, mut own) = (jpeg::Workspace::default(), Vec::new());
        for scale in [jpeg::Scale::Eighth, jpeg::Scale::Full] {
            for helpers in [0, 1, 3] {
                group.bench_function(format!("{name} {}/8, {helpers} helpers", scale.eighths()), |bencher| {
                    bencher.iter(|| ours(black_box(&bytes), scale, helpers, &mut workspace, &mut own));
                });
            }
        }
    }
    group.finish();
}

criterion_group!(name = one_thread; config = Criterion::default().with_measurement(CpuTime); targets = decode);
criterion_group!(threads, helpers);
criterion_main!(one_thread, threads);
