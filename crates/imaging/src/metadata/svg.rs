//! The size of an SVG, from its first tag alone; and SVGZ, its compressed form, unpacked under a limit.

use std::borrow::Cow;

/// What an unpacked drawing may have: larger ones are maps that nobody shows whole.
const MOST_TEXT: usize = 16 << 20;
/// How far the first tag is looked for.
const HEAD: usize = 256 << 10;
/// CSS: what has neither size nor view box. The height follows.
const UNKNOWN: (f64, f64) = (100.0, 100.0);
/// User units of a point: 96 of 72 to an inch.
const INCH: f64 = 96.0;

/// A gzip member (RFC 1952).
pub(crate) fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1F, 0x8B, 8])
}

/// The text, unpacked where it is packed: at most `limit` bytes of it. `None` when nothing can be read.
fn text(bytes: &[u8], limit: usize) -> Option<Cow<'_, [u8]>> {
    if !is_packed(bytes) {
        return Some(Cow::Borrowed(&bytes[..bytes.len().min(limit)]));
    }
    let unpacked = inflate(bytes, limit)?;
    (!unpacked.is_empty()).then_some(Cow::Owned(unpacked))
}

/// The first bytes of the text, for its header.
pub(crate) fn head(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    text(bytes, HEAD)
}

/// The whole text. `None` when it is damaged or larger than any drawing.
pub(crate) fn whole(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    text(bytes, MOST_TEXT + 1).filter(|text| text.len() <= MOST_TEXT)
}

/// Skips gzip's header and inflates what follows it, through a zlib header of our own.
fn inflate(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let flags = *bytes.get(3)?;
    let mut at = 10usize;
    if flags & 4 != 0 {
        at = at.checked_add(2 + usize::from(super::le16(bytes, at)?))?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += bytes.get(at..)?.iter().position(|&byte| byte == 0)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    let mut decoder = fdeflate::Decompressor::new();
    decoder.ignore_adler32();
    let mut out = vec![0; limit.min(1 << 16)];
    let (mut written, mut input) = (0, [&[0x78, 0x01][..], bytes.get(at..)?].concat());
    let mut read = 0;
    loop {
        if written == out.len() {
            if written == limit {
                return Some(out);
            }
            let size = (out.len() * 4).min(limit);
            out.resize(size, 0);
        }
        let (more, new) = decoder.read(&input[read..], &mut out, written, true).ok()?;
        (read, written) = (read + more, written + new);
        if decoder.is_done() || (more, new) == (0, 0) {
            break;
        }
    }
    input.clear();
    out.truncate(written);
    Some(out)
}

/// Width and height in user units, by the rules of SVG 2, 8.2: stated lengths, else shares of the view box.
pub(crate) fn size(head: &[u8]) -> Option<(f64, f64)> {
    let tag = first_tag(head)?;
    let length = |name: &str| attribute(tag, name).and_then(length);
    let view = attribute(tag, "viewBox").and_then(view_box);
    let (width, height) = (length("width"), length("height"));
    let share = |length: Option<Length>, whole: f64| match length {
        Some(Length::Units(units)) => units,
        Some(Length::Share(share)) => whole * share,
        None => whole,
    };
    let size = match (view, width, height) {
        (Some(view), Some(width), None) => {
            let width = share(Some(width), view.0);
            (width, view.1 * width / view.0)
        }
        (Some(view), None, Some(height)) => {
            let height = share(Some(height), view.1);
            (view.0 * height / view.1, height)
        }
        (view, width, height) => {
            let view = view.unwrap_or(UNKNOWN);
            (share(width, view.0), share(height, view.1))
        }
    };
    (size.0.is_finite() && size.1.is_finite() && size.0 > 0.0 && size.1 > 0.0).then_some(size)
}

enum Length {
    Units(f64),
    Share(f64),
}

fn length(text: &str) -> Option<Length> {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E' || c == '%').unwrap_or(text.len());
    // `1em` ends its number before the e, `1e3` does not.
    let end = if text.ends_with("em") || text.ends_with("ex") { text.len() - 2 } else { end };
    let (number, unit) = text.split_at(end);
    let number: f64 = number.trim().parse().ok()?;
    let units = match unit.trim() {
        "" | "px" => number,
        "%" => return Some(Length::Share(number / 100.0)),
        "pt" => number * INCH / 72.0,
        "pc" => number * INCH / 6.0,
        "in" => number * INCH,
        "cm" => number * INCH / 2.54,
        "mm" => number * INCH / 25.4,
        // The font that is meant when none is named has 12 units.
        "em" => number * 12.0,
        "ex" => number * 6.0,
        _ => return None,
    };
    Some(Length::Units(units))
}

fn view_box(text: &str) -> Option<(f64, f64)> {
    let mut numbers = text.split([' ', ',', '\t', '\n', '\r']).filter(|n| !n.is_empty()).map(str::parse::<f64>);
    let (width, height) = (numbers.nth(2)?.ok()?, numbers.next()?.ok()?);
    (width.is_finite() && height.is_finite() && width > 0.0 && height > 0.0).then_some((width, height))
}

/// What stands in the first element's tag, if that is `svg`.
fn first_tag(head: &[u8]) -> Option<&str> {
    let head = match str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
    };
    let mut rest = head.trim_start_matches('\u{FEFF}').trim_start();
    loop {
        rest = rest.trim_start().strip_prefix('<')?;
        rest = if let Some(comment) = rest.strip_prefix("!--") {
            comment.split_once("-->")?.1
        } else if rest.starts_with('?') {
            rest.split_once("?>")?.1
        } else if rest.starts_with('!') {
            after_doctype(rest)?
        } else {
            break;
        };
    }
    let tag = &rest[..tag_end(rest)?];
    let name = tag.split(|c: char| c.is_ascii_whitespace() || c == '/').next()?;
    (name == "svg" || name.ends_with(":svg")).then_some(&tag[name.len()..])
}

/// A document type may hold declarations in brackets, and quoted angles.
fn after_doctype(text: &str) -> Option<&str> {
    let (mut quote, mut inside) = (None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => inside = true,
            (None, ']') => inside = false,
            (None, '>') if !inside => return text.get(at + 1..),
            _ => {}
        }
    }
    None
}

fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return Some(at),
            _ => {}
        }
    }
    None
}

/// The value of an attribute without a prefix.
fn attribute<'a>(mut tag: &'a str, name: &str) -> Option<&'a str> {
    loop {
        let (key, rest) = tag.split_once('=')?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = rest.get(1..)?.split_once(quote)?;
        if key.trim() == name {
            return Some(value);
        }
        tag = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_follow_the_rules() {
        for (text, expected) in [
            ("<svg width='10' height='20'/>", Some((10.0, 20.0))),
            ("<svg viewBox='0 0 30,40'/>", Some((30.0, 40.0))),
            ("<svg width='60' viewBox='0 0 30 40'/>", Some((60.0, 80.0))),
            ("<svg height='20' viewBox='0 0 30 40'/>", Some((15.0, 20.0))),
            ("<svg width='50%' height='1in' viewBox='0 0 30 40'/>", Some((15.0, 96.0))),
            ("<svg/>", Some((100.0, 100.0))),
            ("<svg width='1e3px' height='2em'/>", Some((1000.0, 24.0))),
            (
                "<?xml version='1.0'?><!-- <a> --><!DOCTYPE svg [<!ENTITY a '>'>]><x:svg\nwidth=\"7\" height='9'>",
                Some((7.0, 9.0)),
            ),
            ("<html><svg width='1' height='1'/></html>", None),
            ("<svg width='0' height='1'/>", None),
            ("<svg width='1' height='-1'/>", None),
        ] {
            assert_eq!(size(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn packed_text_is_unpacked_under_a_limit() {
        let text = b"<svg width='3' height='4'/>".repeat(40);
        let zlib = fdeflate::compress_to_vec(&text);
        let packed = [&[0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 3][..], b"name\0", &zlib[2..]].concat();
        assert_eq!(whole(&packed).expect("unpacked").as_ref(), text);
        assert_eq!(inflate(&packed, 50).map(|text| text.len()), Some(50));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,80}") {
            size(&tail);
            size(format!("<svg {text}>").as_bytes());
            head(&[&[0x1F, 0x8B, 8][..], &tail].concat());
        }
    }
}
