//! `crop g trim pad extend`, `orient rot flip`: which part is taken, where it sits, how it is turned.

use super::parameter::{Group, Parameter, put};
use super::value::{self, MAX_SIDE, aspect, crop, decimal, gravity, int, put_crop, put_gravity};
use crate::number::Decimal;
use crate::transform::{Colour, Flip, Gravity, Orient, Pad, Transform, Trim};

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::new(
        "crop",
        Group::Crop,
        "`x,y,w,h` in pixels of the upright original, or with a point fractions 0.0–1.0; `none`",
        "The region taken before resizing.",
        |d, v| {
            d.transform.crop = if v == "none" { None } else { Some(crop(v)?) };
            Some(())
        },
        |t, out| {
            t.crop.is_some_and(|c| {
                put_crop(&c, out);
                true
            })
        },
    ),
    Parameter::new(
        "g",
        Group::Crop,
        value::GRAVITY,
        "Which part survives a crop by `fit`, and where the picture sits in a padded box.",
        |d, v| {
            d.transform.gravity = gravity(v)?;
            Some(())
        },
        |t, out| {
            t.gravity != Gravity::Centre && {
                put_gravity(t.gravity, false, out);
                true
            }
        },
    )
    .aliases(&["gravity"])
    .default("c"),
    Parameter::new(
        "trim",
        Group::Crop,
        "`tolerance[,colour]` with tolerance 0–255; nothing (10, the top-left pixel's colour); `none`",
        "Cuts off uniform edges before `crop` and the resize. A picture that is nothing but edge stays whole.",
        |d, v| {
            d.transform.trim = if v == "none" { None } else { Some(trim(v)?) };
            Some(())
        },
        put_trim,
    ),
    Parameter::new(
        "pad",
        Group::Crop,
        "1–4 numbers 0–65535 as in CSS: `all`, `vertical,horizontal`, `top,horizontal,bottom`, `top,right,bottom,left`",
        "Pixels of background added round the resized picture.",
        |d, v| {
            d.transform.pad = Some(pad(v)?);
            Some(())
        },
        put_pad,
    )
    .default("0"),
    Parameter::new(
        "extend",
        Group::Crop,
        "`width:height` or one number, each above 0; `none`",
        "Enlarges the canvas to this aspect ratio with the background; the picture sits on it by `g`.",
        |d, v| {
            d.transform.extend = if v == "none" { None } else { Some(aspect(v)?) };
            Some(())
        },
        |t, out| t.extend.is_some_and(|a| put!(out, "{}:{}", a.width, a.height)),
    ),
    Parameter::new(
        "orient",
        Group::Turn,
        "`auto`, `none`",
        "Whether the orientation in the metadata is applied.",
        |d, v| {
            d.transform.orient = match v {
                "auto" => Orient::Auto,
                "none" => Orient::None,
                _ => return None,
            };
            Some(())
        },
        |t, out| t.orient == Orient::None && put!(out, "none"),
    )
    .default("auto"),
    Parameter::new(
        "rot",
        Group::Turn,
        "−360–360 (degrees clockwise)",
        "Turns the picture; multiples of 90 are exact.",
        |d, v| {
            d.transform.rotate = decimal(v, -360 * Decimal::SCALE, 360 * Decimal::SCALE)?;
            Some(())
        },
        |t, out| t.rotate != Decimal::ZERO && put!(out, "{}", t.rotate),
    )
    .aliases(&["rotate"])
    .default("0"),
    Parameter::new(
        "flip",
        Group::Turn,
        "`h`, `v`, `hv`, `none`",
        "Mirrors the picture, after `rot`: `h` changes left and right, `v` top and bottom.",
        |d, v| {
            let (horizontal, vertical) = match v {
                "h" => (true, false),
                "v" => (false, true),
                "hv" | "vh" => (true, true),
                "none" => (false, false),
                _ => return None,
            };
            d.transform.flip = Flip { horizontal, vertical };
            Some(())
        },
        |t, out| match (t.flip.horizontal, t.flip.vertical) {
            (false, false) => false,
            (true, false) => put!(out, "h"),
            (false, true) => put!(out, "v"),
            (true, true) => put!(out, "hv"),
        },
    )
    .default("none"),
];

const TRIM_TOLERANCE: u8 = 10;

fn trim(text: &str) -> Option<Trim> {
    let (tolerance, colour) = match text.split_once(',') {
        Some((tolerance, colour)) => (tolerance, Some(Colour::parse(colour)?)),
        None => (text, None),
    };
    let tolerance = if tolerance.is_empty() { TRIM_TOLERANCE } else { int(tolerance, 0, 255)? };
    Some(Trim { tolerance, colour })
}

fn put_trim(transform: &Transform, out: &mut String) -> bool {
    match transform.trim {
        None => false,
        Some(Trim { tolerance, colour: None }) => put!(out, "{tolerance}"),
        Some(Trim { tolerance, colour: Some(colour) }) => put!(out, "{tolerance},{colour}"),
    }
}

fn pad(text: &str) -> Option<Pad> {
    let mut sides = text.split(',').map(|side| int::<u32>(side, 0, MAX_SIDE));
    let top = sides.next()??;
    let (right, bottom, left) = match (sides.next(), sides.next(), sides.next(), sides.next()) {
        (None, ..) => (top, top, top),
        (Some(right), None, ..) => (right?, top, right?),
        (Some(right), Some(bottom), None, _) => (right?, bottom?, right?),
        (Some(right), Some(bottom), Some(left), None) => (right?, bottom?, left?),
        _ => return None,
    };
    Some(Pad { top, right, bottom, left })
}

fn put_pad(transform: &Transform, out: &mut String) -> bool {
    match transform.pad {
        None => false,
        Some(Pad { top, right, bottom, left }) if (top, top, top) == (right, bottom, left) => put!(out, "{top}"),
        Some(Pad { top, right, bottom, left }) => put!(out, "{top},{right},{bottom},{left}"),
    }
}
