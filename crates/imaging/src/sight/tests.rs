//! What is seen, in pictures drawn for it.

use super::*;
use crate::bitmap::Layout;
use crate::geometry::{self, Seen};

fn view(bitmap: &Bitmap, turn: Turn) -> View<'_> {
    View { bitmap, origin: (0, 0), whole: (bitmap.width(), bitmap.height()), turn, profile: None }
}

/// A block of `inside` on `outside`, 40 × 30.
fn block(layout: Layout, inside: [u8; 4], outside: [u8; 4], rect: Rect) -> Bitmap {
    let channels = match layout {
        Layout::Gray => 0..1,
        Layout::Rgb => 0..3,
        Layout::Rgba => 0..4,
    };
    let pixels = (0..40 * 30u32).flat_map(|i| {
        let (x, y) = (i % 40, i / 40);
        let is_inside = x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height;
        (if is_inside { inside } else { outside })[channels.clone()].to_vec()
    });
    Bitmap::new(40, 30, layout, pixels.collect())
}

const RECT: Rect = Rect { x: 5, y: 3, width: 12, height: 20 };
const AUTO: Trim = Trim { tolerance: 10, colour: None };

fn trimmed(bitmap: &Bitmap, trim: Trim, turn: Turn) -> Option<Rect> {
    let size = turn.size((bitmap.width(), bitmap.height()));
    view(bitmap, turn).trimmed(trim, size, &Watch::new()).expect("looked at")
}

#[test]
fn edges_are_found() {
    let (white, blue) = ([255; 4], [20, 40, 200, 255]);
    for layout in [Layout::Gray, Layout::Rgb, Layout::Rgba] {
        let bitmap = block(layout, blue, white, RECT);
        assert_eq!(trimmed(&bitmap, AUTO, Turn::default()), Some(RECT), "{layout:?}");
    }
    // Nothing is seen of the colours: the alpha is what differs.
    let bitmap = block(Layout::Rgba, [9, 9, 9, 255], [255, 0, 0, 0], RECT);
    assert_eq!(trimmed(&bitmap, AUTO, Turn::default()), Some(RECT));
}

#[test]
fn it_follows_the_turn() {
    let bitmap = block(Layout::Rgb, [0, 0, 0, 255], [200, 200, 200, 255], RECT);
    // Clockwise: what was 30 − 3 − 20 from the bottom is that far from the left.
    let expected = Rect { x: 7, y: 5, width: 20, height: 12 };
    assert_eq!(trimmed(&bitmap, AUTO, Turn::quarters(1)), Some(expected));
}

#[test]
fn tolerance_and_colour_decide() {
    let near = block(Layout::Gray, [245, 0, 0, 0], [255, 0, 0, 0], RECT);
    assert_eq!(trimmed(&near, AUTO, Turn::default()), None, "10 levels are within 10");
    assert_eq!(trimmed(&near, Trim { tolerance: 9, ..AUTO }, Turn::default()), Some(RECT));
    let bitmap = block(Layout::Rgb, [0, 0, 255, 255], [255, 0, 0, 255], RECT);
    let blue = Trim { colour: Some(Colour::opaque(0x00_00ff)), ..AUTO };
    assert_eq!(trimmed(&bitmap, blue, Turn::default()), None, "the edge is not blue");
    let red = Trim { colour: Some(Colour::opaque(0xff_0000)), ..AUTO };
    assert_eq!(trimmed(&bitmap, red, Turn::default()), Some(RECT));
}

#[test]
fn an_even_picture_and_specks_are_left() {
    let even = Bitmap::new(40, 30, Layout::Gray, vec![7; 1200]);
    assert_eq!(trimmed(&even, AUTO, Turn::default()), None);
    let mut specks = block(Layout::Gray, [0; 4], [255; 4], RECT);
    specks.pixels_mut()[28 * 40 + 35] = 0;
    (0..40).for_each(|x| specks.pixels_mut()[26 * 40 + x] = 0);
    assert_eq!(trimmed(&specks, AUTO, Turn::default()), Some(RECT), "a speck and a hairline");
    let one = Bitmap::new(1, 1, Layout::Gray, vec![7]);
    assert_eq!(trimmed(&one, AUTO, Turn::default()), None);
}

/// The start of a square cut from a picture of 300 × 100.
fn cut(gravity: Gravity, draw: impl Fn(u32, u32) -> [u8; 3]) -> f64 {
    let bitmap = Bitmap::new(300, 100, Layout::Rgb, (0..30_000).flat_map(|i| draw(i % 300, i / 300)).collect());
    let transform = cache_key::parse(Some("w=100&h=100&fit=cover"), &cache_key::Presets::none());
    let transform = transform.expect("a valid query").transform;
    let plan = geometry::plan((300, 100), &transform, Seen::default()).expect("planned");
    assert!(cuts(&plan));
    let focus = view(&bitmap, Turn::default()).focus(gravity, &plan, &Watch::new()).expect("looked at");
    let seen = Seen { focus, ..Seen::default() };
    geometry::plan((300, 100), &transform, seen).expect("planned").window.x
}

#[test]
fn a_face_s_colour_is_looked_at() {
    let sky = |x: u32, y: u32| {
        let (dx, dy) = (f64::from(x) - 240.0, f64::from(y) - 50.0);
        if dx.hypot(dy) < 25.0 { [210, 155, 120] } else { [90, 130, 190] }
    };
    let start = cut(Gravity::Smart, sky);
    assert!((180.0..=200.0).contains(&start), "{start}");
    // A dark skin likewise.
    let dark = |x: u32, y: u32| if sky(x, y) == [210, 155, 120] { [110, 75, 55] } else { [60, 90, 60] };
    let start = cut(Gravity::Smart, dark);
    assert!((180.0..=200.0).contains(&start), "{start}");
}

#[test]
fn detail_is_looked_at_and_nothing_means_the_middle() {
    let noisy = |x: u32, y: u32| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 7;
        [if x < 110 { noise as u8 } else { 128 }; 3]
    };
    for gravity in [Gravity::Smart, Gravity::Entropy] {
        let start = cut(gravity, noisy);
        assert!(start <= 12.0, "{gravity:?}: {start}");
        assert_eq!(cut(gravity, |_, _| [77; 3]), 100.0, "{gravity:?}");
    }
}
