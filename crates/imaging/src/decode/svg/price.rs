//! What drawing will cost, from the built tree: the pixels that each part touches, times what a pixel of it takes. An
//! upper estimate in nanoseconds, and the memory of layers that are open at once.

use crate::error::Error;
use crate::limits::Limits;
use resvg::tiny_skia::{Rect, Transform};
use resvg::usvg::filter::{Filter, Kind};
use resvg::usvg::{Group, ImageKind, Node, Paint, Path, Tree};

/// No drawing may be estimated to take longer, milliseconds: nothing can stop resvg inside one part.
const MOST_MILLIS: u64 = 5_000;
/// Nanoseconds of one element, whatever it covers.
const ELEMENT: f64 = 2_000.0;
/// Of a point of an outline.
const POINT: f64 = 120.0;
/// Of one dash of a line. resvg makes at most a million of a line.
const DASH: f64 = 400.0;
const MOST_DASHES: f64 = 1_000_000.0;
/// Of a pixel of a layer: cleared, and laid on what is below.
const LAYER: f64 = 8.0;

/// Refuses what costs too much.
///
/// # Errors
/// [`Error::TooLarge`].
pub(super) fn check(tree: &Tree, transform: Transform, size: (u32, u32), limits: &Limits) -> Result<(), Error> {
    let (across, down) = transform.get_scale();
    let canvas = f64::from(size.0) * f64::from(size.1);
    let mut pricing = Pricing { canvas, scale: f64::from(across) * f64::from(down), transform };
    let Price { nanos, bytes } = pricing.group(tree.root());
    let millis = (nanos / 1e6).min(1e15) as u64;
    if millis > MOST_MILLIS {
        return Err(Error::TooLarge {
            what: "milliseconds to draw the original, estimated",
            value: millis,
            limit: MOST_MILLIS,
        });
    }
    let value = ((bytes + canvas * 4.0).min(1e15)) as u64;
    if value > limits.memory {
        return Err(Error::TooLarge { what: "memory to draw the original", value, limit: limits.memory });
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Price {
    nanos: f64,
    /// At the worst moment.
    bytes: f64,
}

impl Price {
    fn and(self, other: Self) -> Self {
        Self { nanos: self.nanos + other.nanos, bytes: self.bytes.max(other.bytes) }
    }
}

struct Pricing {
    canvas: f64,
    /// Pixels per square unit.
    scale: f64,
    transform: Transform,
}

impl Pricing {
    /// Pixels of the canvas inside a box that is given in the drawing's units.
    fn pixels(&self, place: Rect) -> f64 {
        let Some(place) = place.transform(self.transform) else { return self.canvas };
        let area = f64::from(place.width().max(1.0)) * f64::from(place.height().max(1.0));
        if area.is_finite() { area.min(self.canvas) } else { self.canvas }
    }

    fn group(&mut self, group: &Group) -> Price {
        let mut price = Price { nanos: ELEMENT, bytes: 0.0 };
        for node in group.children() {
            price = price.and(self.node(node));
        }
        if group.should_isolate() {
            let area = self.pixels(group.abs_layer_bounding_box().to_rect());
            price.nanos += area * LAYER;
            price.bytes += area * 4.0;
        }
        if let Some(clip) = group.clip_path() {
            price = self.covered(price, clip.root());
            let mut next = clip.clip_path();
            while let Some(clip) = next {
                price = self.covered(price, clip.root());
                next = clip.clip_path();
            }
        }
        let mut mask = group.mask();
        while let Some(this) = mask {
            price = self.covered(price, this.root());
            mask = this.mask();
        }
        for filter in group.filters() {
            price = price.and(self.filter(filter, group));
        }
        price
    }

    /// A clip or mask: a layer of its own, of the size of what it covers.
    fn covered(&mut self, price: Price, root: &Group) -> Price {
        let inner = self.group(root);
        Price {
            nanos: price.nanos + inner.nanos + self.canvas * LAYER,
            bytes: price.bytes + inner.bytes + self.canvas * 4.0,
        }
    }

    fn node(&mut self, node: &Node) -> Price {
        match node {
            Node::Group(group) => self.group(group),
            Node::Path(path) => self.path(path),
            Node::Text(text) => self.group(text.flattened()),
            Node::Image(image) => {
                let area = self.pixels(image.abs_bounding_box());
                match image.kind() {
                    ImageKind::SVG(tree) => {
                        let inner = self.group(tree.root());
                        Price { nanos: inner.nanos + area * LAYER, bytes: inner.bytes + area * 4.0 }
                    }
                    _ => {
                        // Decoded each time that it is drawn.
                        let stored = f64::from(image.size().width()) * f64::from(image.size().height());
                        Price { nanos: area * 30.0 + stored * 20.0, bytes: stored * 8.0 }
                    }
                }
            }
        }
    }

    fn path(&mut self, path: &Path) -> Price {
        let area = self.pixels(path.abs_stroke_bounding_box());
        let points = path.data().points();
        let mut price = Price { nanos: ELEMENT + points.len() as f64 * POINT, bytes: 0.0 };
        if let Some(fill) = path.fill() {
            price = price.and(self.paint(fill.paint(), area));
        }
        if let Some(stroke) = path.stroke() {
            price = price.and(self.paint(stroke.paint(), area));
            price.nanos += points.len() as f64 * POINT * 4.0;
            if let Some(dashes) = stroke.dasharray() {
                let period = f64::from(dashes.iter().sum::<f32>()).max(1e-9);
                let length: f64 = points.windows(2).map(|pair| f64::from(pair[0].distance(pair[1]))).sum();
                price.nanos += (length / period * dashes.len() as f64).min(MOST_DASHES) * DASH;
            }
        }
        price
    }

    fn paint(&mut self, paint: &Paint, area: f64) -> Price {
        match paint {
            Paint::Color(_) => Price { nanos: area * 3.0, bytes: 0.0 },
            Paint::LinearGradient(_) => Price { nanos: area * 12.0, bytes: 0.0 },
            Paint::RadialGradient(_) => Price { nanos: area * 20.0, bytes: 0.0 },
            Paint::Pattern(pattern) => {
                let inner = self.group(pattern.root());
                let tile = f64::from(pattern.rect().width()) * f64::from(pattern.rect().height()) * self.scale;
                let tile = if tile.is_finite() { tile.min(self.canvas * 4.0) } else { self.canvas * 4.0 };
                Price { nanos: inner.nanos + area * 30.0 + tile * LAYER, bytes: inner.bytes + tile * 4.0 }
            }
        }
    }

    /// Regions of filters may reach beyond the canvas, to twice its size on each side.
    fn filter(&mut self, filter: &Filter, group: &Group) -> Price {
        let place =
            group.filters_bounding_box().map(|place| place.to_rect()).unwrap_or_else(|| filter.rect().to_rect());
        let place = place.transform(group.abs_transform()).and_then(|place| place.transform(self.transform));
        let area = place.map_or(f64::MAX, |place| f64::from(place.width()) * f64::from(place.height()));
        let area = if area.is_finite() { area.min(self.canvas * 25.0) } else { self.canvas * 25.0 };
        let mut price = Price { nanos: 0.0, bytes: area * 4.0 * (3 + filter.primitives().len()) as f64 };
        for primitive in filter.primitives() {
            let each = match primitive.kind() {
                Kind::GaussianBlur(_) | Kind::DropShadow(_) => 90.0,
                Kind::ConvolveMatrix(kernel) => {
                    30.0 + 6.0 * f64::from(kernel.matrix().columns()) * f64::from(kernel.matrix().rows())
                }
                Kind::Morphology(shape) => {
                    let side = |radius: f32, scale: f64| (2.0 * f64::from(radius) * scale + 1.0).min(area.sqrt());
                    let scale = self.scale.max(0.0).sqrt();
                    20.0 + 2.0 * side(shape.radius_x().get(), scale) * side(shape.radius_y().get(), scale)
                }
                Kind::Turbulence(noise) => 60.0 * f64::from(noise.num_octaves().max(1)),
                Kind::DiffuseLighting(_) | Kind::SpecularLighting(_) => 120.0,
                Kind::Image(image) => {
                    price = price.and(self.group(image.root()));
                    20.0
                }
                _ => 25.0,
            };
            price.nanos += area * each;
        }
        price
    }
}
