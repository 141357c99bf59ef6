//! What a rendition carries besides its pixels: the profile of its colours (`icc`), and of the original's metadata what
//! `meta` asks for. The rules are told in `docs/metadata.md`.
//!
//! Invariant: without `meta=keep` nothing of the original's EXIF, XMP or IPTC is copied, only rights fields are
//! rewritten; and where a part of the picture was made unreadable, `keep` means the rights fields too.

use crate::bitmap::Bitmap;
use crate::color;
use crate::embed::{Attachments, holds_profile};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::metadata::exif::{self, Exif, Facts};
use crate::metadata::xmp::Property;
use crate::metadata::{self, Metadata as Found, Rights, iptc, xmp};
use crate::op::channels::is_gray;
use cache_key::Transform;
use cache_key::transform::{Codec, ColourSpace, Metadata};

/// A JPEG's segment holds no larger packet.
const MAX_SEGMENT: usize = 65_000;
/// Display P3 by ITU-T H.273: primaries and transfer.
const P3: (u8, u8) = (12, 13);

/// The profile of pixels that are not sRGB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    profile: Vec<u8>,
    code_points: Option<(u8, u8)>,
}

impl Held {
    /// What the operations leave pixels in: `profile` is the original's, `None` where it is sRGB.
    pub(super) fn of(space: ColourSpace, profile: Option<&[u8]>) -> Option<Self> {
        match space {
            ColourSpace::Srgb => None,
            ColourSpace::Keep => profile.map(|profile| Self { profile: profile.to_vec(), code_points: None }),
            ColourSpace::P3 => color::p3_profile().map(|profile| Self { profile, code_points: Some(P3) }),
        }
    }

    /// Keeps it where file and picture can have it, and converts the pixels to sRGB where not: formats without a place
    /// for a profile, and gray pictures, which encoders write as one channel that no RGB profile fits.
    ///
    /// # Errors
    /// As [`color::to_srgb`].
    pub(super) fn settle(self, bitmap: &mut Bitmap, codec: Codec) -> Result<Option<Self>, Error> {
        if holds_profile(codec) && !is_gray(bitmap) {
            return Ok(Some(self));
        }
        self.release(bitmap)?;
        Ok(None)
    }

    /// Converts pixels to sRGB after all.
    ///
    /// # Errors
    /// As [`color::to_srgb`].
    pub(super) fn release(&self, bitmap: &mut Bitmap) -> Result<(), Error> {
        color::to_srgb(bitmap, &self.profile)
    }
}

/// What goes into the rendition.
pub(super) fn attachments(
    original: &[u8],
    format: SourceFormat,
    transform: &Transform,
    codec: Codec,
    (width, height): (u32, u32),
    held: Option<Held>,
) -> Attachments {
    let facts = Facts { width, height, srgb: held.is_none() };
    let (icc, code_points) = held.map_or((None, None), |held| (Some(held.profile), held.code_points));
    let mut attachments = Attachments { icc, code_points, ..Attachments::default() };
    let policy = policy(transform);
    if policy == Metadata::None {
        return attachments;
    }
    let found = metadata::read(original, format);
    let rights = Rights::of(&found);
    if policy == Metadata::Copyright {
        let artist = rights.creators.join("; ");
        attachments.exif = exif::of_rights(Some(&artist), rights.notice.as_deref());
        attachments.xmp = xmp::of_properties(&rights.properties()).into_bytes();
        attachments.resources = iptc::write(&rights.datasets());
        return attachments;
    }
    let block = found.exif.as_deref().and_then(Exif::read);
    attachments.exif = block.map(|block| exif::rewritten(&block, facts)).unwrap_or_default();
    let fields = found.iptc.as_deref().map(iptc::fields).unwrap_or_default();
    // Only JPEG has a place for IPTC; XMP says the same everywhere.
    let texts = if codec == Codec::Jpeg { Vec::new() } else { as_properties(&fields) };
    attachments.xmp = packet(&found, &texts, codec);
    let datasets: Vec<(u8, String)> = fields.iter().map(|field| (field.dataset, field.text())).collect();
    attachments.resources = iptc::write(&datasets);
    attachments
}

/// What `meta` means here.
pub(super) fn policy(transform: &Transform) -> Metadata {
    match transform.output.metadata {
        Metadata::Keep if transform.redacts() => Metadata::Copyright,
        asked => asked,
    }
}

/// The packet and its extension as one, without the extension where that is too much for a segment.
fn packet(found: &Found<'_>, texts: &[Property], codec: Codec) -> Vec<u8> {
    let sources: Vec<&[u8]> =
        [&found.xmp, &found.extended_xmp].into_iter().filter_map(|packet| packet.as_deref()).collect();
    let whole = xmp::rewritten(&sources, texts);
    if codec != Codec::Jpeg || whole.len() <= MAX_SEGMENT {
        return whole.into_bytes();
    }
    xmp::rewritten(sources.get(..1).unwrap_or_default(), texts).into_bytes()
}

/// Texts of IPTC by their names in XMP; repeated ones are one list.
fn as_properties(fields: &[iptc::Field<'_>]) -> Vec<Property> {
    let mut properties: Vec<Property> = Vec::new();
    for field in fields {
        let Some(name) = field.property() else { continue };
        match properties.iter_mut().find(|property| property.name == name) {
            Some(property) => property.texts.push(field.text()),
            None => properties.push(Property { name: name.to_owned(), texts: vec![field.text()] }),
        }
    }
    properties
}
