//! Pictures that are also something else: an archive, a document, a page, a script.
//!
//! Looks for what programs of those kinds look for, not for mere words. Invariant: one pass over the file.

use imaging::SourceFormat;

/// How far before the end of a file archivers look for a directory.
const ZIP_WITHIN: usize = 22 + 65_535;
/// How far into a file readers look for `%PDF-`.
const PDF_WITHIN: usize = 1024;
/// Beginnings of pages and scripts, in lower case; a blank, `>` or the like follows.
const MARKUP: &[(&[u8], &str)] = &[
    (b"<script", "a page with a script"),
    (b"<html", "a page"),
    (b"<iframe", "a page with a frame"),
    (b"<!doctype html", "a page"),
    (b"<?php", "a program in PHP"),
];

/// What else it is.
pub(super) fn inside(bytes: &[u8], format: SourceFormat) -> Option<&'static str> {
    if is_script(bytes, format) {
        return Some("a script");
    }
    let head = bytes.get(..PDF_WITHIN.min(bytes.len())).unwrap_or_default();
    if head.windows(5).any(|five| five == b"%PDF-") {
        return Some("a PDF document");
    }
    if is_archive(bytes) {
        return Some("an archive (ZIP, JAR)");
    }
    // A drawing is markup itself, and looked at as such.
    if format == SourceFormat::Svg { None } else { markup(bytes) }
}

/// A comment of JavaScript right behind the first bytes makes of them a name.
fn is_script(bytes: &[u8], format: SourceFormat) -> bool {
    let at = match format {
        SourceFormat::Gif => 6,
        SourceFormat::Bmp => 2,
        SourceFormat::Jpeg => 4,
        _ => return false,
    };
    let next = bytes.get(at..at + 2).unwrap_or_default();
    next == b"/*" || next == b"//" || format != SourceFormat::Jpeg && next.first() == Some(&b'=')
}

/// PKWARE APPNOTE 4.3.16: an end of a central directory that fits into the file, whose directory begins as one.
fn is_archive(bytes: &[u8]) -> bool {
    let from = bytes.len().saturating_sub(ZIP_WITHIN);
    let tail = bytes.get(from..).unwrap_or_default();
    let ends = tail.windows(4).enumerate().filter(|(_, four)| *four == b"PK\x05\x06").map(|(at, _)| from + at);
    ends.into_iter().any(|at| {
        let number = |offset: usize| {
            bytes.get(at + offset..).and_then(|rest| rest.first_chunk()).map(|four| u32::from_le_bytes(*four) as usize)
        };
        let (Some(length), Some(_)) = (number(12), bytes.get(at + 20..at + 22)) else { return false };
        let directory = at.checked_sub(length).and_then(|begin| bytes.get(begin..begin + 4));
        length == 0 || directory == Some(b"PK\x01\x02") || length == u32::MAX as usize
    })
}

fn markup(bytes: &[u8]) -> Option<&'static str> {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        rest = rest.get(at..).unwrap_or_default();
        for (word, kind) in MARKUP {
            let begins = rest.get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word));
            let next = rest.get(word.len()).copied().unwrap_or(b' ');
            if begins && (next.is_ascii_whitespace() || matches!(next, b'>' | b'/')) {
                return Some(kind);
            }
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_told() {
        let zip = [
            &b"\xFF\xD8\xFF\xD9"[..],
            b"PK\x01\x02",
            &[0; 42],
            b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2e\0\0\0\x04\0\0\0\0\0",
        ]
        .concat();
        for (bytes, format) in [
            (&zip[..], SourceFormat::Jpeg),
            (b"GIF89a/*\0\0", SourceFormat::Gif),
            (b"GIF89a=1;", SourceFormat::Gif),
            (b"\xFF\xD8\xFF\xE0/*", SourceFormat::Jpeg),
            (b"\xFF\xD8\xFF\xE0\0\x10%PDF-1.4", SourceFormat::Jpeg),
            (b"..<ScRipt>alert(1)</script>", SourceFormat::Png),
            (b"..<?php system('x');", SourceFormat::Gif),
            (b"..<html lang=en>", SourceFormat::Webp),
        ] {
            assert!(inside(bytes, format).is_some(), "{}", String::from_utf8_lossy(bytes));
        }
        for bytes in [&b"PK\x05\x06"[..], b"a < b <scripture <htmlx", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>", b""] {
            assert_eq!(inside(bytes, SourceFormat::Jpeg), None, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
