//! Small animations through every writer and back through our own readers.

use super::*;
use crate::bitmap::Layout;
use crate::decode::frames::Frames;
use crate::limits::Limits;
use crate::motion;
use crate::probe::probe;
use proptest::prelude::*;

const SIZE: (u32, u32) = (13, 9);

fn settings(codec: Codec) -> Settings {
    Settings { effort: Some(0), lossless: true, ..Settings::new(codec, 100) }
}

/// A square of four pixels a side that wanders over a ground that comes, stays and goes; few colours, no half alpha.
fn frame(number: u32) -> Bitmap {
    let (left, top) = (number * 2 % 10, number % 6);
    let ground: [u8; 4] = if (2..5).contains(&number) { [30, 60, 90, 255] } else { [0; 4] };
    let pixels = (0..SIZE.0 * SIZE.1).flat_map(|i| {
        let (x, y) = (i % SIZE.0, i / SIZE.0);
        let inside = (left..left + 4).contains(&x) && (top..top + 4).contains(&y);
        if inside { [(number * 20) as u8, (x * 15) as u8, 7, 255] } else { ground }
    });
    Bitmap::new(SIZE.0, SIZE.1, Layout::Rgba, pixels.collect())
}

fn written(codec: Codec, frames: &[(Bitmap, u64)], plays: u32) -> Vec<u8> {
    let (watch, scratch) = (Watch::new(), &mut Scratch::new(1 << 20));
    // What an earlier picture left shows where nothing is written.
    scratch.give(vec![0xA5; 4096]);
    let mut reel = start(settings(codec), SIZE, plays).expect("begun");
    for (frame, micros) in frames {
        reel.add(frame.clone(), *micros, &watch, scratch).expect("added");
    }
    reel.finish(&watch, scratch).expect("finished")
}

const CODECS: [Codec; 4] = [Codec::Webp, Codec::Gif, Codec::Png, Codec::Avif];

#[test]
fn frames_times_and_plays_come_back() {
    // The last two are equal: a frame that changes nothing is a frame.
    let frames: Vec<_> = [0, 1, 2, 3, 4, 5, 6, 6].iter().map(|&n| (frame(n), 40_000 + u64::from(n) * 10_000)).collect();
    for codec in CODECS {
        for plays in [0, 1, 2, 7] {
            let file = written(codec, &frames, plays);
            let limits = Limits::default();
            let probe = probe(&file, &limits).expect("probed");
            let motion = probe.motion.expect("it moves");
            assert_eq!((probe.frames, motion.plays), (8, plays), "{codec:?}");
            let delays = motion::delays(&file, probe.format, 100);
            assert_eq!(delays, frames.iter().map(|f| f.1).collect::<Vec<_>>(), "{codec:?}");
            let scratch = &mut Scratch::new(1 << 20);
            let mut shown = Frames::open(&file, &probe, &limits, scratch).expect("opened");
            for (number, (frame, _)) in frames.iter().enumerate() {
                assert!(shown.advance(&Watch::new(), scratch).expect("shown"));
                let pairs = shown.seen().pixels().as_chunks::<4>().0.iter().zip(frame.pixels().as_chunks::<4>().0);
                for (at, (seen, wanted)) in pairs.enumerate() {
                    assert!(
                        seen == wanted || seen[3] == 0 && wanted[3] == 0,
                        "{codec:?} {number} {at} {seen:?} {wanted:?}"
                    );
                }
            }
            assert!(!shown.advance(&Watch::new(), scratch).expect("the end"));
        }
    }
}

#[test]
fn only_what_changes_is_stored() {
    let noise = (0..200 * 100u32).flat_map(|i| [(i.wrapping_mul(2_654_435_761) >> 24) as u8, 0, (i / 200) as u8, 255]);
    let ground = Bitmap::new(200, 100, Layout::Rgba, noise.collect());
    let mut moved = ground.clone();
    moved.pixels_mut()[..4].copy_from_slice(&[1, 2, 3, 255]);
    for codec in CODECS {
        let size_of = |frames: &[&Bitmap]| {
            let (watch, scratch) = (Watch::new(), &mut Scratch::new(1 << 20));
            let mut reel = start(settings(codec), (200, 100), 0).expect("begun");
            for &frame in frames {
                reel.add(frame.clone(), 100_000, &watch, scratch).expect("added");
            }
            reel.finish(&watch, scratch).expect("finished").len()
        };
        let (one, three) = (size_of(&[&ground]), size_of(&[&ground, &moved, &ground]));
        assert!(
            three < one + if codec == Codec::Avif { 1200 } else { 400 },
            "{codec:?}: {one} bytes, and {three} for two pixels more"
        );
    }
}

#[test]
fn a_watch_ends_it() {
    let watch = Watch::new();
    watch.cancel();
    for codec in CODECS {
        let scratch = &mut Scratch::new(0);
        let mut reel = start(settings(codec), SIZE, 0).expect("begun");
        let ended = reel.add(frame(0), 0, &watch, scratch).and_then(|()| reel.finish(&watch, scratch));
        assert_eq!(ended, Err(Error::Cancelled), "{codec:?}");
    }
}

#[test]
fn a_side_beyond_the_format_is_refused() {
    let refused = start(settings(Codec::Webp), (16_384, 1), 0).err();
    assert!(matches!(refused, Some(Error::TooLarge { .. })), "{refused:?}");
}

/// Frames, times and plays as `probe` and the decoder read them.
fn read_back(file: &[u8]) -> (u32, Vec<u64>, Vec<Bitmap>) {
    let limits = Limits::default();
    let (probe, scratch) = (probe(file, &limits).expect("probed"), &mut Scratch::new(1 << 20));
    let mut shown = Frames::open(file, &probe, &limits, scratch).expect("opened");
    let mut pictures = Vec::new();
    while shown.advance(&Watch::new(), scratch).expect("shown") {
        pictures.push(shown.seen().clone());
    }
    assert_eq!(probe.frames as usize, pictures.len());
    (probe.motion.map_or(1, |motion| motion.plays), motion::delays(file, probe.format, u32::MAX), pictures)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Times beyond an hour are told in milliseconds; a frame where alpha begins may be any.
    #[test]
    fn sequences_of_any_length_and_pace_come_back(
        micros in proptest::collection::vec(prop_oneof![0u64..70_000, 0u64..5_000_000_000, Just(40_000)], 2..14),
        plays in prop_oneof![0u32..4, Just(65_536)],
        clear_from in 0usize..16,
    ) {
        let solid = |number: usize| {
            let mut frame = frame(number as u32);
            let opaque = number < clear_from;
            frame.pixels_mut().as_chunks_mut::<4>().0.iter_mut().filter(|_| opaque).for_each(|p| p[3] = 255);
            frame
        };
        let frames: Vec<_> = micros.iter().enumerate().map(|(number, &micros)| (solid(number), micros)).collect();
        let (told_plays, told, pictures) = read_back(&written(Codec::Avif, &frames, plays));
        prop_assert_eq!(told_plays, plays);
        prop_assert_eq!(told.len(), micros.len());
        let exact = micros.iter().all(|&m| m <= u64::from(u32::MAX) || m % 1000 == 0);
        for (told, micros) in told.iter().zip(&micros) {
            prop_assert!(told == micros || !exact && told.abs_diff(*micros) <= 1000, "{} {}", told, micros);
        }
        for (picture, (frame, _)) in pictures.iter().zip(&frames) {
            let pairs = picture.pixels().as_chunks::<4>().0.iter().zip(frame.pixels().as_chunks::<4>().0);
            for (seen, wanted) in pairs {
                prop_assert!(seen == wanted || seen[3] == 0 && wanted[3] == 0, "{:?} {:?}", seen, wanted);
            }
        }
    }
}

#[test]
fn opaque_frames_have_no_track_of_alpha() {
    let opaque = Bitmap::new(SIZE.0, SIZE.1, Layout::Rgb, vec![90; (SIZE.0 * SIZE.1 * 3) as usize]);
    let file = written(Codec::Avif, &[(opaque.clone(), 50_000), (opaque.clone(), 50_000)], 0);
    assert!(!file.windows(4).any(|kind| kind == b"auxv" || kind == b"auxC"));
    let file = written(Codec::Avif, &[(opaque, 50_000), (frame(0), 50_000)], 0);
    assert!(file.windows(4).any(|kind| kind == b"auxv"));
}

/// Who reads no sequences shows the first frame.
#[test]
fn a_sequence_is_a_still_picture_too() {
    let file = written(Codec::Avif, &[(frame(0), 50_000), (frame(3), 50_000)], 0);
    let mut still = file.clone();
    // Another major brand, and no tracks.
    still[8..12].copy_from_slice(b"avif");
    let moov = still.windows(4).position(|kind| kind == b"moov").expect("tracks");
    still[moov..moov + 4].copy_from_slice(b"free");
    let (_, _, pictures) = read_back(&file);
    let limits = Limits::default();
    let probe = probe(&still, &limits).expect("probed");
    assert_eq!((probe.frames, probe.motion, probe.has_alpha), (1, None, true));
    let (want, scratch) = (crate::decode::Want::EVERYTHING, &mut Scratch::new(0));
    let first = crate::decode::decode(&still, &probe, &want, &limits, &Watch::new(), scratch).expect("decoded");
    assert_eq!(first.bitmap, pictures[0]);
}
