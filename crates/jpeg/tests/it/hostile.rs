//! Damaged files: never a panic, always an end, the buffer always written or an error given.

use crate::picture::{Settings, encode};
use jpeg::{Decoder, Error, Limits, Region, Scale, Workspace};
use jpeg_encoder::{ColorType, SamplingFactor};
use proptest::prelude::*;

/// Decodes at every scale and a region, into buffers of two different contents: equal results are written wholly.
fn check(bytes: &[u8]) {
    let limits = Limits { max_pixels: 1 << 22, max_memory: 64 << 20 };
    let Ok(mut decoder) = Decoder::new(bytes, &limits) else { return };
    let mut workspace = Workspace::default();
    // What earlier and larger decodes have left in the workspace.
    let mut grown = 0;
    for scale in Scale::ALL {
        decoder.scale(scale);
        let (width, height) = decoder.output_size();
        let region = Region { x: width / 3, y: height / 3, width: width / 3 + 1, height: height / 3 + 1 };
        for region in [None, Some(region)] {
            if let Some(region) = region.filter(|r| r.x + r.width <= width && r.y + r.height <= height) {
                decoder.region(region).unwrap();
            }
            let (mut ones, mut zeros) = (vec![255; decoder.output_len()], vec![0; decoder.output_len()]);
            let memory = decoder.memory();
            let first = decoder.decode_into(&mut workspace, &|| false, &mut ones);
            let second = decoder.decode_into(&mut workspace, &|| false, &mut zeros);
            assert_eq!(first, second);
            assert!(workspace.len() as u64 <= memory + grown);
            grown = grown.max(workspace.len() as u64);
            match first {
                Ok(_) => assert!(ones == zeros, "not every byte was written, or an earlier picture shows through"),
                Err(Error::Usage(what)) => panic!("{what}"),
                Err(_) => {}
            }
        }
    }
}

fn fixtures() -> Vec<Vec<u8>> {
    let base = Settings::default();
    let all = [
        base,
        Settings { optimised: true, sampling: SamplingFactor::F_1_1, ..base },
        Settings { restart: 2, sampling: SamplingFactor::F_2_1, ..base },
        Settings { progressive: 4, ..base },
        Settings { progressive: 9, restart: 3, sampling: SamplingFactor::F_1_2, ..base },
        Settings { color: ColorType::CmykAsYcck, sampling: SamplingFactor::F_4_1, ..base },
        Settings { color: ColorType::Luma, progressive: 5, quality: 40, ..base },
    ];
    all.iter().map(|settings| encode(67, 45, settings)).collect()
}

/// Where the first scan's data begins, roughly: damage behind it is the more interesting one.
fn data_start(bytes: &[u8]) -> usize {
    bytes.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_do_no_harm(
        which in 0usize..7,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..12),
    ) {
        let mut bytes = fixtures().swap_remove(which);
        let start = data_start(&bytes);
        for (index, value, anywhere) in flips {
            let from = if anywhere { 0 } else { start };
            let at = from + index.index(bytes.len() - from);
            bytes[at] = value;
        }
        check(&bytes);
    }

    #[test]
    fn cut_and_spliced_files_do_no_harm(
        which in 0usize..7,
        other in 0usize..7,
        cut in any::<prop::sample::Index>(),
        paste in any::<prop::sample::Index>(),
    ) {
        let mut tail = fixtures().swap_remove(other);
        let tail = tail.split_off(paste.index(tail.len()));
        let mut bytes = fixtures().swap_remove(which);
        bytes.truncate(cut.index(bytes.len()));
        check(&bytes);
        bytes.extend(tail);
        check(&bytes);
    }

    #[test]
    fn noise_behind_good_headers_does_no_harm(
        which in 0usize..7,
        noise in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        let mut bytes = fixtures().swap_remove(which);
        bytes.truncate(data_start(&bytes) + 14);
        bytes.extend(noise);
        check(&bytes);
    }
}

#[test]
fn every_prefix_is_survived() {
    for bytes in fixtures() {
        for end in (0..bytes.len()).step_by(23) {
            check(&bytes[..end]);
        }
    }
}

#[test]
fn a_frame_of_thousands_of_scans_ends_soon() {
    // The last scan of a progressive file, again and again.
    let bytes = encode(1000, 1000, &Settings { progressive: 4, ..Settings::default() });
    let last = bytes.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    let end = bytes.len() - 2;
    let mut bomb = bytes[..end].to_vec();
    // Its data cut off: scans that cost nothing but their visit.
    for _ in 0..20_000 {
        bomb.extend_from_slice(&bytes[last..last + 10]);
        bomb.extend_from_slice(&[0; 8]);
    }
    bomb.extend([0xFF, 0xD9]);
    let decoder = Decoder::new(&bomb, &Limits::default()).unwrap();
    let asked = std::cell::Cell::new(0u32);
    let count = || {
        asked.set(asked.get() + 1);
        false
    };
    let outcome = decoder.decode_into(&mut Workspace::default(), &count, &mut vec![0; decoder.output_len()]).unwrap();
    assert!(!outcome.complete);
    // At most 100 visits to each of 125 rows of blocks in three components, and the output.
    assert!(asked.get() < 40_000, "{}", asked.get());
}
