//! Gain maps of JPEG files: a second picture that says how much brighter each place is on a display that can show it
//! (Android's Ultra HDR 1.1, ISO 21496-1). Found, described, and written behind a new picture.
//!
//! It knows neither pixels nor transforms. Everything is read out of a stranger's file: each range is held against the
//! file, each number against its bounds, and a gain map that breaks a rule is none.

mod container;
mod gains;
mod iso;
mod locate;

pub use container::{announce, join, second_picture};
pub use gains::Gains;
pub use iso::Iso;

use crate::format::SourceFormat;
use crate::metadata::jpeg::segments;
use crate::metadata::{self, xmp};

pub(crate) const APP2: u8 = 0xE2;
/// Name spaces of the packets.
pub(crate) const HDRGM: &str = "http://ns.adobe.com/hdr-gain-map/1.0/";

/// A gain map that a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct GainMap<'a> {
    /// The second picture: a whole JPEG file, as far as its beginning tells.
    pub file: &'a [u8],
    /// What its values mean.
    pub gains: Gains,
    /// The same as ISO 21496-1 says it, where the file does.
    pub iso: Option<Iso>,
    /// The profile of the second picture, where ISO's segment says that gains are meant in its colours.
    pub icc: Option<Vec<u8>>,
}

/// The gain map of a JPEG file whose first picture announces one. Where there are several, the first that is whole.
pub fn find(bytes: &[u8]) -> Option<GainMap<'_>> {
    let first = metadata::read(bytes, SourceFormat::Jpeg);
    let packet = first.xmp.as_deref().unwrap_or_default();
    let announced = xmp::properties(packet).iter().any(|property| property.name == "hdrgm:Version");
    if !announced && iso::segment(bytes).is_none() {
        return None;
    }
    locate::candidates(bytes, packet).find_map(read)
}

/// A file that describes itself as a gain map over an ordinary picture.
fn read(file: &[u8]) -> Option<GainMap<'_>> {
    // A picture without a header is none.
    metadata::jpeg::read(file)?;
    let found = metadata::read(file, SourceFormat::Jpeg);
    let iso = match iso::segment(file) {
        Some(body) => Some(Iso::read(body)?),
        None => None,
    };
    let packet = found.xmp.as_deref().unwrap_or_default();
    let gains = match (Gains::of_packet(packet), &iso) {
        (Some(gains), _) => gains?,
        (None, Some(iso)) => iso.gains()?,
        (None, None) => return None,
    };
    let icc = found.icc.filter(|_| iso.as_ref().is_some_and(|iso| !iso.uses_base_colours));
    Some(GainMap { file, gains, iso, icc: icc.map(std::borrow::Cow::into_owned) })
}

/// The bodies of APP2 segments that begin with `name`, without it, and where in the file they begin.
fn app2<'a>(bytes: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = (usize, &'a [u8])> {
    // A segment begins with its marker and its length, two bytes each.
    segments(bytes).filter(|segment| segment.marker == APP2).filter_map(move |segment| {
        segment.body.strip_prefix(name).map(|body| (segment.place.start + 4 + name.len(), body))
    })
}

#[cfg(test)]
mod tests;
