//! An allocator that counts, for tests that say what work holds and leaves. Whoever includes this has it for the whole
//! process: such a file has one test, or tests that share no time.

#![expect(unsafe_code, reason = "a counting allocator is written no other way")]

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

/// Bytes that `work` held at most beyond those before it, and bytes that it left behind.
pub(crate) fn during(work: impl FnOnce()) -> (isize, isize) {
    let before = LIVE.load(Ordering::SeqCst);
    PEAK.store(before, Ordering::SeqCst);
    work();
    (PEAK.load(Ordering::SeqCst) - before, LIVE.load(Ordering::SeqCst) - before)
}
