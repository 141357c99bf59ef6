//! The order, the sizes, and the law that normal forms plan the same.

use super::*;
use crate::limits::Limits;
use cache_key::Decimal;
use cache_key::transform::{Aspect, Effects, Fit, Length, Size};
use proptest::prelude::*;
use std::num::NonZeroU32;

fn wide(width: u32) -> Transform {
    let size = Size { width: NonZeroU32::new(width).map(Length::Px), ..Size::default() };
    Transform { size, ..Transform::default() }
}

fn names(transform: &Transform, turn: Turn) -> Vec<&'static str> {
    let passes = plan((400, 200), transform, &Setup::default()).expect("planned");
    let delivered = Delivered::Part { x: 0, y: 0, whole: turn.inverse().size((400, 200)) };
    let start = Start { delivered, turn, profile: None };
    passes[0].operations(start).iter().map(|operation| operation.name()).collect()
}

#[test]
fn only_what_is_asked_for_is_done() {
    assert_eq!(names(&wide(100), Turn::default()), ["resize", "place"]);
    assert_eq!(names(&wide(100), Turn::quarters(2)), ["resize", "orient", "place"]);
    let mut transform = wide(100);
    transform.rotate = Decimal::from_int(180);
    assert_eq!(names(&transform, Turn::quarters(2)), ["resize", "place"], "two turns can be none");
    transform.effects =
        Effects { gray: true, blur: Some(Decimal::ONE), sharpen: Some(Decimal::ONE), ..Effects::default() };
    transform.rotate = Decimal::from_int(7);
    assert_eq!(names(&transform, Turn::default()), ["resize", "rotate", "blur", "sharpen", "gray", "place"]);
}

#[test]
fn sizes_are_known_beforehand() {
    let mut transform = Transform { rotate: Decimal::from_int(90), ..wide(100) };
    transform.then = Some(Box::new(wide(10)));
    let passes = plan((400, 200), &transform, &Setup::default()).expect("planned");
    assert_eq!(passes.iter().map(Pass::size).collect::<Vec<_>>(), [(50, 100), (10, 20)]);
    let setup = Setup::from(Limits { output_side: 99, ..Limits::default() });
    assert!(matches!(plan((400, 200), &transform, &setup), Err(Error::TooLarge { .. })));
}

#[test]
fn decoders_are_told_what_is_enough() {
    let mut transform = wide(100);
    let want = |transform: &Transform, turn: Turn| {
        let passes = plan(turn.size((400, 200)), transform, &Setup::default()).expect("planned");
        passes[0].want((400, 200), turn)
    };
    let all = want(&transform, Turn::default());
    assert_eq!((all.min_width, all.min_height, all.region), (150, 75, None));
    assert_eq!(all.resize.map(|resize| (resize.width, resize.height)), Some((100, 50)));
    // Upright it is 200 × 400, and 100 wide afterwards: half of each side.
    assert_eq!(
        (want(&transform, Turn::quarters(1)).min_width, want(&transform, Turn::quarters(1)).min_height),
        (300, 150)
    );
    transform.size.height = transform.size.width;
    transform.fit = Fit::Cover;
    assert_eq!(want(&transform, Turn::default()).region, Some((93, 0, 214, 200)));
}

#[test]
fn a_pass_without_effect_is_known_as_one() {
    let nothing =
        |transform: &Transform| plan((400, 200), transform, &Setup::default()).expect("planned")[0].changes_nothing();
    assert!(nothing(&Transform::default()));
    assert!(nothing(&wide(400)));
    assert!(!nothing(&wide(399)));
    assert!(!nothing(&Transform { rotate: Decimal::from_int(180), ..Transform::default() }));
    let gray = Effects { gray: true, ..Effects::default() };
    assert!(!nothing(&Transform { effects: gray, ..Transform::default() }));
}

fn number(from: i64, to: i64) -> impl Strategy<Value = Decimal> {
    (from..=to).prop_map(Decimal::from_scaled)
}

fn side() -> impl Strategy<Value = Option<NonZeroU32>> {
    proptest::option::of((1u32..400).prop_map(|n| NonZeroU32::new(n).expect("at least 1")))
}

/// Everything that a plan hangs on, also as no URL would write it.
fn geometric() -> impl Strategy<Value = Transform> {
    use cache_key::transform::*;
    let fits = prop::sample::select(vec![
        Fit::ScaleDown,
        Fit::Contain,
        Fit::Cover,
        Fit::Crop,
        Fit::AspectCrop,
        Fit::Pad,
        Fit::Fill,
        Fit::Outside,
    ]);
    let aspect = || {
        let parts = (1u32..20, 1u32..20);
        parts.prop_map(|(w, h)| {
            NonZeroU32::new(w).zip(NonZeroU32::new(h)).map(|(width, height)| Aspect { width, height })
        })
    };
    let size =
        (side(), side(), proptest::option::of(number(1_000, 40_000)), aspect(), side(), side(), any::<[bool; 3]>())
            .prop_map(|(width, height, dpr, aspect, min_width, min_height, [has_aspect, has_least, enlarge])| Size {
                width: width.map(Length::Px),
                height: height.map(Length::Px),
                dpr,
                aspect: aspect.filter(|_| has_aspect),
                min_width: min_width.filter(|_| has_least),
                min_height: min_height.filter(|_| has_least),
                enlarge,
            });
    let extent = || prop_oneof![(0u32..300).prop_map(Extent::Px), number(0, 10_000).prop_map(Extent::Fraction)];
    let crop = proptest::option::of((extent(), extent(), extent(), extent()))
        .prop_map(|crop| crop.map(|(x, y, width, height)| Crop { x, y, width, height }));
    let gravity = prop_oneof![
        Just(Gravity::Centre),
        (-9i32..9, -9i32..9).prop_map(|(x, y)| Gravity::Compass(Compass::Centre, x, y)),
        (-9i32..9, -9i32..9).prop_map(|(x, y)| Gravity::Compass(Compass::SouthEast, x, y)),
        Just(Gravity::Compass(Compass::Centre, 0, 0)),
        (number(0, 10_000), number(0, 10_000)).prop_map(|(x, y)| Gravity::Focal(x, y)),
        Just(Gravity::Smart),
    ];
    let canvas = (proptest::option::of(0u32..20), any::<bool>(), aspect(), side(), any::<[bool; 2]>());
    let rotate = prop_oneof![number(-3_600_000, 3_600_000), (-4i32..5).prop_map(|n| Decimal::from_int(n * 90))];
    (size, fits, crop, gravity, canvas, rotate).prop_map(|(size, fit, crop, gravity, canvas, rotate)| {
        let (pad, extends, aspect, border, [horizontal, vertical]) = canvas;
        let shape = Shape { border: border.map(|width| (width, Colour::BLACK)), ..Shape::default() };
        let pad = pad.map(|n| Pad { top: n, right: 0, bottom: 2 * n, left: n });
        let extend = aspect.filter(|_| extends);
        let flip = Flip { horizontal, vertical };
        Transform { size, fit, crop, gravity, pad, extend, rotate, flip, shape, ..Transform::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Keys are made of normal forms: what is planned must not hang on how it was written.
    #[test]
    fn the_normal_form_plans_the_same(transform in geometric(), width in 1u32..500, height in 1u32..500) {
        let normal = transform.clone().normalised();
        let setup = Setup::from(Limits { output_side: u32::MAX, output_pixels: u64::MAX, ..Limits::default() });
        let passes = plan((width, height), &transform, &setup);
        let normals = plan((width, height), &normal, &setup);
        match (&passes, &normals) {
            (Ok(passes), Ok(normals)) => {
                let seen = |pass: &Pass<'_>| {
                    let plan = pass.plan;
                    let kept = (plan.region, plan.window, plan.size, pass.needs_look());
                    (kept, pass.turn, pass.rotate, pass.canvas, pass.frame, pass.size(), pass.changes_nothing())
                };
                prop_assert_eq!(seen(&passes[0]), seen(&normals[0]));
            }
            (passes, normals) => prop_assert_eq!(passes.is_err(), normals.is_err()),
        }
    }
}

/// Found by the property above: half a pixel is one after rounding, and the other side was twice as long with a minimum.
#[test]
fn a_minimum_of_one_says_nothing() {
    let size = |min_height| {
        let one = NonZeroU32::MIN;
        let size = Size { aspect: Some(Aspect { width: one, height: one }), min_height, ..Size::default() };
        let transform = Transform { size, ..Transform::default() };
        plan((2, 1), &transform, &Setup::default()).expect("planned")[0].size()
    };
    assert_eq!(size(Some(NonZeroU32::MIN)), size(None));
}

#[test]
fn effects_have_one_order() {
    let query = "invert&duotone=000,fff&tint=red&sepia=9&gray&hue=9&sat=9&con=9&bri=9&gam=2&usm=1,1,0&sharpen=1\
                 &pixelate=3&blur=1&bg=fff&radius=3&border=2,000&redact=1,1,2,2&rot=9&w=100";
    let parsed = cache_key::parse(Some(query), &cache_key::Presets::none()).expect("a valid query");
    let expected = "redact resize rotate blur pixelate sharpen unsharp curve saturate hue gray sepia tint duotone curve \
                    flatten place border outline flatten";
    assert_eq!(names(&parsed.transform, Turn::default()).join(" "), expected);
}

#[test]
fn redacted_blocks_follow_the_turn() {
    let parsed = cache_key::parse(Some("redact=10,20,30,40&w=9"), &cache_key::Presets::none());
    let transform = parsed.expect("a valid query").transform;
    // Upright 200 × 400, stored 400 × 200: turned clockwise, the upper edge was the left one.
    let passes = plan((200, 400), &transform, &Setup::default()).expect("planned");
    let start = |whole| {
        let delivered = Delivered::Part { x: 0, y: 0, whole };
        Start { delivered, turn: Turn::quarters(1), profile: None }
    };
    let blocks = |start: &Start| passes[0].redact(start).expect("something to redact").blocks;
    assert_eq!(blocks(&start((400, 200))), [Rect { x: 20, y: 160, width: 40, height: 30 }]);
    // A decoder that scales mixes pixels: one more on each side.
    assert_eq!(blocks(&start((200, 100))), [Rect { x: 9, y: 79, width: 22, height: 17 }]);
    let resized = Start { delivered: Delivered::Resized, ..start((1, 1)) };
    assert_eq!(blocks(&resized)[0].width, u32::MAX, "nothing rather than too much");
    assert_eq!(passes[0].want((400, 200), Turn::quarters(1)), Want::EVERYTHING);
    assert!(!passes[0].changes_nothing());
}
