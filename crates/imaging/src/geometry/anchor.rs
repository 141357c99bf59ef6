//! Gravity: which part of a picture survives a cut, and where a picture sits on a larger canvas. Pure arithmetic; what has to look
//! at pixels (`smart`, `entropy`, `face`) hands in what it saw; without that it is the middle.

use cache_key::transform::{Compass, Gravity};

/// A gravity with its scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    pub(super) gravity: Gravity,
    /// Multiplies offsets in pixels.
    pub(super) dpr: f64,
}

/// On one axis: held at the start, in the middle, or at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Start,
    Middle,
    End,
}

impl Anchor {
    /// Where in a picture of `whole` pixels the top left corner of the `kept` pixels lies.
    pub(super) fn cut(self, whole: (u64, u64), kept: (u32, u32), focus: Option<(f64, f64)>) -> (u64, u64) {
        let room = (whole.0.saturating_sub(kept.0.into()), whole.1.saturating_sub(kept.1.into()));
        let focus = match self.gravity {
            Gravity::Focal(x, y) => Some((x.to_f64(), y.to_f64())),
            _ => focus,
        };
        match focus {
            Some((x, y)) => (centred_on(x, whole.0, kept.0, room.0), centred_on(y, whole.1, kept.1, room.1)),
            // sharp rounds the middle of a cut up, and the middle of a canvas down.
            None => self.hold(self.gravity, room, 1),
        }
    }

    /// Where on a canvas of `frame` pixels the top left corner of a picture lies. A focal point has no meaning here:
    /// the picture is whole, and sits in the middle.
    pub(super) fn place(self, picture: (u32, u32), frame: (u32, u32)) -> (u32, u32) {
        let room = (frame.0.saturating_sub(picture.0), frame.1.saturating_sub(picture.1));
        let (x, y) = self.hold(self.gravity, (room.0.into(), room.1.into()), 0);
        // Both are at most `room`, which is a u32.
        (x as u32, y as u32)
    }

    fn hold(self, gravity: Gravity, room: (u64, u64), round: u64) -> (u64, u64) {
        let (compass, dx, dy) = match gravity {
            Gravity::Compass(compass, dx, dy) => (compass, dx, dy),
            _ => (Compass::Centre, 0, 0),
        };
        let (across, down) = holds(compass);
        (held(across, room.0, f64::from(dx) * self.dpr, round), held(down, room.1, f64::from(dy) * self.dpr, round))
    }
}

fn holds(compass: Compass) -> (Hold, Hold) {
    let across = match compass {
        Compass::West | Compass::NorthWest | Compass::SouthWest => Hold::Start,
        Compass::Centre | Compass::North | Compass::South => Hold::Middle,
        Compass::East | Compass::NorthEast | Compass::SouthEast => Hold::End,
    };
    let down = match compass {
        Compass::North | Compass::NorthEast | Compass::NorthWest => Hold::Start,
        Compass::Centre | Compass::East | Compass::West => Hold::Middle,
        Compass::South | Compass::SouthEast | Compass::SouthWest => Hold::End,
    };
    (across, down)
}

/// Offsets point inwards from the side held, and right or down from the middle; the result stays inside.
fn held(hold: Hold, room: u64, offset: f64, round: u64) -> u64 {
    let position = match hold {
        Hold::Start => offset.round(),
        Hold::Middle => (room.saturating_add(round) / 2) as f64 + offset.round(),
        Hold::End => room as f64 - offset.round(),
    };
    // A float cast saturates: below zero is 0.
    (position as u64).min(room)
}

fn centred_on(point: f64, whole: u64, kept: u32, room: u64) -> u64 {
    let start = point * whole as f64 - f64::from(kept) / 2.0;
    (start.round() as u64).min(room)
}
