//! Animations of a stranger (GIF, PNG, WebP, AVIF), played to their end twice: the same pictures, the same end.
#![no_main]

use imaging::{Bitmap, Error, SourceFormat, Watch, decode_frame, motion, probe};
use libfuzzer_sys::{Corpus, fuzz_target};
use tintype_fuzz::{limits, used_scratch};

fn play(bytes: &[u8], number: u32, rest: u8) -> Result<Bitmap, Error> {
    let limits = limits();
    let probe = probe(bytes, &limits)?;
    let decoded = decode_frame(bytes, &probe, number, &limits, &Watch::new(), &mut used_scratch(rest))?;
    assert_eq!((decoded.bitmap.width(), decoded.bitmap.height()), (probe.width, probe.height));
    Ok(decoded.bitmap)
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let moves = [SourceFormat::Gif, SourceFormat::Png, SourceFormat::Webp, SourceFormat::Avif];
    if !SourceFormat::sniff(data).is_some_and(|format| moves.contains(&format)) {
        return Corpus::Reject;
    }
    let Ok(found) = probe(data, &limits()) else { return Corpus::Reject };
    if found.motion.is_none() {
        return Corpus::Reject;
    }
    let delays = motion::delays(data, found.format, limits().frames);
    assert_eq!(delays.len(), found.frames.min(limits().frames) as usize, "times and frames disagree");
    let schedule = motion::schedule(&delays, Some(7));
    let kept = schedule.iter().flatten().fold(0u64, |sum, delay| sum.saturating_add(*delay));
    assert_eq!(kept, delays.iter().fold(0u64, |sum, delay| sum.saturating_add(*delay)), "time was lost");
    let last = found.frames.min(limits().frames) - 1;
    for number in [0, last] {
        let first = play(data, number, 0x00);
        if let Err(Error::Internal(what)) = &first {
            panic!("a stranger's file caused an internal error: {what}");
        }
        assert!(first == play(data, number, 0xA5), "the picture holds bytes that were not written for it");
    }
    Corpus::Keep
});
