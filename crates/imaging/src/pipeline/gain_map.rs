//! What the passes of a transform do to the picture's gain map: the same geometry in its own, coarser pixels. Effects
//! of colour leave it alone; what would make it show something else than the picture, or what the picture hides, ends it.
//!
//! Invariant: its result covers what the picture's result covers, to half a pixel of its own where something lies round.

use super::{Pass, Start};
use crate::decode::{Delivered, Want};
use crate::geometry::Rect;
use crate::op::Operation;
use crate::op::flatten::Flatten;
use crate::op::orient::Turn;
use crate::op::place::Place;
use crate::op::resize::Resize;
use cache_key::Transform;
use cache_key::transform::{Colour, Resample};

/// A gain map as it is stored, beside the stored picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside {
    /// Of the picture, pixels.
    pub picture: (u32, u32),
    /// Of the gain map, pixels; neither side longer than the picture's.
    pub stored: (u32, u32),
    /// What lies where there is no picture.
    pub neutral: [u8; 3],
}

/// Whether the passes leave a picture that its gain map still fits. `is_colour`: one with a gain for each channel.
pub fn keeps_gain_map(passes: &[Pass<'_>], is_colour: bool) -> bool {
    passes.iter().all(|pass| pass.keeps_gain_map(is_colour))
}

impl Beside {
    /// What a decoder has to deliver of it.
    pub fn want(&self, passes: &[Pass<'_>], turn: Turn) -> Want {
        let Some(pass) = passes.first().filter(|pass| !pass.wants_all()) else { return Want::EVERYTHING };
        let resize = pass.resize(turn).on_part(self.picture, (0, 0), self.stored);
        let least = |kept: u32, length: f64, stored: u32| {
            let scaled = f64::from(stored) * f64::from(self.scaled(kept)) / length;
            ((scaled * super::HEADROOM).ceil() as u32).clamp(1, stored)
        };
        let Resize { window, width, height, .. } = resize;
        let (min_width, min_height) =
            (least(width, window.width, self.stored.0), least(height, window.height, self.stored.1));
        Want { min_width, min_height, region: None, resize: None }
    }

    /// What is done to the part of it that a decoder delivered; `start.profile` does not count.
    pub fn operations(&self, passes: &[Pass<'_>], start: &Start) -> Vec<Box<dyn Operation>> {
        let [r, g, b] = self.neutral;
        let neutral = Colour { r, g, b, a: u8::MAX };
        let mut list: Vec<Box<dyn Operation>> = Vec::new();
        let (mut delivered, mut turn) = (start.delivered, start.turn);
        for pass in passes {
            let Delivered::Part { x, y, whole } = delivered else { break };
            let stored = turn.inverse().size(pass.plan.source);
            let resize = pass.resize(turn).on_part(stored, (x, y), whole);
            let (width, height) = (self.scaled(resize.width), self.scaled(resize.height));
            // Its values are no light.
            let resample = Resample { linear: false, ..resize.resample };
            list.push(Box::new(Resize { width, height, resample, ..resize }));
            let turn_all = turn.then(pass.turn);
            list.push(Box::new(turn_all));
            let mut size = turn_all.size((width, height));
            let mut picture = pass.turn.size(pass.plan.size);
            if let Some(rotate) = pass.rotate {
                list.push(Box::new(rotate));
                list.push(Box::new(Flatten { background: neutral }));
                (size, picture) = (rotate.size(size), rotate.size(picture));
            }
            let canvas = self.canvas(pass.canvas, picture, size);
            list.push(Box::new(Place { canvas, colour: Some(neutral) }));
            delivered = Delivered::Part { x: 0, y: 0, whole: (canvas.width, canvas.height) };
            turn = Turn::default();
        }
        list
    }

    /// A length of the picture in pixels of the gain map. Its own shape may be another; the mean of both sides keeps
    /// turned pictures square.
    fn scaled(&self, length: u32) -> u32 {
        let side = |stored: u32, picture: u32| f64::from(stored) / f64::from(picture);
        let scale = f64::midpoint(side(self.stored.0, self.picture.0), side(self.stored.1, self.picture.1));
        // A cast of a float saturates.
        ((f64::from(length) * scale).round() as u32).max(1)
    }

    /// The canvas for a gain map of `size`, where the picture's lies round one of `picture`.
    fn canvas(&self, canvas: Rect, picture: (u32, u32), size: (u32, u32)) -> Rect {
        let side = |at: u32, length: u32, picture: u32, size: u32| {
            if length == picture {
                return (0, size);
            }
            let length = self.scaled(length).max(size);
            let at = if at == 0 { 0 } else { self.scaled(at) };
            (at.min(length - size), length)
        };
        let (x, width) = side(canvas.x, canvas.width, picture.0, size.0);
        let (y, height) = side(canvas.y, canvas.height, picture.1, size.1);
        Rect { x, y, width, height }
    }
}

impl Pass<'_> {
    fn keeps_gain_map(&self, is_colour: bool) -> bool {
        let Transform { effects, shape, watermark, text, .. } = self.transform;
        // It would tell what they make unreadable.
        let hides = effects.blur.is_some() || effects.pixelate.is_some();
        // Bright places are no longer bright.
        let reverses = effects.invert || effects.duotone.is_some();
        // Gains of red, green and blue belong to colours that are gone.
        let recolours = effects.gray || effects.sepia != 0 || effects.tint.is_some() || effects.hue != 0;
        // `redact` hides; borders, outlines and what is laid over would shine with the picture below them.
        let draws = *shape != Default::default() || watermark.is_some() || text.is_some();
        !(hides || reverses || draws || is_colour && recolours)
    }
}
