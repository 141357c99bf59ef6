//! What a TIFF's first directory holds: the file is an EXIF block itself, and has tags for all the others.

use super::Metadata;
use crate::metadata::exif::{Directory, Exif};
use std::borrow::Cow;

const XMP: u16 = 0x02BC;
const IPTC: u16 = 0x83BB;
const ICC: u16 = 0x8773;

/// Collects from the first directory.
pub(super) fn collect<'a>(bytes: &'a [u8], found: &mut Metadata<'a>) {
    let Some(exif) = Exif::read(bytes) else { return };
    let block = |tag| exif.get(Directory::Image, tag).map(|field| field.bytes);
    block(XMP).into_iter().for_each(|packet| found.found_xmp(packet));
    block(IPTC).into_iter().for_each(|records| found.found_iptc(records));
    block(ICC).into_iter().for_each(|profile| found.found_icc(profile));
    // It is larger than any block may be, and only what its directories point to is ever looked at.
    found.exif = Some(Cow::Borrowed(bytes));
}
