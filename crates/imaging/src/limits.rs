//! The limits of one render, and the watch that ends it: deadline and cancellation, asked between steps.

use crate::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Limits, each checked against the header before a pixel exists and again after the step that could exceed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Width × height of an original (each frame).
    pub source_pixels: u64,
    /// Longer side of an original.
    pub source_side: u32,
    /// Longer side of a result.
    pub output_side: u32,
    /// Width × height of a result.
    pub output_pixels: u64,
    /// Bytes of decoded pixels held at once.
    pub memory: u64,
    /// Frames of an animation.
    pub frames: u32,
    /// Width × height × frames of an animation; of the original and of the result, each.
    pub frame_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_pixels: 100_000_000,
            source_side: 30_000,
            output_side: 8_192,
            output_pixels: 40_000_000,
            memory: 512 << 20,
            frames: 2_000,
            frame_pixels: 200_000_000,
        }
    }
}

/// Tells a render when to stop. Cheap to clone; all clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    deadline: Option<Instant>,
    cancelled: Arc<AtomicBool>,
}

impl Watch {
    /// Never ends by itself.
    pub fn new() -> Self {
        Self::default()
    }
    /// Ends at `deadline`.
    pub fn until(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }
    /// Ends it now, from any thread.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
    /// To be asked between steps, and inside long ones.
    ///
    /// # Errors
    /// [`Error::Cancelled`] or [`Error::Deadline`].
    pub fn check(&self) -> Result<(), Error> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Error::Deadline),
            _ => Ok(()),
        }
    }
}
