//! sharp's 602 cases, the promises of the invariants over random input, and cases named one by one.

use super::*;
use cache_key::Decimal;
use cache_key::transform::{Aspect, Compass, Length, Size};
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::path::PathBuf;

fn px(value: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(value)
}

fn boxed(width: u32, height: u32, fit: Fit, enlarge: bool) -> Transform {
    let size =
        Size { width: px(width).map(Length::Px), height: px(height).map(Length::Px), enlarge, ..Size::default() };
    Transform { size, fit, ..Transform::default() }
}

/// The size of the whole result: canvas and all.
fn result(source: (u32, u32), transform: &Transform) -> (u32, u32) {
    let plan = plan(source, transform, Seen::default()).expect("planned");
    let canvas = plan.canvas(plan.size, false);
    (canvas.width, canvas.height)
}

#[test]
fn rounds_like_sharp() {
    let shared = std::env::var_os("TINTYPE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = shared.join("vectors/sharp-live-geometry.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no shared vectors next to the repository");
        return;
    };
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let vectors = json["vectors"].as_array().expect("vectors");
    assert_eq!(vectors.len(), 602);
    let side = |value: &serde_json::Value| value.as_u64().unwrap_or(0) as u32;
    for vector in vectors {
        let fit = match vector["fit"].as_str().expect("fit") {
            "cover" => Fit::Cover,
            "contain" => Fit::Pad,
            "fill" => Fit::Fill,
            "inside" => Fit::Contain,
            "outside" => Fit::Outside,
            other => panic!("unknown fit {other}"),
        };
        let enlarge = !vector["withoutEnlargement"].as_bool().expect("bool");
        let transform = boxed(side(&vector["width"]), side(&vector["height"]), fit, enlarge);
        let source = (side(&vector["input"][0]), side(&vector["input"][1]));
        assert_eq!(result(source, &transform), (side(&vector["output"][0]), side(&vector["output"][1])), "{vector}");
    }
}

/// A sample of sharp's cases that is always there.
#[test]
fn every_fit_has_its_size() {
    let cases = [
        (Fit::ScaleDown, true, (200, 100)),
        (Fit::Contain, true, (300, 150)),
        (Fit::Contain, false, (200, 100)),
        (Fit::Cover, true, (300, 300)),
        (Fit::Cover, false, (200, 100)),
        (Fit::Crop, true, (100, 100)),
        (Fit::AspectCrop, true, (100, 100)),
        (Fit::Pad, false, (300, 300)),
        (Fit::Fill, true, (300, 300)),
        (Fit::Fill, false, (200, 100)),
        (Fit::Outside, true, (600, 300)),
    ];
    for (fit, enlarge, expected) in cases {
        assert_eq!(result((200, 100), &boxed(300, 300, fit, enlarge)), expected, "{fit:?} enlarge={enlarge}");
    }
}

/// imgproxy's `fill-down`: the box shrinks with its shape kept.
#[test]
fn crop_shrinks_the_box() {
    assert_eq!(result((200, 100), &boxed(300, 125, Fit::Crop, false)), (200, 83));
    assert_eq!(result((200, 100), &boxed(250, 300, Fit::Crop, false)), (83, 100));
    assert_eq!(result((200, 100), &boxed(50, 20, Fit::Crop, false)), (50, 20));
    assert_eq!(result((200, 100), &boxed(0, 200, Fit::Crop, false)), (200, 100));
}

#[test]
fn dpr_multiplies_box_and_padding() {
    let mut transform = boxed(100, 50, Fit::Pad, false);
    transform.size.dpr = Some(Decimal::from_scaled(15_000));
    transform.pad = Some(Pad { top: 1, right: 2, bottom: 3, left: 4 });
    assert_eq!(result((1000, 1000), &transform), (150 + 3 + 6, 75 + 2 + 5));
    let canvas = plan((1000, 1000), &transform, Seen::default()).expect("planned").canvas((75, 75), false);
    assert_eq!((canvas.x, canvas.y), (37 + 6, 2));
}

#[test]
fn aspect_gives_the_open_side() {
    let aspect = Some(Aspect { width: px(16).expect("16"), height: px(9).expect("9") });
    for (width, height, expected) in [(320, 0, (320, 180)), (0, 180, (320, 180)), (0, 0, (1000, 563))] {
        let mut transform = boxed(width, height, Fit::Cover, false);
        transform.size.aspect = aspect;
        assert_eq!(result((1000, 1000), &transform), expected);
    }
}

#[test]
fn least_sides_win() {
    let mut transform = boxed(100, 0, Fit::ScaleDown, false);
    transform.size.min_height = px(200);
    assert_eq!(result((1000, 500), &transform), (400, 200));
    transform.size.min_height = px(600);
    assert_eq!(result((1000, 500), &transform), (1200, 600));
}

#[test]
fn crop_comes_before_the_box() {
    let mut transform = boxed(100, 100, Fit::Cover, false);
    let half = Extent::Fraction(Decimal::from_scaled(5_000));
    transform.crop = Some(Crop { x: half, y: Extent::Px(0), width: half, height: Extent::Px(9_999) });
    let plan = plan((800, 400), &transform, Seen::default()).expect("planned");
    assert_eq!(plan.region, Rect { x: 400, y: 0, width: 400, height: 400 });
    assert_eq!(plan.window, Window { x: 400.0, y: 0.0, width: 400.0, height: 400.0 });
}

#[test]
fn a_crop_outside_is_refused() {
    let outside = Crop { x: Extent::Px(800), y: Extent::Px(0), width: Extent::Px(1), height: Extent::Px(1) };
    let transform = Transform { crop: Some(outside), ..Transform::default() };
    assert!(matches!(plan((800, 400), &transform, Seen::default()), Err(Error::Impossible(_))));
}

#[test]
fn gravity_decides_what_survives() {
    let window = |gravity| {
        let transform = Transform { gravity, ..boxed(100, 100, Fit::Cover, false) };
        let plan = plan((400, 200), &transform, Seen::default()).expect("planned");
        (plan.window.x, plan.window.y)
    };
    assert_eq!(window(Gravity::Centre), (100.0, 0.0));
    assert_eq!(window(Gravity::Compass(Compass::West, 0, 0)), (0.0, 0.0));
    assert_eq!(window(Gravity::Compass(Compass::East, 0, 0)), (200.0, 0.0));
    assert_eq!(window(Gravity::Compass(Compass::East, 10, 0)), (180.0, 0.0));
    assert_eq!(window(Gravity::Compass(Compass::SouthWest, -10, 50)), (0.0, 0.0));
    assert_eq!(window(Gravity::Focal(Decimal::from_scaled(7_500), Decimal::ZERO)), (200.0, 0.0));
    assert_eq!(window(Gravity::Focal(Decimal::from_scaled(4_000), Decimal::ZERO)), (60.0, 0.0));
}

#[test]
fn output_limits_refuse() {
    let limits = Limits { output_side: 1000, output_pixels: 500_000, ..Limits::default() };
    assert!(check_output((1000, 500), &limits).is_ok());
    assert!(matches!(check_output((1001, 1), &limits), Err(Error::TooLarge { value: 1001, .. })));
    assert!(matches!(check_output((1000, 501), &limits), Err(Error::TooLarge { value: 501_000, .. })));
}

fn any_fit() -> impl Strategy<Value = Fit> {
    prop::sample::select(vec![
        Fit::ScaleDown,
        Fit::Contain,
        Fit::Cover,
        Fit::Crop,
        Fit::AspectCrop,
        Fit::Pad,
        Fit::Fill,
        Fit::Outside,
    ])
}

fn any_gravity() -> impl Strategy<Value = Gravity> {
    let fraction = 0..=Decimal::SCALE;
    prop_oneof![
        Just(Gravity::Centre),
        (fraction.clone(), fraction)
            .prop_map(|(x, y)| Gravity::Focal(Decimal::from_scaled(x), Decimal::from_scaled(y))),
        (-3000..3000, -3000..3000).prop_map(|(x, y)| Gravity::Compass(Compass::NorthEast, x, y)),
    ]
}

prop_compose! {
    fn any_transform()(
        width in 0u32..5000, height in 0u32..5000, fit in any_fit(), enlarge: bool, gravity in any_gravity(),
        dpr in 1_000i64..80_000, min in (0u32..600, 0u32..600),
        aspect in prop::option::of((1u32..40, 1u32..40)),
        crop in prop::option::of((0u32..9000, 0u32..9000, 1i64..10_000, 1i64..10_000)),
    ) -> Transform {
        let mut transform = boxed(width, height, fit, enlarge);
        transform.size.dpr = Some(Decimal::from_scaled(dpr));
        transform.size.min_width = px(min.0);
        transform.size.min_height = px(min.1);
        transform.size.aspect =
            aspect.map(|(w, h)| Aspect { width: px(w).expect("not 0"), height: px(h).expect("not 0") });
        transform.gravity = gravity;
        transform.crop = crop.map(|(x, y, w, h)| Crop {
            x: Extent::Px(x), y: Extent::Px(y),
            width: Extent::Fraction(Decimal::from_scaled(w)), height: Extent::Fraction(Decimal::from_scaled(h)),
        });
        transform
    }
}

proptest! {
    #[test]
    fn windows_lie_inside(source in (1u32..9000, 1u32..9000), transform in any_transform()) {
        let Ok(plan) = plan(source, &transform, Seen::default()) else { return Ok(()) };
        prop_assert!(plan.size.0 > 0 && plan.size.1 > 0);
        let (region, window) = (plan.region, plan.window);
        prop_assert!(region.width > 0 && region.x + region.width <= source.0);
        prop_assert!(region.height > 0 && region.y + region.height <= source.1);
        prop_assert!(window.width > 0.0 && window.height > 0.0);
        prop_assert!(window.x >= f64::from(region.x) && window.y >= f64::from(region.y));
        prop_assert!(window.x + window.width <= f64::from(region.x + region.width) + 1e-6);
        prop_assert!(window.y + window.height <= f64::from(region.y + region.height) + 1e-6);
        let canvas = plan.canvas(plan.size, false);
        prop_assert!(canvas.x + plan.size.0 <= canvas.width && canvas.y + plan.size.1 <= canvas.height);
    }

    #[test]
    fn stays_inside_the_box(
        source in (1u32..9000, 1u32..9000), bounds in (1u32..5000, 1u32..5000), fit in any_fit(), enlarge: bool,
    ) {
        prop_assume!(!matches!(fit, Fit::Outside | Fit::AspectCrop));
        let size = result(source, &boxed(bounds.0, bounds.1, fit, enlarge));
        prop_assert!(size.0 <= bounds.0 && size.1 <= bounds.1, "{:?}", size);
    }

    #[test]
    fn never_enlarges_unasked(
        source in (1u32..9000, 1u32..9000), bounds in (0u32..5000, 0u32..5000), fit in any_fit(),
    ) {
        prop_assume!(fit != Fit::Pad);
        let size = result(source, &boxed(bounds.0, bounds.1, fit, false));
        prop_assert!(size.0 <= source.0 && size.1 <= source.1, "{:?}", size);
    }

    #[test]
    fn keeps_the_shape(source in (1u32..9000, 1u32..9000), bounds in (1u32..5000, 1u32..5000), enlarge: bool) {
        for fit in [Fit::ScaleDown, Fit::Contain, Fit::Outside, Fit::Cover] {
            let plan = plan(source, &boxed(bounds.0, bounds.1, fit, enlarge), Seen::default()).expect("planned");
            // Pixels of the original per pixel of the result, on both axes: equal but for the rounding of a side.
            let (across, down) = (plan.window.width / f64::from(plan.size.0), plan.window.height / f64::from(plan.size.1));
            let (w, h) = plan.scaled_source();
            let error = (w - w * across / down).abs().min((h - h * down / across).abs());
            // A side that would vanish is held at one pixel, whatever the shape.
            prop_assert!(error <= 1.0 || plan.size.0 == 1 || plan.size.1 == 1, "{fit:?} {error} {plan:?}");
        }
    }

    #[test]
    fn the_focal_point_survives(
        source in (1u32..9000, 1u32..9000), bounds in (1u32..3000, 1u32..3000),
        x in 0..=Decimal::SCALE, y in 0..=Decimal::SCALE,
    ) {
        let mut transform = boxed(bounds.0, bounds.1, Fit::Cover, false);
        let point = (Decimal::from_scaled(x), Decimal::from_scaled(y));
        transform.gravity = Gravity::Focal(point.0, point.1);
        let plan = plan(source, &transform, Seen::default()).expect("planned");
        // Within one pixel of the result: a cut is of whole pixels.
        let step = (plan.window.width / f64::from(plan.size.0), plan.window.height / f64::from(plan.size.1));
        let at = (point.0.to_f64() * f64::from(source.0), point.1.to_f64() * f64::from(source.1));
        prop_assert!(at.0 >= plan.window.x - step.0 && at.0 <= plan.window.x + plan.window.width + step.0);
        prop_assert!(at.1 >= plan.window.y - step.1 && at.1 <= plan.window.y + plan.window.height + step.1);
    }
}
