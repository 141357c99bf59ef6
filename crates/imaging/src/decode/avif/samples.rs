//! The sample tables of a track (ISO/IEC 14496-12, 8.6 and 8.7): where each sample lies, how long it is seen, and how
//! often the whole plays.
//!
//! Invariant: no table is believed about its length; nothing is made for more samples than asked for.

use super::reader::Reader;
use std::ops::Range;

/// Where the first `limit` samples lie in the file, in their order. It ends where the tables contradict each other; an
/// empty range stands for a sample beyond the end of the file.
pub(super) fn ranges(file: &[u8], table: Reader<'_>, limit: u32) -> Option<Vec<Range<usize>>> {
    let mut sizes = table.find(b"stsz")?;
    sizes.version()?;
    let (common, count) = (sizes.u32()?, sizes.u32()?);
    let mut chunks = Chunks::read(table)?;
    let mut ranges = Vec::new();
    for _ in 0..count.min(limit) {
        let Some(length) = (if common == 0 { sizes.u32() } else { Some(common) }) else { break };
        let Some(offset) = chunks.place(length) else { break };
        let range = usize::try_from(offset).ok().zip(usize::try_from(offset.saturating_add(length.into())).ok());
        let range = range.map_or(0..0, |(start, end)| start..end);
        ranges.push(if range.end <= file.len() { range } else { 0..0 });
    }
    Some(ranges)
}

/// Walks the chunks, each a run of samples (`stsc`) from an offset on (`stco` or `co64`).
struct Chunks<'a> {
    offsets: Reader<'a>,
    width: u8,
    runs: Reader<'a>,
    /// Samples of each chunk of the run in hand, and the chunk with which the next run begins.
    samples: u32,
    next_run: Option<(u32, u32)>,
    chunk: u32,
    left: u32,
    at: u64,
}

impl<'a> Chunks<'a> {
    fn read(table: Reader<'a>) -> Option<Self> {
        let (offsets, width) = match table.find(b"stco") {
            Some(found) => (found, 4),
            None => (table.find(b"co64")?, 8),
        };
        let (mut offsets, mut runs) = (offsets, table.find(b"stsc")?);
        offsets.take(8)?;
        runs.take(8)?;
        let mut chunks = Self { offsets, width, runs, samples: 0, next_run: None, chunk: 0, left: 0, at: 0 };
        chunks.next_run = chunks.run();
        Some(chunks)
    }

    /// First chunk of a run, samples of each of its chunks.
    fn run(&mut self) -> Option<(u32, u32)> {
        let run = (self.runs.u32()?, self.runs.u32()?);
        self.runs.u32()?;
        Some(run)
    }

    /// The offset of the next sample, which has `length` bytes.
    fn place(&mut self, length: u32) -> Option<u64> {
        // A chunk without samples uses up an offset: the walk ends.
        while self.left == 0 {
            self.chunk = self.chunk.checked_add(1)?;
            if let Some((first, samples)) = self.next_run
                && first <= self.chunk
            {
                self.samples = samples;
                self.next_run = self.run();
            }
            self.at = self.offsets.sized(self.width)?;
            self.left = self.samples;
        }
        let at = self.at;
        self.left -= 1;
        self.at = at.checked_add(length.into())?;
        Some(at)
    }
}

/// Tells `frame` the duration of each of `count` samples, in microseconds, and gives their sum. `media` is the payload of
/// `mdia`.
pub(super) fn times(media: Reader<'_>, count: u32, frame: &mut dyn FnMut(u64)) -> Option<u64> {
    let mut header = media.find(b"mdhd")?;
    let (version, _) = header.version()?;
    header.take(if version == 1 { 16 } else { 8 })?;
    let scale = u64::from(header.u32()?).max(1);
    let mut runs = media.find(b"minf")?.find(b"stbl")?.find(b"stts")?;
    runs.take(8)?;
    let (mut left, mut ticks, mut micros) = (count, 0u64, 0);
    while left > 0 {
        let Some((samples, delta)) = runs.u32().zip(runs.u32()) else { break };
        for _ in 0..samples.min(left) {
            // Differences of rounded moments: the sum is exact.
            ticks = ticks.saturating_add(delta.into());
            let moment = u64::try_from(u128::from(ticks) * 1_000_000 / u128::from(scale)).unwrap_or(u64::MAX);
            frame(moment.saturating_sub(micros));
            micros = moment;
        }
        left -= samples.min(left);
    }
    // A table that is too short says nothing of the rest: they are frames all the same.
    (0..left).for_each(|_| frame(0));
    Some(micros)
}

/// How often a track plays; 0 is for ever, as without an edit list. `trak` is the payload of `trak`.
///
/// An edit list of one entry may say "repeat" (14496-12, 8.6.6): then the track's duration, if it has one, says how long.
pub(super) fn plays(trak: Reader<'_>) -> u32 {
    let read = || -> Option<u32> {
        let mut edits = trak.find(b"edts")?.find(b"elst")?;
        let (version, flags) = edits.version()?;
        edits.u32()?;
        let segment = edits.sized(if version == 1 { 8 } else { 4 })?;
        if flags & 1 == 0 {
            return Some(1);
        }
        let mut header = trak.find(b"tkhd")?;
        let (version, _) = header.version()?;
        header.take(if version == 1 { 24 } else { 16 })?;
        let whole = header.sized(if version == 1 { 8 } else { 4 })?;
        let indefinite = whole == if version == 1 { u64::MAX } else { u32::MAX.into() };
        if indefinite || segment == 0 {
            return Some(0);
        }
        Some(u32::try_from(whole.div_ceil(segment)).unwrap_or(0).min(65_536))
    };
    read().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], words: &[u32]) -> Vec<u8> {
        let body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let size = u32::try_from(body.len() + 8).expect("test boxes are short");
        [size.to_be_bytes().as_slice(), kind, &body].concat()
    }

    #[test]
    fn samples_lie_in_runs_of_chunks() {
        let table = [
            boxed(b"stsz", &[0, 0, 4, 10, 20, 30, 40]),
            boxed(b"stsc", &[0, 2, 1, 2, 1, 2, 1, 1]),
            boxed(b"stco", &[0, 3, 100, 500, 900]),
        ]
        .concat();
        let file = vec![0; 935];
        let found = ranges(&file, Reader(&table), 100).expect("tables");
        assert_eq!(found, [100..110, 110..130, 500..530, 0..0], "the last lies beyond the end");
        assert_eq!(ranges(&file, Reader(&table), 2).map(|r| r.len()), Some(2));
    }

    #[test]
    fn empty_chunks_and_lying_counts_end_the_walk() {
        let table =
            [boxed(b"stsz", &[0, 7, u32::MAX]), boxed(b"stsc", &[0, 1, 1, 0, 1]), boxed(b"stco", &[0, 2, 1, 2])]
                .concat();
        assert_eq!(ranges(&[0; 9], Reader(&table), 1000), Some(vec![]));
    }

    #[test]
    fn times_are_exact_in_sum() {
        let inner = boxed(b"stts", &[0, 1, 3, 1]);
        let wrap = |kind: &[u8; 4], body: &[u8]| {
            [u32::try_from(body.len() + 8).expect("short").to_be_bytes().as_slice(), kind, body].concat()
        };
        let media = [boxed(b"mdhd", &[0, 0, 0, 30]), wrap(b"minf", &wrap(b"stbl", &inner))].concat();
        let mut told = Vec::new();
        assert_eq!(times(Reader(&media), 4, &mut |micros| told.push(micros)), Some(100_000));
        assert_eq!(told, [33_333, 33_333, 33_334, 0]);
    }

    #[test]
    fn an_edit_list_tells_how_often() {
        let trak = |flags: u32, whole: u32| {
            let edits = boxed(b"elst", &[flags, 1, 50, 0, 0x1_0000]);
            let size = u32::try_from(edits.len() + 8).expect("short");
            let edits = [size.to_be_bytes().as_slice(), b"edts", &edits].concat();
            [boxed(b"tkhd", &[0, 0, 0, 1, 0, whole]), edits].concat()
        };
        assert_eq!(plays(Reader(&trak(0, 50))), 1);
        assert_eq!(plays(Reader(&trak(1, 150))), 3);
        assert_eq!(plays(Reader(&trak(1, u32::MAX))), 0);
        assert_eq!(plays(Reader(&[])), 0);
    }
}
