//! `w h dpr ar min-w min-h enlarge fit kernel linear`: the box, how the picture meets it, how it is scaled.

use super::parameter::{Group, Parameter, put, put_number, put_word};
use super::value::{MAX_SIDE, aspect, decimal, positive, switch};
use crate::number::Decimal;
use crate::transform::{Fit, Kernel, Length, Transform};

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::new(
        "w",
        Group::Size,
        "1–65535 (pixels), `auto` (from client hints, snapped up to the route's breakpoints)",
        "Width of the box.",
        |d, v| {
            d.transform.size.width = Some(length(v)?);
            Some(())
        },
        |t, out| t.size.width.is_some_and(|l| put_length(l, out)),
    )
    .aliases(&["width"]),
    Parameter::new(
        "h",
        Group::Size,
        "1–65535 (pixels), `auto` (likewise; open where the client hints no height)",
        "Height of the box.",
        |d, v| {
            d.transform.size.height = Some(length(v)?);
            Some(())
        },
        |t, out| t.size.height.is_some_and(|l| put_length(l, out)),
    )
    .aliases(&["height"]),
    Parameter::new(
        "dpr",
        Group::Size,
        "0.1–8",
        "Multiplies `w`, `h`, `pad`, `border`, `radius`, `text-size`, a mark's own size and offsets given in pixels.",
        |d, v| {
            d.transform.size.dpr = Some(decimal(v, Decimal::SCALE / 10, 8 * Decimal::SCALE)?);
            Some(())
        },
        |t, out| t.size.dpr.is_some_and(|n| put!(out, "{n}")),
    )
    .default("1"),
    Parameter::new(
        "ar",
        Group::Size,
        "`width:height` or one number, each above 0, as `16:9` or `1.5`",
        "Aspect ratio of the box: gives the side that `w` or `h` leaves open.",
        |d, v| {
            d.transform.size.aspect = Some(aspect(v)?);
            Some(())
        },
        |t, out| t.size.aspect.is_some_and(|a| put!(out, "{}:{}", a.width, a.height)),
    ),
    Parameter::new(
        "min-w",
        Group::Size,
        "1–65535 (pixels)",
        "Smallest width of the result.",
        |d, v| {
            d.transform.size.min_width = Some(positive(v, MAX_SIDE)?);
            Some(())
        },
        |t, out| t.size.min_width.is_some_and(|n| put_number(out, n)),
    )
    .aliases(&["min-width"]),
    Parameter::new(
        "min-h",
        Group::Size,
        "1–65535 (pixels)",
        "Smallest height of the result.",
        |d, v| {
            d.transform.size.min_height = Some(positive(v, MAX_SIDE)?);
            Some(())
        },
        |t, out| t.size.min_height.is_some_and(|n| put_number(out, n)),
    )
    .aliases(&["min-height"]),
    Parameter::new(
        "enlarge",
        Group::Size,
        "0, 1",
        "Whether the result may be larger than the original.",
        |d, v| {
            d.transform.size.enlarge = switch(v)?;
            Some(())
        },
        |t, out| t.size.enlarge && put!(out, "1"),
    )
    .aliases(&["upscale"])
    .default("0"),
    Parameter::new(
        "fit",
        Group::Size,
        "`scale-down` (inside the box, never larger; also `max`), `contain` (inside the box; also `inside`, `clip`), \
         `cover` (fills the box, crops by `g`), `crop` (cover, never enlarging), `aspect-crop` (only to the box's \
         aspect ratio), `pad` (contain, then `bg` to the box), `fill` (stretch; also `squeeze`, `force`), `outside` \
         (covers the box without cropping; also `min`)",
        "How the picture meets the box.",
        |d, v| {
            d.transform.fit = FITS.iter().find(|(name, _)| *name == v)?.1;
            Some(())
        },
        put_fit,
    )
    .default("scale-down"),
    Parameter::new(
        "kernel",
        Group::Size,
        "`nearest`, `box`, `linear` (also `bilinear`), `cubic` (Catmull-Rom; also `catmull-rom`), `mitchell`, `lanczos2`, \
         `lanczos3`",
        "What weighs the pixels that become one when the picture is scaled.",
        |d, v| {
            d.transform.resample.kernel = KERNELS.iter().find(|(name, _)| *name == v)?.1;
            Some(())
        },
        |t, out| {
            let word = KERNELS.iter().find(|(_, kernel)| *kernel == t.resample.kernel);
            t.resample.kernel != Kernel::default() && word.is_some_and(|(name, _)| put_word(out, name))
        },
    )
    .default("lanczos3"),
    Parameter::new(
        "linear",
        Group::Size,
        "0, 1",
        "Whether the picture is scaled in linear light: fine bright detail on dark keeps its brightness. Slower.",
        |d, v| {
            d.transform.resample.linear = switch(v)?;
            Some(())
        },
        |t, out| t.resample.linear && put!(out, "1"),
    )
    .default("0"),
];

/// The canonical word of each kernel first.
const KERNELS: [(&str, Kernel); 9] = [
    ("nearest", Kernel::Nearest),
    ("box", Kernel::Box),
    ("linear", Kernel::Linear),
    ("cubic", Kernel::CatmullRom),
    ("mitchell", Kernel::Mitchell),
    ("lanczos2", Kernel::Lanczos2),
    ("lanczos3", Kernel::Lanczos3),
    ("bilinear", Kernel::Linear),
    ("catmull-rom", Kernel::CatmullRom),
];

/// The canonical word of each fit first.
const FITS: [(&str, Fit); 14] = [
    ("scale-down", Fit::ScaleDown),
    ("contain", Fit::Contain),
    ("cover", Fit::Cover),
    ("crop", Fit::Crop),
    ("aspect-crop", Fit::AspectCrop),
    ("pad", Fit::Pad),
    ("fill", Fit::Fill),
    ("outside", Fit::Outside),
    ("inside", Fit::Contain),
    ("clip", Fit::Contain),
    ("max", Fit::ScaleDown),
    ("min", Fit::Outside),
    ("squeeze", Fit::Fill),
    ("force", Fit::Fill),
];

fn put_fit(transform: &Transform, out: &mut String) -> bool {
    if transform.fit == Fit::default() {
        return false;
    }
    let word = FITS.iter().find(|(_, fit)| *fit == transform.fit);
    word.is_some_and(|(name, _)| put_word(out, name))
}

fn length(text: &str) -> Option<Length> {
    if text == "auto" { Some(Length::Auto) } else { positive(text, MAX_SIDE).map(Length::Px) }
}

fn put_length(length: Length, out: &mut String) -> bool {
    match length {
        Length::Px(px) => put_number(out, px),
        Length::Auto => put!(out, "auto"),
    }
}
