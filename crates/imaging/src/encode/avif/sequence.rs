//! Writes the ISO base media file round the coded frames of an image sequence (ISO/IEC 14496-12, 23008-12, AVIF 1.1):
//! track 1 are the pictures, track 2 their alpha. The still picture beside them is the first frame, not coded again.
//!
//! Invariant: `stco` and `iloc` tell places in the file as it is; who puts something before the frames moves them.

use super::Coded;
use super::container::{ALPHA_URN, Place, boxed, code_points, configuration, meta};
use super::planes::Subsampling;
use crate::error::Error;

/// The tracks share everything but what is coded in them.
pub(super) struct Sequence<'a> {
    /// Pixels of a frame; a sample entry has 16 bits for each.
    pub(super) size: (u16, u16),
    pub(super) subsampling: Subsampling,
    /// How long each frame is seen, microseconds.
    pub(super) micros: &'a [u64],
    /// How often it plays; 0 is for ever.
    pub(super) plays: u32,
    pub(super) color: Track<'a>,
    pub(super) alpha: Option<Track<'a>>,
    /// The frames of all tracks.
    pub(super) data: &'a [u8],
}

/// What is coded: where each frame lies in the data, and what the first says of all.
#[derive(Clone, Copy)]
pub(super) struct Track<'a> {
    /// Its own bytes are not looked at.
    pub(super) look: &'a Coded,
    /// Every one follows those before it, perhaps behind some of another track.
    pub(super) frames: &'a [Place],
}

const COLOR: u32 = 1;
const ALPHA: u32 = 2;
/// The identity of 8.2.2: no turn, no shift.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
/// 72 dots an inch, which nobody reads.
const RESOLUTION: [u8; 4] = [0, 0x48, 0, 0];

/// The whole file.
pub(super) fn write(sequence: &Sequence<'_>) -> Result<Vec<u8>, Error> {
    let profile: &[u8] = match sequence.subsampling {
        Subsampling::Full | Subsampling::Identity => b"MA1A",
        Subsampling::Monochrome | Subsampling::Half => b"MA1B",
    };
    let ftyp = boxed(b"ftyp", &[b"avis\0\0\0\0avifavismsf1iso8mif1miaf", profile]);
    let (times, too_long) = (Times::of(sequence.micros), || Error::Internal("an AVIF of more than 4 GiB".into()));
    // Places have 32 bits whatever they are: the size does not depend on them.
    let head = |start: u32| [&ftyp[..], &still(sequence, start), &movie(sequence, &times, start)].concat();
    let start = head(0).len() + 8;
    let total = start + sequence.data.len();
    let (Ok(start), Ok(_)) = (u32::try_from(start), u32::try_from(total)) else { return Err(too_long()) };
    let length = u32::try_from(sequence.data.len() + 8).map_err(|_| too_long())?;
    let mut file = Vec::with_capacity(total);
    file.extend(head(start));
    file.extend(length.to_be_bytes());
    file.extend(b"mdat");
    file.extend(sequence.data);
    Ok(file)
}

/// `meta`: the first frame for those who show stills.
fn still(sequence: &Sequence<'_>, start: u32) -> Vec<u8> {
    let (width, height) = sequence.size;
    let item = |track: Track<'_>| track.frames.first().map(|place| place.moved(start));
    let nothing = Place { offset: start, length: 0 };
    let color = (sequence.color.look, item(sequence.color).unwrap_or(nothing));
    let alpha = sequence.alpha.as_ref().map(|track| (track.look, item(*track).unwrap_or(nothing)));
    meta(width.into(), height.into(), sequence.subsampling, color, alpha)
}

/// Durations in units of the time scale.
struct Times {
    /// Units a second.
    scale: u32,
    deltas: Vec<u32>,
    /// Of one play.
    whole: u64,
}

impl Times {
    /// Milliseconds where they say it all, as the times of GIF and WebP do; else microseconds, unless a frame is seen
    /// for more than the hour that 32 bits hold.
    fn of(micros: &[u64]) -> Self {
        let whole_millis = micros.iter().all(|micros| micros % 1000 == 0);
        let long = micros.iter().any(|&micros| micros > u32::MAX.into());
        let (scale, unit) = if whole_millis || long { (1000, 1000) } else { (1_000_000, 1) };
        let delta = |micros: &u64| u32::try_from(micros.div_ceil(unit)).unwrap_or(u32::MAX);
        let deltas: Vec<u32> = micros.iter().map(delta).collect();
        let whole = deltas.iter().map(|&delta| u64::from(delta)).sum();
        Self { scale, deltas, whole }
    }

    /// One play, as far as an edit list can tell: a segment of nothing cannot be repeated.
    fn segment(&self) -> u64 {
        self.whole.max(1)
    }

    /// All plays; all ones is for ever.
    fn all(&self, plays: u32) -> u64 {
        if plays == 0 { u64::MAX } else { self.segment().saturating_mul(plays.into()) }
    }
}

fn movie(sequence: &Sequence<'_>, times: &Times, start: u32) -> Vec<u8> {
    let header = boxed(
        b"mvhd",
        &[
            &[1, 0, 0, 0],
            &[0; 16],
            &times.scale.to_be_bytes(),
            &times.all(sequence.plays).to_be_bytes(),
            // Rate 1, volume 1.
            &[0, 1, 0, 0, 1, 0],
            &[0; 10],
            &words(&MATRIX),
            &[0; 24],
            &(ALPHA + 1).to_be_bytes(),
        ],
    );
    let color = track(sequence, times, sequence.color, COLOR, start);
    let alpha = sequence.alpha.as_ref().map(|alpha| track(sequence, times, *alpha, ALPHA, start));
    boxed(b"moov", &[&header, &color, &alpha.unwrap_or_default()])
}

fn track(sequence: &Sequence<'_>, times: &Times, track: Track<'_>, id: u32, start: u32) -> Vec<u8> {
    let side = |side: u16| (u32::from(side) << 16).to_be_bytes();
    let header = boxed(
        b"tkhd",
        &[
            // Enabled.
            &[1, 0, 0, 1],
            &[0; 16],
            &id.to_be_bytes(),
            &[0; 4],
            &times.all(sequence.plays).to_be_bytes(),
            &[0; 16],
            &words(&MATRIX),
            &side(sequence.size.0),
            &side(sequence.size.1),
        ],
    );
    let whose = if id == ALPHA { boxed(b"tref", &[&boxed(b"auxl", &[&COLOR.to_be_bytes()])]) } else { Vec::new() };
    let repeats = u8::from(sequence.plays != 1);
    let edits = boxed(
        b"elst",
        &[&[1, 0, 0, repeats], &words(&[1]), &times.segment().to_be_bytes(), &[0; 8], &words(&[0x1_0000])],
    );
    let media = media(sequence, times, track, id, start);
    boxed(b"trak", &[&header, &whose, &boxed(b"edts", &[&edits]), &media])
}

fn media(sequence: &Sequence<'_>, times: &Times, track: Track<'_>, id: u32, start: u32) -> Vec<u8> {
    let header = boxed(
        b"mdhd",
        // No language.
        &[&[1, 0, 0, 0], &[0; 16], &times.scale.to_be_bytes(), &times.whole.to_be_bytes(), &[0x55, 0xC4, 0, 0]],
    );
    let kind = if id == ALPHA { b"auxv" } else { b"pict" };
    let handler = boxed(b"hdlr", &[&[0; 8], kind, &[0; 13]]);
    let picture = boxed(b"vmhd", &[&[0, 0, 0, 1], &[0; 8]]);
    // In this very file.
    let location = boxed(b"dref", &[&[0; 4], &words(&[1]), &boxed(b"url ", &[&[0, 0, 0, 1]])]);
    let tables = tables(sequence, times, track, id, start);
    let inner = boxed(b"minf", &[&picture, &boxed(b"dinf", &[&location]), &tables]);
    boxed(b"mdia", &[&header, &handler, &inner])
}

/// `stbl`: what a frame looks like, how long it is seen, where it lies, and that the first alone needs no other.
fn tables(sequence: &Sequence<'_>, times: &Times, track: Track<'_>, id: u32, start: u32) -> Vec<u8> {
    let lengths: Vec<u32> = track.frames.iter().map(|place| place.length).collect();
    let chunks = chunks(track.frames);
    let offsets: Vec<u32> = chunks.iter().map(|chunk| start.saturating_add(chunk.offset)).collect();
    let samples = runs(chunks.iter().map(|chunk| chunk.samples));
    // A run begins with a chunk, counted from 1; all look alike.
    let samples: Vec<u32> = (samples.iter())
        .scan(1_u32, |first, &(count, samples)| {
            let run = [*first, samples, 1];
            *first += count;
            Some(run)
        })
        .flatten()
        .collect();
    let seen: Vec<u32> =
        runs(times.deltas.iter().copied()).into_iter().flat_map(|(count, delta)| [count, delta]).collect();
    let table =
        |kind: &[u8; 4], entries: usize, list: &[u32]| boxed(kind, &[&[0; 4], &words(&[count(entries)]), &words(list)]);
    boxed(
        b"stbl",
        &[
            &boxed(b"stsd", &[&[0; 4], &words(&[1]), &description(sequence, track, id)]),
            &table(b"stts", seen.len() / 2, &seen),
            &table(b"stsc", samples.len() / 3, &samples),
            &boxed(b"stsz", &[&[0; 8], &words(&[count(lengths.len())]), &words(&lengths)]),
            &table(b"stco", offsets.len(), &offsets),
            &table(b"stss", 1, &[1]),
        ],
    )
}

/// The sample entry (12.1.3; AV1-ISOBMFF 2.2).
fn description(sequence: &Sequence<'_>, track: Track<'_>, id: u32) -> Vec<u8> {
    let (width, height) = (sequence.size.0.to_be_bytes(), sequence.size.1.to_be_bytes());
    let subsampling = if id == ALPHA { Subsampling::Monochrome } else { sequence.subsampling };
    let config = boxed(b"av1C", &[&configuration(track.look, subsampling)]);
    let kind = if id == ALPHA { boxed(b"auxi", &[&[0; 4], ALPHA_URN]) } else { code_points(subsampling) };
    // Frames refer to up to seven others (23008-12, 7.2.3), and parts of them to none.
    let constraints = boxed(b"ccst", &[&[0; 4], &[0b0101_1100, 0, 0, 0]]);
    boxed(
        b"av01",
        &[
            &[0, 0, 0, 0, 0, 0, 0, 1],
            &[0; 16],
            &width,
            &height,
            &RESOLUTION,
            &RESOLUTION,
            // One frame a sample, no name, 24 bits of colour.
            &[0, 0, 0, 0, 0, 1],
            &[0; 32],
            &[0, 0x18, 0xFF, 0xFF],
            &config,
            &kind,
            &constraints,
        ],
    )
}

/// Frames of a track that lie side by side.
struct Chunk {
    offset: u32,
    end: u32,
    samples: u32,
}

fn chunks(frames: &[Place]) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    for place in frames {
        let end = place.offset.saturating_add(place.length);
        match chunks.last_mut() {
            Some(chunk) if chunk.end == place.offset => (chunk.end, chunk.samples) = (end, chunk.samples + 1),
            _ => chunks.push(Chunk { offset: place.offset, end, samples: 1 }),
        }
    }
    chunks
}

/// How often each value comes in a row.
fn runs(values: impl Iterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((count, same)) if *same == value => *count += 1,
            _ => runs.push((1, value)),
        }
    }
    runs
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn count(entries: usize) -> u32 {
    u32::try_from(entries).unwrap_or(u32::MAX)
}
