//! A render of an animation needs as much memory for a hundred frames as for ten, but for the file that it writes.

#![expect(unsafe_code, reason = "a counting allocator is written no other way")]

use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::{Scratch, Setup, Watch, render};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

/// Bytes allocated and not yet freed, and the most that there ever were.
static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

struct Counting;

fn add(bytes: usize, sign: isize) {
    let bytes = sign * isize::try_from(bytes).expect("an allocation is smaller than isize::MAX");
    let live = LIVE.fetch_add(bytes, Ordering::SeqCst) + bytes;
    PEAK.fetch_max(live, Ordering::SeqCst);
}

// SAFETY: every call goes to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size(), 1);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(layout.size(), -1);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
    let before = LIVE.load(Ordering::SeqCst);
    PEAK.store(before, Ordering::SeqCst);
    let rendition = render(original, &variant, &Setup::default(), &Watch::new(), &mut Scratch::new(16 << 20));
    let size = rendition.expect("rendered").bytes.len();
    (PEAK.load(Ordering::SeqCst) - before, isize::try_from(size).expect("a small file"))
}

#[test]
fn memory_does_not_grow_with_the_frames() {
    let (few, many) = (animation(10), animation(100));
    for query in ["f=webp", "f=gif", "f=png", "f=webp&w=90&blur=2", "f=png&frame=9"] {
        let ((least, _), (most, size)) = (peak(&few, query), peak(&many, query));
        // The file may be in memory twice while it is put together, in buffers that doubled as they grew.
        let frame = isize::try_from(usize::from(SIDE).pow(2) * 4).expect("a small frame");
        assert!(most <= least + 4 * size + frame / 4, "{query}: {least} bytes for 10 frames, {most} for 100");
    }
}
