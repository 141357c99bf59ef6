//! What a client says that it sends: a media type, or a name with an extension.
//!
//! Invariant: nothing is believed; it is compared.

use super::{Reason, Refused};
use imaging::SourceFormat;

/// What was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// As in `Content-Type`.
    pub media_type: Option<String>,
    /// The published name, or the file's.
    pub name: Option<String>,
}

/// Types that say nothing of a picture. The form is what `curl --data-binary` says of any bytes.
const NOTHING: &[&str] = &[
    "",
    "application/octet-stream",
    "binary/octet-stream",
    "application/offset+octet-stream",
    "application/x-www-form-urlencoded",
    "image/*",
];

/// Media types by format, the registered one first.
const TYPES: &[(SourceFormat, &[&str], &[&str])] = &[
    (SourceFormat::Jpeg, &["image/jpeg", "image/jpg", "image/pjpeg"], &["jpg", "jpeg", "jpe", "jfif"]),
    (SourceFormat::Png, &["image/png", "image/apng", "image/x-png", "image/vnd.mozilla.apng"], &["png", "apng"]),
    (SourceFormat::Webp, &["image/webp"], &["webp"]),
    (SourceFormat::Gif, &["image/gif"], &["gif"]),
    (SourceFormat::Avif, &["image/avif", "image/avif-sequence"], &["avif", "avifs"]),
    (
        SourceFormat::Heic,
        &["image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"],
        &["heic", "heif", "hif"],
    ),
    (SourceFormat::Jxl, &["image/jxl"], &["jxl"]),
    (SourceFormat::Tiff, &["image/tiff"], &["tif", "tiff"]),
    (SourceFormat::Bmp, &["image/bmp", "image/x-bmp", "image/x-ms-bmp"], &["bmp", "dib"]),
    (SourceFormat::Ico, &["image/vnd.microsoft.icon", "image/x-icon", "image/ico"], &["ico", "cur"]),
    (SourceFormat::Svg, &["image/svg+xml"], &["svg", "svgz"]),
];
/// Extensions of what browsers run rather than show.
const NO_PICTURES: &[&str] =
    &["html", "htm", "xhtml", "xml", "js", "mjs", "css", "php", "pdf", "exe", "zip", "jar", "swf"];

impl Declared {
    /// Compares it with what the bytes are.
    ///
    /// # Errors
    /// [`Reason::TypeMismatch`].
    pub(super) fn check(&self, found: SourceFormat) -> Result<(), Refused> {
        let mismatch = |what: &str, said: &str| {
            let text = format!("the {what} says {said}, the bytes are {}", found.as_str());
            Err(Refused::new(Reason::TypeMismatch, text))
        };
        let media_type = self.media_type.as_deref().unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let own = TYPES.iter().find(|(format, ..)| *format == found);
        let (types, extensions) = own.map_or((&[][..], &[][..]), |(_, types, extensions)| (*types, *extensions));
        if !NOTHING.contains(&media_type.as_str()) && !types.contains(&media_type.as_str()) {
            return mismatch("declared type", &media_type);
        }
        let name = self.name.as_deref().unwrap_or_default();
        let Some(extension) = name.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, end)| end) else {
            return Ok(());
        };
        let extension = extension.to_ascii_lowercase();
        let known = TYPES.iter().any(|(_, _, all)| all.contains(&extension.as_str()));
        if NO_PICTURES.contains(&extension.as_str()) || known && !extensions.contains(&extension.as_str()) {
            return mismatch("name", &format!(".{extension}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(media_type: &str, name: &str, found: SourceFormat) -> bool {
        let media_type = (!media_type.is_empty()).then(|| media_type.to_owned());
        Declared { media_type, name: Some(name.to_owned()) }.check(found).is_ok()
    }

    #[test]
    fn names_and_types_are_compared_with_bytes() {
        for (media_type, name) in [
            ("", "a"),
            ("", "a.jpg"),
            ("image/jpeg", "a.JPEG"),
            ("image/jpeg; q=1", "a"),
            ("application/octet-stream", "a.jpg"),
            ("application/x-www-form-urlencoded", "a.jpg"),
            ("", "a.holiday"),
            ("image/*", "v1.2/a"),
            ("IMAGE/JPEG", ".jpg"),
        ] {
            assert!(fits(media_type, name, SourceFormat::Jpeg), "{media_type} {name}");
        }
        for (media_type, name) in [
            ("image/png", "a"),
            ("", "a.png"),
            ("image/jpeg", "a.svg"),
            ("text/html", "a.jpg"),
            ("", "a.php"),
            ("", "x/a.html"),
        ] {
            assert!(!fits(media_type, name, SourceFormat::Jpeg), "{media_type} {name}");
        }
    }

    #[test]
    fn every_format_has_its_own_type() {
        for (format, types, extensions) in TYPES {
            assert_eq!(types[0], format.media_type());
            assert!(extensions.contains(&format.extension()));
        }
    }
}
