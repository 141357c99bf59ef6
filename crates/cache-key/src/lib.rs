//! Pure: needed by every binary (edge, auth, ingest, index, search), and fuzzed alone.
//!
//! URL dialects → canonical [`Transform`] → variant → rendition key. No I/O, no async, no clock.

pub mod number;
pub mod transform;
pub mod variant;

pub use number::Decimal;
pub use transform::Transform;
pub use variant::{FormatClass, Variant};
