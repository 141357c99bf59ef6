//! The reference of parameters, `docs/url.md`, written from the table.

use super::parameter::{Group, Parameter, Support, put};
use super::shape::MAX_REGIONS;
use super::table::GROUPS;
use super::value::MAX_SIDE;
use super::{MAX_PARAMETERS, MAX_PASSES, MAX_PRESETS, MAX_QUERY_BYTES};
use crate::delivery::{MAX_TAG_BYTES, MAX_TAGS};
use crate::path::MAX_PATH_BYTES;
use crate::transform::Srcset;

impl Group {
    /// The chapters in order.
    pub const ALL: [Self; 13] = [
        Self::Size,
        Self::Crop,
        Self::Turn,
        Self::Colour,
        Self::Shape,
        Self::Layers,
        Self::Output,
        Self::Frames,
        Self::Profile,
        Self::Steps,
        Self::Presets,
        Self::Delivery,
        Self::Signing,
    ];

    /// The chapter's title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Size => "Size and fit",
            Self::Crop => "Crop, gravity and canvas",
            Self::Turn => "Turn",
            Self::Colour => "Colour and texture",
            Self::Shape => "Shape",
            Self::Layers => "Layers",
            Self::Output => "Output",
            Self::Frames => "Frames",
            Self::Profile => "Colour space and metadata",
            Self::Steps => "Further passes",
            Self::Presets => "Presets",
            Self::Delivery => "Delivery",
            Self::Signing => "Signing",
        }
    }
}

const INTRODUCTION: &str = "\
<!-- Written from the table of parameters in crates/cache-key; to change it: \
TINTYPE_BLESS=1 cargo test -p tintype-cache-key --test reference -->
# URL reference

`GET /{route}/{path}?w=800&h=600&fit=cover&f=auto`. A route (host and path prefix) leads to an origin; the rest of the
path names the original there; the query says what to make of it. Without a query the original's picture is served
upright, in sRGB, without metadata.

- A parameter that is marked **501** is understood and checked, but this release's engine cannot do it yet: the answer is
  501 and names it. Where only some values are lacking, they are listed.
- A bad value is answered with 400, naming the parameter, the value and what is allowed. So is a parameter that is there
  twice, perhaps by two of its names. Nothing is clamped.
- An unknown parameter is ignored, left out of the key, and named in a debug header; on a signed route it is refused.
- The order of parameters does not matter; the order of operations is the engine's.
- Percent-escapes are decoded exactly once. In the query a `+` is a space (write `%2B` for a plus); in the path it is a
  plus. Anything that is not UTF-8 after decoding is refused.
- Numbers: digits, perhaps a minus, perhaps a point and decimals, which are rounded to four places. Where pixels or whole
  numbers are asked, `100.0` is 100 and `100.5` is refused. In `crop` and `redact` a point makes a fraction: `1` is one
  pixel, `1.0` is the whole side.
- Switches: `1` and `true`, `0` and `false`; the bare name is 1.
";

/// The reference in Markdown.
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    put_limits(&mut out);
    put_canonical(&mut out);
    for group in Group::ALL {
        put!(&mut out, "\n## {}\n\n", group.title());
        out.push_str("| parameter | values | default | what it does | now |\n|---|---|---|---|---|\n");
        for parameter in GROUPS.into_iter().flatten().filter(|p| p.group == group) {
            put_row(parameter, &mut out);
        }
        out.push_str(notes(group));
    }
    out
}

fn put_limits(out: &mut String) {
    put!(
        out,
        "\nLimits: a query of {MAX_QUERY_BYTES} bytes and {MAX_PARAMETERS} parameters, a path of {MAX_PATH_BYTES} bytes, \
         sides of {MAX_SIDE} pixels, {MAX_PASSES} passes, {MAX_PRESETS} presets in one URL, {MAX_REGIONS} regions, \
         {} widths in `srcset`, {MAX_TAGS} tags of {MAX_TAG_BYTES} bytes.\n",
        Srcset::MAX_WIDTHS
    );
}

fn put_canonical(out: &mut String) {
    out.push_str(
        "\n## One picture, one key\n\n\
         Every URL is brought to one canonical form before anything is looked up: aliases by their first names, presets \
         spelt out, parameters at their defaults or without effect left out, numbers and colours in one notation, sorted \
         by name. `tintype url` prints it. URLs with one canonical form share one rendition:\n\n\
         | written | canonical |\n|---|---|\n",
    );
    for written in EXAMPLES {
        let parsed = super::parse(Some(written), &crate::Presets::none()).map(|p| p.transform.canonical());
        let canonical = parsed.expect("the examples are valid");
        put!(out, "| `{written}` | `{canonical}` |\n");
    }
}

/// Shown with their canonical forms.
const EXAMPLES: [&str; 7] = [
    "h=50&width=100.0",
    "w=100&h=50&blur=0&dpr=1&rot=360",
    "w=400&h=400&fit=cover&g=center",
    "w=400&fit=contain&g=ne&enlarge=0",
    "w=400&bg=%23FFF&f=jpg&q=80&q-jpeg=70&q-avif=50",
    "crop=0,0,1.0,1.0&g=n&ar=32:18&w=320",
    "w=300&then=blur=2.50;h=100",
];

fn put_row(parameter: &Parameter, out: &mut String) {
    put!(out, "| `{}`", parameter.name);
    for alias in parameter.aliases {
        put!(out, ", `{alias}`");
    }
    let now = match parameter.support {
        Support::Whole => "yes".to_owned(),
        Support::Absent => "**501**, not yet".to_owned(),
        Support::Partly { missing, .. } => format!("yes; **501** for {missing}"),
    };
    let default = if parameter.default.is_empty() { String::new() } else { format!("`{}`", parameter.default) };
    put!(out, " | {} | {default} | {} | {now} |\n", parameter.values, parameter.doc);
}

fn notes(group: Group) -> &'static str {
    match group {
        Group::Size => {
            "\nWith `w` or `h` alone the other side follows from the picture. `ar` counts where a side of the box is open.\n"
        }
        Group::Crop => {
            "\nThe order is `redact`, `trim`, `crop`, `fit`, `orient` with `rot` and `flip`, the effects, then `fit=pad`, \
             `extend`, `pad`, `border`, `radius` or `mask`. `trim` sees edges as sharp does: pixels that differ by no more than \
             the tolerance from the top-left one, specks and lines of one pixel overlooked. `g=smart` looks for edges, skin \
             and strong colours, `g=entropy` for detail, `g=face` for faces that look at the camera (at least a tenth of the \
             picture's longer side; several are kept together where they fit; without one it is `smart`); all only where \
             `fit` cuts something off.\n"
        }
        Group::Colour => {
            "\nEffects are done on the resized picture, in sRGB, in this order: `blur`, `pixelate`, `sharpen`, `usm`, `gam`, \
             `bri`, `con`, `sat`, `hue`, `gray`, `sepia`, `tint`, `duotone`, `invert`, and `bg` under all of it.\n"
        }
        Group::Shape => {
            "\n`redact` covers every pixel that a region touches, in every frame, with opaque black before the picture is \
             scaled, and the original is then decoded at its whole size. A region that lies wholly outside the picture is \
             refused. In a further pass its regions are those of the picture that the pass begins with. With it `meta=keep` is \
             `meta=copyright`, and `hdr=keep` has no effect: previews and gain maps would show what was covered.\n"
        }
        Group::Steps => {
            "\n`then=w=100;h=50;fit=cover;then=blur=3` is two further passes. The value is escaped once as a whole, as any \
             value is, and what it holds once by itself: a text with a semicolon is `then=text=a%253Bb`. A piece that \
             begins with a digit or a point goes on with the value before it, so that `redact` can list its regions. \
             Unknown names are refused in here.\n"
        }
        Group::Presets => {
            "\nA preset is a query in the config. The one called `default` applies to every request of its route, below the \
             ones that `p` names, below the URL's own parameters. A preset may include others by `p`. On a route with \
             `presets-only` all other parameters but those of delivery and signing are refused.\n"
        }
        _ => "",
    }
}
