//! What is drawn, what is left out, and what is refused before it costs anything.

use super::*;
use crate::geometry::Window;
use crate::limits::Limits;
use crate::op::resize::Resize;
use crate::probe::probe;
use std::time::Instant;

fn read(text: &str, want: &Want) -> Result<Decoded, Error> {
    let limits = Limits::default();
    let header = probe(text.as_bytes(), &limits)?;
    crate::decode::decode(text.as_bytes(), &header, want, &limits, &Watch::new(), &mut Scratch::new(0))
}

fn svg(content: &str) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' width='20' height='10'>{content}</svg>"
    )
}

fn drawn(content: &str) -> Bitmap {
    read(&svg(content), &Want::EVERYTHING).expect("drawn").bitmap
}

fn at(bitmap: &Bitmap, x: u32, y: u32) -> [u8; 4] {
    bitmap.pixels().as_chunks::<4>().0[(y * bitmap.width() + x) as usize]
}

#[test]
fn shapes_are_drawn_and_the_rest_is_transparent() {
    let bitmap = drawn("<rect x='5' width='10' height='10' fill='#ff8000' opacity='0.5'/>");
    assert_eq!((bitmap.width(), bitmap.height(), at(&bitmap, 0, 0)), (20, 10, [0; 4]));
    let [red, green, blue, alpha] = at(&bitmap, 10, 5);
    assert!(red >= 254 && green.abs_diff(128) < 3 && blue == 0 && alpha.abs_diff(128) < 2);
}

#[test]
fn it_is_drawn_at_the_size_that_is_wanted() {
    let window = Window { x: 5.0, y: 0.0, width: 5.0, height: 5.0 };
    let want = Want {
        resize: Some(Resize { window, width: 200, height: 200, resample: Default::default(), bounds: None }),
        ..Want::EVERYTHING
    };
    let Decoded { bitmap, delivered, .. } =
        read(&svg("<rect x='7.5' width='10' height='2.5' fill='red'/>"), &want).expect("drawn");
    assert_eq!((bitmap.width(), bitmap.height(), delivered), (200, 200, Delivered::Resized));
    // Sharp: from nothing to red within one pixel, in both directions.
    assert_eq!((at(&bitmap, 99, 50), at(&bitmap, 100, 50)), ([0; 4], [255, 0, 0, 255]));
    assert_eq!((at(&bitmap, 150, 99), at(&bitmap, 150, 100)), ([255, 0, 0, 255], [0; 4]));
}

#[test]
fn nothing_outside_of_the_document_is_looked_at() {
    let file = std::env::current_dir().expect("a folder").join("tests/golden");
    for link in [
        "http://127.0.0.1:9/a.png".to_owned(),
        "//127.0.0.1/a.png".to_owned(),
        format!("file://{}/a.png", file.display()),
        "../../../../etc/passwd".to_owned(),
    ] {
        let bitmap = drawn(&format!("<image href='{link}' xlink:href='{link}' width='20' height='10'/>"));
        assert!(bitmap.pixels().iter().all(|&value| value == 0), "{link}");
    }
    let entity = "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>".to_owned() + &svg("<text>&x;</text>");
    assert!(read(&entity, &Want::EVERYTHING).map_or_else(|e| matches!(e, Error::Malformed(_)), |_| true));
    let scripts = "<script>while(true){}</script><rect width='20' height='10' onload='while(true){}' fill='lime'/>";
    assert_eq!(at(&drawn(scripts), 3, 3), [0, 255, 0, 255]);
}

#[test]
fn bombs_are_refused_at_once() {
    let doubling = |element: &str| {
        let levels: String = (0..30)
            .map(|n| format!("<g id='l{}'><{element} href='#l{n}'/><{element} href='#l{n}'/></g>", n + 1))
            .collect();
        svg(&format!("<rect id='l0' width='1' height='1'/>{levels}"))
    };
    let patterns: String = (0..20)
        .map(|n| {
            let rect = format!("<rect width='9' height='9' fill='url(#p{n})'/>");
            format!("<pattern id='p{}' width='1' height='1'>{rect}{rect}{rect}</pattern>", n + 1)
        })
        .collect();
    let blurs = "<feGaussianBlur stdDeviation='900'/>".repeat(200);
    let chain: String = (0..5000)
        .map(|n| format!("<mask id='m{}' mask='url(#m{n})'><rect width='9' height='9'/></mask>", n + 1))
        .collect();
    for (what, text) in [
        ("uses", doubling("use")),
        ("patterns", svg(&format!("{patterns}<rect width='9' height='9' fill='url(#p20)'/>"))),
        ("a style sheet", svg(&format!("<style>rect {{ fill: url(#p20) }}</style>{patterns}<rect width='9' height='9'/>"))),
        ("depth", svg(&("<g>".repeat(3000) + &"</g>".repeat(3000)))),
        ("a chain of masks", svg(&format!("{chain}<rect width='9' height='9' mask='url(#m5000)'/>"))),
        ("filters", format!("<svg xmlns='http://www.w3.org/2000/svg' width='4000' height='4000'><filter id='f' x='-1' y='-1' width='3' height='3'>{blurs}</filter><rect width='4000' height='4000' filter='url(#f)'/></svg>")),
        ("entities", "<!DOCTYPE svg [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'><!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'>]>".to_owned() + &svg("<text>&e;</text>")),
        ("a side", "<svg xmlns='http://www.w3.org/2000/svg' width='1e9' height='1e9'/>".to_owned()),
    ] {
        let begun = Instant::now();
        let outcome = read(&text, &Want::EVERYTHING);
        assert!(matches!(outcome, Err(Error::TooLarge { .. } | Error::Malformed(_))), "{what}: {outcome:?}");
        assert!(begun.elapsed().as_secs() < 5, "{what} took {:?}", begun.elapsed());
    }
}

#[test]
fn texts_are_set_in_the_bundled_fonts() {
    let bitmap = drawn("<text x='1' y='9' font-family='Comic Sans MS, cursive' font-size='9'>Tin</text>");
    let inked = bitmap.pixels().as_chunks::<4>().0.iter().filter(|pixel| pixel[3] > 128).count();
    assert!((10..120).contains(&inked), "{inked} pixels of ink");
}

#[test]
fn circles_of_references_end() {
    for content in [
        "<g id='a'><use href='#a'/></g>",
        "<mask id='m' mask='url(#m)'/><rect width='9' height='9' mask='url(#m)'/>",
        "<pattern id='p' width='1' height='1'><rect width='9' height='9' fill='url(#p)'/></pattern><rect width='9' height='9' fill='url(#p)'/>",
    ] {
        drop(read(&svg(content), &Want::EVERYTHING));
    }
}

#[test]
fn a_cancelled_watch_ends_it() {
    let text = svg("<rect width='9' height='9'/>");
    let (limits, watch) = (Limits::default(), Watch::new());
    let header = probe(text.as_bytes(), &limits).expect("probed");
    watch.cancel();
    let file = File { bytes: text.as_bytes(), probe: &header, limits: &limits, watch: &watch };
    let ended = decode(file, &Want::EVERYTHING, &mut Scratch::new(0));
    assert_eq!(ended.map(|_| ()), Err(Error::Cancelled));
}
