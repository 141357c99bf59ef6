//! Markers and the segments behind them (T.81 annex B.1): finds them, knows no meaning.
//! Invariant: positions only grow, so that every walk ends.

use memchr::memchr;

/// A marker and its payload (without the two length bytes; empty for markers that stand alone).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// The byte behind 0xFF.
    pub(crate) marker: u8,
    /// What the segment holds; cut short if the file is.
    pub(crate) payload: &'a [u8],
    /// Where the next thing begins.
    pub(crate) end: usize,
    /// The file ends inside the segment, or its length is impossible.
    pub(crate) broken: bool,
}

pub(crate) const SOI: u8 = 0xD8;
pub(crate) const EOI: u8 = 0xD9;
pub(crate) const SOS: u8 = 0xDA;
pub(crate) const DQT: u8 = 0xDB;
pub(crate) const DNL: u8 = 0xDC;
pub(crate) const DRI: u8 = 0xDD;
pub(crate) const DHT: u8 = 0xC4;

/// RST0 … RST7.
pub(crate) const fn is_restart(marker: u8) -> bool {
    marker & 0xF8 == 0xD0
}

/// Where the next marker's 0xFF stands, at or behind `from`: stuffed bytes and fill bytes are passed over.
pub(crate) fn find_marker(data: &[u8], from: usize) -> Option<(usize, u8)> {
    let mut at = from;
    loop {
        at += memchr(0xFF, data.get(at..)?)?;
        let mut code = at + 1;
        while *data.get(code)? == 0xFF {
            code += 1;
        }
        match data[code] {
            0 => at = code + 1,
            marker => return Some((code - 1, marker)),
        }
    }
}

/// The end of entropy-coded data that begins at `from`: the next marker that is not a restart, or the end of the file.
pub(crate) fn skip_entropy(data: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        match find_marker(data, at) {
            None => return data.len(),
            Some((position, marker)) if is_restart(marker) => at = position + 2,
            Some((position, _)) => return position,
        }
    }
}

/// The next segment at or behind `from`, over whatever does not belong between segments.
pub(crate) fn next(data: &[u8], from: usize) -> Option<Segment<'_>> {
    let (position, marker) = find_marker(data, from)?;
    let start = position + 2;
    if marker == SOI || marker == EOI || marker == 0x01 || is_restart(marker) {
        return Some(Segment { marker, payload: &[], end: start, broken: false });
    }
    let length = match data.get(start..start + 2) {
        Some(bytes) => usize::from(u16::from_be_bytes([bytes[0], bytes[1]])),
        None => return Some(Segment { marker, payload: &[], end: data.len(), broken: true }),
    };
    if length < 2 {
        // Readers commonly take an impossible length as none where nothing depends on it: APPn and COM.
        let broken = !matches!(marker, 0xE0..=0xEF | 0xFE);
        return Some(Segment { marker, payload: &[], end: start + 2, broken });
    }
    let end = (start + length).min(data.len());
    Some(Segment { marker, payload: &data[start + 2..end], end, broken: end < start + length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_and_fill_bytes_are_no_markers() {
        let data = [1, 0xFF, 0, 2, 0xFF, 0xFF, 0xD9];
        assert_eq!(find_marker(&data, 0), Some((5, EOI)));
        assert_eq!(find_marker(&data[..5], 0), None);
    }

    #[test]
    fn entropy_data_runs_over_restarts() {
        let data = [1, 0xFF, 0xD0, 2, 0xFF, 0, 0xFF, SOS, 0];
        assert_eq!(skip_entropy(&data, 0), 6);
        assert_eq!(skip_entropy(&data[..5], 0), 5);
    }

    #[test]
    fn a_segment_longer_than_the_file_is_broken() {
        let data = [0xFF, DQT, 0, 9, 1, 2];
        let segment = next(&data, 0).unwrap();
        assert!(segment.broken);
        assert_eq!(segment.payload, [1, 2]);
    }
}
