//! Readers of values: each takes the whole decoded text and answers with a valid value or not at all. Nothing is
//! clamped.

use crate::number::Decimal;
use crate::transform::{Aspect, Compass, Crop, Extent, Gravity};
use std::fmt::Write as _;
use std::num::NonZeroU32;

/// Longest side that can be asked for, in pixels.
pub(super) const MAX_SIDE: i64 = 65_535;
/// Largest coordinate in an original, in pixels.
const MAX_COORDINATE: i64 = 1_000_000;

/// A whole number in a range; `100.0` is one, `100.5` is not.
pub(super) fn whole(text: &str, min: i64, max: i64) -> Option<i64> {
    let value = Decimal::parse(text)?;
    // Without places beyond the fourth: they would be rounded away unseen.
    if text.split_once('.').is_some_and(|(_, places)| places.bytes().any(|b| b != b'0')) {
        return None;
    }
    value.to_int().filter(|v| (min..=max).contains(v))
}

/// [`whole`] in a smaller type.
pub(super) fn int<T: TryFrom<i64>>(text: &str, min: i64, max: i64) -> Option<T> {
    T::try_from(whole(text, min, max)?).ok()
}

/// A whole number of at least one.
pub(super) fn positive(text: &str, max: i64) -> Option<NonZeroU32> {
    NonZeroU32::new(int(text, 1, max)?)
}

/// A decimal in a range of ten-thousandths.
pub(super) fn decimal(text: &str, min: i64, max: i64) -> Option<Decimal> {
    Decimal::parse(text).filter(|d| (min..=max).contains(&d.scaled()))
}

/// A decimal in a range, or zero for "nothing".
pub(super) fn decimal_or_zero(text: &str, min: i64, max: i64) -> Option<Option<Decimal>> {
    match Decimal::parse(text)? {
        Decimal::ZERO => Some(None),
        _ => decimal(text, min, max).map(Some),
    }
}

/// `0`, `1`, `false`, `true`; the bare name is 1.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "" | "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// A name from the config.
pub(super) fn name(text: &str) -> Option<&str> {
    let fine = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    fine.then_some(text)
}

/// Exactly `N` parts.
pub(super) fn parts<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    let mut out = [""; N];
    let mut found = text.split(separator);
    for slot in &mut out {
        *slot = found.next()?;
    }
    found.next().is_none().then_some(out)
}

/// Largest part of a ratio in lowest terms: what [`MAX_SIDE`] to one ten-thousandth comes to.
const MAX_PART: i64 = MAX_SIDE * Decimal::SCALE;

/// `w:h` or one number (w to 1), in lowest terms.
pub(super) fn aspect(text: &str) -> Option<Aspect> {
    let (width, height) = text.split_once(':').unwrap_or((text, "1"));
    let (width, height) = (ratio_part(width)?, ratio_part(height)?);
    let (mut a, mut b) = (width, height);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let lowest =
        |part: i64| Some(part / a).filter(|p| *p <= MAX_PART).and_then(|p| NonZeroU32::new(p.try_into().ok()?));
    Some(Aspect { width: lowest(width)?, height: lowest(height)? })
}

fn ratio_part(text: &str) -> Option<i64> {
    decimal(text, 1, MAX_PART * Decimal::SCALE).map(Decimal::scaled)
}

/// `x,y,w,h`, pixels or (with a point) fractions of the side.
pub(super) fn crop(text: &str) -> Option<Crop> {
    let [x, y, width, height] = parts(text, ',')?;
    let mut crop = Crop { x: extent(x, 0)?, y: extent(y, 0)?, width: extent(width, 1)?, height: extent(height, 1)? };
    crop.normalise();
    // An origin at the far edge leaves nothing.
    let past = |e: Extent| e == Extent::Fraction(Decimal::ONE);
    (!past(crop.x) && !past(crop.y)).then_some(crop)
}

fn extent(text: &str, min: i64) -> Option<Extent> {
    if text.contains('.') {
        decimal(text, min, Decimal::SCALE).map(Extent::Fraction)
    } else {
        int(text, min, MAX_COORDINATE).map(Extent::Px)
    }
}

/// The canonical form of [`crop`].
pub(super) fn put_crop(crop: &Crop, out: &mut String) {
    for (at, extent) in [crop.x, crop.y, crop.width, crop.height].into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        // Writing to a `String` cannot fail.
        let _ = match extent {
            Extent::Px(px) => write!(out, "{px}"),
            Extent::Fraction(Decimal::ONE) => write!(out, "1.0"),
            Extent::Fraction(Decimal::ZERO) => write!(out, "0"),
            Extent::Fraction(fraction) => write!(out, "{fraction}"),
        };
    }
}

const COMPASS: [(&str, Compass); 24] = [
    ("c", Compass::Centre),
    ("n", Compass::North),
    ("ne", Compass::NorthEast),
    ("e", Compass::East),
    ("se", Compass::SouthEast),
    ("s", Compass::South),
    ("sw", Compass::SouthWest),
    ("w", Compass::West),
    ("nw", Compass::NorthWest),
    ("center", Compass::Centre),
    ("centre", Compass::Centre),
    ("north", Compass::North),
    ("northeast", Compass::NorthEast),
    ("east", Compass::East),
    ("southeast", Compass::SouthEast),
    ("south", Compass::South),
    ("southwest", Compass::SouthWest),
    ("west", Compass::West),
    ("northwest", Compass::NorthWest),
    ("top", Compass::North),
    ("right", Compass::East),
    ("bottom", Compass::South),
    ("left", Compass::West),
    ("middle", Compass::Centre),
];

/// What `g` allows, in words.
pub(super) const GRAVITY: &str = "`n ne e se s sw w nw c` (also `north`, `top`, `center` …), each with offsets `ne:10:10` \
     in pixels (−65535–65535); `fp:x:y` with x and y 0–1; `smart`, `entropy`, `face`";

/// A gravity with its offsets or point.
pub(super) fn gravity(text: &str) -> Option<Gravity> {
    let mut parts = text.split(':');
    let kind = parts.next()?;
    let pair = match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => None,
        (Some(x), Some(y), None) => Some((x, y)),
        _ => return None,
    };
    gravity_of(kind, pair)
}

/// A gravity from its word and the two numbers after it. Words without numbers of their own accept zeros only.
pub(super) fn gravity_of(kind: &str, pair: Option<(&str, &str)>) -> Option<Gravity> {
    if kind == "fp" {
        let (x, y) = pair?;
        return Some(Gravity::Focal(decimal(x, 0, Decimal::SCALE)?, decimal(y, 0, Decimal::SCALE)?));
    }
    let (x, y) = pair.unwrap_or(("0", "0"));
    let (x, y) = (int(x, -MAX_SIDE, MAX_SIDE)?, int(y, -MAX_SIDE, MAX_SIDE)?);
    let found = match kind {
        "smart" => Gravity::Smart,
        "entropy" => Gravity::Entropy,
        "face" => Gravity::Face,
        _ => {
            let (_, point) = COMPASS.iter().find(|(name, _)| *name == kind)?;
            return Some(if (*point, x, y) == (Compass::Centre, 0, 0) {
                Gravity::Centre
            } else {
                Gravity::Compass(*point, x, y)
            });
        }
    };
    ((x, y) == (0, 0)).then_some(found)
}

/// The canonical form of [`gravity`]; with `numbers`, offsets of zero are written too.
pub(super) fn put_gravity(gravity: Gravity, numbers: bool, out: &mut String) {
    let (word, x, y) = match gravity {
        Gravity::Focal(x, y) => {
            // Writing to a `String` cannot fail, here and below.
            let _ = write!(out, "fp:{x}:{y}");
            return;
        }
        Gravity::Centre => ("c", 0, 0),
        Gravity::Smart => ("smart", 0, 0),
        Gravity::Entropy => ("entropy", 0, 0),
        Gravity::Face => ("face", 0, 0),
        Gravity::Compass(point, x, y) => (compass_word(point), x, y),
    };
    out.push_str(word);
    if numbers || (x, y) != (0, 0) {
        let _ = write!(out, ":{x}:{y}");
    }
}

const fn compass_word(point: Compass) -> &'static str {
    match point {
        Compass::Centre => "c",
        Compass::North => "n",
        Compass::NorthEast => "ne",
        Compass::East => "e",
        Compass::SouthEast => "se",
        Compass::South => "s",
        Compass::SouthWest => "sw",
        Compass::West => "w",
        Compass::NorthWest => "nw",
    }
}
