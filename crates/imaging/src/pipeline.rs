//! The order of operations, as data: redact → trim, crop and resize → turn upright, `rot`, `flip` → sRGB or P3 → any other
//! angle → effects (`effects.rs` has their order) → background → canvas → mark → text → border → outline → background
//! once more. The
//! URL's order does not matter. What would change nothing is not in the list.
//!
//! All sizes are known before a pixel exists, but for those that `settle` finds by looking at the picture. It knows
//! neither decoders nor encoders.

mod effects;
mod gain_map;
mod layers;
mod settle;
mod shape;

pub use gain_map::{Beside, keeps_gain_map};
pub use settle::settle;

use crate::bitmap::Bitmap;
use crate::decode::{Delivered, Want};
use crate::error::Error;
use crate::geometry::{self, Plan, Rect, Seen, Window};
use crate::limits::{Limits, Watch};
use crate::op::Operation;
use crate::op::border::Border;
use crate::op::flatten::Flatten;
use crate::op::orient::Turn;
use crate::op::outline::Cut;
use crate::op::place::Place;
use crate::op::redact::Redact;
use crate::op::resize::{Resize, kernel};
use crate::op::rotate::Rotate;
use crate::op::to_p3::ToP3;
use crate::op::to_srgb::ToSrgb;
use crate::scratch::Scratch;
use crate::setup::Setup;
use crate::sight;
use cache_key::Transform;
use cache_key::transform::{ColourSpace, Kernel, Orient};
use layers::Layers;
use shape::Frame;
use std::sync::LazyLock;

/// One pass of a transform over a picture of known size.
#[derive(Clone, Debug)]
pub struct Pass<'a> {
    transform: &'a Transform,
    /// In upright axes.
    pub plan: Plan,
    /// `rot` and `flip`, as far as quarters go.
    turn: Turn,
    /// What is left of `rot`.
    rotate: Option<Rotate>,
    canvas: Rect,
    /// What lies round the canvas.
    frame: Frame,
    /// `redact`, in pixels of the upright original.
    blocks: Vec<Rect>,
    /// What is laid over the canvas.
    layers: Layers,
    /// Whether the picture has been looked at, where that is needed.
    is_settled: bool,
}

/// The picture that a pass begins with.
#[derive(Clone, Debug)]
pub struct Start {
    /// What of it the bitmap in hand is.
    pub delivered: Delivered,
    /// What turns it upright.
    pub turn: Turn,
    /// The profile of its colours, where they are not sRGB.
    pub profile: Option<Vec<u8>>,
}

/// Ten-thousandths of a degree in a quarter turn.
const QUARTER: i64 = 90 * cache_key::Decimal::SCALE;

/// A decoder that scales while decoding may go down to this multiple of the size that the resize makes: the resize
/// then still decides how sharp the result is.
const HEADROOM: f64 = 1.5;

/// What stands for a pass that cannot be planned yet.
static AS_IT_IS: LazyLock<Transform> = LazyLock::new(Transform::default);

/// Plans every pass over an upright picture of `size`, and holds the sizes against the limits; those behind a `trim` are
/// guesses, as though it cut nothing off, until they are settled.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Impossible`].
pub fn plan<'a>(size: (u32, u32), transform: &'a Transform, setup: &Setup) -> Result<Vec<Pass<'a>>, Error> {
    let mut passes = Vec::new();
    let mut next = Some(transform);
    let mut size = size;
    // Of what follows a trim.
    let mut is_guess = false;
    while let Some(transform) = next {
        let mut pass = match Pass::new(size, transform, Seen::default()) {
            // Of a size that is a guess so far; it is planned again when that is known.
            Err(Error::Impossible(_)) if is_guess => Pass::new(size, &AS_IT_IS, Seen::default())?.of(transform),
            pass => pass?,
        };
        pass.layers = Layers::of(transform, setup)?;
        is_guess |= transform.trim.is_some();
        if !is_guess {
            pass.check(&setup.limits)?;
        }
        size = pass.size();
        passes.push(pass);
        next = transform.then.as_deref();
    }
    Ok(passes)
}

/// The operations of all passes, in their order. The first pass begins with what a decoder made, the others with an
/// upright sRGB picture of the size that the pass before them makes.
pub fn operations(passes: &[Pass<'_>], start: Start) -> Vec<Box<dyn Operation>> {
    let mut start = Some(start);
    let mut size = (1, 1);
    let mut list = Vec::new();
    for pass in passes {
        let delivered = Delivered::Part { x: 0, y: 0, whole: size };
        let upright = Start { delivered, turn: Turn::default(), profile: None };
        list.extend(pass.operations(start.take().unwrap_or(upright)));
        size = pass.size();
    }
    list
}

/// Applies them one after the other. Frames of an animation share one list.
///
/// # Errors
/// What [`Operation::apply`] and [`Watch::check`] return.
pub fn run(
    operations: &[Box<dyn Operation>],
    mut bitmap: Bitmap,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Bitmap, Error> {
    for operation in operations {
        watch.check()?;
        bitmap = operation.apply(bitmap, watch, scratch)?;
    }
    Ok(bitmap)
}

/// The orientation that counts: none where the URL says so.
pub fn upright(transform: &Transform, orientation: crate::Orientation) -> Turn {
    match transform.orient {
        Orient::Auto => orientation.into(),
        Orient::None => Turn::default(),
    }
}

impl<'a> Pass<'a> {
    fn new(size: (u32, u32), transform: &'a Transform, seen: Seen) -> Result<Self, Error> {
        let plan = geometry::plan(size, transform, seen)?;
        let flip = transform.flip;
        let flipped = Turn::flip(flip.horizontal, flip.vertical);
        // As in the normal form: one angle, one size.
        let angle = transform.rotate.scaled().rem_euclid(4 * QUARTER);
        let (turn, rotate) = if angle % QUARTER == 0 {
            (Turn::quarters((angle / QUARTER) as u32).then(flipped), None)
        } else {
            // One mirror image turns the other way: mirroring first, then, is the same.
            let sign = if flip.horizontal == flip.vertical { 1.0 } else { -1.0 };
            (flipped, Some(Rotate { degrees: sign * cache_key::Decimal::from_scaled(angle).to_f64() }))
        };
        let turned = turn.size(plan.size);
        let picture = rotate.map_or(turned, |rotate| rotate.size(turned));
        let canvas = plan.canvas(picture, turn.transpose);
        let shape = &transform.shape;
        let frame = Frame::new(shape, (canvas.width, canvas.height), plan.dpr);
        let blocks = shape.redact.iter().map(|region| geometry::redact::outward(size, *region));
        let blocks = blocks.collect::<Result<_, _>>()?;
        let layers = Layers::default();
        Ok(Self { transform, plan, turn, rotate, canvas, frame, blocks, layers, is_settled: false })
    }

    fn of(self, transform: &'a Transform) -> Self {
        Self { transform, ..self }
    }

    /// Holds its sizes against the limits.
    fn check(&self, limits: &Limits) -> Result<(), Error> {
        geometry::check_output(self.plan.size, limits)?;
        geometry::check_output(self.size(), limits)
    }

    /// Whether its plan is one for a picture that has still to be looked at.
    pub fn needs_look(&self) -> bool {
        !self.is_settled && sight::needs_look(self.transform, &self.plan)
    }

    /// The result's size.
    pub fn size(&self) -> (u32, u32) {
        self.frame.round((self.canvas.width, self.canvas.height))
    }

    /// Whether the result may be transparent where the original is not.
    pub fn adds_alpha(&self) -> bool {
        let background = self.transform.effects.background;
        let places = self.size() != self.plan.size;
        let is_seen_through = self.rotate.is_some() || self.frame.is_seen_through();
        match background {
            None => is_seen_through,
            Some(colour) => colour.a != u8::MAX && (is_seen_through || places),
        }
    }

    /// Whether the pass leaves an upright sRGB picture exactly as it is.
    pub fn changes_nothing(&self) -> bool {
        let Transform { effects, shape, watermark, text, .. } = self.transform;
        self.plan.keeps_pixels()
            && !self.needs_look()
            && self.turn == Turn::default()
            && self.rotate.is_none()
            && self.size() == self.plan.source
            && *effects == Default::default()
            && *shape == Default::default()
            && watermark.is_none()
            && text.is_none()
    }

    /// Time that the operations after the resize take, for each pixel of the result.
    pub fn nanoseconds_per_pixel(&self) -> u64 {
        let priced =
            [(self.rotate.is_some(), 40), (self.frame.border.is_some(), 12), (self.frame.outline.is_some(), 50)];
        5 + effects::price(&self.transform.effects)
            + self.layers.price()
            + priced.iter().filter(|(used, _)| *used).map(|(_, price)| price).sum::<u64>()
    }

    /// Whether anything behind the resize makes a second bitmap, on a picture that `turn` makes upright.
    pub fn copies(&self, turn: Turn) -> bool {
        let start = Start { delivered: Delivered::Resized, turn, profile: None };
        self.size() != self.plan.size || self.operations(start).len() > 1
    }

    /// Time that is spent on each pixel of what the pass begins with, beside the resize.
    pub fn nanoseconds_per_source_pixel(&self) -> u64 {
        let resample = self.transform.resample;
        let priced = [(self.transform.trim.is_some(), 12), (resample.linear, 20), (!self.blocks.is_empty(), 1)];
        priced.iter().filter(|(used, _)| *used).map(|(_, price)| price).sum()
    }

    /// Time that is spent on looking at the picture, whatever its size.
    pub fn nanoseconds_of_look(&self) -> u64 {
        if self.needs_look() { sight::price(self.transform.gravity) } else { 0 }
    }

    /// Bytes that are held for each channel of what the pass begins with, beside that itself.
    pub fn bytes_per_source_channel(&self) -> u64 {
        if self.transform.resample.linear { 2 } else { 0 }
    }

    /// Whether pixels must come as they are stored: a decoder that scales mixes them.
    fn wants_all(&self) -> bool {
        let resample = self.transform.resample;
        let is_exact = self.plan.keeps_pixels();
        let by_pixel = resample.linear || resample.kernel == Kernel::Nearest;
        self.transform.trim.is_some() || !self.blocks.is_empty() || by_pixel && !is_exact
    }

    /// What a decoder has to deliver of a stored picture of `stored` pixels that `turn` makes upright.
    pub fn want(&self, stored: (u32, u32), turn: Turn) -> Want {
        if self.wants_all() {
            return Want::EVERYTHING;
        }
        let (width, height) = self.plan.scaled_source();
        let (width, height) = if turn.transpose { (height, width) } else { (width, height) };
        let least = |scaled: f64, stored: u32| ((scaled * HEADROOM).ceil() as u32).clamp(1, stored);
        if self.needs_look() {
            // Small pictures of large ones are looked at somewhat larger.
            let seen = sight::least(self.transform.gravity, &self.plan);
            let seen = if turn.transpose { (seen.1, seen.0) } else { seen };
            let (min_width, min_height) = (least(width.max(seen.0), stored.0), least(height.max(seen.1), stored.1));
            return Want { min_width, min_height, region: None, resize: None };
        }
        Want {
            min_width: least(width, stored.0),
            min_height: least(height, stored.1),
            region: self.region(stored, turn),
            // Bounds are for the whole picture in hand.
            resize: Some(self.resize(turn)).filter(|resize| resize.bounds.is_none()),
        }
    }

    /// The stored pixels that the resize looks at, where that is not all.
    fn region(&self, stored: (u32, u32), turn: Turn) -> Option<(u32, u32, u32, u32)> {
        let window = turn.inverse().window(self.plan.window, self.plan.source);
        let (kept_width, kept_height) = turn.inverse().size(self.plan.size);
        let side = |start: f64, length: f64, kept: u32, stored: u32| {
            let reach = kernel::REACH * (length / f64::from(kept)).max(1.0) + 1.0;
            let from = (start - reach).floor().max(0.0) as u32;
            let to = ((start + length + reach).ceil() as u32).min(stored);
            (from, to.saturating_sub(from).max(1))
        };
        let (left, width) = side(window.x, window.width, kept_width, stored.0);
        let (top, height) = side(window.y, window.height, kept_height, stored.1);
        ((width, height) != stored).then_some((left, top, width, height))
    }

    /// The operations, in their order.
    pub fn operations(&self, start: Start) -> Vec<Box<dyn Operation>> {
        let mut list: Vec<Box<dyn Operation>> = Vec::new();
        if let Some(redact) = self.redact(&start) {
            list.push(Box::new(redact));
        }
        if let Delivered::Part { x, y, whole } = start.delivered {
            let stored = start.turn.inverse().size(self.plan.source);
            list.push(Box::new(self.resize(start.turn).on_part(stored, (x, y), whole)));
        }
        let turn = start.turn.then(self.turn);
        if turn != Turn::default() {
            list.push(Box::new(turn));
        }
        // What follows works in the colours that the rendition will have.
        match (self.transform.output.colour_space, start.profile) {
            (ColourSpace::Srgb, Some(profile)) => list.push(Box::new(ToSrgb { profile })),
            (ColourSpace::P3, profile) => list.push(Box::new(ToP3 { profile })),
            (ColourSpace::Srgb, None) | (ColourSpace::Keep, _) => {}
        }
        if let Some(rotate) = self.rotate {
            list.push(Box::new(rotate));
        }
        self.push_effects(&mut list);
        let background = self.transform.effects.background;
        if let Some(background) = background {
            list.push(Box::new(Flatten { background }));
        }
        list.push(Box::new(Place { canvas: self.canvas, colour: background }));
        self.layers.push(&mut list);
        if let Some((width, colour)) = self.frame.border {
            let inner = self.frame.outline.map(|outline| outline.inset(width.into()));
            list.push(Box::new(Border { width, colour, inner }));
        }
        if let Some(outline) = self.frame.outline {
            list.push(Box::new(Cut { outline }));
        }
        if let Some(background) = background.filter(|_| self.frame.is_seen_through()) {
            list.push(Box::new(Flatten { background }));
        }
        list
    }

    /// The blocks on what a decoder made.
    fn redact(&self, start: &Start) -> Option<Redact> {
        if self.blocks.is_empty() {
            return None;
        }
        let Delivered::Part { x, y, whole } = start.delivered else {
            // Never so: all pixels were asked for. Where it is, better nothing is seen than too much.
            let all = Rect { x: 0, y: 0, width: u32::MAX, height: u32::MAX };
            return Some(Redact { blocks: vec![all] });
        };
        let back = start.turn.inverse();
        let stored = back.size(self.plan.source);
        let block = |block: &Rect| {
            let window = back.window(Window::from(*block), self.plan.source);
            geometry::redact::on_part(window, stored, (x, y), whole)
        };
        Some(Redact { blocks: self.blocks.iter().map(block).collect() })
    }

    /// The resize happens on the stored picture, in its pixels: turning comes after it, when pixels are few.
    fn resize(&self, turn: Turn) -> Resize {
        let back = turn.inverse();
        let window = back.window(self.plan.window, self.plan.source);
        let (width, height) = back.size(self.plan.size);
        let region = Window::from(self.plan.region);
        let is_all = (self.plan.region.width, self.plan.region.height) == self.plan.source;
        let bounds = (!is_all).then(|| back.window(region, self.plan.source));
        Resize { window, width, height, bounds, resample: self.transform.resample }
    }
}

#[cfg(test)]
mod tests;
