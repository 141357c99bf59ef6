//! The header of a JPEG file (ITU-T T.81, annex B): the frame, and what the application segments before the scan say.

use super::{be16, exif};
use crate::orientation::Orientation;
use std::ops::Range;

/// What stands before the first scan.
#[derive(Debug, Default)]
pub(crate) struct JpegHeader<'a> {
    /// The frame marker's low nibble: 0 baseline, 1 extended, 2 progressive, others see T.81 table B.1.
    pub(crate) process: u8,
    pub(crate) precision: u8,
    pub(crate) width: u16,
    /// 0 when a DNL segment after the first scan tells it.
    pub(crate) height: u16,
    pub(crate) components: u8,
    /// The colour transform of an `Adobe` segment: 0 none, 1 YCbCr, 2 YCCK.
    pub(crate) adobe: Option<u8>,
    pub(crate) orientation: Orientation,
    pub(crate) has_metadata: bool,
    /// Components of the first scan: fewer than the frame's when the file keeps them apart.
    pub(crate) scan_components: u8,
    /// Where the first scan's segment begins, behind its marker.
    scan_at: usize,
    icc: Vec<IccChunk<'a>>,
}

#[derive(Debug)]
struct IccChunk<'a> {
    number: u8,
    of: u8,
    data: &'a [u8],
    /// Of the whole segment with its marker.
    place: Range<usize>,
}

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;

/// A segment before the first scan.
pub(crate) struct Segment<'a> {
    pub(crate) marker: u8,
    /// Behind the length; cut where the file is.
    pub(crate) body: &'a [u8],
    /// Of the whole segment with its marker.
    pub(crate) place: Range<usize>,
}

/// The segments up to the first scan, whose header is the last one.
pub(crate) fn segments(bytes: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut at = 2;
    let mut ended = false;
    std::iter::from_fn(move || {
        while !ended {
            let (marker, body_at) = next_marker(bytes, at)?;
            at = body_at;
            match marker {
                // Stand alone, without a length: TEM, RSTn, SOI.
                0x01 | 0xD0..=SOI => continue,
                EOI => return None,
                SOS => ended = true,
                _ => {}
            }
            let end = at.saturating_add(usize::from(be16(bytes, at)?).max(2)).min(bytes.len());
            let body = bytes.get(at + 2..end).unwrap_or_default();
            let place = at - 2..end;
            at = end;
            return Some(Segment { marker, body, place });
        }
        None
    })
}

/// Reads up to the first scan. `None` without a frame header before it.
pub(crate) fn read(bytes: &[u8]) -> Option<JpegHeader<'_>> {
    let mut header = JpegHeader::default();
    let mut framed = false;
    for Segment { marker, body, place } in segments(bytes) {
        match marker {
            SOS => {
                header.scan_at = place.start + 2;
                header.scan_components = body.first().copied().unwrap_or_default();
            }
            // C4 is DHT, C8 reserved, CC DAC: the other C0 to CF begin a frame.
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) && !framed => framed = header.frame(marker, body),
            APP1 if body.starts_with(b"Exif\0") => {
                header.has_metadata = true;
                if header.orientation == Orientation::Upright {
                    header.orientation = exif::orientation(body);
                }
            }
            APP1 => header.has_metadata = true,
            APP2 => header.icc_chunk(body, place),
            APP14 if body.starts_with(b"Adobe") => header.adobe = body.get(11).copied(),
            _ => {}
        }
    }
    framed.then_some(header)
}

/// The next marker's code and where its body begins. Bytes between segments are skipped, as every reader does.
pub(crate) fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|&b| b == 0xFF)?;
        at += bytes.get(at..)?.iter().position(|&b| b != 0xFF)?;
        let code = *bytes.get(at)?;
        at += 1;
        if code != 0 {
            return Some((code, at));
        }
    }
}

impl<'a> JpegHeader<'a> {
    fn frame(&mut self, marker: u8, body: &[u8]) -> bool {
        let (Some(height), Some(width), Some(&precision), Some(&components)) =
            (be16(body, 1), be16(body, 3), body.first(), body.get(5))
        else {
            return false;
        };
        self.process = marker & 0x0F;
        (self.precision, self.height, self.width, self.components) = (precision, height, width, components);
        true
    }

    fn icc_chunk(&mut self, body: &'a [u8], place: Range<usize>) {
        let Some([number, of, data @ ..]) = body.strip_prefix(b"ICC_PROFILE\0") else { return };
        self.icc.push(IccChunk { number: *number, of: *of, data, place });
    }

    /// Whether any part of a profile is there.
    pub(crate) fn has_icc(&self) -> bool {
        !self.icc.is_empty()
    }

    /// The file without its profile.
    pub(crate) fn without_icc(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for chunk in &self.icc {
            out.extend_from_slice(bytes.get(from..chunk.place.start).unwrap_or_default());
            from = chunk.place.end;
        }
        out.extend_from_slice(bytes.get(from..).unwrap_or_default());
        out
    }

    /// Scans, counted without decoding: inside of entropy-coded data 0xFF is followed by 0 or a restart marker only.
    pub(crate) fn scans(&self, bytes: &[u8]) -> usize {
        let data = bytes.get(self.scan_at.saturating_sub(2)..).unwrap_or_default();
        data.windows(2).filter(|pair| *pair == [0xFF, SOS]).count()
    }

    /// The profile put together (ICC.1:2022, B.4), if each of its parts is there exactly once.
    pub(crate) fn icc(&self) -> Option<Vec<u8>> {
        let of = self.icc.first()?.of;
        if self.icc.len() != usize::from(of) || self.icc.iter().any(|c| c.of != of) {
            return None;
        }
        let mut profile = Vec::new();
        for number in 1..=of {
            profile.extend_from_slice(self.icc.iter().find(|c| c.number == number)?.data);
        }
        Some(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use proptest::prelude::*;

    fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len() + 2).expect("test bodies are short");
        [&[0xFF, marker], length.to_be_bytes().as_slice(), body].concat()
    }

    fn icc(number: u8, of: u8, data: &[u8]) -> Vec<u8> {
        segment(0xE2, &[b"ICC_PROFILE\0", [number, of].as_slice(), data].concat())
    }

    const FRAME: &[u8] = &[8, 0, 5, 0, 7, 3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1];

    #[test]
    fn a_profile_in_parts_is_put_together_in_their_order() {
        let file = [vec![0xFF, 0xD8], icc(2, 2, b"world"), segment(0xC2, FRAME), icc(1, 2, b"hello ")].concat();
        let header = read(&file).expect("a frame");
        assert_eq!((header.width, header.height, header.process, header.components), (7, 5, 2, 3));
        assert_eq!(header.icc().as_deref(), Some(b"hello world".as_slice()));
    }

    #[test]
    fn a_profile_with_a_hole_is_none() {
        for parts in
            [vec![icc(1, 2, b"a")], vec![icc(1, 2, b"a"), icc(1, 2, b"b")], vec![icc(1, 1, b"a"), icc(2, 2, b"b")]]
        {
            let file = [vec![0xFF, 0xD8], parts.concat(), segment(0xC0, FRAME)].concat();
            let header = read(&file).expect("a frame");
            assert!(header.has_icc() && header.icc().is_none());
        }
    }

    #[test]
    fn without_a_frame_there_is_no_header() {
        assert!(read(b"\xFF\xD8\xFF\xDA\0\x02").is_none());
        assert!(read(b"\xFF\xD8").is_none());
        assert!(read(b"").is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(prop_oneof![Just(0xFFu8), any::<u8>()], 0..200)) {
            let file = [b"\xFF\xD8".as_slice(), &tail].concat();
            if let Some(header) = read(&file) {
                header.icc();
            }
        }
    }
}
