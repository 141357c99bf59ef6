//! Writes the ISO base media file round the coded frames (ISO/IEC 14496-12, 23008-12, AVIF 1.1).
//!
//! Item 1 is the picture, item 2 its alpha. Everything lies in one `meta` and one `mdat`; alpha comes first there, so
//! that a partly loaded file can already be composited.

use super::planes::Subsampling;
use super::{Coded, obu};
use crate::error::Error;

pub(super) const ALPHA_URN: &[u8] = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0";

// Positions in `ipco`, counted from 1.
const SIZE: u8 = 1;
const COLOR_DEPTH: u8 = 2;
const COLOR_CONFIG: u8 = 3;
const COLOR_SPACE: u8 = 4;
const ALPHA_DEPTH: u8 = 5;
const ALPHA_CONFIG: u8 = 6;
const ALPHA_TYPE: u8 = 7;
const ESSENTIAL: u8 = 0x80;

/// The whole file.
pub(super) fn write(
    width: u32,
    height: u32,
    subsampling: Subsampling,
    color: &Coded,
    alpha: Option<&Coded>,
) -> Result<Vec<u8>, Error> {
    let brands: &[u8] = match subsampling {
        // MA1A is AVIF's advanced profile (AV1 high), MA1B its baseline (AV1 main).
        Subsampling::Full | Subsampling::Identity => b"avif\0\0\0\0avifmif1miafMA1A",
        Subsampling::Monochrome | Subsampling::Half => b"avif\0\0\0\0avifmif1miafMA1B",
    };
    let ftyp = boxed(b"ftyp", &[brands]);
    // Offsets are 32-bit and fixed in width: the size of `meta` does not depend on them.
    let meta = |start: u32| {
        let length = alpha.map_or(0, |a| a.data.len()) as u32;
        let place = Place { offset: start.saturating_add(length), length: color.data.len() as u32 };
        meta(width, height, subsampling, (color, place), alpha.map(|a| (a, Place { offset: start, length })))
    };
    let head = ftyp.len() + meta(0).len() + 8;
    let total = head + color.data.len() + alpha.map_or(0, |a| a.data.len());
    let (Ok(start), Ok(_)) = (u32::try_from(head), u32::try_from(total)) else {
        return Err(Error::Internal("an AVIF of more than 4 GiB".into()));
    };
    let mut file = Vec::with_capacity(total);
    file.extend(ftyp);
    file.extend(meta(start));
    file.extend(((total - head + 8) as u32).to_be_bytes());
    file.extend(b"mdat");
    file.extend(alpha.map_or(&[][..], |a| &a.data));
    file.extend(&color.data);
    Ok(file)
}

/// Where in the file an item's bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u32,
    pub(super) length: u32,
}

impl Place {
    /// The place when what it was counted from lies at `start`.
    pub(super) fn moved(self, start: u32) -> Self {
        Self { offset: self.offset.saturating_add(start), ..self }
    }
}

/// The box of the still picture. What is coded is described here and lies elsewhere.
pub(super) fn meta(
    width: u32,
    height: u32,
    subsampling: Subsampling,
    (color, color_place): (&Coded, Place),
    alpha: Option<(&Coded, Place)>,
) -> Vec<u8> {
    let (alpha, alpha_place) = alpha.unzip();
    let mut children = boxed(b"hdlr", &[&[0; 8], b"pict", &[0; 13]]);
    children.extend(boxed(b"pitm", &[&[0; 4], &1_u16.to_be_bytes()]));
    children.extend(locations(color_place, alpha_place));
    children.extend(item_infos(alpha.is_some()));
    if alpha.is_some() {
        let auxl = boxed(b"auxl", &[&[0, 2, 0, 1, 0, 1]]);
        children.extend(boxed(b"iref", &[&[0; 4], &auxl]));
    }
    children.extend(properties(width, height, subsampling, color, alpha));
    boxed(b"meta", &[&[0; 4], &children])
}

/// `iloc`, version 0: 32-bit offsets and lengths, one extent each.
fn locations(color: Place, alpha: Option<Place>) -> Vec<u8> {
    let mut entries = Vec::new();
    for (id, place) in (1_u16..).zip(std::iter::once(color).chain(alpha)) {
        entries.extend(id.to_be_bytes());
        entries.extend([0, 0, 0, 1]);
        entries.extend(place.offset.to_be_bytes());
        entries.extend(place.length.to_be_bytes());
    }
    let count = 1 + u16::from(alpha.is_some());
    boxed(b"iloc", &[&[0; 4], &[0x44, 0], &count.to_be_bytes(), &entries])
}

fn item_infos(alpha: bool) -> Vec<u8> {
    let entry = |id: u8, name: &[u8]| boxed(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], b"av01", name, &[0]]);
    let mut entries = entry(1, b"Color");
    if alpha {
        entries.extend(entry(2, b"Alpha"));
    }
    boxed(b"iinf", &[&[0; 4], &[0, 1 + u8::from(alpha)], &entries])
}

fn properties(width: u32, height: u32, subsampling: Subsampling, color: &Coded, alpha: Option<&Coded>) -> Vec<u8> {
    let bits = color.depth;
    let depth: &[u8] = if subsampling == Subsampling::Monochrome { &[1, bits] } else { &[3, bits, bits, bits] };
    let mut ipco = boxed(b"ispe", &[&[0; 4], &width.to_be_bytes(), &height.to_be_bytes()]);
    ipco.extend(boxed(b"pixi", &[&[0; 4], depth]));
    ipco.extend(boxed(b"av1C", &[&configuration(color, subsampling)]));
    ipco.extend(code_points(subsampling));
    let mut entries = vec![0, 1, 4, SIZE, COLOR_DEPTH, COLOR_CONFIG | ESSENTIAL, COLOR_SPACE];
    if let Some(alpha) = alpha {
        ipco.extend(boxed(b"pixi", &[&[0; 4], &[1, alpha.depth]]));
        ipco.extend(boxed(b"av1C", &[&configuration(alpha, Subsampling::Monochrome)]));
        ipco.extend(boxed(b"auxC", &[&[0; 4], ALPHA_URN]));
        entries.extend([0, 2, 4, SIZE, ALPHA_DEPTH, ALPHA_CONFIG | ESSENTIAL, ALPHA_TYPE]);
    }
    let count = 1 + u32::from(alpha.is_some());
    let ipma = boxed(b"ipma", &[&[0; 4], &count.to_be_bytes(), &entries]);
    boxed(b"iprp", &[&boxed(b"ipco", &[&ipco]), &ipma])
}

/// `colr`: BT.709 primaries, sRGB transfer, the matrix, full range.
pub(super) fn code_points(subsampling: Subsampling) -> Vec<u8> {
    let matrix = if subsampling == Subsampling::Identity { 0 } else { 6 };
    boxed(b"colr", &[b"nclx", &[0, 1, 0, 13, 0, matrix, 0x80]])
}

/// `av1C` (AV1-ISOBMFF 2.3): marker and version, profile and level, the shape of the samples, no initial delay.
pub(super) fn configuration(coded: &Coded, subsampling: Subsampling) -> [u8; 4] {
    let shape = match subsampling {
        Subsampling::Monochrome => 0b0001_1100,
        Subsampling::Half => 0b0000_1100,
        Subsampling::Full | Subsampling::Identity => 0,
    };
    let high_bitdepth = if coded.depth > 8 { 0b0100_0000 } else { 0 };
    let obu::Sequence { profile, level, tier } = coded.sequence;
    [0x81, profile << 5 | level, tier << 7 | high_bitdepth | shape, 0]
}

/// A box of these parts. Only `mdat` could exceed 32 bits, and it is not written here.
pub(super) fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let size = 8 + parts.iter().map(|p| p.len()).sum::<usize>();
    let mut out = Vec::with_capacity(size);
    out.extend((size as u32).to_be_bytes());
    out.extend(kind);
    for part in parts {
        out.extend(*part);
    }
    out
}
