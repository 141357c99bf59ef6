//! Faces in pictures: which cut is best, that nothing drawn is too much, and photographs where the corpus is there.

use super::*;
use crate::bitmap::{Bitmap, Layout};
use crate::geometry::{self, Seen};
use crate::op::orient::Turn;
use proptest::prelude::*;

fn face(across: Span, down: Span, weight: f64) -> Face {
    Face { across, down, weight }
}

#[test]
fn the_most_of_all_faces_is_kept() {
    let near = |got: Option<(f64, f64)>, (x, y): (f64, f64)| {
        let got = got.expect("there are faces");
        assert!((got.0 - x).abs() < 1e-9 && (got.1 - y).abs() < 1e-9, "{got:?}, not {:?}", (x, y));
    };
    assert_eq!(best(&[], (0.5, 1.0)), None);
    let left = face((0.1, 0.2), (0.2, 0.4), 48.0);
    let (a, b) = (face((0.6, 0.7), (0.1, 0.3), 40.0), face((0.8, 0.9), (0.5, 0.7), 40.0));
    near(best(&[left], (0.5, 1.0)), (0.15, 0.3));
    // Two count for more than one that is a little larger, and the middle is the middle of both.
    near(best(&[left, a, b], (0.5, 1.0)), (0.75, 0.4));
    // All fit.
    near(best(&[left, a, b], (0.9, 1.0)), (0.5, 0.4));
    // Where only one fits, the largest.
    near(best(&[left, a, b], (0.15, 1.0)), (0.15, 0.3));
    let large = face((0.0, 0.3), (0.2, 0.6), 144.0);
    near(best(&[large, a, b], (0.5, 1.0)), (0.15, 0.4));
    // Larger than the cut: its middle.
    near(best(&[large, a, b], (0.05, 0.05)), (0.15, 0.4));
    // Down counts like across.
    near(best(&[left, a, b], (1.0, 0.2)), (0.15, 0.3));
}

fn gray(width: usize, height: usize, level: impl Fn(usize, usize) -> u8) -> Gray {
    let levels = (0..width * height).map(|i| level(i % width, i / width)).collect();
    Gray { width, height, levels }
}

fn noise(seed: u32, x: usize, y: usize) -> u8 {
    let mixed = (x as u32).wrapping_mul(2_654_435_761) ^ (y as u32).wrapping_mul(2_246_822_519) ^ seed;
    (mixed.wrapping_mul(3_266_489_917) >> 13) as u8
}

#[test]
fn nothing_is_found_where_nothing_is() {
    for picture in [gray(120, 90, |_, _| 200), gray(39, 200, |x, _| x as u8), gray(160, 120, |x, y| noise(7, x, y))] {
        assert_eq!(cascade::faces(&picture, &Watch::new()), Ok(Vec::new()));
    }
    let watch = Watch::new();
    watch.cancel();
    assert_eq!(cascade::faces(&gray(80, 80, |x, _| x as u8), &watch), Err(Error::Cancelled));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the size, the colours and the cut: an answer, the same each time, inside the picture.
    #[test]
    fn every_picture_has_an_answer(
        size in (1u32..180, 1u32..180), kind in 0..4, seed: u32, quarters in 0u32..4, kept in (1u32..100, 1u32..100),
    ) {
        let layout = [Layout::Gray, Layout::Rgb, Layout::Rgba][seed as usize % 3];
        let channels = layout.channels();
        let pixels = (0..size.0 as usize * size.1 as usize * channels).map(|i| {
            let (x, y) = (i / channels % size.0 as usize, i / channels / size.0 as usize);
            match kind {
                0 => seed as u8,
                1 => noise(seed, x, y),
                2 => noise(seed, x / 6, y / 5),
                _ => ((x * 3 + y * 5) as u32 ^ seed) as u8,
            }
        });
        let bitmap = Bitmap::new(size.0, size.1, layout, pixels.collect());
        let turn = Turn::quarters(quarters);
        let view = View { bitmap: &bitmap, origin: (0, 0), whole: size, turn, profile: None };
        let query = format!("w={}&h={}&fit=cover", kept.0, kept.1);
        let transform = cache_key::parse(Some(&query), &cache_key::Presets::none()).expect("a valid query").transform;
        let plan = geometry::plan(turn.size(size), &transform, Seen::default()).expect("planned");
        let kept = (plan.window.width / f64::from(plan.region.width), plan.window.height / f64::from(plan.region.height));
        let focus = focus(&view, &plan, kept, &Watch::new()).expect("looked at");
        if let Some((x, y)) = focus {
            prop_assert!((0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y), "{x}, {y}");
        }
        prop_assert_eq!(super::focus(&view, &plan, kept, &Watch::new()).expect("looked at"), focus);
    }

    /// Squares that a judge could name, inside the picture or beside it, are cut out without a fault.
    #[test]
    fn windows_reach_out_of_the_picture(x in -900..900i32, y in -900..900i32, side in 2usize..900) {
        let picture = gray(50, 40, |x, y| noise(1, x, y) | 1);
        let pixels = picture.window(x, y, side);
        let touches = x < 50 && y < 40 && x + side as i32 > 0 && y + (side as i32) > 0;
        prop_assert!(touches || pixels.iter().all(|pixel| *pixel == 0));
    }
}
