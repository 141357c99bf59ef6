//! Pure: needed by every binary (edge, auth, ingest, index, search), and fuzzed alone.
//!
//! URL dialects → canonical [`Transform`] → variant → rendition key. No I/O, no async, no clock.
//!
//! ```
//! use cache_key::{FormatClass, OriginalVersion, Presets, RenditionParts, SourcePath, Variant, parse};
//!
//! let parsed = parse(Some("h=50&width=100.0&blur=0"), &Presets::none())?;
//! assert_eq!(parsed.transform.canonical(), "h=50&w=100");
//!
//! let key = RenditionParts {
//!     tenant: "default",
//!     origin: "samples",
//!     path: &SourcePath::parse("cats/tom%20cat.jpg")?,
//!     version: &OriginalVersion::from_etag(b"\"5f3a\""),
//!     variant: &Variant { transform: parsed.transform, class: FormatClass::Baseline },
//!     pipeline: 1,
//!     assets: None,
//!     avif: None,
//!     untouched: false,
//! }
//! .key();
//! assert_eq!(key.to_string().len(), 64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod canonical_url;
mod colour;
pub mod delivery;
pub mod dialect;
pub mod error;
pub mod hinted;
pub mod key;
mod normal;
pub mod number;
pub mod path;
mod percent;
pub mod presets;
pub mod sizes;
pub mod transform;
pub mod variant;

pub use canonical_url::{UrlError, canonical_url};
pub use delivery::{Delivery, Download, Seal};
pub use dialect::native::{Parsed, is_name, not_implemented, parse};
pub use error::{ParseError, Reason};
pub use hinted::Hinted;
pub use key::{AssetsVersion, OriginalVersion, RenditionKey, RenditionParts, SourceKey, SourceParts};
pub use number::Decimal;
pub use path::{OriginRef, PathError, SourcePath};
pub use presets::Presets;
pub use transform::Transform;
pub use variant::{FormatClass, Variant};
