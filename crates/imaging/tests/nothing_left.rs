//! A decode leaves nothing behind: after the first few, decoding the same picture again allocates what it frees.
//! A server decodes for months; a leak of 48 bytes a picture is a leak.

mod counting;

use imaging::{Limits, Scratch, Want, Watch, decode, probe};
use std::path::Path;

#[test]
fn decoding_again_and_again_keeps_no_memory() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let (limits, mut scratch) = (Limits::default(), Scratch::new(64 << 20));
    for name in ["river.jpg", "statue.png", "portrait.webp", "ball.gif", "landscape.avif"] {
        let bytes = std::fs::read(samples.join(name)).unwrap();
        let mut once = || {
            let probe = probe(&bytes, &limits).unwrap();
            let decoded = decode(&bytes, &probe, &Want::default(), &limits, &Watch::new(), &mut scratch).unwrap();
            scratch.give(decoded.bitmap.into_pixels());
        };
        (0..3).for_each(|_| once());
        let (_, left) = counting::during(|| (0..10).for_each(|_| once()));
        assert_eq!(left, 0, "{name}: bytes that ten decodes left behind");
    }
    damaged_frames_keep_no_memory_either();
}

/// A sequence whose frame is no picture: found by fuzzing. Within the one test, since all share the counter.
fn damaged_frames_keep_no_memory_either() {
    let bytes = include_bytes!("damaged/frame-without-a-picture.avif");
    let (limits, mut scratch) = (Limits::default(), Scratch::new(1 << 20));
    let mut once = || {
        let probe = probe(bytes, &limits).expect("it was read when it was found");
        for number in 0..probe.frames {
            let _damaged = imaging::decode_frame(bytes, &probe, number, &limits, &Watch::new(), &mut scratch);
        }
    };
    (0..3).for_each(|_| once());
    let (_, left) = counting::during(|| (0..10).for_each(|_| once()));
    assert_eq!(left, 0, "bytes that ten damaged sequences left behind");
}
