//! It holds `unsafe` SIMD and is fuzzed alone: a JPEG decoder that shrinks on load.
//!
//! Owns: Huffman-coded 8-bit JPEG (baseline, extended sequential, progressive) → 8-bit rows at 1/1, 1/2, 1/4 or 1/8,
//! whole or a region. Knows nothing of files, colour profiles or orientation: it hands over what the file says of them.
//! Invariants: any bytes at all give an error or a wholly written buffer, never a panic; memory is what
//! [`Decoder::memory`] says beforehand; work is bounded by the frame's size and the file's length, and can be cancelled.
//! `unsafe` stands in `kernel/` only; the scalar kernels give the same pixels.
//!
//! ```no_run
//! # let bytes: &[u8] = &[];
//! let mut decoder = jpeg::Decoder::new(bytes, &jpeg::Limits::default())?;
//! decoder.scale(jpeg::Scale::Eighth);
//! let mut pixels = vec![0; decoder.output_len()];
//! let outcome = decoder.decode_into(&mut jpeg::Workspace::default(), &|| false, &mut pixels)?;
//! if !outcome.complete { /* truncated or damaged: the rest is grey */ }
//! # Ok::<(), jpeg::Error>(())
//! ```

mod bits;
mod coefficients;
mod collector;
mod decoder;
mod error;
mod frame;
mod header;
mod huffman;
mod kernel;
mod metadata;
mod pairs;
mod parallel;
mod plan;
mod progressive;
mod scan;
mod segment;
mod sequential;
mod strip;
mod tables;

pub use decoder::{Decoder, Outcome, Workspace};
pub use error::{Error, Limits};
pub use frame::{Coding, Colour, Info, Sampling};
pub use plan::{Layout, Region, Scale};
