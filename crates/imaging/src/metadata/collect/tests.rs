//! Each container with one of everything, and hostile ones.

use super::*;
use proptest::prelude::*;

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).expect("test bodies are short");
    [&[0xFF, marker], length.to_be_bytes().as_slice(), body].concat()
}

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes()[..], kind, body, &[0; 4]].concat()
}

#[test]
fn jpeg_segments() {
    let extension = |offset: u32, data: &[u8]| {
        let name = b"http://ns.adobe.com/xmp/extension/\x000123456789ABCDEF0123456789ABCDEF";
        segment(0xE1, &[name, &10u32.to_be_bytes()[..], &offset.to_be_bytes(), data].concat())
    };
    let iptc = crate::metadata::iptc::write(&[(80, "Ada".into())]);
    let file = [
        vec![0xFF, 0xD8],
        segment(0xE1, b"Exif\0\0II*\0"),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        extension(5, b"world"),
        extension(0, b"hello"),
        segment(0xED, &[b"Photoshop 3.0\0", iptc.as_slice()].concat()),
        segment(0xFE, b"made by hand\0"),
        segment(0xE2, b"ICC_PROFILE\0\x01\x01profile"),
        segment(0xC0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]),
    ]
    .concat();
    let found = read(&file, SourceFormat::Jpeg);
    assert_eq!(found.exif.as_deref(), Some(b"II*\0".as_slice()));
    assert_eq!(found.xmp.as_deref(), Some(b"<x/>".as_slice()));
    assert_eq!(found.extended_xmp.as_deref(), Some(b"helloworld".as_slice()));
    assert_eq!(found.icc.as_deref(), Some(b"profile".as_slice()));
    assert_eq!(found.texts, [Text { keyword: String::new(), text: "made by hand".into() }]);
    assert_eq!(crate::metadata::iptc::fields(&found.iptc.expect("iptc"))[0].text(), "Ada");
}

#[test]
fn png_chunks_are_inflated_within_limits() {
    let zlib = fdeflate::compress_to_vec;
    let text = |keyword: &[u8], body: &[u8]| [keyword, &[0], body].concat();
    let bomb = zlib(&vec![b' '; MAX_TEXT + 1]);
    let file = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]),
        chunk(b"iCCP", &text(b"name", &[&[0], zlib(b"profile").as_slice()].concat())),
        chunk(b"cICP", &[9, 16, 0, 1]),
        chunk(b"tEXt", &text(b"Author", b"Ren\xE9")),
        chunk(b"zTXt", &text(b"Title", &[&[0], zlib(b"A title").as_slice()].concat())),
        chunk(b"zTXt", &text(b"Bomb", &[&[0], bomb.as_slice()].concat())),
        chunk(b"iTXt", &text(b"XML:com.adobe.xmp", b"\0\0\0\0<x/>")),
        chunk(b"iTXt", &text(b"Comment", &[b"\x01\0de\0Kommentar\0", zlib("ä".as_bytes()).as_slice()].concat())),
        chunk(b"eXIf", b"MM\0*"),
    ]
    .concat();
    let found = read(&file, SourceFormat::Png);
    assert_eq!(found.exif.as_deref(), Some(b"MM\0*".as_slice()));
    assert_eq!(found.xmp.as_deref(), Some(b"<x/>".as_slice()));
    assert_eq!(found.icc.as_deref(), Some(b"profile".as_slice()));
    assert_eq!(found.cicp, Some([9, 16, 0, 1]));
    let texts: Vec<_> = found.texts.iter().map(|t| (t.keyword.as_str(), t.text.as_str())).collect();
    assert_eq!(texts, [("Author", "René"), ("Title", "A title"), ("Comment", "ä")]);
}

#[test]
fn gif_extensions() {
    let trailer: Vec<u8> = std::iter::once(1).chain((0..=255).rev()).chain([0]).collect();
    let file = [
        b"GIF89a\x01\0\x01\0\0\0\0".to_vec(),
        b"\x21\xFE\x05hello\x00".to_vec(),
        [b"\x21\xFF\x0BXMP DataXMP<x>packet</x>".as_slice(), &trailer].concat(),
        b"\x3B".to_vec(),
    ]
    .concat();
    let found = read(&file, SourceFormat::Gif);
    assert_eq!(found.xmp.as_deref(), Some(b"<x>packet</x>".as_slice()));
    assert_eq!(found.texts, [Text { keyword: String::new(), text: "hello".into() }]);
}

#[test]
fn boxes_of_jpeg_xl() {
    let file = [
        b"\0\0\0\x0cJXL \r\n\x87\n".as_slice(),
        b"\0\0\0\x10Exif\0\0\0\0II*\0",
        b"\0\0\0\x0cxml <x/>",
        b"\0\0\0\0jxlc",
    ]
    .concat();
    let found = read(&file, SourceFormat::Jxl);
    assert_eq!(found.exif.as_deref(), Some(b"II*\0".as_slice()));
    assert_eq!(found.xmp.as_deref(), Some(b"<x/>".as_slice()));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
        let heads: [(&[u8], SourceFormat); 7] = [
            (b"\xFF\xD8\xFF\xE1", SourceFormat::Jpeg),
            (b"\x89PNG\r\n\x1a\n\0\0", SourceFormat::Png),
            (b"RIFF\0\0\0\0WEBPEXIF", SourceFormat::Webp),
            (b"GIF89a\x01\0\x01\0\0\0\0\x21", SourceFormat::Gif),
            (b"\0\0\0\x0cJXL \r\n\x87\n\0\0", SourceFormat::Jxl),
            (b"II*\0\x08\0\0\0", SourceFormat::Tiff),
            (b"\0\0\0\x08ftyp\0\0\x01\0meta", SourceFormat::Avif),
        ];
        for (head, format) in heads {
            read(&[head, tail.as_slice()].concat(), format);
        }
    }
}
