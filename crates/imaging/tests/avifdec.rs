//! AVIF sequences as libavif reads them (`avifdec` of Debian's `libavif-bin`): frames, times, alpha, and that nothing in the
//! container offends it. Skips, aloud, where it is not installed, unless `TINTYPE_NEED_SERVERS` demands it as `make test` does.

use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::{Scratch, Setup, SourceFormat, Watch, motion, render};
use std::path::Path;
use std::process::Command;

/// Four frames of 40 by 20 whose left half goes, over nothing or over a ground.
fn animation(clear: bool) -> Vec<u8> {
    let palette = [200, 30, 40, 20, 90, 200, 0, 0, 0];
    let mut encoder = gif::Encoder::new(Vec::new(), 40, 20, &palette).expect("a GIF");
    encoder.set_repeat(gif::Repeat::Finite(2)).expect("written");
    for number in 0..4_u16 {
        let ground = if clear { 2 } else { 1 };
        let buffer: Vec<u8> = (0..20 * 40).map(|i| if i % 40 < 20 - number * 5 { 0 } else { ground }).collect();
        let dispose = gif::DisposalMethod::Background;
        let (delay, transparent) = (7 + number, clear.then_some(2));
        let frame = gif::Frame {
            width: 40,
            height: 20,
            delay,
            transparent,
            dispose,
            buffer: buffer.into(),
            ..Default::default()
        };
        encoder.write_frame(&frame).expect("a frame");
    }
    encoder.into_inner().expect("written")
}

/// What `avifdec --info` says of a file; `None` where there is no `avifdec`.
fn info(file: &[u8], name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, file).expect("a folder for tests");
    let output = match Command::new("avifdec").arg("--info").arg(&path).output() {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("TINTYPE_NEED_SERVERS").is_none(), "avifdec: {error}");
            eprintln!("skipped: no avifdec: {error}");
            return None;
        }
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !text.contains("ERROR"), "{name}: {text}{wrong}");
    Some(text)
}

#[test]
fn libavif_reads_frames_times_and_alpha() {
    for (name, query, clear) in [
        ("opaque.avif", "f=avif", false),
        ("clear.avif", "f=avif", true),
        ("whole-colours.avif", "f=avif&chroma=444", true),
        ("lossless.avif", "f=avif&lossless=1", true),
        ("described.avif", "f=avif&icc=p3", true),
    ] {
        let transform = parse(Some(query), &Presets::none()).expect("a query").transform;
        let variant = Variant { transform, class: FormatClass::Avif };
        let made = render(&animation(clear), &variant, &Setup::default(), &Watch::new(), &mut Scratch::new(1 << 20));
        let file = made.expect("rendered").bytes;
        assert_eq!(motion::delays(&file, SourceFormat::Avif, 9), [70_000, 80_000, 90_000, 100_000], "{name}");
        let Some(text) = info(&file, name) else { return };
        let durations: Vec<&str> = (text.lines().filter(|line| line.contains("Decoded frame")))
            .filter_map(|line| line.split_once("[duration ")?.1.split_once('(')?.1.split_once(' '))
            .map(|(ticks, _)| ticks)
            .collect();
        assert_eq!(durations, ["70", "80", "90", "100"], "{name}: {text}");
        let absent = text.lines().any(|line| line.contains("Alpha") && line.contains("Absent"));
        assert_eq!(absent, !clear, "{name}: {text}");
        let profile = text.lines().any(|line| line.contains("ICC Profile") && line.contains("Present"));
        assert_eq!(profile, name == "described.avif", "{name}: {text}");
    }
}
