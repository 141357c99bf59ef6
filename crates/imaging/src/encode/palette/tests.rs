//! Palettes of pictures whose colours are known.

use super::*;
use proptest::prelude::*;

const LEVELS: Wish = Wish { colours: MOST, quality: 100, alpha: Alpha::Levels };

fn restored(indexed: &Indexed) -> Vec<[u8; 4]> {
    indexed.indices.iter().map(|&index| indexed.palette.colours[usize::from(index)]).collect()
}

fn gradient(side: u32) -> Bitmap {
    let pixels = (0..side * side).flat_map(|at| {
        let (x, y) = ((at % side) * 255 / side, (at / side) * 255 / side);
        [x as u8, y as u8, 128]
    });
    Bitmap::new(side, side, Layout::Rgb, pixels.collect())
}

#[test]
fn few_colours_are_kept_exactly() {
    let pixels: Vec<u8> = (0..=255).flat_map(|v| [v, 255 - v, 3, v]).collect();
    let bitmap = Bitmap::new(16, 16, Layout::Rgba, pixels);
    let indexed = exact(&bitmap, Alpha::Levels).expect("256 colours");
    assert_eq!(restored(&indexed), bitmap.pixels().as_chunks::<4>().0);
    assert!(indexed.palette.colours.is_sorted_by_key(|c| c[3]), "for tRNS");
    assert!(exact(&bitmap, Alpha::Bit).is_none(), "levels have no place there");
    let more = Bitmap::new(257, 1, Layout::Rgb, (0..257u32).flat_map(|v| [v as u8, (v >> 8) as u8, 0]).collect());
    assert!(exact(&more, Alpha::Levels).is_none());
}

#[test]
fn many_colours_come_out_near() {
    let bitmap = gradient(64);
    let error = |colours| {
        let indexed = quantise(&bitmap, Wish { colours, ..LEVELS }, &Watch::new()).expect("quantised");
        assert!(indexed.palette.colours.len() <= colours);
        let pairs = restored(&indexed).into_iter().zip(bitmap.pixels().as_chunks::<3>().0).collect::<Vec<_>>();
        let sum: u32 = pairs.iter().map(|(a, b)| (0..3).map(|i| u32::from(a[i].abs_diff(b[i]))).sum::<u32>()).sum();
        f64::from(sum) / (pairs.len() * 3) as f64
    };
    let (most, few) = (error(256), error(16));
    assert!(most < 6.0 && few < 30.0 && most < few, "{most} {few}");
    assert!(error(1) > few);
}

#[test]
fn dither_keeps_the_mean() {
    // No entry has this grey: the mean of the area is what stays.
    let bitmap = Bitmap::new(64, 64, Layout::Gray, vec![100; 4096]);
    let palette = Palette { colours: vec![[80, 80, 80, 255], [120, 120, 120, 255]] };
    let indices = palette.lay(&bitmap, Alpha::Bit, &Watch::new()).expect("laid");
    let mean = indices.iter().map(|&i| f64::from(palette.colours[usize::from(i)][0])).sum::<f64>() / 4096.0;
    assert!((mean - 100.0).abs() < 3.0, "{mean}");
}

#[test]
fn a_lower_quality_takes_fewer_colours() {
    let bitmap = gradient(64);
    let count = |quality| {
        quantise(&bitmap, Wish { quality, ..LEVELS }, &Watch::new()).expect("quantised").palette.colours.len()
    };
    let (whole, middle, low) = (count(100), count(40), count(10));
    assert!(whole > 200 && middle < whole && low < middle, "{whole} {middle} {low}");
}

#[test]
fn transparent_pixels_stay_where_they_are() {
    let mut pixels: Vec<u8> =
        gradient(32).pixels().as_chunks::<3>().0.iter().flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    pixels.as_chunks_mut::<4>().0.iter_mut().step_by(3).for_each(|pixel| pixel[3] = 0);
    pixels.as_chunks_mut::<4>().0.iter_mut().skip(1).step_by(3).for_each(|pixel| pixel[3] = 127);
    let bitmap = Bitmap::new(32, 32, Layout::Rgba, pixels);
    for (alpha, faint) in [(Alpha::Bit, true), (Alpha::Levels, false)] {
        let indexed = quantise(&bitmap, Wish { alpha, ..LEVELS }, &Watch::new()).expect("quantised");
        let transparent = indexed.palette.transparent().expect("there are some");
        for (pixel, &index) in bitmap.pixels().as_chunks::<4>().0.iter().zip(&indexed.indices) {
            let gone = pixel[3] == 0 || (faint && pixel[3] == 127);
            assert_eq!(index == transparent, gone, "{alpha:?} {pixel:?}");
        }
    }
}

#[test]
fn points_and_colours_are_inverse() {
    for wanted in [[0, 0, 0, 255], [255, 255, 255, 255], [10, 200, 30, 128], [0; 4]] {
        assert_eq!(colour(point(wanted)), wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_index_has_a_colour(
        pixels in proptest::collection::vec(any::<u8>(), 4 * 40), colours in 1usize..=256, quality in 1u8..=100, bit: bool,
    ) {
        let alpha = if bit { Alpha::Bit } else { Alpha::Levels };
        let bitmap = Bitmap::new(8, 5, Layout::Rgba, pixels);
        let indexed = quantise(&bitmap, Wish { colours, quality, alpha }, &Watch::new()).expect("quantised");
        let count = indexed.palette.colours.len();
        prop_assert!((1..=colours.max(1)).contains(&count) && indexed.indices.len() == 40);
        prop_assert!(indexed.indices.iter().all(|&index| usize::from(index) < count));
        if bit {
            prop_assert!(indexed.palette.colours.iter().all(|c| matches!(c[3], 0 | 255)));
        }
    }
}
