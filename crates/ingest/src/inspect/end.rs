//! Where a picture ends in its file, and what cameras put behind that.
//!
//! Walks structures by their lengths and decodes nothing. Invariant: every walk ends, since it moves forward.

use imaging::SourceFormat;

/// The end of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Bytes of the file that are the picture.
    At(usize),
    /// The file ends first.
    Missing,
    /// The format does not say.
    Unknown,
}

/// Bytes of zeros or blanks that are nothing.
const PADDING: usize = 64 << 10;
/// Pictures behind each other in one JPEG file: previews, gain maps, the second eye.
const MOST_PICTURES: usize = 16;

impl End {
    pub(super) fn of(bytes: &[u8], format: SourceFormat) -> Self {
        let at = match format {
            SourceFormat::Jpeg => jpeg(bytes),
            SourceFormat::Png => png(bytes),
            SourceFormat::Gif => gif(bytes),
            SourceFormat::Webp => riff(bytes),
            SourceFormat::Avif | SourceFormat::Heic => boxes(bytes),
            SourceFormat::Jxl if bytes.starts_with(&[0, 0, 0, 12]) => boxes(bytes),
            SourceFormat::Ico => icon(bytes),
            SourceFormat::Bmp => return bitmap(bytes),
            SourceFormat::Jxl | SourceFormat::Tiff | SourceFormat::Svg => return Self::Unknown,
        };
        at.filter(|at| *at <= bytes.len()).map_or(Self::Missing, Self::At)
    }
}

/// Whether what is behind the end is nothing, or what cameras and phones put there.
pub(super) fn is_known(rest: &[u8], format: SourceFormat) -> bool {
    let whole = rest;
    let mut rest = unpadded(rest);
    if format == SourceFormat::Jpeg {
        for _ in 0..MOST_PICTURES {
            let Some(end) = rest.starts_with(&[0xFF, 0xD8, 0xFF]).then(|| jpeg(rest)).flatten() else { break };
            rest = unpadded(rest.get(end..).unwrap_or_default());
        }
    }
    // A box begins with zeros, which look like padding.
    let film =
        (rest.len()..=rest.len() + 3).any(|end| whole.len().checked_sub(end).is_some_and(|at| is_film(&whole[at..])));
    rest.is_empty() || film || is_samsung(rest)
}

fn unpadded(rest: &[u8]) -> &[u8] {
    let blank = rest.iter().take_while(|byte| matches!(byte, 0 | 0xFF | b'\n' | b'\r' | b' ')).count();
    // What begins the next picture is no padding.
    let blank = if blank > 0 && rest.get(blank - 1..=blank) == Some(&[0xFF, 0xD8]) { blank - 1 } else { blank };
    if blank <= PADDING { rest.get(blank..).unwrap_or_default() } else { rest }
}

/// The film of a motion photo: boxes from `ftyp` to the end.
fn is_film(rest: &[u8]) -> bool {
    rest.get(4..8) == Some(b"ftyp") && boxes(rest) == Some(rest.len())
}

/// Samsung's trailer: a directory between `SEFH` and `SEFT`, its length before the latter.
fn is_samsung(rest: &[u8]) -> bool {
    let Some(before) = rest.strip_suffix(b"SEFT") else { return false };
    let Some((body, length)) = before.split_last_chunk::<4>() else { return false };
    let length = u32::from_le_bytes(*length) as usize;
    body.len().checked_sub(length).and_then(|at| body.get(at..at + 4)) == Some(b"SEFH")
}

fn be(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?) as usize)
}

fn le(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize)
}

/// ITU-T T.81 B.1: segments by their lengths, coded data up to a marker that does not belong to it.
fn jpeg(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        while *bytes.get(at)? != 0xFF {
            at += 1;
        }
        match *bytes.get(at + 1)? {
            0xD9 => return Some(at + 2),
            0xFF => at += 1,
            0 | 1 | 0xD0..=0xD8 => at += 2,
            _ => at = at + 2 + usize::from(u16::from_be_bytes(*bytes.get(at + 2..)?.first_chunk()?)).max(2),
        }
    }
}

fn png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8_usize;
    loop {
        let length = be(bytes, at)?;
        let next = at.checked_add(length)?.checked_add(12)?;
        if bytes.get(at + 4..at + 8)? == b"IEND" {
            return Some(next);
        }
        at = next;
    }
}

fn gif(bytes: &[u8]) -> Option<usize> {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let blocks = |mut at: usize| {
        loop {
            let length = usize::from(*bytes.get(at)?);
            at += 1 + length;
            if length == 0 {
                return Some(at);
            }
        }
    };
    let mut at = 13 + table(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            0x3B => return Some(at + 1),
            0x21 => at = blocks(at + 2)?,
            0x2C => at = blocks(at + 11 + table(*bytes.get(at + 9)?))?,
            // Decoders take it for the end; it is at least nothing of the picture.
            _ => return Some(at),
        }
    }
}

fn riff(bytes: &[u8]) -> Option<usize> {
    let length = le(bytes, 4)?;
    // An odd length is padded; some writers forget.
    let end = length.checked_add(8)?;
    Some(if length % 2 == 1 && bytes.len() > end { end + 1 } else { end })
}

/// ISO/IEC 14496-12, 4.2: boxes on the outermost level.
fn boxes(bytes: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    while at < bytes.len() {
        let plain = |b: &u8| b.is_ascii_graphic() || *b == b' ';
        let Some(kind) = bytes.get(at + 4..at + 8).filter(|kind| kind.iter().all(plain)) else { return Some(at) };
        let length = match be(bytes, at)? {
            0 => return Some(bytes.len()),
            1 => usize::try_from(u64::from_be_bytes(*bytes.get(at + 8..)?.first_chunk()?)).ok()?,
            length => length,
        };
        if length < 8 {
            return Some(at);
        }
        let next = at.checked_add(length)?;
        // What follows the picture may be anything; what it says of itself must be there.
        if next > bytes.len() && kind == b"free" {
            return Some(bytes.len());
        }
        at = next;
        if at > bytes.len() {
            return None;
        }
    }
    Some(at)
}

fn icon(bytes: &[u8]) -> Option<usize> {
    let count = usize::from(u16::from_le_bytes(*bytes.get(4..)?.first_chunk()?));
    let mut ends = (0..count).map(|entry| le(bytes, 14 + entry * 16)?.checked_add(le(bytes, 18 + entry * 16)?));
    ends.try_fold(6 + count * 16, |end, one| Some(end.max(one?)))
}

/// The length in the header is often wrong: it counts where it leaves room for the header.
fn bitmap(bytes: &[u8]) -> End {
    // Packed rows have no other end than the one that they say: what is missing would be shown as black.
    let packed = matches!(le(bytes, 30), Some(1 | 2)) && le(bytes, 14).is_some_and(|header| header >= 40);
    let end = le(bytes, 10).zip(le(bytes, 34)).map(|(start, length)| start.saturating_add(length));
    if packed && end.is_some_and(|end| end > bytes.len()) {
        return End::Missing;
    }
    match le(bytes, 2) {
        Some(length) if length >= 54 && length <= bytes.len() => End::At(length),
        _ => End::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xDA\0\x03x\x12\xFF\0\xFF\xD0\x55\xFF\xD9";

    #[test]
    fn ends_are_found() {
        assert_eq!(End::of(JPEG, SourceFormat::Jpeg), End::At(JPEG.len()));
        for cut in 3..JPEG.len() {
            assert_eq!(End::of(&JPEG[..cut], SourceFormat::Jpeg), End::Missing, "{cut}");
        }
        let png = testkit::picture::gradient(3, 2);
        assert_eq!(End::of(&png, SourceFormat::Png), End::At(png.len()));
        assert_eq!(End::of(&png[..png.len() - 5], SourceFormat::Png), End::Missing);
    }

    #[test]
    fn what_cameras_append_is_known() {
        let film = b"\0\0\0\x10ftypmp42\0\0\0\0\0\0\0\x0cmdatabcd";
        let samsung = b"\0\0data1234SEFH\x01\0\0\0\x08\0\0\0SEFT";
        for rest in [&b""[..], &[0; 100], JPEG, &[&[0; 7][..], JPEG, &[0xFF, 0]].concat(), film, samsung] {
            assert!(is_known(rest, SourceFormat::Jpeg), "{rest:?}");
        }
        for rest in [&b"PK\x03\x04"[..], b"<html>", &JPEG[..9], b"\0\0\0\x20ftypmp42", b"SEFT", &[0; PADDING + 1]] {
            assert!(!is_known(rest, SourceFormat::Jpeg), "{rest:?}");
        }
        assert!(!is_known(JPEG, SourceFormat::Png), "cameras do not do that");
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            use SourceFormat::{Avif, Bmp, Gif, Ico, Jpeg, Jxl, Png, Tiff, Webp};
            for format in [Avif, Bmp, Gif, Ico, Jpeg, Jxl, Png, Tiff, Webp] {
                if let End::At(at) = End::of(&bytes, format) {
                    prop_assert!(at <= bytes.len());
                }
                is_known(&bytes, format);
            }
        }
    }
}
