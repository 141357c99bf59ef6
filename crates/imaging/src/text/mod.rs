//! Text as glyphs in lines: fonts, shaping, wrapping, coverage.
//!
//! Knows no pictures and no URLs: a text, a chain of fonts and a width give lines of placed glyphs, and those a mask.
//! Invariant: no text and no font, however strange, panics or works without bound.

pub mod font;
pub(crate) mod line;
pub(crate) mod mask;
mod shape;

pub(crate) use shape::Faces;
