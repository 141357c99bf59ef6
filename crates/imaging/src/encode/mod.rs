//! From pixels to the bytes of a format; one file or folder each.

pub mod avif;
