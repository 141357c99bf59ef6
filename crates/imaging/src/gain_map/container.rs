//! Two pictures as one file: a directory in the first one's XMP (Ultra HDR 1.1), an index of CIPA DC-007 (MPF), and
//! the second picture with what describes it. Files of our own only; lengths and offsets are exact.

use super::{APP2, GainMap, HDRGM, iso};
use crate::embed::Attachments;
use crate::embed::jpeg::{MAX_XMP, attach, segment};
use crate::metadata::jpeg::segments;
use crate::metadata::xmp;

/// Marker, length, "MPF\0"; what offsets count from begins behind them.
const BEFORE_INDEX: usize = 8;
/// Header, three fields, the next directory's offset, two entries.
const INDEX: usize = 8 + 2 + 3 * 12 + 4 + 2 * 16;
/// "Baseline MP primary image" (DC-007, 5.2.3.3.1); the other one's kind has no name there.
const PRIMARY: u32 = 0x0003_0000;

/// A file that an encoder made of a gain map's pixels, with what says what they mean. `None` where it is no such file.
pub fn second_picture(file: &[u8], gain_map: &GainMap<'_>) -> Option<Vec<u8>> {
    let attachments =
        Attachments { icc: gain_map.icc.clone(), xmp: gain_map.gains.packet().into_bytes(), ..Attachments::default() };
    let file = attach(file, &attachments)?;
    match &gain_map.iso {
        Some(iso) => insert(&file, |out| segment(APP2, &[&iso.written()], out)),
        None => Some(file),
    }
}

/// The first picture's packet (perhaps an empty one) with a directory of both. Where that is more than a segment holds,
/// the directory alone.
pub fn announce(packet: &[u8], length: usize) -> Vec<u8> {
    let directory = format!(
        "<rdf:Description rdf:about=\"\" xmlns:hdrgm=\"{HDRGM}\" \
         xmlns:Container=\"http://ns.google.com/photos/1.0/container/\" \
         xmlns:Item=\"http://ns.google.com/photos/1.0/container/item/\" hdrgm:Version=\"1.0\">\
         <Container:Directory><rdf:Seq>\
         <rdf:li rdf:parseType=\"Resource\">\
         <Container:Item Item:Semantic=\"Primary\" Item:Mime=\"image/jpeg\"/></rdf:li>\
         <rdf:li rdf:parseType=\"Resource\">\
         <Container:Item Item:Semantic=\"GainMap\" Item:Mime=\"image/jpeg\" Item:Length=\"{length}\"/></rdf:li>\
         </rdf:Seq></Container:Directory></rdf:Description>"
    );
    let ours = std::str::from_utf8(packet).ok().and_then(|packet| packet.rsplit_once("</rdf:RDF>"));
    let both = ours.map(|(before, after)| format!("{before}{directory}</rdf:RDF>{after}"));
    both.filter(|both| both.len() <= MAX_XMP).unwrap_or_else(|| xmp::packet(&directory)).into_bytes()
}

/// Both pictures as one file with its index; `with_iso`: the first one says that ISO 21496-1 describes the second.
/// `None` where the first is no file of ours, or both are too long for an index.
pub fn join(first: &[u8], second: &[u8], with_iso: bool) -> Option<Vec<u8>> {
    let mut own = Vec::new();
    if with_iso {
        segment(APP2, &[iso::NAME, iso::VERSIONS], &mut own);
    }
    let base = leading(first) + own.len() + BEFORE_INDEX;
    let length = first.len() + own.len() + BEFORE_INDEX + INDEX;
    let index = index(u32::try_from(length).ok()?, u32::try_from(second.len()).ok()?, u32::try_from(base).ok()?)?;
    segment(APP2, &[b"MPF\0", &index], &mut own);
    let mut file = insert(first, |out| out.extend_from_slice(&own))?;
    file.extend_from_slice(second);
    Some(file)
}

/// Lengths of the files, and where in the first one offsets count from.
fn index(first: u32, second: u32, base: u32) -> Option<Vec<u8>> {
    let offset = first.checked_sub(base)?;
    let mut out = b"MM\0*\0\0\0\x08\0\x03".to_vec();
    // Version, number of pictures, where the entries lie.
    out.extend(b"\xB0\0\0\x07\0\0\0\x040100");
    out.extend(b"\xB0\x01\0\x04\0\0\0\x01\0\0\0\x02");
    out.extend(b"\xB0\x02\0\x07\0\0\0\x20\0\0\0\x32");
    out.extend([0; 4]);
    for entry in [[PRIMARY, first, 0, 0], [0, second, offset, 0]] {
        entry.iter().for_each(|number| out.extend(number.to_be_bytes()));
    }
    Some(out)
}

/// Behind the application segments at the beginning.
fn insert(file: &[u8], write: impl FnOnce(&mut Vec<u8>)) -> Option<Vec<u8>> {
    let (head, rest) = file.split_at_checked(leading(file))?;
    let mut out = Vec::with_capacity(file.len() + 256);
    out.extend_from_slice(head);
    write(&mut out);
    out.extend_from_slice(rest);
    Some(out)
}

fn leading(file: &[u8]) -> usize {
    let application = segments(file).take_while(|segment| matches!(segment.marker, 0xE0..=0xEF));
    application.last().map_or(2, |segment| segment.place.end)
}
