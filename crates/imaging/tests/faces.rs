//! `g=face` on photographs of the corpus: faces that a cut round the middle would touch are kept whole. Skips, aloud,
//! where there is no corpus.

mod corpus_folder;

use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::{Bitmap, Limits, Scratch, Setup, Want, Watch, decode, probe, render};

fn file(name: &str) -> Option<Vec<u8>> {
    corpus_folder::path(name).map(|path| std::fs::read(path).expect("a file that is there"))
}

fn decoded(bytes: &[u8]) -> Bitmap {
    let limits = Limits::default();
    let probe = probe(bytes, &limits).expect("a picture");
    decode(bytes, &probe, &Want::EVERYTHING, &limits, &Watch::new(), &mut Scratch::new(0)).expect("decoded").bitmap
}

fn cut(original: &[u8], (width, height): (u32, u32), gravity: &str) -> Bitmap {
    let query = format!("f=png&q=100&w={width}&h={height}&fit=cover&g={gravity}");
    let transform = parse(Some(&query), &Presets::none()).expect("a valid query").transform;
    let variant = Variant { transform, class: FormatClass::Baseline };
    let rendition = render(original, &variant, &Setup::default(), &Watch::new(), &mut Scratch::new(0));
    decoded(&rendition.expect("rendered").bytes)
}

/// Where in the picture a part of it begins, on the axis that is cut.
fn start(all: &Bitmap, part: &Bitmap) -> u32 {
    assert_eq!(all.layout(), part.layout());
    let channels = all.layout().channels();
    let row = part.width() as usize * channels;
    let is_at = |x: u32, y: u32| {
        part.pixels().chunks_exact(row).enumerate().all(|(line, pixels)| {
            let from = ((y as usize + line) * all.width() as usize + x as usize) * channels;
            all.pixels()[from..from + row] == *pixels
        })
    };
    let across = 0..=all.width() - part.width();
    let mut places = across.flat_map(|x| (0..=all.height() - part.height()).map(move |y| (x, y)));
    let (x, y) = places.find(|(x, y)| is_at(*x, *y)).expect("cut and not scaled");
    x + y
}

#[test]
fn faces_are_kept_whole() {
    // The picture, the size of the cut, and from where to where the face goes, from ear to ear or from brow to chin.
    let cases = [
        ("photo-png-kodak/15.png", (400, 512), (370, 705)),
        ("photo-png-kodak/17.png", (512, 240), (150, 290)),
        ("photo-png-clic/9466a908d088d32ee73f04116c40e48c.png", (1371, 800), (560, 1150)),
    ];
    for (name, size, face) in cases {
        let Some(bytes) = file(name) else { return };
        let all = decoded(&bytes);
        let side = if size.0 == all.width() { size.1 } else { size.0 };
        let holds = |start: u32| start <= face.0 && face.1 <= start + side;
        let middle = start(&all, &cut(&bytes, size, "c"));
        assert!(!holds(middle), "{name}: the middle, from {middle}, does as well");
        let found = start(&all, &cut(&bytes, size, "face"));
        assert!(holds(found), "{name}: from {found}");
    }
}

#[test]
fn a_face_is_found_however_the_picture_lies() {
    for orientation in [2, 4, 6, 8] {
        let Some(bytes) = file(&format!("exif-orientation/hopper_orientation_{orientation}.jpg")) else { return };
        let upright = cut(&bytes, (128, 128), "c");
        let from = start(&upright, &cut(&bytes, (128, 64), "face"));
        // From below the cap to the chin; the middle would begin at 32.
        assert!((12..=24).contains(&from), "{orientation}: from {from}");
    }
}

#[test]
fn a_landscape_is_cut_as_by_smart() {
    for name in ["photo-png-kodak/13.png", "photo-png-kodak/20.png", "photo-png-kodak/22.png"] {
        let Some(bytes) = file(name) else { return };
        let (smart, face) = (cut(&bytes, (200, 300), "smart"), cut(&bytes, (200, 300), "face"));
        assert!(smart.pixels() == face.pixels(), "{name}");
    }
}
