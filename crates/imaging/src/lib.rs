//! It holds `unsafe` and C (encoders), and heavy dependencies; the command line and the edge both need it.
//!
//! Synchronous pixels: probe → limits → decode → operations in one fixed order → encode. It knows no HTTP, no async
//! and no files. What a stranger sent is parsed by memory-safe code only; C encodes pixels that we made.

mod animation;
pub mod assets;
pub mod bitmap;
pub mod color;
pub mod cost;
pub mod decode;
pub mod embed;
pub mod encode;
pub mod error;
mod excess;
pub mod format;
pub mod gain_map;
pub mod geometry;
pub mod info;
pub mod layer;
pub mod limits;
pub mod metadata;
pub mod motion;
pub mod op;
pub mod orientation;
pub mod output;
pub mod pipeline;
pub mod probe;
pub mod product;
pub mod quality;
pub mod render;
pub mod repack;
mod resample;
pub mod scratch;
pub mod setup;
mod sight;
pub mod text;
mod verify;

pub use assets::Assets;
pub use bitmap::{Bitmap, Layout};
pub use cost::{Cost, cost};
pub use decode::{Decoded, Want, decode, decode_frame};
pub use error::Error;
pub use format::SourceFormat;
pub use layer::mark::Mark;
pub use limits::{Limits, Watch};
pub use motion::Motion;
pub use orientation::Orientation;
pub use probe::{Probe, probe};
pub use product::Product;
pub use render::{PIPELINE_VERSION, Rendition, Timings, render};
pub use scratch::Scratch;
pub use setup::Setup;
pub use text::font::Font;
pub use verify::verify;
