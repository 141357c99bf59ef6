//! The hashes against the reference implementations (npm `thumbhash`; the C encoder of BlurHash, by PyPI's `blurhash-python`) for the same pixels, and what
//! of metadata is told.

use super::small::Small;
use super::*;

type Pixel = fn(u32, u32) -> [u32; 4];

fn small(width: u32, height: u32, pixel: Pixel) -> Small {
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| pixel(x, y).map(|v| f64::from(v.min(255)))));
    Small { width: width as usize, height: height as usize, pixels: pixels.collect() }
}

const PICTURES: [(u32, u32, Pixel, &str, &str); 6] = [
    (40, 30, |x, y| [x * 6, y * 8, (x + y) * 3, 255], "XAgOFZhwd3eBeIh3iHiIh3iACPeI", "LqG91z2kwzX5l@WYjtf7gKfkfQfj"),
    (20, 50, |x, y| [x * y % 256, 255 - x * 9, y * 5, 255], "YHgNWxpqcGiIhod3aX8HVmc=", "T:E;=1Q0P5ONW-oKN|o2sUSwoJoK"),
    (
        32,
        32,
        |x, y| [200, x * 8, y * 8, x * y % 256],
        "6HiGJQgWsJiweIuGl5N/9WV2IENQmII6SQ==",
        "LxM~CSqRgJr^sxjFfjjrfUfRfQfR",
    ),
    (16, 16, |x, _| [x * 16, x * 16, x * 16, 255], "HggaBwBwd3eHiIiHiIiIeIh4BwAAAAAA", "LsGu,m00xuoft7WBj[fQfQfQfQfQ"),
    (8, 5, |_, _| [10, 120, 230, 255], "", "Lq1Gp+g7fQg7kvf,fQf,fQfQfQfQ"),
    (
        60,
        33,
        |x, y| {
            let v = x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663);
            [v % 256, v >> 8 & 255, v >> 16 & 255, 255]
        },
        "IPgBBIBoZQoTVplnaSNlz5oIdw==",
        "L3Hewd-?aP-;?@WSOYW,otbXW?bW",
    ),
];

#[test]
fn hashes_are_those_of_the_reference_implementations() {
    for (width, height, pixel, thumb, blur) in PICTURES {
        let small = small(width, height, pixel);
        // The terms of a flat picture are rounding noise: no two libraries' cosines agree on it.
        if !thumb.is_empty() {
            assert_eq!(base64(&thumbhash::encode(&small)), thumb, "{width} × {height}");
            assert_eq!(blurhash::encode(&small, blurhash::terms(&small)), blur, "{width} × {height}");
        }
    }
    assert_eq!(blurhash::encode(&small(8, 5, |_, _| [10, 120, 230, 255]), (1, 1)), "001Gp+");
}

#[test]
fn base64_is_padded() {
    let texts = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
    for (bytes, text) in texts {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
}

#[test]
fn only_what_leaves_the_looks_alone_is_reduced() {
    let reduced_of = |query: &str| {
        let parsed = cache_key::parse(Some(query), &cache_key::Presets::none()).expect("a valid query");
        reduced(&parsed.transform).is_some()
    };
    assert!(["f=json", "f=thumbhash&crop=0,0,0.5,0.5", "f=json&rot=90&flip=h"].map(reduced_of).iter().all(|r| *r));
    assert!(["f=json&w=300", "f=json&blur=3", "f=json&pad=4", "f=json&then=w=30"].map(reduced_of).iter().all(|r| !r));
}
