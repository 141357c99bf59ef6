//! Effects, redaction, trimming and gravity by content, end to end: a file in, a file out. What sharp makes of the same
//! pictures is in `peer/sharp.json`; `peer/sharp.mjs` wrote it.

use cache_key::transform::Codec;
use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::encode::{Settings, encode};
use imaging::{Bitmap, Error, Layout, Limits, Rendition, Scratch, Setup, Want, Watch, decode, probe, render};

fn png(bitmap: Bitmap) -> Vec<u8> {
    let settings = Settings::new(Codec::Png, 100);
    encode(bitmap, &settings, &Watch::new(), &mut Scratch::new(0)).expect("encoded")
}

fn drawn(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Bitmap {
    let pixels = (0..width * height).flat_map(|i| pixel(i % width, i / width)).collect();
    Bitmap::new(width, height, Layout::Rgb, pixels)
}

fn rendered(original: &[u8], query: &str, limits: Limits) -> Result<Rendition, Error> {
    let transform = parse(Some(query), &Presets::none()).expect("a valid query").transform;
    let variant = Variant { transform, class: FormatClass::Baseline };
    render(original, &variant, &Setup::from(limits), &Watch::new(), &mut Scratch::new(1 << 20))
}

fn pixels(original: &[u8], query: &str) -> Bitmap {
    let rendition = rendered(original, query, Limits::default()).expect(query);
    let limits = Limits::default();
    let probe = probe(&rendition.bytes, &limits).expect("probed");
    let scratch = &mut Scratch::new(0);
    decode(&rendition.bytes, &probe, &Want::EVERYTHING, &limits, &Watch::new(), scratch).expect("decoded").bitmap
}

fn size(original: &[u8], query: &str) -> (u32, u32) {
    let rendition = rendered(original, query, Limits::default()).expect(query);
    (rendition.width, rendition.height)
}

/// The same pictures as in `sharp.mjs`.
fn fixture(name: &str) -> Bitmap {
    drawn(96, 64, |x, y| match name {
        "gradient" => [(x * 255 / 95) as u8, (y * 255 / 63) as u8, 96],
        "checkers" => {
            let side = 16 >> (x / 32);
            if (x / side + y / side) % 2 == 0 { [230, 40, 30] } else { [20, 60, 200] }
        }
        "framed" if (20..70).contains(&x) && (11..41).contains(&y) => [(x * 2) as u8, 90, (y * 3) as u8],
        "framed" => [240, 238, 242],
        "spot" if is_skin(x, y) => [210, 155, 120],
        _ => [90, 130, 190],
    })
}

fn is_skin(x: u32, y: u32) -> bool {
    (f64::from(x) - 75.0).hypot(f64::from(y) - 30.0) < 12.0
}

/// As three channels, whatever the file had.
fn colours(bitmap: &Bitmap) -> Vec<u8> {
    match bitmap.layout() {
        Layout::Gray => bitmap.pixels().iter().flat_map(|value| [*value; 3]).collect(),
        Layout::Rgb => bitmap.pixels().to_vec(),
        Layout::Rgba => bitmap.pixels().as_chunks::<4>().0.iter().flat_map(|p| [p[0], p[1], p[2]]).collect(),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a digit") as u8;
    text.as_bytes().as_chunks::<2>().0.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect()
}

#[test]
fn as_sharp_makes_them() {
    let file: serde_json::Value = serde_json::from_str(include_str!("peer/sharp.json")).expect("JSON");
    let mut wrong = Vec::new();
    for case in file["results"].as_array().expect("a list") {
        let (name, query) = (case["fixture"].as_str().expect("a name"), case["query"].as_str().expect("a query"));
        let ours = pixels(&png(fixture(name)), &format!("{query}&f=png"));
        let theirs = (case["width"].as_u64(), case["height"].as_u64());
        assert_eq!((Some(ours.width().into()), Some(ours.height().into())), theirs, "{name} {query}");
        let mut pixels = unhex(case["pixels"].as_str().expect("pixels"));
        if case["channels"] == 1 {
            pixels = pixels.iter().flat_map(|value| [*value; 3]).collect();
        }
        let ours = colours(&ours);
        if name == "spot" {
            // Where they look differs by a few pixels; how much of the spot they keep does not.
            let skin = |pixels: &[u8]| pixels.as_chunks::<3>().0.iter().filter(|p| p[0] > p[2]).count();
            let (ours, theirs) = (skin(&ours), skin(&pixels));
            assert!(ours.abs_diff(theirs) * 10 <= theirs, "{query}: {ours} pixels of skin, sharp has {theirs}");
            continue;
        }
        let differences: Vec<u8> = ours.iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).collect();
        let worst = differences.iter().copied().max().unwrap_or(0);
        let mean = differences.iter().map(|&d| f64::from(d)).sum::<f64>() / differences.len() as f64;
        println!("{name} {query}: worst {worst}, mean {mean:.3}");
        if worst > 4 || mean > 1.0 {
            wrong.push(format!("{name} {query}: worst {worst}, mean {mean:.3}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A picture with text where the region is, or noise, or nothing: who sees the rendition cannot tell which.
fn secret(inside: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let picture = drawn(120, 90, |x, y| {
        let is_inside = (31..57).contains(&x) && (22..40).contains(&y) || (100..120).contains(&x) && y < 7;
        if is_inside { inside(x, y) } else { [(x * 2) as u8, (y * 2) as u8, (x * y % 251) as u8] }
    });
    png(picture)
}

#[test]
fn nothing_of_a_redacted_region_reaches_the_result() {
    let noise = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503_071)).to_be_bytes()[1];
    let originals = [
        secret(|x, y| [noise(x, y), noise(y, x), noise(x + 7, y)]),
        secret(|_, _| [255; 3]),
        secret(|x, _| if x % 2 == 0 { [255, 0, 0] } else { [210, 155, 120] }),
    ];
    let redact = "redact=31,22,26,18;100,0,999,7";
    for query in [
        "",
        "w=40",
        "w=300&fit=contain&enlarge=1",
        "w=37&kernel=mitchell&linear=1",
        "crop=20,10,60,40&w=33",
        "w=30&h=30&fit=cover&g=smart",
        "w=30&h=30&fit=cover&g=entropy",
        "trim=30&w=50",
        "rot=90&w=40",
        "rot=33&w=60",
        "orient=none&flip=h&w=50",
        "sharpen=3&w=50",
        "blur=9&w=50",
        "crop=0.25,0.2,0.3,0.3&then=w=400;enlarge=1;fit=contain",
        "w=80&then=crop=10,10,40,30;sharpen=2",
        "invert=1&con=80&f=webp",
        "w=60&f=avif",
    ] {
        let query = format!("{redact}&{query}");
        let renditions: Vec<Vec<u8>> = originals
            .iter()
            .map(|original| rendered(original, &query, Limits::default()).expect("rendered").bytes)
            .collect();
        assert!(renditions.iter().all(|bytes| *bytes == renditions[0]), "{query}: the region shows");
    }
    // In a further pass the regions are those of what it begins with.
    let later = "crop=20,10,80,70&then=redact=11,12,26,18;80,0,9,9";
    assert!(rendered(&originals[0], later, Limits::default()).is_err(), "80 is outside");
    let later = later.replace(";80,0,9,9", "");
    let renditions = [0, 1, 2].map(|i| rendered(&originals[i], &later, Limits::default()).expect("rendered").bytes);
    assert!(renditions.iter().all(|bytes| *bytes == renditions[0]));
}

#[test]
fn redacted_regions_are_black_and_their_neighbours_are_not() {
    let original = png(drawn(50, 40, |_, _| [255; 3]));
    let result = pixels(&original, "redact=0.205,0.1,0.1,0.5&f=png");
    // From 10.25 to 15.25 across, from 4 to 24 down.
    for (i, pixel) in colours(&result).as_chunks::<3>().0.iter().enumerate() {
        let (x, y) = (i % 50, i / 50);
        let is_inside = (10..16).contains(&x) && (4..24).contains(&y);
        assert_eq!(*pixel == [0; 3], is_inside, "{x},{y}");
    }
    let outside = rendered(&original, "redact=50,0,5,5", Limits::default());
    assert!(matches!(outside, Err(Error::Impossible(_))), "better none than bare");
}

#[test]
fn trimmed_sizes_and_limits() {
    let framed = png(fixture("framed"));
    for (query, expected) in [
        ("trim", (50, 30)),
        ("trim&rot=90", (30, 50)),
        ("trim&w=25", (25, 15)),
        ("trim&crop=0.5,0,0.5,1.0", (25, 30)),
        ("trim&crop=40,20,99,99", (10, 10)),
        ("trim=255", (96, 64)),
        ("w=48&then=trim", (26, 18)), // the kernel rings
        ("trim&then=crop=45,0,5,5", (5, 5)),
        ("trim&border=2,000&pad=1", (56, 36)),
    ] {
        assert_eq!(size(&framed, query), expected, "{query}");
    }
    let tall = png(drawn(100, 100, |x, _| if (50..54).contains(&x) { [0; 3] } else { [255; 3] }));
    let small = Limits { output_side: 1000, ..Limits::default() };
    // 100 × 100 without the edges' loss, 100 × 2500 with it.
    let query = "trim&w=100&enlarge=1&fit=contain";
    assert!(matches!(rendered(&tall, query, small), Err(Error::TooLarge { .. })));
    assert_eq!(size(&tall, query), (100, 2500));
    let behind = rendered(&framed, "trim&then=crop=60,0,5,5", Limits::default());
    assert!(matches!(behind, Err(Error::Impossible(_))), "60 is beyond the 50 that are left");
}

#[test]
fn canvases_grow_to_their_shape() {
    let original = png(drawn(60, 40, |_, _| [200, 0, 0]));
    for (query, expected) in [
        ("extend=1:1", (60, 60)),
        ("extend=3:1", (120, 40)),
        ("extend=3:2", (60, 40)),
        ("extend=1:1&rot=90&pad=5", (70, 70)),
        ("w=30&extend=1:1&dpr=2", (60, 60)),
        ("w=30&h=30&fit=pad&extend=2:1", (60, 30)),
        ("border=3,00f", (66, 46)),
        ("border=3,00f&dpr=2&w=30", (72, 52)),
        ("border=1,00f&dpr=0.1&w=200", (20, 13)),
    ] {
        assert_eq!(size(&original, query), expected, "{query}");
    }
    let south = pixels(&original, "extend=1:1&g=s&bg=00ff00&f=png");
    let colours = colours(&south);
    assert_eq!((&colours[..3], &colours[colours.len() - 3..]), ([0, 255, 0].as_slice(), [200, 0, 0].as_slice()));
}

#[test]
fn outlines_are_transparent_or_of_the_background() {
    let original = png(drawn(60, 40, |_, _| [200, 0, 0]));
    for query in ["radius=10", "radius=max", "mask=circle", "mask=ellipse&border=4,00f"] {
        let clear = pixels(&original, &format!("{query}&f=png"));
        assert_eq!((clear.layout(), clear.pixels()[3]), (Layout::Rgba, 0), "{query}");
        let middle = (clear.height() / 2 * clear.width() + clear.width() / 2) as usize * 4;
        assert_eq!(clear.pixels()[middle..middle + 4], [200, 0, 0, 255], "{query}");
        let ground = pixels(&original, &format!("{query}&bg=00ff00&f=png"));
        assert_eq!((ground.layout(), &ground.pixels()[..3]), (Layout::Rgb, [0, 255, 0].as_slice()), "{query}");
    }
    let rendition = rendered(&original, "radius=10&f=auto", Limits::default()).expect("rendered");
    assert_eq!(rendition.media_type(), "image/png", "JPEG has no corners");
}
