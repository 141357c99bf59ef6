//! From the boxes to a plan: which coded pictures make up the primary item, where they go, and how they are to be seen.
//!
//! Invariant: sizes in a plan are not 0, tiles cover the picture without a superfluous row or column (so the coded area
//! is at most four times the picture's, plus a tile), and no item refers to itself: a grid's tiles are always coded
//! pictures.

use super::aperture;
use super::av1::Colors;
use super::meta::{Item, Meta};
use super::property::{Nclx, Property};
use super::reader::Reader;
use crate::color::tone::ToneMap;
use crate::orientation::Orientation;
use std::borrow::Cow;
use std::cell::OnceCell;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It breaks the format's rules.
    Malformed(&'static str),
    /// It is well-formed, but of a kind that is not read.
    Unsupported(&'static str),
}

/// A coded picture.
#[derive(Clone, Debug)]
pub(super) struct Tile<'a> {
    pub(super) data: Cow<'a, [u8]>,
    pub(super) operating_point: u8,
}

/// A plane group (colour, or alpha): one tile or a grid of equal tiles, row after row.
#[derive(Clone, Debug)]
pub(super) struct Canvas<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) tile_width: u32,
    pub(super) tile_height: u32,
    pub(super) tiles: Vec<Tile<'a>>,
    pub(super) bits: u8,
    pub(super) monochrome: bool,
}

/// Everything that decoding needs.
#[derive(Clone, Debug)]
pub(super) struct Plan<'a> {
    pub(super) color: Canvas<'a>,
    pub(super) alpha: Option<Canvas<'a>>,
    /// Colours were multiplied by alpha.
    pub(super) premultiplied: bool,
    pub(super) nclx: Option<Nclx>,
    pub(super) icc: Option<Vec<u8>>,
    pub(super) orientation: Orientation,
    /// Left, top, width, height of what `clap` shows.
    pub(super) crop: Option<(u32, u32, u32, u32)>,
    pub(super) has_metadata: bool,
    /// What brings high dynamic range to the ordinary one, once it is known what the frames say of their colours.
    pub(super) tone: OnceCell<Option<ToneMap>>,
}

impl<'a> Plan<'a> {
    /// The plan of the primary item.
    pub(super) fn of_still(file: &'a [u8], meta: &Meta<'a>) -> Result<Self, Refusal> {
        let item = meta.item(meta.primary).ok_or(Refusal::Malformed("the primary item does not exist"))?;
        let color = canvas(file, meta, item)?;
        let alpha_item = meta
            .references
            .iter()
            .filter(|r| &r.kind == b"auxl" && r.to.contains(&item.id))
            .filter_map(|r| meta.item(r.from))
            .find(|i| meta.properties_of(i).any(|p| *p == Property::Auxiliary { alpha: true }));
        let alpha = alpha_item.map(|i| canvas(file, meta, i)).transpose()?;
        if alpha.as_ref().is_some_and(|a| (a.width, a.height) != (color.width, color.height)) {
            return Err(Refusal::Malformed("the alpha plane has another size"));
        }
        let premultiplied = alpha_item.is_some_and(|alpha| {
            meta.references.iter().any(|r| &r.kind == b"prem" && r.from == item.id && r.to.contains(&alpha.id))
        });
        let (nclx, icc) = colors(meta, item);
        let crop = meta.properties_of(item).find_map(|p| match p {
            Property::Aperture(values) => aperture::rectangle(*values, color.width, color.height),
            _ => None,
        });
        let has_metadata = meta.items.iter().any(|i| matches!(&i.kind, b"Exif" | b"mime"));
        let (orientation, tone) = (orientation(meta, item), OnceCell::new());
        Ok(Self { orientation, color, alpha, premultiplied, nclx, icc, crop, has_metadata, tone })
    }

    /// The tone map of frames with these colours, made for the first of them. A profile says more than code points, which
    /// then only serve the matrix.
    pub(super) fn tone(&self, colors: Colors) -> Option<&ToneMap> {
        let new = || ToneMap::new(colors.primaries, colors.transfer).filter(|_| self.icc.is_none());
        self.tone.get_or_init(new).as_ref()
    }

    /// Columns and rows of the result, before orientation.
    pub(super) fn size(&self) -> (u32, u32) {
        self.crop.map_or((self.color.width, self.color.height), |(_, _, w, h)| (w, h))
    }
}

fn canvas<'a>(file: &'a [u8], meta: &Meta<'a>, item: &Item) -> Result<Canvas<'a>, Refusal> {
    match &item.kind {
        b"av01" => single(file, meta, item),
        b"grid" => grid(file, meta, item),
        b"hvc1" | b"hev1" | b"lhv1" => Err(Refusal::Unsupported("HEVC coded picture")),
        _ => Err(Refusal::Unsupported("a coded picture that is not AV1")),
    }
}

fn single<'a>(file: &'a [u8], meta: &Meta<'a>, item: &Item) -> Result<Canvas<'a>, Refusal> {
    let unknown = |&(index, essential): &(usize, bool)| {
        essential && matches!(meta.properties.get(index), Some(Property::Unknown) | None)
    };
    if item.properties.iter().any(unknown) {
        return Err(Refusal::Unsupported("an essential property that is not known"));
    }
    let (width, height) = size(meta, item)?;
    let mut config = None;
    let mut operating_point = 0;
    for property in meta.properties_of(item) {
        match property {
            Property::Config(c) => config = Some(*c),
            Property::OperatingPoint(p) => operating_point = *p,
            _ => {}
        }
    }
    let config = config.ok_or(Refusal::Malformed("a coded picture without its configuration"))?;
    let data = bytes(file, meta, item)?;
    Ok(Canvas {
        width,
        height,
        tile_width: width,
        tile_height: height,
        tiles: vec![Tile { data, operating_point }],
        bits: config.bits,
        monochrome: config.monochrome,
    })
}

/// ISO/IEC 23008-12, 6.6.2.3.
fn grid<'a>(file: &'a [u8], meta: &Meta<'a>, item: &Item) -> Result<Canvas<'a>, Refusal> {
    let damaged = Refusal::Malformed("a damaged grid");
    let description = bytes(file, meta, item)?;
    let (rows, columns, width, height) = grid_description(&description).ok_or(damaged.clone())?;
    let sources = meta.references.iter().find(|r| &r.kind == b"dimg" && r.from == item.id).ok_or(damaged.clone())?;
    if sources.to.len() != rows as usize * columns as usize {
        return Err(Refusal::Malformed("a grid with missing or superfluous tiles"));
    }
    let mut whole: Option<Canvas<'a>> = None;
    for id in &sources.to {
        let tile = meta.item(*id).filter(|t| &t.kind == b"av01").ok_or(damaged.clone())?;
        let tile = single(file, meta, tile)?;
        match &mut whole {
            None => whole = Some(Canvas { width, height, ..tile }),
            Some(w) => {
                let same = (w.tile_width, w.tile_height, w.bits, w.monochrome)
                    == (tile.tile_width, tile.tile_height, tile.bits, tile.monochrome);
                if !same {
                    return Err(Refusal::Malformed("a grid of unequal tiles"));
                }
                w.tiles.extend(tile.tiles);
            }
        }
    }
    let whole = whole.ok_or(damaged)?;
    let covers = |tile: u32, count: u32, side: u32| {
        let (tile, side) = (u64::from(tile), u64::from(side));
        tile * u64::from(count) >= side && tile * u64::from(count - 1) < side
    };
    if !covers(whole.tile_width, columns, width) || !covers(whole.tile_height, rows, height) {
        return Err(Refusal::Malformed("a grid that does not fit its tiles"));
    }
    if size(meta, item).is_ok_and(|stated| stated != (width, height)) {
        return Err(Refusal::Malformed("a grid of two sizes"));
    }
    Ok(whole)
}

/// Rows, columns, width, height; none is 0.
fn grid_description(bytes: &[u8]) -> Option<(u32, u32, u32, u32)> {
    let mut r = Reader(bytes);
    if r.u8()? != 0 {
        return None;
    }
    let wide = r.u8()? & 1 == 1;
    let (rows, columns) = (u32::from(r.u8()?) + 1, u32::from(r.u8()?) + 1);
    let mut side = || if wide { r.u32() } else { r.u16().map(u32::from) };
    let (width, height) = (side()?, side()?);
    (width > 0 && height > 0).then_some((rows, columns, width, height))
}

fn size(meta: &Meta<'_>, item: &Item) -> Result<(u32, u32), Refusal> {
    let stated = meta.properties_of(item).find_map(|p| match p {
        Property::Size(w, h) => Some((*w, *h)),
        _ => None,
    });
    match stated {
        Some((w, h)) if w > 0 && h > 0 => Ok((w, h)),
        _ => Err(Refusal::Malformed("a coded picture without a size")),
    }
}

fn bytes<'a>(file: &'a [u8], meta: &Meta<'a>, item: &Item) -> Result<Cow<'a, [u8]>, Refusal> {
    let source = if item.location.in_idat { meta.idat } else { file };
    let part = |&(offset, length): &(u64, u64)| {
        let rest = source.get(usize::try_from(offset).ok()?..)?;
        if length == 0 { Some(rest) } else { rest.get(..usize::try_from(length).ok()?) }
    };
    let lost = Refusal::Malformed("the file ends before its pictures do");
    let joined = match &*item.location.extents {
        [] => return Err(Refusal::Malformed("an item without bytes")),
        [only] => Cow::Borrowed(part(only).ok_or(lost)?),
        many => {
            // Extents may overlap: joined they must not be larger than the file.
            let parts: Option<Vec<&[u8]>> = many.iter().map(part).collect();
            let parts = parts.ok_or(lost.clone())?;
            if parts.iter().map(|p| p.len()).sum::<usize>() > file.len() {
                return Err(lost);
            }
            Cow::Owned(parts.concat())
        }
    };
    if joined.is_empty() { Err(Refusal::Malformed("an item without bytes")) } else { Ok(joined) }
}

/// Of the item itself, else (for a grid) of its first tile.
pub(super) fn colors(meta: &Meta<'_>, item: &Item) -> (Option<Nclx>, Option<Vec<u8>>) {
    let of = |item: &Item| {
        let nclx = meta.properties_of(item).find_map(|p| if let Property::Nclx(n) = p { Some(*n) } else { None });
        let icc = meta.properties_of(item).find_map(|p| if let Property::Icc(i) = p { Some(i.clone()) } else { None });
        (nclx, icc)
    };
    let first_tile = || {
        let sources = meta.references.iter().find(|r| &r.kind == b"dimg" && r.from == item.id)?;
        meta.item(*sources.to.first()?)
    };
    match of(item) {
        (None, None) => first_tile().map_or((None, None), of),
        found => found,
    }
}

/// `irot` and `imir` in the order in which they are associated.
fn orientation(meta: &Meta<'_>, item: &Item) -> Orientation {
    let (mut turns, mut mirrored) = (0_u8, false);
    for property in meta.properties_of(item) {
        match property {
            Property::Rotation(quarters) => turns = (turns + quarters) % 4,
            // Mirroring turns what came before into its inverse; top–bottom is left–right after half a turn.
            Property::Mirror(sideways) => {
                turns = (4 - turns) % 4;
                turns = if *sideways { turns } else { (turns + 2) % 4 };
                mirrored = !mirrored;
            }
            _ => {}
        }
    }
    oriented(mirrored, turns)
}

/// First mirrored left–right (if so), then turned anticlockwise by quarters.
fn oriented(mirrored: bool, quarters: u8) -> Orientation {
    match (mirrored, quarters % 4) {
        (false, 0) => Orientation::Upright,
        (false, 1) => Orientation::Rotate270,
        (false, 2) => Orientation::Rotate180,
        (false, _) => Orientation::Rotate90,
        (true, 0) => Orientation::FlipHorizontal,
        (true, 1) => Orientation::Transpose,
        (true, 2) => Orientation::FlipVertical,
        (true, _) => Orientation::Transverse,
    }
}
