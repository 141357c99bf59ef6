//! What an original can be, told by its first bytes alone: names and media types of strangers are not believed.

/// A recognised kind of original. Recognised does not mean supported: `tiff` has a name, so that its 415 can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SourceFormat {
    Jpeg,
    Png,
    Webp,
    Gif,
    Avif,
    Heic,
    Jxl,
    Tiff,
    Bmp,
    Ico,
    Svg,
}
