//! `f q q-… max-bytes lossless progressive effort chroma`, `frame anim loop fps-max`, `icc hdr meta`: encoding.

use super::parameter::{Group, Parameter, put, put_number, put_word};
use super::value::{MAX_SIDE, int, positive, switch};
use crate::transform::{
    Chroma, Codec, ColourSpace, Format, Hdr, Metadata, Output, Quality, QualityTarget, Srcset, Transform,
};

pub(super) const PARAMETERS: &[Parameter] = &[
    Parameter::new(
        "f",
        Group::Output,
        "`auto` (by the client's `Accept`), `avif`, `webp`, `jxl`, `jpeg` (also `jpg`), `png`, `gif`, `json`, `blurhash`, \
         `thumbhash`",
        "Format of the result. Without it: the original's format where it can be written.",
        |d, v| {
            d.transform.output.format = FORMATS.iter().find(|(name, _)| *name == v)?.1;
            Some(())
        },
        |t, out| FORMATS.iter().find(|(_, f)| *f == t.output.format).is_some_and(|(name, _)| put_word(out, name)),
    )
    .aliases(&["fm", "format"])
    .lacking("jxl", |t| t.output.format == Format::Image(Codec::Jxl)),
    Parameter::new(
        "q",
        Group::Output,
        "1–100 (the encoder's dial), `auto` or `auto:low`, `auto:medium`, `auto:high`, `auto:best` (a perceptual target)",
        "Quality. Without it: the format's own default. With `f=png` and `f=gif` less than 100 means a palette of at most \
         256 colours, fewer where that is close enough; 100, and no `q`, that PNG loses nothing.",
        |d, v| {
            d.transform.output.quality = quality(v)?;
            Some(())
        },
        put_quality,
    )
    .aliases(&["quality"]),
    Parameter::new(
        "q-avif",
        Group::Output,
        "1–100",
        "Quality where the result is AVIF; overrides `q`.",
        |d, v| dial(&mut d.transform.output, v, |o| &mut o.quality_avif),
        |t, out| t.output.quality_avif.is_some_and(|q| put_number(out, q)),
    ),
    Parameter::new(
        "q-webp",
        Group::Output,
        "1–100",
        "Quality where the result is WebP; overrides `q`.",
        |d, v| dial(&mut d.transform.output, v, |o| &mut o.quality_webp),
        |t, out| t.output.quality_webp.is_some_and(|q| put_number(out, q)),
    ),
    Parameter::new(
        "q-jpeg",
        Group::Output,
        "1–100",
        "Quality where the result is JPEG; overrides `q`.",
        |d, v| dial(&mut d.transform.output, v, |o| &mut o.quality_jpeg),
        |t, out| t.output.quality_jpeg.is_some_and(|q| put_number(out, q)),
    )
    .aliases(&["q-jpg"]),
    Parameter::new(
        "q-jxl",
        Group::Output,
        "1–100",
        "Quality where the result is JPEG XL; overrides `q`.",
        |d, v| dial(&mut d.transform.output, v, |o| &mut o.quality_jxl),
        |t, out| t.output.quality_jxl.is_some_and(|q| put_number(out, q)),
    )
    .absent(),
    Parameter::new(
        "max-bytes",
        Group::Output,
        "1–1000000000",
        "Quality is lowered until the result fits; what fits at no quality is as small as it gets.",
        |d, v| {
            d.transform.output.max_bytes = Some(positive(v, 1_000_000_000)?);
            Some(())
        },
        |t, out| t.output.max_bytes.is_some_and(|n| put_number(out, n)),
    ),
    Parameter::new(
        "lossless",
        Group::Output,
        "0, 1",
        "Exact pixels, where the format can.",
        |d, v| {
            d.transform.output.lossless = switch(v)?;
            Some(())
        },
        |t, out| t.output.lossless && put!(out, "1"),
    )
    .default("0"),
    Parameter::new(
        "progressive",
        Group::Output,
        "0, 1",
        "Progressive JPEG, interlaced PNG. Without it: the format's own default.",
        |d, v| {
            d.transform.output.progressive = Some(switch(v)?);
            Some(())
        },
        |t, out| t.output.progressive.is_some_and(|on| put_number(out, u8::from(on))),
    ),
    Parameter::new(
        "effort",
        Group::Output,
        "0–10",
        "More is slower and smaller. Without it: the format's own default; AVIF's is 4 up to 2 megapixels (1 where rav1e writes it) and 0 beyond.",
        |d, v| {
            d.transform.output.effort = Some(int(v, 0, 10)?);
            Some(())
        },
        |t, out| t.output.effort.is_some_and(|n| put_number(out, n)),
    ),
    Parameter::new(
        "chroma",
        Group::Output,
        "`auto` (by format and content), `420` (also `4:2:0`), `444` (also `4:4:4`)",
        "Chroma subsampling.",
        |d, v| {
            d.transform.output.chroma = match v {
                "auto" => Chroma::Auto,
                "420" | "4:2:0" => Chroma::C420,
                "444" | "4:4:4" => Chroma::C444,
                _ => return None,
            };
            Some(())
        },
        |t, out| match t.output.chroma {
            Chroma::Auto => false,
            Chroma::C420 => put!(out, "420"),
            Chroma::C444 => put!(out, "444"),
        },
    )
    .default("auto"),
    Parameter::new(
        "srcset",
        Group::Output,
        "`auto`, or 1–32 widths 1–65535 (pixels of the result) with commas between them",
        "With `f=json`: also tells URLs and sizes of the picture in these widths, and HTML for them. See docs/info.md.",
        |d, v| {
            d.transform.output.srcset = Some(srcset(v)?);
            Some(())
        },
        put_srcset,
    ),
    Parameter::new(
        "frame",
        Group::Frames,
        "0–1000000",
        "This frame of an animation alone, as a still picture; 0 is the first. Beyond the last: 400.",
        |d, v| {
            d.transform.frames.frame = Some(int(v, 0, 1_000_000)?);
            Some(())
        },
        |t, out| t.frames.frame.is_some_and(|n| put_number(out, n)),
    ),
    Parameter::new(
        "anim",
        Group::Frames,
        "0, 1",
        "Whether animations stay animated: 1 insists, 0 is the first frame. Without it: where format and limits allow.",
        |d, v| {
            d.transform.frames.animate = Some(switch(v)?);
            Some(())
        },
        |t, out| t.frames.animate.is_some_and(|on| put_number(out, u8::from(on))),
    ),
    Parameter::new(
        "loop",
        Group::Frames,
        "0–65535",
        "How often an animation plays; 0 is for ever.",
        |d, v| {
            d.transform.frames.loops = Some(int(v, 0, 65_535)?);
            Some(())
        },
        |t, out| t.frames.loops.is_some_and(|n| put_number(out, n)),
    ),
    Parameter::new(
        "fps-max",
        Group::Frames,
        "1–60",
        "Drops frames above this rate.",
        |d, v| {
            d.transform.frames.fps_max = Some(int(v, 1, 60)?);
            Some(())
        },
        |t, out| t.frames.fps_max.is_some_and(|n| put_number(out, n)),
    ),
    Parameter::new(
        "icc",
        Group::Profile,
        "`srgb` (converted), `keep` (the original's profile), `p3` (Display P3)",
        "Colour space of the result.",
        |d, v| {
            d.transform.output.colour_space = match v {
                "srgb" => ColourSpace::Srgb,
                "keep" => ColourSpace::Keep,
                "p3" => ColourSpace::P3,
                _ => return None,
            };
            Some(())
        },
        |t, out| match t.output.colour_space {
            ColourSpace::Srgb => false,
            ColourSpace::Keep => put!(out, "keep"),
            ColourSpace::P3 => put!(out, "p3"),
        },
    )
    .default("srgb"),
    Parameter::new(
        "hdr",
        Group::Profile,
        "`sdr` (tone-mapped), `keep`",
        "High dynamic range. `keep` keeps the gain map of a JPEG (Ultra HDR) in a JPEG; PQ and HLG are refused with it, \
         all else is as with `sdr`.",
        |d, v| {
            d.transform.output.hdr = match v {
                "sdr" => Hdr::Sdr,
                "keep" => Hdr::Keep,
                _ => return None,
            };
            Some(())
        },
        |t, out| t.output.hdr == Hdr::Keep && put!(out, "keep"),
    )
    .default("sdr"),
    Parameter::new(
        "meta",
        Group::Profile,
        "`none`, `copyright` (rights fields only), `keep` (all of it)",
        "Metadata of the original.",
        |d, v| {
            d.transform.output.metadata = match v {
                "none" => Metadata::None,
                "copyright" => Metadata::Copyright,
                "keep" => Metadata::Keep,
                _ => return None,
            };
            Some(())
        },
        |t, out| match t.output.metadata {
            Metadata::None => false,
            Metadata::Copyright => put!(out, "copyright"),
            Metadata::Keep => put!(out, "keep"),
        },
    )
    .default("none"),
];

/// The canonical word of each format first.
const FORMATS: [(&str, Format); 11] = [
    ("auto", Format::Auto),
    ("avif", Format::Image(Codec::Avif)),
    ("webp", Format::Image(Codec::Webp)),
    ("jpeg", Format::Image(Codec::Jpeg)),
    ("jpg", Format::Image(Codec::Jpeg)),
    ("png", Format::Image(Codec::Png)),
    ("jxl", Format::Image(Codec::Jxl)),
    ("gif", Format::Image(Codec::Gif)),
    ("json", Format::Json),
    ("blurhash", Format::BlurHash),
    ("thumbhash", Format::ThumbHash),
];

fn dial(output: &mut Output, text: &str, field: fn(&mut Output) -> &mut Option<u8>) -> Option<()> {
    *field(output) = Some(int(text, 1, 100)?);
    Some(())
}

fn quality(text: &str) -> Option<Quality> {
    Some(match text {
        "auto" | "auto:medium" => Quality::Auto(QualityTarget::Medium),
        "auto:low" => Quality::Auto(QualityTarget::Low),
        "auto:high" => Quality::Auto(QualityTarget::High),
        "auto:best" => Quality::Auto(QualityTarget::Best),
        _ => Quality::Dial(int(text, 1, 100)?),
    })
}

fn srcset(text: &str) -> Option<Srcset> {
    if text == "auto" {
        return Some(Srcset::Auto);
    }
    let widths: Vec<_> = text.split(',').map(|width| positive(width, MAX_SIDE)).collect::<Option<_>>()?;
    (widths.len() <= Srcset::MAX_WIDTHS).then_some(Srcset::Widths(widths))
}

fn put_srcset(transform: &Transform, out: &mut String) -> bool {
    match &transform.output.srcset {
        None => false,
        Some(Srcset::Auto) => put_word(out, "auto"),
        Some(Srcset::Widths(widths)) => {
            for (at, width) in widths.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                put_number(out, *width);
            }
            true
        }
    }
}

fn put_quality(transform: &Transform, out: &mut String) -> bool {
    match transform.output.quality {
        Quality::Default => false,
        Quality::Dial(dial) => put_number(out, dial),
        Quality::Auto(QualityTarget::Low) => put!(out, "auto:low"),
        Quality::Auto(QualityTarget::Medium) => put!(out, "auto"),
        Quality::Auto(QualityTarget::High) => put!(out, "auto:high"),
        Quality::Auto(QualityTarget::Best) => put!(out, "auto:best"),
    }
}
