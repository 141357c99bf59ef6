//! Gain maps of a stranger: a JPEG file whose index, directory and descriptions lead anywhere. What is found lies in
//! the file and is sane; written behind another picture it is found again, the same.
#![no_main]

use imaging::gain_map::{GainMap, Gains, Iso, announce, find, join, second_picture};
use libfuzzer_sys::fuzz_target;

/// The least that has a header: frame and scan of one grey pixel.
const PICTURE: &[u8] =
    b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x01\0\x01\x01\x01\x11\0\xFF\xDA\0\x08\x01\x01\0\0\x3F\0\0\xFF\xD9";

fuzz_target!(|data: &[u8]| {
    if let Some(iso) = Iso::read(data) {
        assert!(iso.gains().is_some());
    }
    let _gains = Gains::of_packet(data);
    let Some(found) = find(data) else { return };
    assert!(found.file.len() < data.len());
    assert_eq!(Gains::of_packet(found.gains.packet().as_bytes()), Some(Some(found.gains)));
    let Some(second) = second_picture(PICTURE, &found) else { panic!("our own file has a place") };
    let first = attached(announce(b"", second.len()));
    let Some(file) = join(&first, &second, found.iso.is_some()) else { panic!("short files can be joined") };
    let again = find(&file).expect("what we write can be read");
    assert_eq!(again.file, second);
    assert_eq!(again, GainMap { file: again.file, ..found });
});

/// The picture with a packet.
fn attached(packet: Vec<u8>) -> Vec<u8> {
    let attachments = imaging::embed::Attachments { xmp: packet, ..Default::default() };
    imaging::embed::attach(PICTURE.to_vec(), cache_key::transform::Codec::Jpeg, &attachments).expect("our own file")
}
