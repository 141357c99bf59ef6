//! Several threads on one file: the same lines in the same order, whatever the file, and all of them stop.

use crate::picture::{Settings, encode};
use jpeg::{Decoder, Error, Limits, Outcome, Region, Scale, Workspace};
use jpeg_encoder::{ColorType, SamplingFactor};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::LazyLock;

/// The pixels, how it went, and what the workspace holds then.
fn decode(
    bytes: &[u8],
    scale: Scale,
    region: Option<Region>,
    helpers: usize,
) -> (Vec<u8>, Result<Outcome, Error>, usize) {
    let mut decoder = Decoder::new(bytes, &Limits::default()).unwrap();
    decoder.scale(scale).helpers(helpers);
    if let Some(region) = region {
        decoder.region(region).unwrap();
    }
    let (mut workspace, mut out) = (Workspace::default(), vec![0x5A; decoder.output_len()]);
    let outcome = decoder.decode_into(&mut workspace, &|| false, &mut out);
    assert!(workspace.len() as u64 <= decoder.memory(), "more memory than was said");
    (out, outcome, workspace.len())
}

/// Whether others have helped.
fn same(bytes: &[u8], scale: Scale, region: Option<Region>, helpers: usize, what: &str) -> bool {
    let (alone, one, little) = decode(bytes, scale, region, 0);
    let (together, many, much) = decode(bytes, scale, region, helpers);
    assert_eq!(one, many, "{what}");
    assert!(alone == together, "{what}: other pixels");
    much > little
}

const SIDES: (u16, u16) = (1_210, 1_190);

/// Of 4:2:0, a marker behind every row of MCUs.
static MARKED: LazyLock<Vec<u8>> = LazyLock::new(|| encode(SIDES.0, SIDES.1, &settings(SamplingFactor::F_2_2, 76)));

fn settings(sampling: SamplingFactor, restart: u16) -> Settings {
    Settings { sampling, restart, ..Settings::default() }
}

#[test]
fn pixels_do_not_depend_on_who_helps() {
    let samplings = [
        (SamplingFactor::F_2_2, 76),
        (SamplingFactor::F_1_1, 152),
        (SamplingFactor::F_1_2, 7),
        (SamplingFactor::F_2_2, 100),
    ];
    for (sampling, restart) in samplings {
        let bytes = encode(SIDES.0, SIDES.1, &settings(sampling, restart));
        for (scale, helpers) in Scale::ALL.into_iter().zip([1, 2, 3, 2]) {
            let what = format!("{sampling:?} {restart} {scale:?} {helpers}");
            assert!(same(&bytes, scale, None, helpers, &what), "{what}: nobody helped");
        }
    }
}

#[test]
fn regions_do_not_depend_on_who_helps() {
    let bytes = encode(SIDES.0, SIDES.1, &settings(SamplingFactor::F_2_2, 30));
    for (y, height) in [(0, 700), (5, 601), (333, 600), (450, 740), (1_100, 90)] {
        let region = Some(Region { x: 17, y, width: 900, height });
        same(&bytes, Scale::Full, region, 2, &format!("{y} {height}"));
    }
    assert!(same(&bytes, Scale::Full, Some(Region { x: 1, y: 90, width: 300, height: 900 }), 1, "a tall one"));
}

#[test]
fn bands_come_once_and_in_order() {
    let bytes = &*MARKED;
    let (whole, ..) = decode(bytes, Scale::Full, None, 0);
    let mut decoder = Decoder::new(bytes, &Limits::default()).unwrap();
    decoder.helpers(3);
    let (mut band, mut lines) = (vec![0; decoder.band_len()], Vec::new());
    let take = &mut |some: &[u8]| lines.extend_from_slice(some);
    decoder.decode_bands(&mut Workspace::default(), &|| false, &mut band, take).unwrap();
    assert!(lines == whole);
}

#[test]
fn damage_looks_the_same_to_all() {
    let bytes = encode(SIDES.0, SIDES.1, &settings(SamplingFactor::F_2_2, 20));
    let markers: Vec<usize> =
        (0..bytes.len() - 1).filter(|&at| bytes[at] == 0xFF && bytes[at + 1] & 0xF8 == 0xD0).collect();
    assert!(markers.len() > 200);
    let without = |at: usize| [&bytes[..markers[at]], &bytes[markers[at] + 2..]].concat();
    let renumbered = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[markers[at] + 1] ^= 3;
        bytes
    };
    let cases = [
        ("a marker is missing", without(90)),
        ("another number", renumbered(50)),
        ("cut", bytes[..bytes.len() / 2].to_vec()),
        ("cut behind the last marker", bytes[..markers[markers.len() - 1] + 9].to_vec()),
        (
            "a marker too many",
            [&bytes[..bytes.len() - 2], &[0xFF, 0xD0 | (markers.len() & 7) as u8, 0xFF, 0xD9]].concat(),
        ),
    ];
    for (what, damaged) in cases {
        assert!(!same(&damaged, Scale::Half, None, 3, what), "{what}: others helped");
    }
    // Damage inside of an interval leaves the markers standing: there they help.
    let mut spoilt = bytes.clone();
    for at in [30, 31, 100, 150] {
        spoilt[markers[at] + 4..markers[at] + 12].copy_from_slice(&[0x55, 0xAA, 0x01, 0x80, 0x7F, 0xEE, 0x11, 0x99]);
    }
    assert!(same(&spoilt, Scale::Full, None, 3, "spoilt"));
}

#[test]
fn small_and_progressive_files_and_those_without_markers_are_left_to_one() {
    let small = encode(300, 300, &settings(SamplingFactor::F_1_1, 4));
    let plain = encode(SIDES.0, SIDES.1, &settings(SamplingFactor::F_2_2, 0));
    let progressive = Settings { progressive: 4, ..settings(SamplingFactor::F_2_2, 40) };
    let progressive = encode(SIDES.0, SIDES.1, &progressive);
    let gray = encode(600, 500, &Settings { color: ColorType::Luma, ..settings(SamplingFactor::F_1_1, 9) });
    for bytes in [small, plain, progressive, gray] {
        assert!(!same(&bytes, Scale::Half, None, 3, "left to one"));
    }
}

#[test]
fn all_of_them_stop_when_asked() {
    let bytes = &*MARKED;
    let mut decoder = Decoder::new(bytes, &Limits::default()).unwrap();
    decoder.helpers(3);
    let asked = std::cell::Cell::new(0);
    let cancelled = || {
        asked.set(asked.get() + 1);
        asked.get() > 3
    };
    let mut out = vec![0; decoder.output_len()];
    assert_eq!(decoder.decode_into(&mut Workspace::default(), &cancelled, &mut out), Err(Error::Cancelled));
    assert_eq!(asked.get(), 4);
}

#[test]
fn memory_that_is_not_allowed_is_not_taken() {
    let bytes = &*MARKED;
    let decoder = Decoder::new(bytes, &Limits::default()).unwrap();
    let limits = Limits { max_memory: decoder.memory(), ..Limits::default() };
    let mut decoder = Decoder::new(bytes, &limits).unwrap();
    decoder.helpers(2);
    let mut out = vec![0; decoder.output_len()];
    let refused = decoder.decode_into(&mut Workspace::default(), &|| false, &mut out);
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Bytes changed anywhere behind the headers.
    #[test]
    fn any_damage_looks_the_same_to_all(changes in vec((0.0..1.0f64, any::<u8>()), 1..6), helpers in 1..4usize) {
        let mut bytes = MARKED.clone();
        let start = bytes.len() / 50;
        for (place, value) in changes {
            let at = start + ((bytes.len() - start) as f64 * place) as usize;
            bytes[at] = value;
        }
        same(&bytes, Scale::Eighth, None, helpers, "changed");
    }
}
