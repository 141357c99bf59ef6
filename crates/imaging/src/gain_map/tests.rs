//! Gain maps as cameras write them, as nobody should, and as proptest damages them; pictures without pixels.

use super::*;
use proptest::prelude::*;

const FRAME: &[u8] = &[8, 0, 5, 0, 7, 3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1];

fn segment(marker: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u16::try_from(body.len() + 2).expect("test bodies are short");
    [&[0xFF, marker], length.to_be_bytes().as_slice(), &body].concat()
}

fn gains() -> Gains {
    Gains {
        min: [0.0, -0.5, -1.0],
        max: [2.0, 2.5, 3.0],
        gamma: [1.0, 1.0, 0.5],
        offset_sdr: [0.015_625; 3],
        offset_hdr: [0.0; 3],
        capacity_min: 0.0,
        capacity_max: 3.0,
    }
}

/// A picture without pixels: frame, scan with a byte that looks like a marker, end.
fn picture(leading: &[Vec<u8>]) -> Vec<u8> {
    let scan = [b"\xFF\xDA\0\x02\x12\xFF\0\xD9".as_slice(), b"\xFF\xD0\x34\xFF\xD9"].concat();
    [vec![0xFF, 0xD8], leading.concat(), segment(0xC0, &[FRAME]), scan].concat()
}

fn xmp_segment(packet: &[u8]) -> Vec<u8> {
    segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", packet])
}

fn second() -> Vec<u8> {
    picture(&[xmp_segment(gains().packet().as_bytes())])
}

#[test]
fn gains_survive_their_packet() {
    assert_eq!(Gains::of_packet(gains().packet().as_bytes()), Some(Some(gains())));
    let same = Gains { min: [0.1; 3], max: [1.7; 3], gamma: [1.0; 3], ..gains() };
    assert!(!same.packet().contains("rdf:Seq"), "one number for all channels");
    assert_eq!(Gains::of_packet(same.packet().as_bytes()), Some(Some(same)));
}

#[test]
fn neutral_values_change_nothing() {
    // 0 of 0 … 2, 0.5 of 3, the root of 1 of 4.
    assert_eq!(gains().neutral(), [0, 43, 128]);
    assert_eq!(Gains { min: [1.0; 3], max: [1.0; 3], ..gains() }.neutral(), [0; 3]);
}

#[test]
fn packets_that_break_a_rule_are_no_gain_maps() {
    let packet = gains().packet();
    for (from, to) in [
        ("False", "True"),
        ("<rdf:li>0.5</rdf:li>", "<rdf:li>0</rdf:li>"),
        ("<rdf:li>0.5</rdf:li>", "<rdf:li>NaN</rdf:li>"),
        ("<rdf:li>0.5</rdf:li>", ""),
        ("<rdf:li>3</rdf:li>", "<rdf:li>-2</rdf:li>"),
        ("<rdf:li>3</rdf:li>", "<rdf:li>1e9</rdf:li>"),
        ("HDRCapacityMax=\"3\"", "HDRCapacityMax=\"0\""),
        (" hdrgm:HDRCapacityMax=\"3\"", ""),
    ] {
        assert!(packet.contains(from), "{from}");
        assert_eq!(Gains::of_packet(packet.replacen(from, to, 1).as_bytes()), Some(None), "{to}");
    }
    assert_eq!(Gains::of_packet(packet.replace("hdrgm:Version=\"1.0\"", "").as_bytes()), None);
    assert_eq!(Gains::of_packet(b"nonsense"), None);
}

/// Version, flags, numbers.
fn iso_body(flags: u8, numbers: &[u32]) -> Vec<u8> {
    [vec![0, 0, 0, 0, flags], numbers.iter().flat_map(|number| number.to_be_bytes()).collect()].concat()
}

const MINUS_ONE: u32 = u32::MAX;

#[test]
fn fractions_are_read_with_their_own_and_with_one_denominator() {
    let own = [0, 1, 3, 1, MINUS_ONE, 2, 6, 2, 1, 1, 1, 64, 1, 64];
    let common = [64, 0, 192, MINUS_ONE - 31, 192, 64, 1, 1];
    let (own, common) = (Iso::read(&iso_body(0x40, &own)), Iso::read(&iso_body(0x48, &common)));
    let (own, common) = (own.expect("a description"), common.expect("a description"));
    assert_eq!(own.gains(), common.gains());
    let gains = own.gains().expect("sane");
    assert_eq!((gains.min, gains.max, gains.gamma), ([-0.5; 3], [3.0; 3], [1.0; 3]));
    assert_eq!((gains.offset_sdr, gains.capacity_min, gains.capacity_max), ([1.0 / 64.0; 3], 0.0, 3.0));
    for iso in [own, common] {
        let written = iso.written();
        assert_eq!(Iso::read(written.strip_prefix(iso::NAME).expect("its name")), Some(iso));
    }
}

#[test]
fn what_iso_does_not_allow_is_refused() {
    let numbers = [0, 1, 3, 1, 0, 1, 3, 1, 1, 1, 0, 1, 0, 1];
    assert!(Iso::read(&iso_body(0, &numbers)).is_some());
    assert!(Iso::read(&iso_body(4, &numbers)).is_none(), "the first picture is the bright one");
    assert!(Iso::read(&iso_body(0x80, &numbers)).is_none(), "one channel of three");
    assert!(Iso::read(&iso_body(0, &numbers[..13])).is_none());
    for at in [1, 3, 5, 7, 9, 11, 13, 8] {
        let mut broken = numbers;
        broken[at] = 0;
        assert!(Iso::read(&iso_body(0, &broken)).is_none(), "{at}");
    }
    assert!(Iso::read(&[&[0, 1], &iso_body(0, &numbers)[2..]].concat()).is_none(), "a later version");
}

#[test]
fn what_is_joined_is_found_again() {
    let first = picture(&[xmp_segment(&announce(b"", second().len()))]);
    let file = join(&first, &second(), false).expect("our own file");
    let found = find(&file).expect("a gain map");
    assert_eq!((found.file, found.gains, &found.iso), (second().as_slice(), gains(), &None));
    // Nobody who reads names alone takes the second picture for one.
    assert_eq!(find(&second()).map(|found| found.file), None);
}

#[test]
fn without_an_index_the_directory_counts() {
    let first = picture(&[xmp_segment(&announce(b"", second().len()))]);
    let file = [first.clone(), second(), b"a film".to_vec()].concat();
    assert_eq!(find(&file).expect("a gain map").file, second());
    let long = picture(&[xmp_segment(&announce(b"", second().len() + 7))]);
    assert!(find(&[long, second(), b"a film".to_vec()].concat()).is_none(), "longer than the file");
    let silent = picture(&[xmp_segment(gains().packet().replace("hdrgm", "other").as_bytes())]);
    assert!(find(&[silent, second()].concat()).is_none(), "not announced");
}

#[test]
fn a_directory_joins_what_is_said_already() {
    let packet = xmp::of_properties(&[xmp::Property { name: "dc:rights".into(), texts: vec!["Ada".into()] }]);
    let both = announce(packet.as_bytes(), 7);
    let names: Vec<_> = xmp::properties(&both).into_iter().map(|property| property.name).collect();
    assert!(names.contains(&"dc:rights".into()) && names.contains(&"hdrgm:Version".into()), "{names:?}");
    let long = xmp::of_properties(&[xmp::Property { name: "dc:rights".into(), texts: vec!["A".repeat(65_400)] }]);
    let alone = announce(long.as_bytes(), 7);
    assert!(alone.len() < 1000 && xmp::properties(&alone).iter().any(|property| property.name == "hdrgm:Version"));
}

proptest! {
    #[test]
    fn no_offsets_make_it_panic(
        at in 0usize..140, bytes in prop::collection::vec(prop_oneof![Just(0xFFu8), any::<u8>()], 1..8), cut in 0usize..4000,
    ) {
        let iso = segment(0xE2, &[iso::NAME, &iso_body(0x40, &[0, 1, 3, 1, 0, 1, 3, 1, 1, 1, 0, 1, 0, 1])]);
        let second = picture(&[xmp_segment(gains().packet().as_bytes()), iso]);
        let first = picture(&[xmp_segment(&announce(b"", second.len()))]);
        let mut file = join(&first, &second, true).expect("our own file");
        // The index, and what stands before it and behind.
        let index = file.windows(4).position(|name| name == b"MPF\0").expect("an index");
        let at = index - 20 + at;
        file.splice(at..(at + bytes.len()).min(file.len()), bytes);
        file.truncate(file.len().saturating_sub(cut).max(index));
        if let Some(found) = find(&file) {
            prop_assert!(found.file.len() < file.len() && found.gains.checked().is_some());
        }
    }

    #[test]
    fn no_description_makes_it_panic(body in prop::collection::vec(prop_oneof![Just(0u8), Just(1u8), any::<u8>()], 0..140)) {
        if let Some(iso) = Iso::read(&body) {
            prop_assert_eq!(Iso::read(iso.written().strip_prefix(iso::NAME).expect("its name")), Some(iso));
        }
    }
}
