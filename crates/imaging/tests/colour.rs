//! Colours held against other programs: Little CMS 2.14 (`transicc -t 0`) for profiles, and the maker's own picture of
//! ordinary range for a tone-mapped one. With the corpus beside the repository; it says so where it is not there.

mod corpus_folder;

use cache_key::{Presets, Variant, parse};
use imaging::{Bitmap, Layout, Limits, Scratch, Setup, SourceFormat, Want, Watch, color, decode, metadata, probe};

fn file(name: &str) -> Option<Vec<u8>> {
    corpus_folder::path(name).map(|path| std::fs::read(path).expect("a file that is there"))
}

#[test]
fn profiles_are_read_as_little_cms_reads_them() {
    let stored = [[200, 100, 50], [30, 200, 80], [90, 90, 200], [128, 128, 128]];
    // What lies outside of sRGB is clipped.
    let cases = [
        (
            "colour-icc/jpg-24bit-icc-adobe-rgb.jpg",
            [[227.1, 100.1, 42.4], [0.0, 201.3, 67.1], [89.6, 89.6, 204.5], [129.0, 129.0, 129.0]],
        ),
        ("colour-icc/p3.png", [[214.9, 92.6, 30.9], [0.0, 203.6, 58.1], [90.0, 90.0, 207.0], [128.0, 128.0, 128.0]]),
    ];
    for (name, expected) in cases {
        let Some(bytes) = file(name) else { return };
        let format = SourceFormat::sniff(&bytes).expect("a picture");
        let icc = metadata::read(&bytes, format).icc.expect("a profile").into_owned();
        let mut bitmap = Bitmap::new(4, 1, Layout::Rgb, stored.as_flattened().to_vec());
        color::to_srgb(&mut bitmap, &icc).expect("a good profile");
        for (got, expected) in bitmap.pixels().iter().zip(expected.as_flattened()) {
            assert!((f64::from(*got) - expected).abs() <= 1.5, "{name}: {:?}", bitmap.pixels());
        }
    }
}

/// Inks are made smaller before they become colours: the picture keeps its
/// colours; edges are mixed a little otherwise.
#[test]
fn a_press_picture_is_resized_in_its_inks() {
    let Some(bytes) = file("cmyk/Channel_digital_image_CMYK_color.jpg") else { return };
    let rendered = |query: &str| {
        let transform = parse(Some(query), &Presets::none()).expect("a valid query").transform;
        let variant = Variant { transform, ..Variant::default() };
        let scratch = &mut Scratch::new(64 << 20);
        let rendition = imaging::render(&bytes, &variant, &Setup::default(), &Watch::new(), scratch).expect("renders");
        let limits = Limits::default();
        let probe = probe(&rendition.bytes, &limits).expect("a header");
        decode(&rendition.bytes, &probe, &Want::EVERYTHING, &limits, &Watch::new(), scratch).expect("decodes").bitmap
    };
    // A second pass that resizes: the first one then leaves every pixel for the colours.
    let (inks, colours) = (rendered("w=120&f=png"), rendered("f=png&then=w=120"));
    assert_eq!((inks.width(), inks.height()), (colours.width(), colours.height()));
    let average = |bitmap: &Bitmap| -> [f64; 3] {
        let pixels = bitmap.pixels().as_chunks::<3>().0;
        std::array::from_fn(|c| pixels.iter().map(|p| f64::from(p[c])).sum::<f64>() / pixels.len() as f64)
    };
    let (a, b) = (average(&inks), average(&colours));
    eprintln!("averages {a:.1?} {b:.1?}");
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2.0), "{a:.1?} {b:.1?}");
    let differences = inks.pixels().iter().zip(colours.pixels()).map(|(a, b)| f64::from(a.abs_diff(*b)));
    let mean = differences.sum::<f64>() / inks.pixels().len() as f64;
    eprintln!("mean difference {mean:.2}");
    assert!(mean < 5.0, "{mean}");
}

/// `seine` was made in both ranges. Its light differs by intent; what may not happen is gray and flat, or a cast.
#[test]
fn a_tone_mapped_picture_is_like_its_maker_s_own() {
    let mean = |name: &str| -> Option<[f64; 3]> {
        let bytes = file(name)?;
        let limits = Limits::default();
        let probe = probe(&bytes, &limits).expect("a header");
        let scratch = &mut Scratch::new(0);
        let decoded = decode(&bytes, &probe, &Want::EVERYTHING, &limits, &Watch::new(), scratch).expect("decodes");
        assert_eq!(decoded.bitmap.layout(), Layout::Rgb);
        let mut bitmap = decoded.bitmap;
        if let Some(icc) = decoded.icc {
            color::to_srgb(&mut bitmap, &icc).expect("a good profile");
        }
        let pixels = bitmap.pixels().as_chunks::<3>().0;
        Some(std::array::from_fn(|c| pixels.iter().map(|p| f64::from(p[c])).sum::<f64>() / pixels.len() as f64))
    };
    let Some(ordinary) = mean("avif/seine_sdr_gainmap_notmapbrand.avif") else { return };
    let mapped = mean("avif/seine_hdr_rec2020.avif").expect("it lies beside the other");
    eprintln!("ordinary {ordinary:.1?}, tone-mapped {mapped:.1?}");
    let brighter: [f64; 3] = std::array::from_fn(|c| mapped[c] - ordinary[c]);
    assert!(brighter.iter().all(|difference| difference.abs() < 30.0), "{brighter:.1?}");
    let cast = (brighter[0] - brighter[1]).abs().max((brighter[2] - brighter[1]).abs());
    assert!(cast < 6.0, "{brighter:.1?}");
}
