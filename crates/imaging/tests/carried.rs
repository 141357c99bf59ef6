//! Profiles and metadata through a render: what goes in, what comes out, what never does. With the corpus of real
//! photographs where it lies beside the repository; it says so where not.

mod corpus_folder;

use cache_key::transform::Codec;
use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::embed::{Attachments, attach};
use imaging::metadata::exif::{Directory, Exif};
use imaging::metadata::{self, Metadata, xmp};
use imaging::{Bitmap, Layout, Limits, Product, Rendition, Scratch, Setup, SourceFormat, Want, Watch, color};
use serde_json::Value;

fn rendered(original: &[u8], query: &str) -> Result<Rendition, imaging::Error> {
    let parsed = parse(Some(query), &Presets::none()).expect("a valid query");
    let variant = Variant { transform: parsed.transform, class: FormatClass::Baseline };
    imaging::render(original, &variant, &Setup::default(), &Watch::new(), &mut Scratch::new(64 << 20))
}

fn found(rendition: &Rendition) -> Metadata<'_> {
    metadata::read(&rendition.bytes, SourceFormat::sniff(&rendition.bytes).expect("a picture"))
}

fn pixels(bytes: &[u8]) -> (Bitmap, Option<Vec<u8>>) {
    let limits = Limits::default();
    let probe = imaging::probe(bytes, &limits).expect("a header");
    let mut scratch = Scratch::new(0);
    let decoded = imaging::decode(bytes, &probe, &Want::EVERYTHING, &limits, &Watch::new(), &mut scratch);
    let decoded = decoded.expect("decodes");
    (decoded.bitmap, decoded.icc)
}

/// A colourful PNG with these attachments.
fn original(attachments: &Attachments) -> Vec<u8> {
    let values =
        (0..48 * 32).flat_map(|i| [(i % 48 * 5) as u8, (i / 48 * 8) as u8, (i * i * 7 % 61 + 30) as u8]).collect();
    let plain = imaging::encode::encode(
        Bitmap::new(48, 32, Layout::Rgb, values),
        &imaging::encode::Settings { lossless: true, ..imaging::encode::Settings::new(Codec::Png, 80) },
        &Watch::new(),
        &mut Scratch::new(0),
    );
    attach(plain.expect("encodes"), Codec::Png, attachments).expect("our own file")
}

/// A big-endian block: orientation 6, artist, a latitude.
fn located() -> Vec<u8> {
    let mut block = b"MM\0*\0\0\0\x08\0\x03".to_vec();
    block.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0");
    block.extend(b"\x01\x3B\0\x02\0\0\0\x04Ada\0");
    block.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x32\0\0\0\0");
    block.extend(b"\0\x01\0\x01\0\x02\0\0\0\x02N\0\0\0\0\0\0\0");
    block
}

fn has_gps(metadata: &Metadata<'_>) -> bool {
    let exif = metadata.exif.as_deref().and_then(Exif::read).unwrap_or_default();
    let packet = metadata.xmp.as_deref().unwrap_or_default();
    exif.fields.iter().any(|field| field.directory == Directory::Gps) || packet.windows(4).any(|w| w == b"GPSL")
}

#[test]
fn places_are_told_only_when_all_is_kept() {
    let packet = xmp::rewritten(
        &[br#"<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about=""
          xmlns:e="http://ns.adobe.com/exif/1.0/" e:GPSLatitude="1,2N"/></r:RDF>"#],
        &[],
    );
    let source = original(&Attachments { exif: located(), xmp: packet.into_bytes(), ..Attachments::default() });
    for codec in ["jpeg", "png", "webp", "avif"] {
        let none = rendered(&source, &format!("w=20&f={codec}")).expect("renders");
        assert!(found(&none).exif.is_none() && found(&none).xmp.is_none(), "{codec}");
        let rights = rendered(&source, &format!("w=20&f={codec}&meta=copyright")).expect("renders");
        let exif = found(&rights).exif.expect("a block").into_owned();
        let exif = Exif::read(&exif).expect("a block");
        assert_eq!(exif.fields.len(), 1, "{codec}: {exif:?}");
        assert_eq!(exif.fields[0].name(), Some("Artist"));
        assert!(!has_gps(&found(&rights)), "{codec}");
        let keep = rendered(&source, &format!("w=20&f={codec}&meta=keep")).expect("renders");
        assert!(has_gps(&found(&keep)), "{codec}");
        assert!(found(&keep).xmp.is_some(), "{codec}");
        let exif = found(&keep).exif.expect("a block").into_owned();
        let orientation = Exif::read(&exif).and_then(|exif| exif.get(Directory::Image, 0x0112)?.unsigned());
        assert_eq!((orientation, keep.width, keep.height), (Some(1), 20, 30), "{codec}");
    }
}

#[test]
fn p3_and_kept_profiles_show_the_same_colours() {
    let p3 = color::p3_profile().expect("a profile");
    let source = original(&Attachments { icc: Some(p3), ..Attachments::default() });
    let as_srgb = pixels(&rendered(&source, "w=24&f=png").expect("renders").bytes).0;
    for (codec, space) in [("png", "keep"), ("png", "p3"), ("webp", "keep"), ("webp", "p3"), ("avif", "p3")] {
        let rendition = rendered(&source, &format!("w=24&f={codec}&icc={space}&lossless=1")).expect("renders");
        let (mut bitmap, icc) = pixels(&rendition.bytes);
        color::to_srgb(&mut bitmap, &icc.expect("a profile")).expect("a good profile");
        let worst = bitmap.pixels().iter().zip(as_srgb.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(4), "{codec} {space}: {worst:?}");
    }
    let gif = rendered(&source, "w=24&f=gif&icc=p3").expect("renders");
    assert_eq!(gif.product, Product::Picture(Codec::Gif));
    assert!(pixels(&gif.bytes).1.is_none());
    // Formats and pictures that hold no profile are sRGB, and so are gray ones.
    let plain = original(&Attachments::default());
    assert!(found(&rendered(&plain, "f=png&icc=keep").expect("renders")).icc.is_none(), "sRGB needs none");
}

#[test]
fn an_untouched_original_is_the_upper_limit() {
    // A JPEG that was saved small, with things in it that nobody asked for.
    let small = rendered(&original(&Attachments::default()), "f=jpeg&q=40").expect("renders").bytes;
    let everything = Attachments { xmp: b"<secret/>".to_vec(), ..Attachments::default() };
    let full = attach(small.clone(), Codec::Jpeg, &everything).expect("our own file");
    let full = [full.as_slice(), b"behind the end"].concat();
    let again = rendered(&full, "").expect("renders");
    assert_eq!(again.bytes, small, "nothing but the pixels' own bytes");
    assert_eq!(rendered(&full, "f=auto").expect("renders").bytes, small);
    assert_ne!(rendered(&full, "q=90").expect("renders").bytes, small, "a quality was asked for");
    assert_ne!(rendered(&full, "w=40").expect("renders").bytes, small, "the pixels change");
    for codec in ["png", "webp"] {
        let query = format!("f={codec}&q-webp=1&effort=10");
        let small = rendered(&original(&Attachments::default()), &query).expect("renders").bytes;
        let format = if codec == "png" { Codec::Png } else { Codec::Webp };
        let full = attach(small.clone(), format, &everything).expect("our own file");
        let again = rendered(&[full.as_slice(), b"tail"].concat(), "effort=0").expect("renders");
        assert!(again.bytes.len() <= small.len(), "{codec}");
        assert!(!again.bytes.windows(8).any(|window| window == b"<secret/"), "{codec}");
        assert_eq!(pixels(&again.bytes).0, pixels(&small).0, "{codec}");
    }
}

/// Real photographs: what a camera or an editor wrote never gets out unasked.
#[test]
fn no_photograph_tells_where_it_was_taken() {
    let (Some(folder), Some(manifest)) = (corpus_folder::path(""), corpus_folder::path("manifest.json")) else {
        return;
    };
    let manifest = std::fs::read(manifest).expect("a file that is there");
    let items: Vec<Value> = serde_json::from_slice(&manifest).expect("the manifest is JSON");
    let mut seen = [0; 3];
    for item in &items {
        let file = item["file"].as_str().expect("a name");
        let bytes = std::fs::read(folder.join(file)).expect("the manifest names files that are there");
        let Some(format) = SourceFormat::sniff(&bytes) else { continue };
        let before = metadata::read(&bytes, format);
        if before.exif.is_none() && before.xmp.is_none() && before.iptc.is_none() {
            continue;
        }
        // Everything is kept: renders of what is larger than a test's time are left to the smaller ones.
        let limits = Limits { source_pixels: 13_000_000, ..Limits::default() };
        if imaging::probe(&bytes, &limits).is_err() {
            continue;
        }
        let Ok(none) = rendered(&bytes, "w=64&f=jpeg") else { continue };
        let (exif, packet, iptc) = (found(&none).exif, found(&none).xmp, found(&none).iptc);
        assert!(exif.is_none() && packet.is_none() && iptc.is_none(), "{file}");
        let rights = rendered(&bytes, "w=64&f=jpeg&meta=copyright").expect("it rendered before");
        assert!(!has_gps(&found(&rights)), "{file}");
        let keep = rendered(&bytes, "w=64&f=jpeg&meta=keep").expect("it rendered before");
        let after = found(&keep);
        // A place is a latitude: empty directories say nothing.
        let lost = has_gps(&before) && !has_gps(&after);
        let orientation = after.exif.as_deref().and_then(Exif::read);
        let orientation = orientation.and_then(|exif| exif.get(Directory::Image, 0x0112)?.unsigned());
        assert!(matches!(orientation, None | Some(1)), "{file}: {orientation:?}");
        seen[0] += 1;
        seen[1] += usize::from(has_gps(&before));
        seen[2] += usize::from(lost);
    }
    eprintln!("{} files with metadata, {} with a place, {} of them without it when kept", seen[0], seen[1], seen[2]);
    assert!(seen[0] >= 50 && seen[1] >= 3 && seen[2] == 0, "{seen:?}");
}
