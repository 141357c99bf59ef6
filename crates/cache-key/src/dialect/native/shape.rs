//! `radius border mask redact`: the outline.

use super::parameter::{Group, Parameter, put};
use super::value::{MAX_SIDE, crop, positive, put_crop, whole};
use crate::transform::{Colour, Crop, Mask, Radius, Transform};
use std::num::NonZeroU32;

/// Most regions in one `redact`.
pub(super) const MAX_REGIONS: usize = 32;

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::new(
        "radius",
        Group::Shape,
        "1–65535 (pixels), `max` (half the shorter side), 0",
        "Rounds the corners of the canvas, border included; what is cut off is `bg`, else transparent.",
        |d, v| {
            d.transform.shape.radius = match v {
                "max" => Some(Radius::Max),
                _ if whole(v, 0, 0).is_some() => None,
                _ => Some(Radius::Px(positive(v, MAX_SIDE)?)),
            };
            Some(())
        },
        |t, out| match t.shape.radius {
            None => false,
            Some(Radius::Px(px)) => put!(out, "{px}"),
            Some(Radius::Max) => put!(out, "max"),
        },
    )
    .default("0"),
    Parameter::new(
        "border",
        Group::Shape,
        "`width,colour` with width 1–65535 (pixels); `none`",
        "A frame round the canvas, which grows by it on each side; it follows `radius` and `mask`.",
        |d, v| {
            d.transform.shape.border = if v == "none" { None } else { Some(border(v)?) };
            Some(())
        },
        |t, out| t.shape.border.is_some_and(|(width, colour)| put!(out, "{width},{colour}")),
    ),
    Parameter::new(
        "mask",
        Group::Shape,
        "`circle`, `ellipse`, `none`",
        "Cuts the canvas to the largest circle or ellipse in its middle; `radius` then has no effect.",
        |d, v| {
            d.transform.shape.mask = match v {
                "circle" => Some(Mask::Circle),
                "ellipse" => Some(Mask::Ellipse),
                "none" => None,
                _ => return None,
            };
            Some(())
        },
        |t, out| match t.shape.mask {
            None => false,
            Some(Mask::Circle) => put!(out, "circle"),
            Some(Mask::Ellipse) => put!(out, "ellipse"),
        },
    )
    .default("none"),
    Parameter::new(
        "redact",
        Group::Shape,
        "1–32 regions `x,y,w,h` as in `crop`, with `;` between them; `none`",
        "Makes regions black for good, before anything else; of the upright original, whatever is cropped.",
        |d, v| {
            d.transform.shape.redact = if v == "none" { Vec::new() } else { regions(v)? };
            Some(())
        },
        put_regions,
    ),
];

fn border(text: &str) -> Option<(NonZeroU32, Colour)> {
    let (width, colour) = text.split_once(',')?;
    Some((positive(width, MAX_SIDE)?, Colour::parse(colour)?))
}

fn regions(text: &str) -> Option<Vec<Crop>> {
    if text.split(';').count() > MAX_REGIONS {
        return None;
    }
    text.split(';').map(crop).collect()
}

fn put_regions(transform: &Transform, out: &mut String) -> bool {
    for (at, region) in transform.shape.redact.iter().enumerate() {
        if at > 0 {
            out.push(';');
        }
        put_crop(region, out);
    }
    !transform.shape.redact.is_empty()
}
