//! URL dialects: parsers from a request target to the same typed [`Transform`](crate::Transform), one module each.

pub mod native;
