//! Where a layer lies on a picture, by gravity. Unlike a crop's, a layer's offsets may push it over the edge.

use cache_key::transform::{Compass, Gravity};

/// How much of the room that a layer leaves lies to its left and above it: 0, a half, or 1.
pub(crate) fn share(compass: Compass) -> (f64, f64) {
    let across = match compass {
        Compass::West | Compass::NorthWest | Compass::SouthWest => 0.0,
        Compass::Centre | Compass::North | Compass::South => 0.5,
        Compass::East | Compass::NorthEast | Compass::SouthEast => 1.0,
    };
    let down = match compass {
        Compass::North | Compass::NorthEast | Compass::NorthWest => 0.0,
        Compass::Centre | Compass::East | Compass::West => 0.5,
        Compass::South | Compass::SouthEast | Compass::SouthWest => 1.0,
    };
    (across, down)
}

/// The top left corner of a `layer` on a `picture` (both width and height in pixels).
///
/// Offsets are multiplied by `dpr`; they point inwards from the side held, right or down from the middle. A focal point
/// is where the layer's middle lies, as near as the picture's edges allow.
pub(crate) fn corner(picture: (u32, u32), layer: (u32, u32), gravity: Gravity, dpr: f64) -> (i64, i64) {
    let room = (f64::from(picture.0) - f64::from(layer.0), f64::from(picture.1) - f64::from(layer.1));
    let (compass, dx, dy) = match gravity {
        Gravity::Focal(x, y) => {
            let held = |point: f64, picture: u32, room: f64| {
                let start = point * f64::from(picture) - (f64::from(picture) - room) / 2.0;
                start.clamp(room.min(0.0), room.max(0.0)).round() as i64
            };
            return (held(x.to_f64(), picture.0, room.0), held(y.to_f64(), picture.1, room.1));
        }
        Gravity::Compass(compass, dx, dy) => (compass, dx, dy),
        // The grammar lets no gravity through that would have to look at pixels.
        Gravity::Centre | Gravity::Smart | Gravity::Entropy | Gravity::Face => (Compass::Centre, 0, 0),
    };
    let along = |share: f64, room: f64, offset: i32| {
        let inwards = if share == 1.0 { -1.0 } else { 1.0 };
        ((share * room).floor() + (inwards * f64::from(offset) * dpr).round()) as i64
    };
    let (across, down) = share(compass);
    (along(across, room.0, dx), along(down, room.1, dy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cache_key::Decimal;

    fn at(gravity: Gravity, dpr: f64) -> (i64, i64) {
        corner((100, 50), (20, 11), gravity, dpr)
    }

    #[test]
    fn every_point_of_the_compass() {
        let held = |compass| at(Gravity::Compass(compass, 3, 4), 2.0);
        assert_eq!(held(Compass::NorthWest), (6, 8));
        assert_eq!(held(Compass::North), (46, 8));
        assert_eq!(held(Compass::NorthEast), (74, 8));
        assert_eq!(held(Compass::East), (74, 27));
        assert_eq!(held(Compass::SouthEast), (74, 31));
        assert_eq!(held(Compass::South), (46, 31));
        assert_eq!(held(Compass::SouthWest), (6, 31));
        assert_eq!(held(Compass::West), (6, 27));
        assert_eq!(held(Compass::Centre), (46, 27));
        assert_eq!(at(Gravity::Centre, 2.0), (40, 19));
    }

    #[test]
    fn offsets_may_lead_outwards() {
        assert_eq!(at(Gravity::Compass(Compass::NorthWest, -5, -6), 1.0), (-5, -6));
        assert_eq!(at(Gravity::Compass(Compass::SouthEast, -5, -6), 1.0), (85, 45));
        // Larger than the picture: the middle stays the middle.
        assert_eq!(corner((10, 10), (20, 30), Gravity::Centre, 1.0), (-5, -10));
    }

    #[test]
    fn a_point_is_the_middle_as_near_as_may_be() {
        let focal = |x: i64, y: i64| at(Gravity::Focal(Decimal::from_scaled(x), Decimal::from_scaled(y)), 1.0);
        assert_eq!(focal(5_000, 5_000), (40, 20));
        assert_eq!(focal(0, 10_000), (0, 39));
        assert_eq!(focal(2_000, 2_000), (10, 5));
    }
}
