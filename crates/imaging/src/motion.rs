//! How an animation moves: how often it plays, how long each frame is seen, and which frames are left when fewer a
//! second are wanted. It knows no pixels.
//!
//! Times are in microseconds. They are kept as the file has them, also those that browsers stretch ([`HASTE`]): who shows
//! the result applies the same rule to the same figure.

use crate::decode::avif;
use crate::format::SourceFormat;
use crate::metadata::{gif, png, webp};

/// What the header says of an animation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Motion {
    /// How often it plays; 0 is for ever.
    pub plays: u32,
    /// One play, microseconds, as stored.
    pub micros: u64,
}

impl Motion {
    /// `None` where there is nothing to play: one frame moves only if it is `hidden` behind another still picture.
    pub(crate) fn of(frames: u32, hidden: bool, plays: u32, micros: u64) -> Option<Self> {
        (frames > 1 || frames == 1 && hidden).then_some(Self { plays, micros })
    }
}

/// Delays up to this are shown as [`LEISURE`] by browsers: old files say 0 and mean "as fast as you can".
pub const HASTE: u64 = 10_000;
/// What browsers make of them.
pub const LEISURE: u64 = 100_000;

/// How long each frame of an original is seen, microseconds, as stored; at most `limit` frames. Empty for a still picture.
pub fn delays(bytes: &[u8], format: SourceFormat, limit: u32) -> Vec<u64> {
    let mut delays = Vec::new();
    let mut frame = |micros| {
        if delays.len() < limit as usize {
            delays.push(micros);
        }
    };
    match format {
        SourceFormat::Gif => drop(gif::read_times(bytes, &mut frame)),
        SourceFormat::Png => drop(png::read_times(bytes, &mut frame)),
        SourceFormat::Webp => drop(webp::read_times(bytes, &mut frame)),
        SourceFormat::Avif => drop(avif::motion(bytes, limit, &mut frame)),
        _ => {}
    }
    delays
}

/// For each frame how long it is seen, or `None` where it is dropped so that at most `fps` a second are left. Whole
/// time and order are kept: what is dropped prolongs the frame before it.
pub fn schedule(delays: &[u64], fps: Option<u8>) -> Vec<Option<u64>> {
    let mut schedule = Vec::with_capacity(delays.len());
    let Some(fps) = fps else { return delays.iter().copied().map(Some).collect() };
    // Time is divided into slots, and the first frame of each is kept. A tenth of a slot is forgiven: 30 a second are
    // stored as 33 and 34 ms.
    let slot = 1_000_000 / u64::from(fps.max(1));
    let (mut seen, mut last) = (0, None);
    let mut now = slot / 10;
    for &delay in delays {
        if last.is_none_or(|last| now / slot > last) {
            (seen, last) = (schedule.len(), Some(now / slot));
            schedule.push(Some(delay));
        } else {
            if let Some(Some(shown)) = schedule.get_mut(seen) {
                *shown = shown.saturating_add(delay);
            }
            schedule.push(None);
        }
        now = now.saturating_add(if delay <= HASTE { LEISURE } else { delay });
    }
    schedule
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_a_limit_everything_is_kept() {
        assert_eq!(schedule(&[10, 0, 70_000], None), [Some(10), Some(0), Some(70_000)]);
        assert_eq!(schedule(&[], Some(1)), []);
    }

    #[test]
    fn half_the_rate_drops_every_other_frame() {
        let halved = schedule(&[50_000; 6], Some(10));
        assert_eq!(halved, [Some(100_000), None, Some(100_000), None, Some(100_000), None]);
        // 30 a second, as they are stored, at 30 a second.
        let kept = schedule(&[33_000, 34_000, 33_000, 33_000, 34_000, 33_000], Some(30));
        assert!(kept.iter().all(Option::is_some), "{kept:?}");
    }

    #[test]
    fn a_delay_of_nothing_is_what_browsers_make_of_it() {
        assert!(schedule(&[0; 5], Some(10)).iter().all(Option::is_some));
        assert_eq!(schedule(&[0; 4], Some(5)), [Some(0), None, Some(0), None]);
    }

    proptest! {
        #[test]
        fn time_is_kept_and_the_rate_is_held(
            delays in proptest::collection::vec(10_001u64..500_000, 1..60), fps in 1u8..=60,
        ) {
            let kept = schedule(&delays, Some(fps));
            prop_assert_eq!(kept.iter().flatten().sum::<u64>(), delays.iter().sum::<u64>());
            prop_assert!(kept[0].is_some());
            // Over the whole, one frame more than the rate gives at most.
            let time: u64 = delays.iter().sum();
            let most = time * u64::from(fps) / 1_000_000 + 2;
            prop_assert!(kept.iter().flatten().count() as u64 <= most, "{:?}", kept);
        }
    }
}
