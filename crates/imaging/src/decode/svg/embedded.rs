//! Pictures inside a drawing: only those that are in the document (`data:`), read by our own decoders under limits, in
//! sRGB, handed on as plain PNG. Drawings in drawings and links to anything outside are left out.

use crate::color::to_srgb;
use crate::decode::{Want, decode};
use crate::encode::{self, Settings};
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::op::Operation;
use crate::op::orient::Turn;
use crate::probe::probe;
use crate::scratch::Scratch;
use cache_key::transform::{Chroma, Codec, Colour};
use resvg::usvg::{ImageHrefResolver, ImageKind, Options};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Pixels of all pictures of a drawing together.
const MOST_PIXELS: u64 = 16_000_000;

/// What usvg asks for each picture.
pub(super) fn resolver(limits: &Limits, watch: &Watch) -> ImageHrefResolver<'static> {
    let limits = limits.clone();
    let watch = watch.clone();
    let left = AtomicU64::new(MOST_PIXELS);
    ImageHrefResolver {
        resolve_data: Box::new(move |_mime, data: Arc<Vec<u8>>, _options: &Options<'_>| {
            picture(&data, &limits, &watch, &left)
        }),
        resolve_string: Box::new(|_link, _options| None),
    }
}

/// `None` leaves the picture out, as browsers do with what they cannot read.
fn picture(data: &[u8], limits: &Limits, watch: &Watch, left: &AtomicU64) -> Option<ImageKind> {
    if matches!(SourceFormat::sniff(data), None | Some(SourceFormat::Svg)) {
        return None;
    }
    let limits = Limits { source_pixels: limits.source_pixels.min(left.load(Ordering::Relaxed)), ..limits.clone() };
    let header = probe(data, &limits).ok()?;
    left.fetch_sub(header.pixels().min(left.load(Ordering::Relaxed)), Ordering::Relaxed);
    let mut scratch = Scratch::new(0);
    let mut decoded = decode(data, &header, &Want::EVERYTHING, &limits, watch, &mut scratch).ok()?;
    if let Some(icc) = &decoded.icc {
        to_srgb(&mut decoded.bitmap, icc).ok()?;
    }
    let upright = Turn::from(decoded.orientation).apply(decoded.bitmap, watch, &mut scratch).ok()?;
    let settings = Settings {
        codec: Codec::Png,
        quality: 100,
        effort: Some(0),
        lossless: true,
        progressive: false,
        chroma: Chroma::Auto,
        background: Colour { r: 0, g: 0, b: 0, a: 0 },
    };
    encode::encode(upright, &settings, watch, &mut scratch).ok().map(|png| ImageKind::PNG(Arc::new(png)))
}
