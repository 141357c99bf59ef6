//! What has to be seen in the pixels before a plan can be made: the edges that `trim` cuts off, and the part that
//! `g=smart`, `g=entropy` and `g=face` keep. It measures and changes nothing; what it sees goes to `geometry` as numbers.
//!
//! Everything is told in upright axes, however the bitmap lies.

mod attention;
mod entropy;
mod face;
mod small;
mod trim;

use crate::bitmap::Bitmap;
use crate::color;
use crate::error::Error;
use crate::geometry::{Plan, Rect};
use crate::limits::Watch;
use crate::op::orient::Turn;
use cache_key::transform::{Colour, Gravity, Transform, Trim};
use small::Small;

/// Longest side of a picture as `smart` and `entropy` look at it, in cells; a decoder is asked for more than that.
const CELLS: u32 = 96;

/// A bitmap as a decoder delivered it, and how it is to be seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    /// The pixels.
    pub bitmap: &'a Bitmap,
    /// Where the bitmap's first pixel lies in the stored picture, scaled to `whole`.
    pub origin: (u32, u32),
    /// The size of the stored picture as the decoder scaled it.
    pub whole: (u32, u32),
    /// What makes it upright.
    pub turn: Turn,
    /// The profile of its colours, where they are not sRGB.
    pub profile: Option<&'a [u8]>,
}

impl View<'_> {
    /// The column and row of the bitmap that hold a point of the upright picture, in fractions of its sides.
    fn at(&self, (across, down): (f64, f64)) -> (usize, usize) {
        let across = if self.turn.flip_x { 1.0 - across } else { across };
        let down = if self.turn.flip_y { 1.0 - down } else { down };
        let (across, down) = if self.turn.transpose { (down, across) } else { (across, down) };
        let side = |at: f64, whole: u32, origin: u32, side: u32| {
            // A cast of a float saturates.
            ((at * f64::from(whole)) as u32).saturating_sub(origin).min(side - 1) as usize
        };
        (
            side(across, self.whole.0, self.origin.0, self.bitmap.width()),
            side(down, self.whole.1, self.origin.1, self.bitmap.height()),
        )
    }

    /// What `trim` leaves of the upright picture of `size` pixels, which the bitmap shows pixel by pixel; `None`: all,
    /// because nothing is to be cut off or because there is nothing but edge.
    pub(crate) fn trimmed(&self, trim: Trim, size: (u32, u32), watch: &Watch) -> Result<Option<Rect>, Error> {
        let edge = match trim.colour {
            Some(Colour { r, g, b, a }) => {
                // The pixels are in the profile's colours.
                let [r, g, b] = self.profile.and_then(|icc| color::from_srgb([r, g, b], icc)).unwrap_or([r, g, b]);
                [r, g, b, a]
            }
            None => {
                let (x, y) = self.at((0.5 / f64::from(size.0), 0.5 / f64::from(size.1)));
                trim::pixel(self.bitmap, x, y)
            }
        };
        let Some(kept) = trim::content(self.bitmap, edge, trim.tolerance, watch)? else { return Ok(None) };
        let stored = (self.bitmap.width(), self.bitmap.height());
        let kept = self.turn.window(kept, stored);
        let rect = Rect { x: kept.x as u32, y: kept.y as u32, width: kept.width as u32, height: kept.height as u32 };
        let is_all = (rect.width, rect.height) == size;
        Ok(Some(rect).filter(|_| !is_all && self.turn.size(stored) == size))
    }

    /// The point round which `plan` should cut, in fractions of its region; `None`: the middle.
    pub(crate) fn focus(&self, gravity: Gravity, plan: &Plan, watch: &Watch) -> Result<Option<(f64, f64)>, Error> {
        let kept =
            (plan.window.width / f64::from(plan.region.width), plan.window.height / f64::from(plan.region.height));
        if gravity == Gravity::Face
            && let Some(focus) = face::focus(self, plan, kept, watch)?
        {
            return Ok(Some(focus));
        }
        let small = Small::new(self, plan, watch)?;
        Ok(match gravity {
            // Without a face, what stands out.
            Gravity::Smart | Gravity::Face => Some(attention::focus(&small, kept)),
            Gravity::Entropy => Some(entropy::focus(&small, kept)),
            _ => None,
        })
    }
}

/// Whether the picture has to be looked at for this gravity.
pub(crate) const fn is_seen(gravity: Gravity) -> bool {
    matches!(gravity, Gravity::Smart | Gravity::Entropy | Gravity::Face)
}

/// Pixels that each side of the upright picture needs so that there is enough to be seen in what `plan` cuts from.
pub(crate) fn least(gravity: Gravity, plan: &Plan) -> (f64, f64) {
    if gravity != Gravity::Face {
        return (CELLS.into(), CELLS.into());
    }
    let region = plan.region;
    let scale = f64::from(face::SIDE) / f64::from(region.width.max(region.height));
    (f64::from(plan.source.0) * scale, f64::from(plan.source.1) * scale)
}

/// What a look for this gravity costs beside reading the picture, nanoseconds.
pub(crate) const fn price(gravity: Gravity) -> u64 {
    if matches!(gravity, Gravity::Face) { face::NANOSECONDS } else { 0 }
}

/// Whether a plan, made without having looked, cuts something off by gravity.
pub(crate) fn cuts(plan: &Plan) -> bool {
    let region = plan.region;
    // Less than a pixel more or less is not worth a look.
    f64::from(region.width) - plan.window.width >= 1.0 || f64::from(region.height) - plan.window.height >= 1.0
}

/// Whether a pass over a picture that nobody has looked at can be planned.
pub(crate) fn needs_look(transform: &Transform, plan: &Plan) -> bool {
    transform.trim.is_some() || is_seen(transform.gravity) && cuts(plan)
}

#[cfg(test)]
mod tests;
