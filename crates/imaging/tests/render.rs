//! Renders end to end: a file in, a file out, looked at again by this crate's decoders.

use cache_key::transform::{Chroma, Codec};
use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::encode::{Settings, encode};
use imaging::{
    Bitmap, Error, Layout, Limits, Product, Rendition, Scratch, Setup, SourceFormat, Want, Watch, cost, decode, probe,
    render,
};

fn variant(query: &str, class: FormatClass) -> Variant {
    let parsed = parse(Some(query), &Presets::none()).expect("a valid query");
    Variant { transform: parsed.transform, class }
}

fn source(codec: Codec, bitmap: Bitmap) -> Vec<u8> {
    let settings = Settings { lossless: true, chroma: Chroma::C444, ..Settings::new(codec, 95) };
    encode(bitmap, &settings, &Watch::new(), &mut Scratch::new(0)).expect("encoded")
}

/// Four quarters of one colour each: red, green, blue, white from the top left.
fn quarters(width: u32, height: u32, alpha: u8) -> Bitmap {
    let pixels = (0..width * height).flat_map(|i| {
        let (right, lower) = (i % width >= width / 2, i / width >= height / 2);
        let [r, g, b] = match (right, lower) {
            (false, false) => [255, 0, 0],
            (true, false) => [0, 255, 0],
            (false, true) => [0, 0, 255],
            (true, true) => [255, 255, 255],
        };
        [r, g, b, alpha]
    });
    Bitmap::new(width, height, Layout::Rgba, pixels.collect())
}

fn rendered(original: &[u8], query: &str, class: FormatClass) -> Rendition {
    let setup = Setup::default();
    render(original, &variant(query, class), &setup, &Watch::new(), &mut Scratch::new(64 << 20)).expect(query)
}

fn pixels(rendition: &Rendition) -> Bitmap {
    let limits = Limits::default();
    let probe = probe(&rendition.bytes, &limits).expect("probed");
    assert_eq!((probe.width, probe.height), (rendition.width, rendition.height));
    let scratch = &mut Scratch::new(0);
    decode(&rendition.bytes, &probe, &Want::EVERYTHING, &limits, &Watch::new(), scratch).expect("decoded").bitmap
}

fn colour_at(bitmap: &Bitmap, x: u32, y: u32) -> [u8; 3] {
    let channels = bitmap.layout().channels();
    let at = (y as usize * bitmap.width() as usize + x as usize) * channels;
    let pixel = &bitmap.pixels()[at..at + channels];
    if channels == 1 { [pixel[0]; 3] } else { [pixel[0], pixel[1], pixel[2]] }
}

/// Which of the four colours, by name.
fn name(colour: [u8; 3]) -> char {
    match colour.map(|value| value > 127) {
        [true, false, false] => 'r',
        [false, true, false] => 'g',
        [false, false, true] => 'b',
        [true, true, true] => 'w',
        _ => '?',
    }
}

/// The colours in the middle of the four quarters.
fn corners(bitmap: &Bitmap) -> String {
    let (w, h) = (bitmap.width(), bitmap.height());
    [(w / 4, h / 4), (w * 3 / 4, h / 4), (w / 4, h * 3 / 4), (w * 3 / 4, h * 3 / 4)]
        .map(|(x, y)| name(colour_at(bitmap, x, y)))
        .iter()
        .collect()
}

#[test]
fn every_format_in_and_out() {
    for from in [Codec::Png, Codec::Jpeg, Codec::Webp] {
        let original = source(from, quarters(200, 120, 255));
        for (name, to) in [("png", Codec::Png), ("jpeg", Codec::Jpeg), ("webp", Codec::Webp), ("avif", Codec::Avif)] {
            let rendition = rendered(&original, &format!("w=100&f={name}"), FormatClass::Baseline);
            assert_eq!((rendition.product, rendition.width, rendition.height), (Product::Picture(to), 100, 60));
            if to != Codec::Avif {
                assert_eq!(corners(&pixels(&rendition)), "rgbw", "{from:?} to {name}");
            }
        }
        assert_eq!(rendered(&original, "w=100", FormatClass::Avif).product, Product::Picture(from));
        assert_eq!(rendered(&original, "w=100&f=auto", FormatClass::Webp).media_type(), "image/webp");
        assert_eq!(rendered(&original, "w=100&f=auto", FormatClass::Baseline).extension(), "jpg");
    }
}

#[test]
fn transparency_chooses_png_and_survives() {
    let original = source(Codec::Png, quarters(64, 64, 100));
    let rendition = rendered(&original, "w=32&f=auto", FormatClass::Baseline);
    assert_eq!(rendition.product, Product::Picture(Codec::Png));
    let bitmap = pixels(&rendition);
    assert_eq!(bitmap.layout(), Layout::Rgba);
    assert!(bitmap.pixels().as_chunks::<4>().0.iter().all(|pixel| pixel[3].abs_diff(100) <= 1));
    let flat = rendered(&original, "w=32&f=auto&bg=000000", FormatClass::Baseline);
    assert_eq!(flat.product, Product::Picture(Codec::Jpeg));
}

#[test]
fn turns_and_crops_go_where_they_should() {
    let original = source(Codec::Png, quarters(80, 40, 255));
    let cases = [
        ("w=40", (40, 20), "rgbw"),
        ("w=40&rot=90", (20, 40), "brwg"),
        ("w=40&rot=180", (40, 20), "wbgr"),
        ("w=40&rot=270", (20, 40), "gwrb"),
        ("w=40&flip=h", (40, 20), "grwb"),
        ("w=40&flip=v", (40, 20), "bwrg"),
        ("w=40&rot=90&flip=h", (20, 40), "rbgw"),
        ("w=20&h=20&fit=cover&g=w", (20, 20), "rrbb"),
        ("w=20&h=20&fit=cover&g=e", (20, 20), "ggww"),
        ("crop=40,20,40,20&w=20", (20, 10), "wwww"),
        ("crop=0.5,0,0.5,9999&w=20", (20, 20), "ggww"),
        ("w=40&then=crop=20,0,20,20", (20, 20), "ggww"),
    ];
    for (query, size, expected) in cases {
        let rendition = rendered(&original, query, FormatClass::Baseline);
        assert_eq!((rendition.width, rendition.height), size, "{query}");
        assert_eq!(corners(&pixels(&rendition)), expected, "{query}");
    }
}

/// A JPEG that says by EXIF how it has to be turned.
fn oriented(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    // TIFF, little-endian, one entry: tag 0x0112, SHORT, count 1 (EXIF 2.32, 4.6.2).
    let tiff = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];
    let mut segment = vec![0xFF, 0xE1, 0, (2 + 6 + tiff.len()) as u8];
    segment.extend_from_slice(b"Exif\0\0");
    segment.extend_from_slice(&tiff);
    [&jpeg[..2], &segment, &jpeg[2..]].concat()
}

#[test]
fn all_orientations_stand_upright() {
    let jpeg = source(Codec::Jpeg, quarters(160, 80, 255));
    // What is stored as "rgbw", seen through each orientation.
    for (value, expected) in
        [(1, "rgbw"), (2, "grwb"), (3, "wbgr"), (4, "bwrg"), (5, "rbgw"), (6, "brwg"), (7, "wgbr"), (8, "gwrb")]
    {
        let original = oriented(&jpeg, value);
        let rendition = rendered(&original, "w=40&f=png", FormatClass::Baseline);
        let size = if value >= 5 { (40, 80) } else { (40, 20) };
        assert_eq!((rendition.width, rendition.height), size, "orientation {value}");
        assert_eq!(corners(&pixels(&rendition)), expected, "orientation {value}");
        let as_stored = rendered(&original, "w=40&f=png&orient=none", FormatClass::Baseline);
        assert_eq!(corners(&pixels(&as_stored)), "rgbw");
        // The crop is in upright axes.
        let cut = rendered(&original, "crop=0,0,0.5,0.5&f=png", FormatClass::Baseline);
        let first = expected.chars().next().expect("four");
        assert_eq!(corners(&pixels(&cut)), first.to_string().repeat(4), "orientation {value}");
    }
}

#[test]
fn padding_is_filled() {
    let original = source(Codec::Jpeg, quarters(80, 40, 255));
    let padded = pixels(&rendered(&original, "w=40&h=40&fit=pad&bg=ff00ff&f=png", FormatClass::Baseline));
    assert_eq!((padded.width(), padded.height()), (40, 40));
    assert_eq!((colour_at(&padded, 0, 0), colour_at(&padded, 39, 39)), ([255, 0, 255], [255, 0, 255]));
    assert_eq!(name(colour_at(&padded, 4, 14)), 'r');
    let white = pixels(&rendered(&original, "w=40&pad=2&f=png", FormatClass::Baseline));
    assert_eq!((white.width(), white.height(), colour_at(&white, 0, 0)), (44, 24, [255; 3]));
}

#[test]
fn what_is_not_implemented_says_so() {
    let original = source(Codec::Png, quarters(8, 8, 255));
    let refused = |query: &str| {
        let variant = variant(query, FormatClass::Baseline);
        let rendered = render(&original, &variant, &Setup::default(), &Watch::new(), &mut Scratch::new(0)).map(|_| ());
        let probe = probe(&original, &Limits::default()).expect("probed");
        assert_eq!(
            cost(&original, &probe, &variant, &Setup::default()).map(|_| ()),
            rendered,
            "cost and render agree: {query}"
        );
        rendered
    };
    assert_eq!(refused("q-jxl=50"), Err(Error::NotImplemented("q-jxl")));
    assert_eq!(refused("f=jxl"), Err(Error::NotImplemented("f")));
    assert_eq!(refused("w=4"), Ok(()));
}

#[test]
fn limits_and_watch_end_a_render() {
    let original = source(Codec::Png, quarters(100, 100, 255));
    let go = |query: &str, limits: &Limits, watch: &Watch| {
        let setup = Setup::from(limits.clone());
        render(&original, &variant(query, FormatClass::Baseline), &setup, watch, &mut Scratch::new(0)).map(|_| ())
    };
    let small = Limits { output_side: 150, ..Limits::default() };
    assert!(matches!(go("w=200&enlarge=1&fit=contain", &small, &Watch::new()), Err(Error::TooLarge { .. })));
    assert_eq!(go("w=200", &small, &Watch::new()), Ok(()));
    let few = Limits { source_pixels: 9_999, ..Limits::default() };
    assert!(matches!(go("w=2", &few, &Watch::new()), Err(Error::TooLarge { .. })));
    let watch = Watch::new();
    watch.cancel();
    assert_eq!(go("w=2", &Limits::default(), &watch), Err(Error::Cancelled));
}

#[test]
fn a_price_is_known_beforehand() {
    let original = source(Codec::Jpeg, quarters(2000, 1500, 255));
    let probe = probe(&original, &Limits::default()).expect("probed");
    assert_eq!(probe.format, SourceFormat::Jpeg);
    let price = |query: &str| {
        cost(&original, &probe, &variant(query, FormatClass::Baseline), &Setup::default()).expect("priced")
    };
    let (small, large) = (price("w=100"), price("w=1800"));
    assert_eq!((small.output, large.output), ((100, 75), (1800, 1350)));
    // Rows go into the resize as they come: nobody pays for the whole picture.
    assert!(
        small.memory < 500_000
            && large.memory > 1800 * 1350 * 3
            && small.memory < large.memory
            && small.millis < large.millis
    );
    assert!(price("w=1800&f=avif").millis > price("w=1800&f=jpeg").millis);
    let poor = Setup::from(Limits { memory: 1 << 14, ..Limits::default() });
    assert!(matches!(
        cost(&original, &probe, &variant("w=100", FormatClass::Baseline), &poor),
        Err(Error::TooLarge { .. })
    ));
}

/// A picture with restart markers, large enough that help is worth it.
#[test]
fn helpers_change_nothing_but_time() {
    let (width, height) = (1_300_u16, 1_200_u16);
    let pixels: Vec<u8> = (0..u32::from(width) * u32::from(height) * 3).map(|i| (i / 7 % 251) as u8).collect();
    let mut original = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut original, 90);
    encoder.set_restart_interval(82);
    encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb).expect("encodes");
    let mut helped = Scratch::new(64 << 20);
    helped.set_helpers(3);
    for query in ["w=1000&f=png", "w=300&f=png", "crop=100,300,900,800&f=png", "rot=90&f=png", "w=500&f=png"] {
        let variant = variant(query, FormatClass::Baseline);
        let rendered = |scratch: &mut Scratch| {
            render(&original, &variant, &Setup::default(), &Watch::new(), scratch).expect("rendered").bytes
        };
        assert!(rendered(&mut helped) == rendered(&mut Scratch::new(0)), "{query}");
    }
}
