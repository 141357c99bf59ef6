//! A render of an animation needs as much memory for a hundred frames as for ten, but for the file that it writes.

mod counting;

use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::{Scratch, Setup, Watch, render};

const SIDE: u16 = 200;

/// A GIF whose frames are of one colour each.
fn animation(frames: u8) -> Vec<u8> {
    let grays: Vec<u8> = (0..=255).flat_map(|gray| [gray; 3]).collect();
    let mut encoder = gif::Encoder::new(Vec::new(), SIDE, SIDE, &grays).expect("a GIF");
    for number in 0..frames {
        let buffer = vec![number; usize::from(SIDE) * usize::from(SIDE)].into();
        let frame = gif::Frame { width: SIDE, height: SIDE, delay: 5, buffer, ..gif::Frame::default() };
        encoder.write_frame(&frame).expect("a frame");
    }
    encoder.into_inner().expect("written")
}

/// The most bytes that a render holds at once, beside its original, and the size of its file.
fn peak(original: &[u8], query: &str) -> (isize, isize) {
    let transform = parse(Some(query), &Presets::none()).expect("a query").transform;
    let variant = Variant { transform, class: FormatClass::Webp };
    let mut size = 0;
    let (peak, _) = counting::during(|| {
        let rendition = render(original, &variant, &Setup::default(), &Watch::new(), &mut Scratch::new(16 << 20));
        size = rendition.expect("rendered").bytes.len();
    });
    (peak, isize::try_from(size).expect("a small file"))
}

#[test]
fn memory_does_not_grow_with_the_frames() {
    let (few, many) = (animation(10), animation(100));
    for query in ["f=webp", "f=gif", "f=png", "f=webp&w=90&blur=2", "f=png&frame=9", "f=avif"] {
        let ((least, _), (most, size)) = (peak(&few, query), peak(&many, query));
        // The file may be in memory twice while it is put together, in buffers that doubled as they grew.
        let frame = isize::try_from(usize::from(SIDE).pow(2) * 4).expect("a small frame");
        assert!(most <= least + 4 * size + frame / 4, "{query}: {least} bytes for 10 frames, {most} for 100");
    }
}
