//! Every seed of the fuzz targets is decoded or refused; none panics. What fuzzing found lies among them.

use imaging::gain_map;
use imaging::metadata::{self, Metadata, Rights, xmp};
use imaging::{Error, Limits, Scratch, SourceFormat, Want, Watch, decode, decode_frame, probe};
use std::path::Path;

#[test]
fn every_seed_is_decoded_or_refused() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let (limits, mut scratch) = (Limits::default(), Scratch::new(1 << 20));
    for format in ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp", "ico", "svg", "jxl"] {
        let mut decoded = 0;
        for entry in std::fs::read_dir(seeds.join(format)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let result = probe(&bytes, &limits)
                .and_then(|probe| decode(&bytes, &probe, &Want::default(), &limits, &Watch::new(), &mut scratch));
            assert!(!matches!(result, Err(Error::Internal(_))), "{}: {result:?}", path.display());
            decoded += usize::from(result.is_ok());
        }
        assert!(decoded > 2, "{format}: most seeds are whole files");
    }
}

/// The same for metadata, whose seeds say by their first byte what they are: a file, or a block alone.
#[test]
fn every_seed_of_metadata_is_read_and_written() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/metadata");
    let mut said = 0;
    for entry in std::fs::read_dir(seeds).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let Some((kind, block)) = bytes.split_first() else { continue };
        let found = match (kind % 4, SourceFormat::sniff(block)) {
            (0, Some(format)) => metadata::read(block, format),
            (0, None) => continue,
            (1, _) => Metadata { exif: Some(block.into()), ..Metadata::default() },
            (2, _) => Metadata { xmp: Some(block.into()), ..Metadata::default() },
            _ => Metadata { iptc: Some(block.into()), ..Metadata::default() },
        };
        said += usize::from(!Rights::of(&found).is_empty());
        if let Some(packet) = found.xmp.as_deref() {
            let written = xmp::rewritten(&[packet], &[]);
            assert_eq!(xmp::rewritten(&[written.as_bytes()], &[]).is_empty(), written.is_empty());
        }
    }
    assert!(said >= 3, "{said} seeds name an author");
}

/// Joined pictures, by index and by directory, and descriptions alone.
#[test]
fn every_seed_of_gain_maps_is_read() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/gain_map");
    let mut found = 0;
    for entry in std::fs::read_dir(seeds).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        found += usize::from(gain_map::find(&bytes).is_some() || gain_map::Iso::read(&bytes).is_some());
    }
    assert!(found >= 3, "{found} seeds describe one");
}

#[test]
fn every_animated_seed_plays_to_its_end() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/frames");
    let (limits, mut scratch) = (Limits::default(), Scratch::new(1 << 20));
    for entry in std::fs::read_dir(seeds).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let probe = probe(&bytes, &limits).unwrap();
        assert!(probe.motion.is_some(), "{}", path.display());
        let last = decode_frame(&bytes, &probe, probe.frames - 1, &limits, &Watch::new(), &mut scratch);
        assert!(last.is_ok(), "{}: {last:?}", path.display());
    }
}
