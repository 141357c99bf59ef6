//! What is put in comes out again by our own readers, and the pixels are those of the file without it.

use super::*;
use crate::bitmap::{Bitmap, Layout};
use crate::encode::{Settings, encode};
use crate::metadata;
use crate::{Limits, Scratch, SourceFormat, Want, Watch};

fn picture(layout: Layout) -> Bitmap {
    let values = (0..40 * 30 * layout.channels()).map(|i| (i * 7 % 251) as u8);
    Bitmap::new(40, 30, layout, values.collect())
}

fn file(codec: Codec, layout: Layout, lossless: bool) -> Vec<u8> {
    let settings = Settings { lossless, ..Settings::new(codec, 80) };
    encode(picture(layout), &settings, &Watch::new(), &mut Scratch::new(0)).expect("encodes")
}

fn pixels(file: &[u8]) -> Bitmap {
    let limits = Limits::default();
    let probe = crate::probe(file, &limits).expect("a header");
    let mut scratch = Scratch::new(0);
    let decoded = crate::decode(file, &probe, &Want::EVERYTHING, &limits, &Watch::new(), &mut scratch);
    decoded.expect("decodes").bitmap
}

fn attachments(profile: usize) -> Attachments {
    let mut icc = moxcms::ColorProfile::new_display_p3().encode().expect("a built-in profile can be written");
    icc.resize(icc.len().max(profile), 0);
    Attachments {
        icc: Some(icc),
        code_points: Some((12, 13)),
        exif: metadata::exif::of_rights(Some("Ada"), None),
        xmp: b"<x/>".to_vec(),
        resources: metadata::iptc::write(&[(metadata::iptc::BY_LINE, "Ada".into())]),
    }
}

#[test]
fn everything_comes_out_again_and_pixels_stay() {
    let all = attachments(0);
    let cases = [
        (Codec::Jpeg, SourceFormat::Jpeg, Layout::Rgb, false),
        (Codec::Png, SourceFormat::Png, Layout::Rgba, false),
        (Codec::Webp, SourceFormat::Webp, Layout::Rgb, false),
        (Codec::Webp, SourceFormat::Webp, Layout::Rgba, false),
        (Codec::Webp, SourceFormat::Webp, Layout::Rgba, true),
        (Codec::Avif, SourceFormat::Avif, Layout::Rgb, false),
        (Codec::Avif, SourceFormat::Avif, Layout::Rgba, false),
    ];
    for (codec, format, layout, lossless) in cases {
        let plain = file(codec, layout, lossless);
        let full = attach(plain.clone(), codec, &all).expect("our own file");
        assert!(full.len() <= plain.len() + all.room(), "{codec:?}");
        let found = metadata::read(&full, format);
        assert_eq!(found.icc.as_deref(), all.icc.as_deref(), "{codec:?}");
        assert_eq!(found.exif.as_deref(), Some(all.exif.as_slice()), "{codec:?}");
        assert_eq!(found.xmp.as_deref(), Some(b"<x/>".as_slice()), "{codec:?}");
        assert_eq!(found.iptc.is_some(), codec == Codec::Jpeg, "{codec:?}");
        assert_eq!(pixels(&full), pixels(&plain), "{codec:?} {layout:?}");
    }
}

#[test]
fn code_points_are_told_where_there_is_a_place() {
    let png = attach(file(Codec::Png, Layout::Rgb, false), Codec::Png, &attachments(0)).expect("our own file");
    assert_eq!(metadata::read(&png, SourceFormat::Png).cicp, Some([12, 13, 0, 1]));
    let avif = attach(file(Codec::Avif, Layout::Rgb, false), Codec::Avif, &attachments(0)).expect("our own file");
    assert_eq!(metadata::read(&avif, SourceFormat::Avif).cicp, Some([12, 13, 6, 1]));
}

/// The frames lie elsewhere then, and players look for the profile in the tracks.
#[test]
fn sequences_are_found_again() {
    let frames: Vec<Bitmap> = [Layout::Rgb, Layout::Rgba, Layout::Rgba].map(picture).into();
    let (watch, scratch) = (Watch::new(), &mut Scratch::new(0));
    let settings = Settings::new(Codec::Avif, 80);
    let mut reel = crate::encode::animation::start(settings, (40, 30), 3).expect("begun");
    for frame in frames {
        reel.add(frame, 50_000, &watch, scratch).expect("added");
    }
    let plain = reel.finish(&watch, scratch).expect("finished");
    for all in [attachments(0), Attachments { icc: None, code_points: None, ..attachments(0) }] {
        let full = attach(plain.clone(), Codec::Avif, &all).expect("our own file");
        assert!(full.len() <= plain.len() + all.room());
        let found = metadata::read(&full, SourceFormat::Avif);
        assert_eq!((found.icc.as_deref(), found.exif.as_deref()), (all.icc.as_deref(), Some(all.exif.as_slice())));
        assert_eq!(found.xmp.as_deref(), Some(b"<x/>".as_slice()));
        let limits = Limits::default();
        let mut read = |file: &[u8], number: u32| {
            let probe = crate::probe(file, &limits).expect("a header");
            assert_eq!((probe.frames, probe.motion.map(|motion| motion.plays)), (3, Some(3)));
            crate::decode_frame(file, &probe, number, &limits, &watch, scratch).expect("decodes")
        };
        for number in 0..3 {
            let (before, after) = (read(&plain, number), read(&full, number));
            assert_eq!(before.bitmap, after.bitmap, "frame {number}");
            assert_eq!(after.icc.as_deref(), all.icc.as_deref());
        }
        // The still picture beside them moved as well.
        let mut still = full.clone();
        still[8..12].copy_from_slice(b"avif");
        assert!(
            crate::decode(
                &still,
                &crate::probe(&still, &limits).expect("a header"),
                &Want::EVERYTHING,
                &limits,
                &watch,
                scratch
            )
            .is_ok()
        );
    }
}

#[test]
fn a_large_profile_goes_into_several_segments() {
    let all = attachments(150_000);
    let full = attach(file(Codec::Jpeg, Layout::Rgb, false), Codec::Jpeg, &all).expect("our own file");
    assert_eq!(metadata::read(&full, SourceFormat::Jpeg).icc.as_deref(), all.icc.as_deref());
}

#[test]
fn what_is_not_ours_is_refused() {
    for codec in [Codec::Jpeg, Codec::Png, Codec::Webp, Codec::Avif] {
        assert!(matches!(attach(b"nonsense".to_vec(), codec, &attachments(0)), Err(Error::Internal(_))), "{codec:?}");
    }
}
