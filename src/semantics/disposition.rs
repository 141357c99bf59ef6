//! `Content-Disposition` (RFC 6266, 8187) for `dl`.
//!
//! Owns file names: which are safe and how they are spelled. Does not know URLs.
//! Invariant: the name ends in the extension of what is sent, and names no path and no hidden file.

use super::note::push_escape;
use http::HeaderValue;

/// Characters of a name before its extension.
const MAX_STEM: usize = 120;

/// `attachment` with a safe form of `name`, whose extension becomes `extension` (`avif`, `jpg`: without the point).
///
/// A URL is not to be trusted with the name under which a browser stores a file: separators, control and format
/// characters (bidirectional overrides show `gpj.exe` as `exe.jpg`) and what Windows reserves become `_`.
#[must_use]
pub fn attachment(name: &str, extension: &str) -> HeaderValue {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = match name.rsplit_once('.') {
        Some((stem, old)) if is_picture(old) || old.eq_ignore_ascii_case(extension) => stem,
        _ => name,
    };
    let stem: String = stem.chars().map(|c| if is_safe(c) { c } else { '_' }).take(MAX_STEM).collect();
    let stem = stem.trim_matches(['.', ' ', '_', '~']);
    let stem = if stem.is_empty() || is_reserved(stem) { "image" } else { stem };

    let mut text = String::with_capacity(stem.len() + 64);
    text.push_str("attachment; filename=\"");
    text.extend(stem.chars().map(|c| if c.is_ascii() { c } else { '_' }));
    text.push('.');
    text.push_str(extension);
    text.push('"');
    if !stem.is_ascii() {
        text.push_str("; filename*=UTF-8''");
        for byte in stem.bytes() {
            // attr-char of RFC 8187 §3.2.1, less the rarer marks.
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                text.push(char::from(byte));
            } else {
                push_escape(&mut text, byte);
            }
        }
        text.push('.');
        text.push_str(extension);
    }
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// An extension that stands for a picture, and so is replaced; `v1.2` keeps its point.
fn is_picture(extension: &str) -> bool {
    const KNOWN: [&str; 14] =
        ["jpg", "jpeg", "jpe", "png", "webp", "avif", "gif", "jxl", "heic", "heif", "tif", "tiff", "svg", "bmp"];
    KNOWN.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn is_safe(c: char) -> bool {
    let ascii = c.is_ascii_alphanumeric() || " !#$&'()+,-.=@[]^_`{}~".contains(c);
    let hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}');
    ascii || (!c.is_ascii() && !c.is_control() && !hidden)
}

/// Names of devices on Windows, with or without an extension.
fn is_reserved(stem: &str) -> bool {
    let base = stem.split('.').next().unwrap_or_default().trim_end();
    let device = |prefix: &str| {
        base.len() == 4
            && base.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
            && base.ends_with(|c: char| c.is_ascii_digit())
    };
    ["con", "prn", "aux", "nul"].iter().any(|name| base.eq_ignore_ascii_case(name)) || device("com") || device("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ascii(name: &str) -> String {
        let field = attachment(name, "avif");
        let field = field.to_str().unwrap();
        field.strip_prefix("attachment; filename=\"").unwrap().strip_suffix('"').unwrap().to_owned()
    }

    #[test]
    fn safe_names() {
        let cases = [
            ("holiday", "holiday.avif"),
            ("holiday.JPG", "holiday.avif"),
            ("holiday.avif", "holiday.avif"),
            ("release v1.2", "release v1.2.avif"),
            ("setup.exe", "setup.exe.avif"),
            ("../../etc/passwd", "passwd.avif"),
            ("c:\\windows\\win.ini", "win.ini.avif"),
            (".htaccess", "htaccess.avif"),
            ("a\"b;c\r\nd%20", "a_b_c__d_20.avif"),
            ("con", "image.avif"),
            ("LPT1.png", "image.avif"),
            ("", "image.avif"),
            ("...", "image.avif"),
            ("<>|", "image.avif"),
        ];
        for (name, expected) in cases {
            assert_eq!(ascii(name), expected, "{name:?}");
        }
        assert_eq!(ascii(&"x".repeat(500)).len(), MAX_STEM + 5);
    }

    #[test]
    fn other_scripts_are_spelled_twice() {
        let expected = "attachment; filename=\"_t_ a.jpg\"; filename*=UTF-8''%C3%A9t%C3%A9%20a.jpg";
        assert_eq!(attachment("été a.png", "jpg"), expected);
        let override_ = attachment("photo\u{202e}gpj.exe", "png");
        assert_eq!(override_, "attachment; filename=\"photo_gpj.exe.png\"");
    }

    proptest! {
        #[test]
        fn any_name_gives_one_attachment_with_our_extension(name in any::<String>()) {
            let field = attachment(&name, "webp");
            let field = field.to_str().unwrap();
            prop_assert!(field.starts_with("attachment; filename=\""));
            prop_assert_eq!(field.matches('"').count(), 2);
            prop_assert!(field.ends_with(".webp\"") || field.ends_with(".webp"));
            prop_assert!(!field.contains(['/', '\\']));
        }
    }
}
