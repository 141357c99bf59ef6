//! SVG by resvg: drawn at the size that is wanted, so it is sharp; nothing is fetched, no file is opened, no script runs.
//!
//! resvg cannot be interrupted, so work is bounded before it begins: by what the document unfolds to ([`gate`]) and by
//! the pixels that its parts will touch ([`price`]); between the parts the watch is asked. Pictures inside are left out,
//! linked or embedded.

mod fonts;
mod gate;
mod price;

use super::{Decoded, Delivered, File, Want, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::Watch;
use crate::metadata::svg as header;
use crate::op::premultiply::unpremultiply;
use crate::orientation::Orientation;
use crate::probe::Probe;
use crate::scratch::Scratch;
use resvg::tiny_skia::{PixmapMut, Transform};
use resvg::usvg::{Group, ImageHrefResolver, Node, Options, Tree, roxmltree};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Nodes of the document: elements, texts, comments.
const MOST_NODES: u32 = 300_000;

pub(super) fn decode(file: File<'_>, want: &Want, scratch: &mut Scratch) -> Result<Decoded, Error> {
    let text = header::whole(file.bytes)
        .ok_or_else(|| malformed(SourceFormat::Svg, &"it cannot be unpacked, or is too large"))?;
    let text = str::from_utf8(&text).map_err(|_| malformed(SourceFormat::Svg, &"it is no UTF-8"))?;
    // The drawing's libraries keep their invariants themselves: a document that breaks one is at fault.
    let outcome = catch_unwind(AssertUnwindSafe(|| draw(text, &file, want, scratch)));
    outcome.unwrap_or_else(|_panic| Err(malformed(SourceFormat::Svg, &"it cannot be drawn")))
}

fn draw(text: &str, file: &File<'_>, want: &Want, scratch: &mut Scratch) -> Result<Decoded, Error> {
    let &File { probe, limits, watch, .. } = file;
    let told = |error: &dyn std::fmt::Display| malformed(SourceFormat::Svg, error);
    // Entities are the parser's to bound: ten levels, 255 references in each; they count as nodes, too.
    let parsing = roxmltree::ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..Default::default() };
    let document = roxmltree::Document::parse_with_options(text, parsing).map_err(|error| told(&error))?;
    gate::check(&document)?;
    watch.check()?;
    let options = Options {
        image_href_resolver: nothing(),
        font_family: fonts::FAMILY.to_owned(),
        fontdb: fonts::all(),
        ..Options::default()
    };
    let tree = Tree::from_xmltree(&document, &options).map_err(|error| told(&error))?;
    watch.check()?;

    let view = View::of(probe, want, &tree);
    price::check(&tree, view.transform, view.size, limits)?;
    let length = size_of(view.size.0, view.size.1, Layout::Rgba);
    if length as u64 > limits.memory {
        return Err(Error::TooLarge {
            what: "memory to draw the original",
            value: length as u64,
            limit: limits.memory,
        });
    }
    let pixels = scratch.filled(length, |pixels, _| {
        pixels.fill(0);
        PixmapMut::from_bytes(pixels, view.size.0, view.size.1)
            .ok_or_else(|| Error::Internal("a drawing without a size".into()))
            .and_then(|mut canvas| children(tree.root(), view.transform, &mut canvas, watch))
    })?;
    let mut bitmap = Bitmap::new(view.size.0, view.size.1, Layout::Rgba, pixels);
    unpremultiply(&mut bitmap)?;
    Ok(Decoded { bitmap, delivered: view.delivered, icc: None, orientation: Orientation::Upright })
}

/// Resolves no link and reads no embedded picture.
fn nothing() -> ImageHrefResolver<'static> {
    ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) }
}

/// Which part of the drawing is made, and how large.
struct View {
    size: (u32, u32),
    transform: Transform,
    delivered: Delivered,
}

impl View {
    fn of(probe: &Probe, want: &Want, tree: &Tree) -> Self {
        // From the tree's units to what the header promised; they differ by rounding alone.
        let own = (f64::from(tree.size().width()), f64::from(tree.size().height()));
        let (across, down) = (f64::from(probe.width) / own.0, f64::from(probe.height) / own.1);
        match want.resize {
            Some(resize) => {
                let scale =
                    (f64::from(resize.width) / resize.window.width, f64::from(resize.height) / resize.window.height);
                let transform = Transform::from_row(
                    (across * scale.0) as f32,
                    0.0,
                    0.0,
                    (down * scale.1) as f32,
                    (-resize.window.x * scale.0) as f32,
                    (-resize.window.y * scale.1) as f32,
                );
                Self { size: (resize.width, resize.height), transform, delivered: Delivered::Resized }
            }
            None => {
                let size = (probe.width, probe.height);
                let transform = Transform::from_scale(across as f32, down as f32);
                Self { size, transform, delivered: Delivered::Part { x: 0, y: 0, whole: size } }
            }
        }
    }
}

/// Draws one child after the other, and looks at the watch between them; plain groups are entered.
fn children(group: &Group, transform: Transform, canvas: &mut PixmapMut<'_>, watch: &Watch) -> Result<(), Error> {
    for node in group.children() {
        watch.check()?;
        match node {
            Node::Group(inner) if !inner.should_isolate() => {
                children(inner, transform.pre_concat(inner.transform()), canvas, watch)?;
            }
            node => {
                // resvg moves a node that is drawn alone to the origin: back again.
                if let Some(place) = node.abs_layer_bounding_box() {
                    resvg::render_node(node, transform.pre_translate(place.x(), place.y()), canvas);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
