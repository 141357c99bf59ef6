//! Profile and metadata into a file that an encoder has just written: segments, chunks or items, put where each format
//! wants them. The encoders know nothing of it, and pixels are not touched.
//!
//! It reads only files of our own, so a file that it does not understand is an internal error, never a silent loss.

mod avif;
pub(crate) mod jpeg;
pub(crate) mod png;
pub(crate) mod webp;

use crate::error::Error;
use cache_key::transform::Codec;

/// What goes into a file. `None` and empty leave it out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    /// The colour profile (ICC.1).
    pub icc: Option<Vec<u8>>,
    /// Primaries and transfer of ITU-T H.273 for the same colours, where they have code points.
    pub code_points: Option<(u8, u8)>,
    /// An EXIF block from its TIFF header on.
    pub exif: Vec<u8>,
    /// An XMP packet.
    pub xmp: Vec<u8>,
    /// Photoshop's resources with IPTC-IIM; JPEG alone has a place for them.
    pub resources: Vec<u8>,
}

impl Attachments {
    /// Whether there is nothing to put in.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// At most this many bytes are added to a file.
    pub fn room(&self) -> usize {
        if self.is_empty() {
            return 0;
        }
        // Segments of 64 KiB with 18 bytes round each, boxes and associations of AVIF, whose sequences have it twice, zlib's
        // worst case.
        let icc = self.icc.as_ref().map_or(0, |icc| 2 * icc.len() + 64);
        512 + icc + self.exif.len() + self.xmp.len() + self.resources.len()
    }
}

/// Whether a format's files can hold a profile.
pub const fn holds_profile(codec: Codec) -> bool {
    matches!(codec, Codec::Jpeg | Codec::Png | Codec::Webp | Codec::Avif)
}

/// The file with all of it. Formats without a place for something are left without it; a JPEG segment cannot hold more
/// than 64 KiB of EXIF or XMP, which are then left out.
///
/// # Errors
/// [`Error::Internal`] when the file is not what our encoders write.
pub fn attach(file: Vec<u8>, codec: Codec, attachments: &Attachments) -> Result<Vec<u8>, Error> {
    if attachments.is_empty() {
        return Ok(file);
    }
    let done = match codec {
        Codec::Jpeg => jpeg::attach(&file, attachments),
        Codec::Png => png::attach(&file, attachments),
        Codec::Webp => webp::attach(&file, attachments),
        Codec::Avif => avif::attach(&file, attachments),
        Codec::Jxl | Codec::Gif => return Ok(file),
    };
    done.ok_or_else(|| Error::Internal(format!("{codec:?}: no place for metadata in our own file")))
}

#[cfg(test)]
mod tests;
