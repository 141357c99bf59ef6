//! What every decoder is given: a file, what its header says, and the bounds of the work.
//!
//! Invariant: the header was held against the limits before; what a decoder itself needs is held against them here.

use crate::error::Error;
use crate::limits::{Limits, Watch};
use crate::probe::Probe;

/// A file to decode.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    /// All of it.
    pub(super) bytes: &'a [u8],
    /// What its header says.
    pub(super) probe: &'a Probe,
    /// What decoding may take.
    pub(super) limits: &'a Limits,
    /// When it has to end.
    pub(super) watch: &'a Watch,
}

impl File<'_> {
    /// Pixels across and down.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.probe.width, self.probe.height)
    }

    /// Holds the memory that decoding needs (`bytes_per_pixel` for bitmap and decoder together) against the limit.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub(super) fn check_memory(&self, bytes_per_pixel: u64) -> Result<(), Error> {
        check_memory(self.probe, bytes_per_pixel, self.limits)
    }
}

/// Holds `bytes_per_pixel` for every pixel of a header against the limit.
///
/// # Errors
/// [`Error::TooLarge`].
pub(super) fn check_memory(probe: &Probe, bytes_per_pixel: u64, limits: &Limits) -> Result<(), Error> {
    check_held(probe.pixels().saturating_mul(bytes_per_pixel), limits)
}

/// Holds the bytes that decoding needs against the limit.
///
/// # Errors
/// [`Error::TooLarge`].
pub(super) fn check_held(value: u64, limits: &Limits) -> Result<(), Error> {
    if value > limits.memory {
        return Err(Error::TooLarge { what: "memory to decode the original", value, limit: limits.memory });
    }
    Ok(())
}
