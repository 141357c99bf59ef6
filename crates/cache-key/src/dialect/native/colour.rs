//! `bg blur sharpen usm pixelate bri con sat gam hue gray invert tint duotone sepia`: colour and texture.

use super::parameter::{Group, Parameter, put};
use super::value::{decimal, decimal_or_zero, int, parts, positive, switch, whole};
use crate::number::Decimal;
use crate::transform::{Colour, Unsharp};
use std::num::NonZeroU32;

const COLOUR: &str = "a colour: 3, 4, 6 or 8 hexadecimal digits, a CSS name, `transparent`; `none`";
/// Ten-thousandths in a tenth.
const TENTH: i64 = Decimal::SCALE / 10;

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::new(
        "bg",
        Group::Colour,
        COLOUR,
        "Laid under the picture, and the colour of padding.",
        |d, v| {
            d.transform.effects.background = colour(v)?;
            Some(())
        },
        |t, out| t.effects.background.is_some_and(|c| put!(out, "{c}")),
    )
    .aliases(&["background"]),
    Parameter::new(
        "blur",
        Group::Colour,
        "0.3–250 (sigma in pixels of the result), 0",
        "Gaussian blur.",
        |d, v| {
            d.transform.effects.blur = decimal_or_zero(v, 3 * TENTH, 2500 * TENTH)?;
            Some(())
        },
        |t, out| t.effects.blur.is_some_and(|n| put!(out, "{n}")),
    )
    .default("0"),
    Parameter::new(
        "sharpen",
        Group::Colour,
        "0.3–10 (sigma of the mask), 0",
        "Sharpens.",
        |d, v| {
            d.transform.effects.sharpen = decimal_or_zero(v, 3 * TENTH, 100 * TENTH)?;
            Some(())
        },
        |t, out| t.effects.sharpen.is_some_and(|n| put!(out, "{n}")),
    )
    .aliases(&["sharp"])
    .default("0"),
    Parameter::new(
        "usm",
        Group::Colour,
        "`sigma,amount,threshold` with sigma 0.3–10, amount 0.1–10, threshold 0–255; `none`",
        "Unsharp mask: `amount` times the difference from the blurred picture, where that is at least `threshold`.",
        |d, v| {
            d.transform.effects.unsharp = if v == "none" { None } else { Some(unsharp(v)?) };
            Some(())
        },
        |t, out| t.effects.unsharp.is_some_and(|u| put!(out, "{},{},{}", u.sigma, u.amount, u.threshold)),
    ),
    Parameter::new(
        "pixelate",
        Group::Colour,
        "2–1024 (pixels), 0",
        "Blocks of this side, each the mean of what it covers. Hides nothing for good; that is `redact`.",
        |d, v| {
            d.transform.effects.pixelate = if whole(v, 0, 1) == Some(0) { None } else { Some(block(v)?) };
            Some(())
        },
        |t, out| t.effects.pixelate.is_some_and(|n| put!(out, "{n}")),
    )
    .default("0"),
    Parameter::new(
        "bri",
        Group::Colour,
        "−100–100",
        "Brightness, as CSS' `brightness()`: `50` is `brightness(150%)`.",
        |d, v| {
            d.transform.effects.brightness = int(v, -100, 100)?;
            Some(())
        },
        |t, out| t.effects.brightness != 0 && put!(out, "{}", t.effects.brightness),
    )
    .aliases(&["brightness"])
    .default("0"),
    Parameter::new(
        "con",
        Group::Colour,
        "−100–100",
        "Contrast, as CSS' `contrast()`: `50` is `contrast(150%)`.",
        |d, v| {
            d.transform.effects.contrast = int(v, -100, 100)?;
            Some(())
        },
        |t, out| t.effects.contrast != 0 && put!(out, "{}", t.effects.contrast),
    )
    .aliases(&["contrast"])
    .default("0"),
    Parameter::new(
        "sat",
        Group::Colour,
        "−100–100",
        "Saturation, as CSS' `saturate()`: `50` is `saturate(150%)`; −100 is grey.",
        |d, v| {
            d.transform.effects.saturation = int(v, -100, 100)?;
            Some(())
        },
        |t, out| t.effects.saturation != 0 && put!(out, "{}", t.effects.saturation),
    )
    .aliases(&["saturation"])
    .default("0"),
    Parameter::new(
        "gam",
        Group::Colour,
        "0.1–10",
        "Values to the power of 1/`gam`, as ImageMagick's `-gamma`: above 1 lightens.",
        |d, v| {
            d.transform.effects.gamma = Some(decimal(v, TENTH, 100 * TENTH)?);
            Some(())
        },
        |t, out| t.effects.gamma.is_some_and(|n| put!(out, "{n}")),
    )
    .aliases(&["gamma"])
    .default("1"),
    Parameter::new(
        "hue",
        Group::Colour,
        "−360–360 (whole degrees)",
        "Turns the hue, as CSS' `hue-rotate()`.",
        |d, v| {
            d.transform.effects.hue = u16::try_from(whole(v, -360, 360)?.rem_euclid(360)).ok()?;
            Some(())
        },
        |t, out| t.effects.hue != 0 && put!(out, "{}", t.effects.hue),
    )
    .default("0"),
    Parameter::new(
        "gray",
        Group::Colour,
        "0, 1",
        "Shades of grey by luminance, as sharp's `greyscale`.",
        |d, v| {
            d.transform.effects.gray = switch(v)?;
            Some(())
        },
        |t, out| t.effects.gray && put!(out, "1"),
    )
    .aliases(&["grey", "grayscale", "greyscale"])
    .default("0"),
    Parameter::new(
        "invert",
        Group::Colour,
        "0, 1",
        "The negative, as sharp's `negate` without alpha. Done last of all colours.",
        |d, v| {
            d.transform.effects.invert = switch(v)?;
            Some(())
        },
        |t, out| t.effects.invert && put!(out, "1"),
    )
    .aliases(&["negate"])
    .default("0"),
    Parameter::new(
        "tint",
        Group::Colour,
        COLOUR,
        "The colour's chroma on the picture's lightness, as sharp's `tint`; its alpha is the strength.",
        |d, v| {
            d.transform.effects.tint = colour(v)?;
            Some(())
        },
        |t, out| t.effects.tint.is_some_and(|c| put!(out, "{c}")),
    ),
    Parameter::new(
        "duotone",
        Group::Colour,
        "`dark,light`, two colours; `none`",
        "Shades between two colours by luminance; alpha is the strength.",
        |d, v| {
            d.transform.effects.duotone = if v == "none" { None } else { Some(duotone(v)?) };
            Some(())
        },
        |t, out| t.effects.duotone.is_some_and(|(dark, light)| put!(out, "{dark},{light}")),
    ),
    Parameter::new(
        "sepia",
        Group::Colour,
        "0–100",
        "Brown shades, as CSS' `sepia()`; 100 is all of it.",
        |d, v| {
            d.transform.effects.sepia = int(v, 0, 100)?;
            Some(())
        },
        |t, out| t.effects.sepia != 0 && put!(out, "{}", t.effects.sepia),
    )
    .default("0"),
];

fn colour(text: &str) -> Option<Option<Colour>> {
    if text == "none" { Some(None) } else { Colour::parse(text).map(Some) }
}

fn block(text: &str) -> Option<NonZeroU32> {
    positive(text, 1024).filter(|side| side.get() > 1)
}

fn duotone(text: &str) -> Option<(Colour, Colour)> {
    let [dark, light] = parts(text, ',')?;
    Some((Colour::parse(dark)?, Colour::parse(light)?))
}

fn unsharp(text: &str) -> Option<Unsharp> {
    let [sigma, amount, threshold] = parts(text, ',')?;
    Some(Unsharp {
        sigma: decimal(sigma, 3 * TENTH, 100 * TENTH)?,
        amount: decimal(amount, TENTH, 100 * TENTH)?,
        threshold: int(threshold, 0, 255)?,
    })
}
