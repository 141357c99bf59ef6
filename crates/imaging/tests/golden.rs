//! Pixels held to pictures that were looked at: each fixture is drawn by code, transformed, and compared with a stored
//! PNG that bears the canonical transform's name. `TINTYPE_BLESS=1` writes them anew; look at them before you commit.

use cache_key::transform::Codec;
use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::encode::{Settings, encode};
use imaging::{Assets, Bitmap, Layout, Limits, Mark, Scratch, Setup, Want, Watch, decode, probe, render};
use std::path::PathBuf;

/// Largest difference of a sample: kernels for other processors round differently.
const TOLERANCE: u8 = 2;

/// A smooth ramp in two directions.
fn gradient() -> Bitmap {
    let pixels = (0..96 * 64u32).flat_map(|i| [(i % 96 * 255 / 95) as u8, (i / 96 * 255 / 63) as u8, 96]);
    Bitmap::new(96, 64, Layout::Rgb, pixels.collect())
}

/// Hard edges, finer towards the right.
fn checkers() -> Bitmap {
    let pixels = (0..96 * 64u32).flat_map(|i| {
        let side = 16 >> (i % 96 / 32);
        if (i % 96 / side + i / 96 / side) % 2 == 0 { [230, 40, 30] } else { [20, 60, 200] }
    });
    Bitmap::new(96, 64, Layout::Rgb, pixels.collect())
}

/// A disc whose edge fades, on nothing; what nobody sees is bright green.
fn disc() -> Bitmap {
    let pixels = (0..64 * 64u32).flat_map(|i| {
        let (x, y) = (f64::from(i % 64) - 31.5, f64::from(i / 64) - 31.5);
        let alpha = ((28.0 - x.hypot(y)) * 32.0).clamp(0.0, 255.0) as u8;
        if alpha == 0 { [0, 255, 0, 0] } else { [220, 120, 20, alpha] }
    });
    Bitmap::new(64, 64, Layout::Rgba, pixels.collect())
}

fn png(bitmap: Bitmap) -> Vec<u8> {
    let settings = Settings { effort: Some(10), ..Settings::new(Codec::Png, 100) };
    encode(bitmap, &settings, &Watch::new(), &mut Scratch::new(0)).expect("encoded")
}

/// The disc as a mark.
fn setup() -> Setup {
    let mut assets = Assets::default();
    assets.add_mark("disc", Mark::read(&png(disc())).expect("a mark"));
    Setup { assets, ..Setup::default() }
}

fn pixels(file: &[u8]) -> Bitmap {
    let limits = Limits::default();
    let probe = probe(file, &limits).expect("probed");
    decode(file, &probe, &Want::EVERYTHING, &limits, &Watch::new(), &mut Scratch::new(0)).expect("decoded").bitmap
}

/// The largest difference of a sample; pictures without alpha are opaque, greys are colours.
fn difference(a: &Bitmap, b: &Bitmap) -> u8 {
    assert_eq!((a.width(), a.height(), a.layout()), (b.width(), b.height(), b.layout()));
    a.pixels().iter().zip(b.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

fn check(fixture: &str, bitmap: Bitmap, queries: &[&str]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let (original, setup) = (png(bitmap), setup());
    let mut wrong = Vec::new();
    for query in queries {
        let transform = parse(Some(query), &Presets::none()).expect("a valid query").transform;
        let canonical = transform.canonical();
        let name: String =
            canonical.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' }).collect();
        let variant = Variant { transform, class: FormatClass::Baseline };
        let scratch = &mut Scratch::new(1 << 20);
        let rendition = render(&original, &variant, &setup, &Watch::new(), scratch).expect("rendered");
        let result = pixels(&rendition.bytes);
        let path = folder.join(format!("{fixture}.{name}.png"));
        if std::env::var_os("TINTYPE_BLESS").is_some() {
            std::fs::write(&path, png(result)).expect("written");
            continue;
        }
        let stored = std::fs::read(&path).unwrap_or_else(|_| panic!("{} is missing: TINTYPE_BLESS=1", path.display()));
        let off = difference(&pixels(&stored), &result);
        if off > TOLERANCE {
            wrong.push(format!("{fixture} {canonical}: off by {off}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn gradients() {
    let queries = [
        "w=40",
        "w=150&enlarge=1&fit=contain",
        "w=30&h=30&fit=cover&g=e&rot=90",
        "w=40&gray=1",
        "rot=20&w=60&bg=204060",
        "w=40&bri=30&con=40",
        "w=40&gam=2.2",
        "w=40&sat=60&hue=120",
        "w=40&sat=-100",
        "w=40&invert=1",
        "w=40&tint=cc8040",
        "w=40&duotone=102040,ffe0a0",
        "w=40&sepia=80",
        "w=40&pixelate=7",
        "w=60&radius=12&border=3,204060",
        "w=60&redact=10,10,20,8;0.7,0.7,1.0,1.0",
        "w=60&h=60&fit=cover&g=smart",
        "w=40&extend=1:1&g=s&bg=204060",
    ];
    check("gradient", gradient(), &queries);
}

#[test]
fn edges() {
    let queries = [
        "w=37",
        "blur=1.5",
        "blur=6",
        "sharpen=1.2&w=64",
        "w=50&h=50&fit=pad&bg=ffcc00",
        "crop=30,10,40,40&w=20&flip=h",
        "usm=1.5,1.2,4&w=64",
        "w=37&linear=1",
        "w=37&kernel=mitchell",
        "w=37&kernel=nearest",
        "w=37&kernel=box",
        "w=150&enlarge=1&fit=contain&kernel=cubic",
    ];
    check("checkers", checkers(), &queries);
}

#[test]
fn transparency() {
    let queries = [
        "w=25",
        "w=25&bg=102030",
        "blur=3",
        "w=40&gray=1",
        "w=40&pad=4,8",
        "rot=45&w=40",
        "w=40&mask=circle&border=4,306090c0",
        "w=40&mask=ellipse&bg=102030",
        "w=40&radius=max",
        "w=40&usm=1,2,0",
        "w=40&pixelate=9",
        "w=40&linear=1",
        "w=40&tint=2040ff80",
        "trim&w=30",
    ];
    check("disc", disc(), &queries);
}

#[test]
fn marks() {
    let queries = [
        "wm=disc:se:2:3:0.4",
        "wm=disc:c:0:0:1:0.5",
        "w=80&dpr=1.2&wm=disc:nw:-10:8:0.3",
        "wm=disc:n:4:6:0.15:0.8&wm-tile=1",
        "w=60&wm=disc:fp:0.2:0.9:0.5&then=rot=90;wm=disc:e",
    ];
    check("gradient", gradient(), &queries);
    check("disc", disc(), &["wm=disc:e:-20:0:0.7:0.6"]);
}

#[test]
fn text() {
    let queries = [
        "text=Ay%20%C3%A9%0A12&text-size=14&text-color=ffff00",
        "text=wrapped%20lines%20of%20words&text-size=9&text-g=se:4:2",
        "text=%D7%A9%D7%9C%D7%95%D7%9D%20abc&text-size=14&text-font=sans-bold&text-g=n",
        "text=%D8%A7%D9%84%D8%B3%D9%84%D8%A7%D9%85&text-color=ff000080",
        "text=both&text-g=s&wm=disc:n:0:2:0.2",
    ];
    check("gradient", gradient(), &queries);
}
