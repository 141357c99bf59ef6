//! `wm wm-tile`, `text` and its companions: what is laid over the picture.

use super::parameter::{Group, Parameter, put};
use super::value::{decimal, gravity, gravity_of, name, positive, put_gravity, switch};
use crate::number::Decimal;
use crate::percent::encode;
use crate::transform::{Colour, Gravity, Transform, Watermark};

/// Longest text to write on a picture, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::new(
        "wm",
        Group::Layers,
        "`name[:gravity[:x:y[:scale[:opacity]]]]`: a name from the config, a point of the compass as in `g` with its offsets \
         (inwards, in pixels) or `fp` with its point, scale 0.0001–1 (of the picture's width; empty: the mark's own size \
         times `dpr`), opacity 0–1; `none`",
        "Lays a mark over the picture, never larger than that.",
        |d, v| {
            d.transform.watermark = if v == "none" { None } else { Some(watermark(v)?) };
            Some(())
        },
        put_watermark,
    )
    .aliases(&["watermark"]),
    Parameter::new(
        "wm-tile",
        Group::Layers,
        "0, 1",
        "Repeats the mark over the whole picture; its offsets are then the gaps between.",
        |d, v| {
            d.watermark_tile = switch(v)?;
            Some(())
        },
        |t, out| t.watermark.as_ref().is_some_and(|w| w.tile) && put!(out, "1"),
    )
    .default("0"),
    Parameter::new(
        "text",
        Group::Layers,
        "up to 1024 bytes without control characters (but for line breaks, `%0A`); nothing for none",
        "Writes on the picture, in lines no wider than that.",
        |d, v| {
            let fine = v.len() <= MAX_TEXT_BYTES && !v.chars().any(|c| c.is_control() && c != '\n');
            d.text = Some(v.to_owned()).filter(|_| fine);
            fine.then_some(())
        },
        |t, out| {
            t.text.as_ref().is_some_and(|text| {
                encode(&text.content, "", out);
                true
            })
        },
    ),
    Parameter::new(
        "text-font",
        Group::Layers,
        "`sans`, `sans-bold`, or a name from the config: 1–64 of `A–Z a–z 0–9 . _ -`",
        "The text's font. Characters that it lacks come from the others.",
        |d, v| {
            d.text_font = Some(name(v)?.to_owned());
            Some(())
        },
        |t, out| t.text.as_ref().and_then(|text| text.font.as_ref()).is_some_and(|font| put!(out, "{font}")),
    ),
    Parameter::new(
        "text-size",
        Group::Layers,
        "4–1024 (pixels)",
        "The text's size, times `dpr`. Without it: by the picture's, so that the text fits.",
        |d, v| {
            d.text_size = Some(positive(v, 1024).filter(|size| size.get() >= 4)?);
            Some(())
        },
        |t, out| t.text.as_ref().and_then(|text| text.size).is_some_and(|size| put!(out, "{size}")),
    ),
    Parameter::new(
        "text-color",
        Group::Layers,
        "a colour: 3, 4, 6 or 8 hexadecimal digits, a CSS name, `transparent`",
        "The text's colour. Without it: black or white, whichever shows.",
        |d, v| {
            d.text_colour = Some(Colour::parse(v)?);
            Some(())
        },
        |t, out| t.text.as_ref().and_then(|text| text.colour).is_some_and(|colour| put!(out, "{colour}")),
    )
    .aliases(&["text-colour"]),
    Parameter::new(
        "text-g",
        Group::Layers,
        "`n ne e se s sw w nw c` as in `g`, each with offsets (inwards, in pixels); `fp:x:y` with x and y 0–1",
        "Where the text sits.",
        |d, v| {
            d.text_gravity = gravity(v).filter(|gravity| is_place(*gravity))?;
            Some(())
        },
        |t, out| {
            t.text.as_ref().is_some_and(|text| {
                text.gravity != Gravity::Centre && {
                    put_gravity(text.gravity, false, out);
                    true
                }
            })
        },
    )
    .default("c"),
];

/// Whether a layer can be put there: gravities that look for something in the picture are for crops.
fn is_place(gravity: Gravity) -> bool {
    matches!(gravity, Gravity::Centre | Gravity::Compass(..) | Gravity::Focal(..))
}

fn watermark(text: &str) -> Option<Watermark> {
    let mut parts = text.split(':');
    let name = name(parts.next()?)?.to_owned();
    let kind = parts.next();
    let numbers = match (parts.next(), parts.next()) {
        (None, _) => None,
        (Some(x), Some(y)) => Some((x, y)),
        (Some(_), None) => return None,
    };
    let scale = match parts.next() {
        None | Some("") => None,
        Some(share) => Some(decimal(share, 1, Decimal::SCALE)?),
    };
    let opacity = match parts.next() {
        None => None,
        Some(share) => Some(decimal(share, 0, Decimal::SCALE)?),
    };
    let gravity = match kind {
        None => Gravity::Centre,
        Some(kind) => gravity_of(kind, numbers).filter(|gravity| is_place(*gravity))?,
    };
    parts.next().is_none().then_some(Watermark { name, gravity, scale, opacity, tile: false })
}

fn put_watermark(transform: &Transform, out: &mut String) -> bool {
    let Some(mark) = &transform.watermark else { return false };
    out.push_str(&mark.name);
    let more = mark.scale.is_some() || mark.opacity.is_some();
    if more || mark.gravity != Gravity::Centre {
        out.push(':');
        put_gravity(mark.gravity, more, out);
    }
    if more {
        out.push(':');
    }
    if let Some(scale) = mark.scale {
        put!(out, "{scale}");
    }
    if let Some(opacity) = mark.opacity {
        put!(out, ":{opacity}");
    }
    true
}
