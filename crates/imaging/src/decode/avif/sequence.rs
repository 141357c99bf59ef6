//! The first frame of an image sequence (`avis`) that has no still picture: `moov` of ISO/IEC 14496-12.
//!
//! Only what leads to the first sample of the picture track and of its alpha track is read; tracks are bounded.

use super::plan::{Canvas, Plan, Refusal, Tile};
use super::property::{self, Config, Nclx, Property};
use super::reader::Reader;
use crate::orientation::Orientation;
use std::borrow::Cow;

const MAX_TRACKS: usize = 64;
/// Fields of a visual sample entry before its boxes (12.1.3).
const SAMPLE_ENTRY: usize = 78;

struct Track<'a> {
    id: u32,
    handler: [u8; 4],
    /// Of an alpha track: the track of its colours.
    alpha_of: Option<u32>,
    frames: u32,
    nclx: Option<Nclx>,
    icc: Option<Vec<u8>>,
    canvas: Canvas<'a>,
}

/// The frames that `moov` counts in its picture track.
pub(super) fn frames(moov: Reader<'_>) -> Option<u32> {
    let tracks = tracks(&[], moov);
    tracks.iter().find(|t| &t.handler == b"pict").map(|t| t.frames)
}

/// The plan of the first frame.
pub(super) fn plan<'a>(file: &'a [u8], moov: Reader<'a>) -> Result<Plan<'a>, Refusal> {
    let mut tracks = tracks(file, moov);
    let color = tracks.iter().position(|t| &t.handler == b"pict" && t.alpha_of.is_none());
    let color = tracks.swap_remove(color.ok_or(Refusal::Malformed("a sequence without a picture track"))?);
    if color.canvas.tiles.iter().any(|t| t.data.is_empty()) {
        return Err(Refusal::Malformed("the file ends before its pictures do"));
    }
    let size = (color.canvas.width, color.canvas.height);
    let alpha = tracks.into_iter().find(|t| t.alpha_of == Some(color.id)).map(|t| t.canvas);
    if alpha.as_ref().is_some_and(|a| (a.width, a.height) != size || a.tiles.iter().any(|t| t.data.is_empty())) {
        return Err(Refusal::Malformed("the alpha plane has another size"));
    }
    Ok(Plan {
        color: color.canvas,
        alpha,
        premultiplied: false,
        nclx: color.nclx,
        icc: color.icc,
        orientation: Orientation::Upright,
        crop: None,
        has_metadata: false,
    })
}

fn tracks<'a>(file: &'a [u8], mut moov: Reader<'a>) -> Vec<Track<'a>> {
    let mut tracks = Vec::new();
    while let Ok(Some(found)) = moov.next_box() {
        if &found.kind == b"trak" && tracks.len() < MAX_TRACKS {
            tracks.extend(track(file, found.payload));
        }
    }
    tracks
}

/// `None` for a track that is damaged or holds no AV1.
fn track<'a>(file: &'a [u8], trak: Reader<'a>) -> Option<Track<'a>> {
    let mut header = trak.find(b"tkhd")?;
    let (version, _) = header.version()?;
    header.take(if version == 1 { 16 } else { 8 })?;
    let id = header.u32()?;
    let media = trak.find(b"mdia")?;
    let mut handler = media.find(b"hdlr")?;
    handler.take(8)?;
    let handler = handler.fourcc()?;
    let table = media.find(b"minf")?.find(b"stbl")?;

    let mut descriptions = table.find(b"stsd")?;
    descriptions.take(8)?;
    let mut entry = descriptions.find(b"av01")?;
    let mut fields = Reader(entry.take(SAMPLE_ENTRY)?);
    fields.take(24)?;
    let (width, height) = (u32::from(fields.u16()?), u32::from(fields.u16()?));
    if width == 0 || height == 0 {
        return None;
    }
    let config = Config::read(entry.find(b"av1C")?)?;
    let (mut nclx, mut icc) = (None, None);
    let mut boxes = entry;
    while let Ok(Some(found)) = boxes.next_box() {
        match (&found.kind, property::color(found.payload)) {
            (b"colr", Some(Property::Nclx(found))) => nclx = Some(found),
            (b"colr", Some(Property::Icc(found))) => icc = Some(found),
            _ => {}
        }
    }
    let alpha_of = trak.find(b"tref").and_then(|t| t.find(b"auxl")).and_then(|mut r| r.u32());
    let (frames, data) = first_sample(file, table)?;
    Some(Track {
        id,
        handler,
        alpha_of,
        frames,
        nclx,
        icc,
        canvas: Canvas {
            width,
            height,
            tile_width: width,
            tile_height: height,

            tiles: vec![Tile { data: Cow::Borrowed(data), operating_point: 0 }],
            bits: config.bits,
            monochrome: config.monochrome,
        },
    })
}

/// How many samples there are, and the bytes of the first: it begins the first chunk. Empty when the file ends before.
fn first_sample<'a>(file: &'a [u8], table: Reader<'a>) -> Option<(u32, &'a [u8])> {
    let mut sizes = table.find(b"stsz")?;
    sizes.version()?;
    let (common, count) = (sizes.u32()?, sizes.u32()?);
    let length = if common == 0 { sizes.u32()? } else { common };
    let chunks = |kind, width| -> Option<u64> {
        let mut r = table.find(kind)?;
        r.take(8)?;
        r.sized(width)
    };
    let offset = chunks(b"stco", 4).or_else(|| chunks(b"co64", 8))?;
    let rest = file.get(usize::try_from(offset).ok()?..).unwrap_or_default();
    Some((count, rest.get(..usize::try_from(length).ok()?).unwrap_or_default()))
}
