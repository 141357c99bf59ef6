//! Whether a file holds far more than its picture needs: texts and profiles that inflate without end, rows behind the
//! last one, palettes beyond their indices, directories that go round.
//!
//! A render stops reading where it has what it wants and is not hurt; whoever takes such a file on from here may be. So
//! [`verify`](crate::verify) asks. Nothing that is inflated is kept. Invariant: work is bounded by the limits below.

use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::metadata::png::{self, compressed_profile};
use crate::metadata::{MAX_PROFILE, le16, le32, tiff};
use crate::probe::Probe;

/// Of all texts of a PNG together, inflated. The largest XMP packets of editors have a few MB.
const MAX_TEXT: u64 = 8 << 20;
/// Texts of a PNG. Writers leave a dozen.
const MAX_TEXTS: u64 = 4_096;
/// Some writers pad what they compress.
const PADDING: u64 = 64 << 10;
/// How far back a DEFLATE stream may point (RFC 1951, 2).
const WINDOW: usize = 32 << 10;

/// Looks at what formats hold beside their pixels.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Malformed`] where directories go round; [`Error::Deadline`], [`Error::Cancelled`].
pub(crate) fn check(bytes: &[u8], probe: &Probe, limits: &Limits, watch: &Watch) -> Result<(), Error> {
    match probe.format {
        SourceFormat::Png => chunks(bytes, watch),
        SourceFormat::Tiff => directories(bytes, limits),
        SourceFormat::Bmp => palette(bytes),
        _ => Ok(()),
    }
}

fn within(what: &'static str, value: u64, limit: u64) -> Result<(), Error> {
    if value > limit { Err(Error::TooLarge { what, value, limit }) } else { Ok(()) }
}

fn chunks(bytes: &[u8], watch: &Watch) -> Result<(), Error> {
    let header = png::read(bytes).ok_or_else(|| Error::Malformed("a PNG without a header".to_owned()))?;
    let mut texts = 0;
    let mut room = MAX_TEXT;
    for chunk in png::chunks(bytes) {
        let stream = match &chunk.kind {
            b"iCCP" => {
                let stream = compressed_profile(chunk.body).unwrap_or_default();
                let limit = MAX_PROFILE as u64;
                within("bytes of the colour profile", inflated([stream], limit, watch)?, limit)?;
                continue;
            }
            b"tEXt" => Some(&[][..]),
            b"zTXt" => split(chunk.body).and_then(|rest| rest.get(1..)),
            b"iTXt" => international(chunk.body),
            _ => continue,
        };
        texts += 1;
        within("texts", texts, MAX_TEXTS)?;
        let length = inflated(stream, room, watch)?;
        within("bytes of all texts", MAX_TEXT - room + length, MAX_TEXT)?;
        room -= length;
    }
    let limit = rows(&header);
    pictures(bytes).try_for_each(|parts| within("bytes of the picture's rows", inflated(parts, limit, watch)?, limit))
}

/// The streams of the picture and of each frame, which begin with an `fcTL`.
fn pictures(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let mut chunks = png::chunks(bytes).peekable();
    std::iter::from_fn(move || {
        chunks.peek()?;
        let mut parts = Vec::new();
        for chunk in chunks.by_ref() {
            match &chunk.kind {
                b"fcTL" => break,
                b"IDAT" => parts.push(chunk.body),
                b"fdAT" => parts.push(chunk.body.get(4..).unwrap_or_default()),
                _ => {}
            }
        }
        Some(parts)
    })
}

/// Bytes that rows may have: each with its filter, those of seven interlaced pictures at most twice as many.
fn rows(header: &png::PngHeader<'_>) -> u64 {
    let samples = match header.color_type {
        2 => 3,
        4 => 2,
        6 => 4,
        _ => 1,
    };
    let row = (u64::from(header.width) * samples * u64::from(header.depth)).div_ceil(8) + 1;
    (row * u64::from(header.height)).saturating_mul(2).saturating_add(PADDING)
}

/// What follows the first zero.
fn split(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(bytes.iter().position(|byte| *byte == 0)? + 1..)
}

/// The stream of an `iTXt`, if its text is compressed (PNG third edition, 11.3.3.4).
fn international(body: &[u8]) -> Option<&[u8]> {
    let [1, 0, rest @ ..] = split(body)? else { return None };
    split(rest).and_then(split)
}

/// How long a zlib stream in parts becomes, up to the first byte beyond `limit`. A damaged one ends where it is damaged:
/// whether that matters, its reader says.
fn inflated<'a>(parts: impl IntoIterator<Item = &'a [u8]>, limit: u64, watch: &Watch) -> Result<u64, Error> {
    let mut decoder = fdeflate::Decompressor::new();
    decoder.ignore_adler32();
    let mut out = vec![0; 4 * WINDOW];
    let (mut at, mut total) = (0, 0_u64);
    for part in parts {
        let mut part = part;
        loop {
            watch.check()?;
            let Ok((read, written)) = decoder.read(part, &mut out, at, false) else { return Ok(total) };
            part = part.get(read..).unwrap_or_default();
            (at, total) = (at + written, total + written as u64);
            if total > limit || decoder.is_done() {
                return Ok(total);
            }
            if at == out.len() {
                out.copy_within(at - WINDOW.., 0);
                at = WINDOW;
            } else if (read, written) == (0, 0) {
                break;
            }
        }
    }
    Ok(total)
}

/// A palette that claims more colours than the indices reach: others have read as much.
fn palette(bytes: &[u8]) -> Result<(), Error> {
    /// Behind the file's header: the length of the DIB header, bits per pixel, and colours used.
    const HEADER: usize = 14;
    let used = le32(bytes, HEADER).filter(|length| *length >= 40).and_then(|_| le32(bytes, HEADER + 32)).unwrap_or(0);
    match le16(bytes, HEADER + 14) {
        Some(bits @ 1..=8) => within("colours of the palette", used.into(), 1 << bits),
        _ => Ok(()),
    }
}

/// The pages of a TIFF, which are as many as frames may be and never seen twice.
fn directories(bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    let mut seen = std::collections::HashSet::new();
    for at in tiff::directories(bytes) {
        if !seen.insert(at) {
            return Err(Error::Malformed(format!("its directories go round: the one at byte {at} comes twice")));
        }
        within("pages", seen.len() as u64, limits.frames.into())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::probe;
    use fdeflate::compress_to_vec as zlib;

    fn checked(bytes: &[u8]) -> Result<(), Error> {
        let limits = Limits::default();
        check(bytes, &probe(bytes, &limits)?, &limits, &Watch::new())
    }

    fn png(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        // Two by two, grey.
        let header = (b"IHDR", b"\0\0\0\x02\0\0\0\x02\x08\0\0\0\0".to_vec());
        for (kind, body) in std::iter::once(&header).chain(chunks) {
            out.extend_from_slice(&(body.len() as u32).to_be_bytes());
            out.extend_from_slice(&[&kind[..], body, &[0; 4]].concat());
        }
        out
    }

    fn too_large(chunks: &[(&[u8; 4], Vec<u8>)]) -> bool {
        matches!(checked(&png(chunks)), Err(Error::TooLarge { .. }))
    }

    #[test]
    fn what_inflates_without_end_is_refused() {
        let rows = (b"IDAT", zlib(&[0; 6]));
        let zeros = |size: usize| zlib(&vec![0; size]);
        let text = |stream: Vec<u8>| (b"zTXt", [&b"k\0\0"[..], &stream].concat());
        let international = |stream: Vec<u8>| (b"iTXt", [&b"k\0\x01\0en\0t\0"[..], &stream].concat());
        assert_eq!(checked(&png(&[text(zeros(100_000)), international(zeros(100_000)), rows.clone()])), Ok(()));
        assert!(too_large(&[text(zeros(9 << 20)), rows.clone()]));
        assert!(too_large(&[text(zeros(5 << 20)), international(zeros(5 << 20)), rows.clone()]), "together");
        assert!(too_large(&[(b"iCCP", [&b"p\0\0"[..], &zeros(5 << 20)].concat()), rows.clone()]));
        assert!(too_large(&vec![(b"tEXt", b"k\0v".to_vec()); 5_000]));
        assert!(too_large(&[(b"IDAT", zeros(1 << 20))]));
        let stream = zeros(1 << 20);
        let (one, two) = stream.split_at(stream.len() / 2);
        assert!(too_large(&[(b"IDAT", one.to_vec()), (b"IDAT", two.to_vec())]), "in parts");
        let frame = |stream: &[u8]| (b"fdAT", [&[0; 4], stream].concat());
        assert!(too_large(&[rows, (b"fcTL", vec![0; 26]), frame(one), frame(two)]), "a frame");
    }

    #[test]
    fn damaged_streams_are_left_to_their_readers() {
        let damaged = [&b"k\0\0"[..], &[0x78, 0x01, 0xFF, 0xFF]].concat();
        assert_eq!(checked(&png(&[(b"zTXt", damaged), (b"IDAT", vec![1, 2, 3])])), Ok(()));
    }

    #[test]
    fn a_palette_has_as_many_colours_as_indices() {
        let file = |used: u8| {
            let mut file = b"BM\x42\0\0\0\0\0\0\0\x3e\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x01\0".to_vec();
            file.extend_from_slice(&[0; 16]);
            file.extend_from_slice(&[used, 0, 0, 0, 0, 0, 0, 0]);
            file.extend_from_slice(&[0; 12]);
            file
        };
        assert_eq!(checked(&file(2)), Ok(()));
        assert!(matches!(checked(&file(3)), Err(Error::TooLarge { value: 3, limit: 2, .. })));
    }

    #[test]
    fn directories_that_go_round_are_refused() {
        let page = |next: u8| {
            let mut page = b"\x04\0\0\x01\x03\0\x01\0\0\0\x01\0\0\0\x01\x01\x03\0\x01\0\0\0\x01\0\0\0".to_vec();
            page.extend_from_slice(b"\x11\x01\x04\0\x01\0\0\0\x08\0\0\0\x17\x01\x04\0\x01\0\0\0\x01\0\0\0");
            page.extend_from_slice(&[next, 0, 0, 0]);
            page
        };
        let second = 8 + page(0).len() as u8;
        let file = |first: u8, last: u8| [&b"II*\0\x08\0\0\0"[..], &page(first), &page(last)].concat();
        assert_eq!(checked(&file(second, 0)), Ok(()));
        assert!(matches!(checked(&file(8, 0)), Err(Error::Malformed(_))));
        assert!(matches!(checked(&file(second, 8)), Err(Error::Malformed(_))));
        assert_eq!(checked(&file(second, 250)), Ok(()), "beyond the end");
    }
}
