//! `hdr=keep` through a render: Ultra HDR files that are made here, byte by byte, and taken apart again by hand, so that
//! nothing is judged by the code that wrote it.

mod corpus_folder;

use cache_key::transform::{Chroma, Codec};
use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::embed::{Attachments, attach};
use imaging::encode::{Settings, encode};
use imaging::metadata::{self, xmp};
use imaging::{Bitmap, Error, Layout, Limits, Product, Rendition, Scratch, Setup, SourceFormat, Want, Watch, color};

fn variant(query: &str) -> Variant {
    let parsed = parse(Some(query), &Presets::none()).expect("a valid query");
    Variant { transform: parsed.transform, class: FormatClass::Baseline }
}

fn rendered(original: &[u8], query: &str) -> Result<Rendition, Error> {
    imaging::render(original, &variant(query), &Setup::default(), &Watch::new(), &mut Scratch::new(64 << 20))
}

fn encoded(bitmap: Bitmap, codec: Codec) -> Vec<u8> {
    let settings = Settings { chroma: Chroma::C444, ..Settings::new(codec, 95) };
    encode(bitmap, &settings, &Watch::new(), &mut Scratch::new(0)).expect("encodes")
}

fn decoded(bytes: &[u8]) -> Bitmap {
    let limits = Limits::default();
    let probe = imaging::probe(bytes, &limits).expect("a header");
    let decoded = imaging::decode(bytes, &probe, &Want::EVERYTHING, &limits, &Watch::new(), &mut Scratch::new(0));
    decoded.expect("decodes").bitmap
}

/// Dark, with a bright quarter at the top left.
fn marked(width: u32, height: u32, layout: Layout) -> Bitmap {
    let bright = |at: u32| at % width < width / 4 && at / width < height / 4;
    let values = (0..width * height).flat_map(|at| vec![if bright(at) { 250 } else { 5 }; layout.channels()]);
    Bitmap::new(width, height, layout, values.collect())
}

const PACKET: &str = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" REST/>
</rdf:RDF></x:xmpmeta>"#;
const GAINS: &str = r#"hdrgm:GainMapMin="-1.5" hdrgm:GainMapMax="1.5" hdrgm:Gamma="1.25" hdrgm:OffsetSDR="0.015625"
 hdrgm:OffsetHDR="0.03125" hdrgm:HDRCapacityMin="0" hdrgm:HDRCapacityMax="2.75" hdrgm:BaseRenditionIsHDR="False""#;
/// 255 × 0.5^1.25.
const NEUTRAL: u8 = 107;
const URN: &[u8] = b"urn:iso:std:iso:ts:21496:-1\0";

fn segment(marker: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u16::try_from(body.len() + 2).expect("test bodies are short");
    [&[0xFF, marker], length.to_be_bytes().as_slice(), &body].concat()
}

/// The same gains by ISO 21496-1, in fractions of 32 and of 64.
fn iso() -> Vec<u8> {
    let numbers: [i32; 14] = [0, 1, 11, 4, -3, 2, 3, 2, 5, 4, 1, 64, 1, 32];
    [&[0, 0, 0, 0, 0x40], numbers.map(i32::to_be_bytes).as_flattened()].concat()
}

/// A first and a second picture as a camera joins them: XMP, and an index in the Intel order.
fn ultra_hdr(first: &[u8], second: &[u8], gains: &str, iso: Option<&[u8]>) -> Vec<u8> {
    let xmp = |rest: &str| segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", PACKET.replace("REST", rest).as_bytes()]);
    let urn = |body: &[u8]| segment(0xE2, &[URN, body]);
    let with = |parts: Vec<Vec<u8>>, file: &[u8]| [&file[..2], &parts.concat(), &file[2..]].concat();
    let second = with(vec![xmp(gains), iso.map(urn).unwrap_or_default()], second);
    let first = with(vec![xmp(""), iso.map(|_| urn(&[0; 4])).unwrap_or_default()], first);
    let index = |first: usize, second: usize| {
        let mut out = b"MPF\0II*\0\x08\0\0\0\x01\0\x02\xB0\x07\0\x20\0\0\0\x1A\0\0\0\0\0\0\0".to_vec();
        // The segment is the first one; offsets count from behind SOI, its marker, its length and its name.
        let numbers = [0x0003_0000, first, 0, 0, 0, second, first - 10, 0];
        numbers.iter().for_each(|number| out.extend(u32::try_from(*number).expect("small").to_le_bytes()));
        segment(0xE2, &[&out])
    };
    let length = first.len() + index(10, 0).len();
    [with(vec![index(length, second.len())], &first), second].concat()
}

/// Both pictures of a file of ours, by the numbers of its index; `None` without one.
fn taken_apart(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let base = file.windows(8).position(|bytes| bytes == b"MPF\0MM\0*")? + 4;
    let number =
        |at: usize| u32::from_be_bytes(file[base + at..base + at + 4].try_into().expect("four bytes")) as usize;
    assert_eq!((number(4), number(18)), (8, 0x3031_3030), "one directory, version 0100");
    assert_eq!(number(30), 2, "two pictures");
    let entries = number(42);
    let [first, second, offset] = [4, 20, 24].map(|at| number(entries + at));
    assert_eq!((first + second, base + offset), (file.len(), first), "lengths and offsets are exact");
    let (first, second) = file.split_at(first);
    for picture in [first, second] {
        assert!(picture.starts_with(b"\xFF\xD8\xFF") && picture.ends_with(b"\xFF\xD9"));
    }
    Some((first, second))
}

fn property(file: &[u8], name: &str) -> Option<String> {
    let found = metadata::read(file, SourceFormat::Jpeg);
    let properties = xmp::properties(found.xmp.as_deref()?);
    properties.into_iter().find(|property| property.name == name).map(|property| property.texts.join(" "))
}

fn camera_file() -> Vec<u8> {
    let first = encoded(marked(256, 192, Layout::Rgb), Codec::Jpeg);
    ultra_hdr(&first, &encoded(marked(64, 48, Layout::Gray), Codec::Jpeg), GAINS, Some(&iso()))
}

#[test]
fn values_survive_and_the_container_is_exact() {
    let result = rendered(&camera_file(), "w=128&hdr=keep").expect("renders");
    assert_eq!((result.width, result.height, result.product), (128, 96, Product::Picture(Codec::Jpeg)));
    let (first, second) = taken_apart(&result.bytes).expect("two pictures");
    for (name, expected) in [
        ("Version", "1.0"),
        ("GainMapMin", "-1.5"),
        ("GainMapMax", "1.5"),
        ("Gamma", "1.25"),
        ("OffsetSDR", "0.015625"),
        ("OffsetHDR", "0.03125"),
        ("HDRCapacityMin", "0"),
        ("HDRCapacityMax", "2.75"),
        ("BaseRenditionIsHDR", "False"),
    ] {
        assert_eq!(property(second, &format!("hdrgm:{name}")).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(property(first, "hdrgm:Version").as_deref(), Some("1.0"));
    let packet = metadata::read(first, SourceFormat::Jpeg).xmp.expect("a packet").into_owned();
    let packet = String::from_utf8(packet).expect("text");
    assert!(
        packet
            .contains(&format!("Item:Semantic=\"GainMap\" Item:Mime=\"image/jpeg\" Item:Length=\"{}\"", second.len()))
    );
    // ISO's segments: versions in the first picture, all of it in the second.
    let at = |file: &[u8]| file.windows(URN.len()).position(|bytes| bytes == URN).expect("its name") + URN.len();
    assert_eq!(first[at(first) - URN.len() - 2..at(first) - URN.len()], [0, 34]);
    assert_eq!(second[at(second)..][..iso().len()], iso());
    let (picture, map) = (decoded(first), decoded(second));
    assert_eq!((picture.width(), picture.height(), picture.layout()), (128, 96, Layout::Rgb));
    assert_eq!((map.width(), map.height(), map.layout()), (32, 24, Layout::Gray));
    // And what was written is kept again.
    let again = rendered(&result.bytes, "w=64&hdr=keep").expect("renders");
    let (_, map) = taken_apart(&again.bytes).expect("two pictures");
    assert_eq!((decoded(map).width(), property(map, "hdrgm:Gamma").as_deref()), (16, Some("1.25")));
}

/// Size of the gain map, and the mean of its value in the quarter of the quarter at each corner.
fn corners(query: &str, original: &[u8]) -> ((u32, u32), [u8; 4]) {
    let result = rendered(original, &format!("{query}&hdr=keep")).expect("renders");
    let (first, second) = taken_apart(&result.bytes).unwrap_or_else(|| panic!("{query}: two pictures"));
    let (picture, map) = (decoded(first), decoded(second));
    let shape = |bitmap: &Bitmap| f64::from(bitmap.width()) / f64::from(bitmap.height());
    assert!((shape(&picture) / shape(&map) - 1.0).abs() < 0.03, "{query}: one covers the other");
    let (width, height) = (map.width() as usize, map.height() as usize);
    let channels = map.layout().channels();
    let value = |x: usize, y: usize| map.pixels()[(y * width + x) * channels];
    let (x, y) = (width / 10, height / 10);
    let (right, bottom) = (width - 1 - x, height - 1 - y);
    ((map.width(), map.height()), [value(x, y), value(right, y), value(x, bottom), value(right, bottom)])
}

#[test]
fn the_bright_corner_stays_where_the_picture_s_is() {
    let original = camera_file();
    let [tl, tr, bl, br] = [0b1000, 0b0100, 0b0010, 0b0001];
    for (query, size, bright) in [
        ("w=256", (64, 48), tl),
        ("w=100", (25, 19), tl),
        ("w=128&flip=h", (32, 24), tr),
        ("w=128&flip=v", (32, 24), bl),
        ("rot=90", (48, 64), tr),
        ("rot=180&w=128", (32, 24), br),
        ("rot=270", (48, 64), bl),
        ("rot=90&flip=h", (48, 64), tl),
        ("crop=0,0,64,48", (16, 12), tl | tr | bl | br),
        ("crop=32,24,64,48", (16, 12), tl),
        ("crop=128,96,128,96", (32, 24), 0),
        ("w=96&h=96&fit=cover&g=w", (24, 24), tl),
        ("w=96&h=96&fit=cover&g=e", (24, 24), 0),
        ("w=128&fit=fill&h=128", (32, 32), tl),
        ("trim", (64, 48), tl),
        ("w=200&then=w=100;rot=90", (19, 25), tr),
        ("w=128&sharpen=1&bri=10&sat=20&gray&sepia=50", (32, 24), tl),
    ] {
        let (found, values) = corners(query, &original);
        let above: u8 = values.iter().fold(0, |bits, &value| bits << 1 | u8::from(value > 128));
        assert_eq!((found, above), (size, bright), "{query}: {values:?}");
    }
}

#[test]
fn what_lies_round_the_picture_is_neutral() {
    let original = camera_file();
    for query in ["w=128&h=192&fit=pad&bg=204060", "w=128&pad=40", "w=128&extend=1:2", "w=128&rot=45&f=jpeg"] {
        let (_, values) = corners(query, &original);
        for value in values {
            assert!(value.abs_diff(NEUTRAL) <= 4, "{query}: {values:?}");
        }
    }
    // The picture itself: 96 of 192 rows in the middle, with its bright corner.
    let result = rendered(&original, "w=128&h=192&fit=pad&hdr=keep").expect("renders");
    let map = decoded(taken_apart(&result.bytes).expect("two pictures").1);
    assert_eq!((map.width(), map.height()), (32, 48));
    let value = |x: usize, y: usize| map.pixels()[y * 32 + x];
    assert!(value(3, 14) > 200 && value(3, 30) < 40 && value(28, 14) < 40, "{:?}", [value(3, 14), value(3, 30)]);
}

#[test]
fn the_orientation_turns_both() {
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let first = encoded(marked(256, 192, Layout::Rgb), Codec::Jpeg);
    let first = [&first[..2], &segment(0xE1, &[b"Exif\0\0", exif]), &first[2..]].concat();
    let original = ultra_hdr(&first, &encoded(marked(64, 48, Layout::Rgb), Codec::Jpeg), GAINS, None);
    let (size, [_, top_right, ..]) = corners("w=96", &original);
    assert!(size == (24, 32) && top_right > 200);
    let (size, [top_left, ..]) = corners("orient=none&w=128", &original);
    assert!(size == (32, 24) && top_left > 200);
}

#[test]
fn what_would_show_wrong_things_is_served_without() {
    let original = camera_file();
    for query in [
        "w=100&redact=0,0,10,10",
        "w=100&blur=3",
        "w=100&pixelate=5",
        "w=100&border=3,ff0000",
        "w=100&f=jpeg&radius=9",
        "w=100&f=jpeg&mask=circle",
        "w=100&invert",
        "w=100&duotone=000000,ffffff",
        "w=100&then=blur=2",
    ] {
        let (kept, sdr) = (rendered(&original, &format!("{query}&hdr=keep")), rendered(&original, query));
        let (kept, sdr) = (kept.expect("renders"), sdr.expect("renders"));
        assert!(taken_apart(&kept.bytes).is_none() && kept.bytes == sdr.bytes, "{query}");
    }
    // Of other formats, and without being asked.
    for (query, codec) in
        [("w=100", Codec::Jpeg), ("w=100&f=webp&hdr=keep", Codec::Webp), ("w=100&f=png&hdr=keep", Codec::Png)]
    {
        let result = rendered(&original, query).expect("renders");
        assert_eq!(result.product, Product::Picture(codec));
        assert!(!result.bytes.windows(5).any(|bytes| bytes == b"hdrgm"), "{query}");
    }
}

#[test]
fn gains_of_colours_follow_their_colours_only() {
    let first = encoded(marked(256, 192, Layout::Rgb), Codec::Jpeg);
    let map = encoded(marked(64, 48, Layout::Rgb), Codec::Jpeg);
    let original = ultra_hdr(&first, &map, GAINS, None);
    let layout = |original: &[u8], query: &str| {
        let result = rendered(original, query).expect("renders");
        taken_apart(&result.bytes).map(|(_, map)| decoded(map).layout())
    };
    assert_eq!(layout(&original, "w=128&hdr=keep"), Some(Layout::Rgb));
    assert_eq!(layout(&original, "w=128&hdr=keep&gray"), None);
    assert_eq!(layout(&original, "w=128&hdr=keep&icc=p3"), None);
    // A picture in Display P3 whose gains are meant in its colours.
    let wide = Attachments { icc: color::p3_profile(), ..Attachments::default() };
    let colourful = (0..256 * 192).flat_map(|i| [(i % 256) as u8, (i / 256) as u8, 90]).collect();
    let first = encoded(Bitmap::new(256, 192, Layout::Rgb, colourful), Codec::Jpeg);
    let original = ultra_hdr(&attach(first, Codec::Jpeg, &wide).expect("our own file"), &map, GAINS, None);
    for query in ["w=128&hdr=keep", "w=128&hdr=keep&icc=keep"] {
        assert_eq!(layout(&original, query), Some(Layout::Rgb), "{query}");
        let result = rendered(&original, query).expect("renders");
        let (first, _) = taken_apart(&result.bytes).expect("two pictures");
        assert_eq!(metadata::read(first, SourceFormat::Jpeg).icc.as_deref(), wide.icc.as_deref(), "{query}");
    }
    let sdr = rendered(&original, "w=128&hdr=keep&f=webp").expect("renders").bytes;
    assert_eq!(sdr, rendered(&original, "w=128&f=webp").expect("renders").bytes);
}

#[test]
fn metadata_and_profile_stand_beside_the_directory() {
    let rights = xmp::of_properties(&[xmp::Property { name: "dc:rights".into(), texts: vec!["(c) Ada".into()] }]);
    let packet = rights.replace(
        "rdf:about=\"\"",
        "rdf:about=\"\" xmlns:hdrgm=\"http://ns.adobe.com/hdr-gain-map/1.0/\" hdrgm:Version=\"1.0\"",
    );
    let first = Attachments { xmp: packet.into_bytes(), icc: color::p3_profile(), ..Attachments::default() };
    let colourful = (0..256 * 192).flat_map(|i| [(i % 256) as u8, (i / 256) as u8, 90]).collect();
    let plain = encoded(Bitmap::new(256, 192, Layout::Rgb, colourful), Codec::Jpeg);
    let whole = ultra_hdr(&plain, &encoded(marked(64, 48, Layout::Gray), Codec::Jpeg), GAINS, None);
    // The first packet counts.
    let at = 2;
    let own = attach(plain.clone(), Codec::Jpeg, &first).expect("our own file");
    let leading = own.len() - plain.len();
    let jfif = 18;
    let head = &own[at + jfif..at + jfif + leading];
    let second = &whole[whole.windows(3).rposition(|bytes| bytes == b"\xFF\xD8\xFF").expect("a second picture")..];
    let first = [&plain[..2], head, &plain[2..]].concat();
    let original = ultra_hdr_by_directory(&first, second);
    let result = rendered(&original, "w=128&hdr=keep&icc=keep&meta=keep").expect("renders");
    let (first, _) = taken_apart(&result.bytes).expect("two pictures");
    assert_eq!(property(first, "dc:rights").as_deref(), Some("(c) Ada"));
    assert_eq!(property(first, "hdrgm:Version").as_deref(), Some("1.0"));
    assert!(metadata::read(first, SourceFormat::Jpeg).icc.is_some());
}

/// Without an index: the directory says how long the second picture is.
fn ultra_hdr_by_directory(first: &[u8], second: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(first).into_owned();
    assert!(text.contains("hdrgm:Version"));
    let at = first.windows(10).position(|bytes| bytes == b"</rdf:RDF>").expect("a packet");
    let directory = format!(
        "<rdf:Description rdf:about=\"\" xmlns:C=\"http://ns.google.com/photos/1.0/container/\" \
         xmlns:I=\"http://ns.google.com/photos/1.0/container/item/\"><C:Directory><rdf:Seq>\
         <rdf:li rdf:parseType=\"Resource\"><C:Item I:Semantic=\"Primary\" I:Mime=\"image/jpeg\"/></rdf:li>\
         <rdf:li rdf:parseType=\"Resource\"><C:Item I:Semantic=\"GainMap\" I:Length=\"{}\"/></rdf:li>\
         </rdf:Seq></C:Directory></rdf:Description>",
        second.len()
    );
    let mut out = first.to_vec();
    out.splice(at..at, directory.bytes());
    // The segment's length, in front of its name.
    let name = out.windows(28).position(|bytes| bytes == b"http://ns.adobe.com/xap/1.0/").expect("a segment");
    let length = u16::from_be_bytes([out[name - 2], out[name - 1]]) + u16::try_from(directory.len()).expect("short");
    out.splice(name - 2..name, length.to_be_bytes());
    [out, second.to_vec()].concat()
}

#[test]
fn damaged_gain_maps_cost_the_picture_nothing() {
    let first = encoded(marked(256, 192, Layout::Rgb), Codec::Jpeg);
    let map = encoded(marked(64, 48, Layout::Gray), Codec::Jpeg);
    let sdr = rendered(&first, "w=128").expect("renders").bytes;
    let larger = encoded(marked(300, 192, Layout::Gray), Codec::Jpeg);
    let mut lossless = map.clone();
    let frame = lossless.windows(2).position(|bytes| bytes == b"\xFF\xC0").expect("a frame");
    lossless[frame + 1] = 0xC3;
    for (what, file) in [
        ("larger than the picture", ultra_hdr(&first, &larger, GAINS, None)),
        ("another kind of JPEG", ultra_hdr(&first, &lossless, GAINS, None)),
        ("no picture", ultra_hdr(&first, b"\xFF\xD8 nothing", GAINS, None)),
        ("no numbers", ultra_hdr(&first, &map, "", None)),
        ("a bright first picture", ultra_hdr(&first, &map, &GAINS.replace("False", "True"), None)),
        ("a description cut off", ultra_hdr(&first, &map, GAINS, Some(&iso()[..30]))),
    ] {
        let kept = rendered(&file, "w=128&hdr=keep").expect(what);
        assert_eq!(kept.bytes, sdr, "{what}");
    }
    let whole = ultra_hdr(&first, &map, GAINS, None);
    for length in (0..whole.len()).step_by(97) {
        // Never a panic, whatever is missing.
        let _ = rendered(&whole[..length], "w=32&hdr=keep");
    }
}

#[test]
fn pq_and_hlg_are_refused_and_all_else_is_served() {
    for transfer in [16, 18] {
        let attachments =
            Attachments { code_points: Some((9, transfer)), icc: color::p3_profile(), ..Attachments::default() };
        let png =
            attach(encoded(marked(40, 30, Layout::Rgb), Codec::Png), Codec::Png, &attachments).expect("our own file");
        assert!(rendered(&png, "w=20").is_ok());
        let refused = rendered(&png, "w=20&hdr=keep");
        assert!(matches!(&refused, Err(Error::Impossible(why)) if why.contains("hdr=sdr")), "{refused:?}");
        let probe = imaging::probe(&png, &Limits::default()).expect("a header");
        let price = imaging::cost(&png, &probe, &variant("w=20&hdr=keep"), &Setup::default());
        assert!(matches!(price, Err(Error::Impossible(_))), "before it is admitted");
    }
    for codec in [Codec::Png, Codec::Jpeg, Codec::Webp] {
        let original = encoded(marked(40, 30, Layout::Rgb), codec);
        assert!(rendered(&original, "w=20&hdr=keep").is_ok(), "{codec:?}");
    }
}

#[test]
fn a_real_pq_picture_is_refused() {
    let Some(path) = corpus_folder::path("avif/seine_hdr_rec2020.avif") else { return };
    let original = std::fs::read(path).expect("a file that is there");
    assert!(matches!(rendered(&original, "w=40&hdr=keep&f=jpeg"), Err(Error::Impossible(_))));
    assert!(rendered(&original, "w=40&f=jpeg").is_ok());
}

#[test]
fn max_bytes_counts_both() {
    let busy = (0..256 * 192 * 3_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let first = encoded(Bitmap::new(256, 192, Layout::Rgb, busy), Codec::Jpeg);
    let original = ultra_hdr(&first, &encoded(marked(64, 48, Layout::Gray), Codec::Jpeg), GAINS, None);
    let free = rendered(&original, "w=256&q=90&hdr=keep").expect("renders").bytes.len();
    let most = free * 3 / 4;
    let bound = rendered(&original, &format!("w=256&q=90&hdr=keep&max-bytes={most}")).expect("renders").bytes;
    assert!(taken_apart(&bound).is_some() && bound.len() <= most, "{} of {most}, {free} before", bound.len());
    let tight = rendered(&original, "w=256&q=90&hdr=keep&max-bytes=3000").expect("renders").bytes;
    assert!(taken_apart(&tight).is_none());
}

#[test]
fn it_has_its_price() {
    let first = encoded(marked(800, 600, Layout::Rgb), Codec::Jpeg);
    let map = encoded(marked(800, 600, Layout::Gray), Codec::Jpeg);
    let original = ultra_hdr(&first, &map, GAINS, None);
    let price = |original: &[u8], query: &str| {
        let probe = imaging::probe(original, &Limits::default()).expect("a header");
        imaging::cost(original, &probe, &variant(query), &Setup::default()).expect("a price")
    };
    let (kept, sdr) = (price(&original, "w=400&hdr=keep"), price(&original, "w=400"));
    assert!(kept.millis > sdr.millis && kept.memory > sdr.memory, "{kept:?} {sdr:?}");
    for query in ["w=400&f=webp", "w=400&redact=0,0,9,9"] {
        assert_eq!(price(&original, &format!("{query}&hdr=keep")), price(&original, query), "{query}");
    }
    assert_eq!(price(&first, "w=400&hdr=keep"), price(&first, "w=400"));
}
