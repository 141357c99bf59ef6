//! An image sequence (`avis`): the tracks in `moov` (ISO/IEC 14496-12) of the pictures and of their alpha.
//!
//! The plan of the first frame is that of all. Tracks are bounded; what else lies in the file (sound) is not read.

use super::plan::{Canvas, Plan, Refusal, Tile};
use super::property::{self, Config, Nclx, Property};
use super::reader::Reader;
use super::samples;
use crate::orientation::Orientation;
use std::borrow::Cow;
use std::ops::Range;

const MAX_TRACKS: usize = 64;
/// Fields of a visual sample entry before its boxes (12.1.3).
const SAMPLE_ENTRY: usize = 78;

struct Track<'a> {
    id: u32,
    handler: [u8; 4],
    /// Of an alpha track: the track of its colours.
    alpha_of: Option<u32>,
    frames: u32,
    media: Reader<'a>,
    whole: Reader<'a>,
    nclx: Option<Nclx>,
    icc: Option<Vec<u8>>,
    canvas: Canvas<'a>,
}

/// Whether the file asks to be shown as a sequence: by its major brand, as libavif decides.
pub(super) fn is_asked_for(file: &[u8]) -> bool {
    file.get(8..12) == Some(b"avis")
}

/// Frames of the picture track, how often they play, and the sum of their durations in microseconds, each of which is
/// told to `frame`; at most `limit` of them.
pub(super) fn motion(moov: Reader<'_>, limit: u32, frame: &mut dyn FnMut(u64)) -> Option<(u32, u32, u64)> {
    let tracks = tracks(&[], moov);
    let color = tracks.iter().find(|t| t.is_color())?;
    let micros = samples::times(color.media, color.frames.min(limit), frame)?;
    Some((color.frames, samples::plays(color.whole), micros))
}

/// Where samples lie in the file.
pub(super) type Samples = Vec<Range<usize>>;

/// Where the samples of the picture track and of its alpha lie, at most `limit` each.
pub(super) fn samples(file: &[u8], moov: Reader<'_>, limit: u32) -> Option<(Samples, Option<Samples>)> {
    let tracks = tracks(file, moov);
    let color = tracks.iter().find(|t| t.is_color())?;
    let ranges = |track: &Track<'_>| samples::ranges(file, track.media.find(b"minf")?.find(b"stbl")?, limit);
    let alpha = tracks.iter().find(|t| t.alpha_of == Some(color.id));
    Some((ranges(color)?, alpha.and_then(ranges)))
}

impl Track<'_> {
    fn is_color(&self) -> bool {
        &self.handler == b"pict" && self.alpha_of.is_none()
    }
}

/// The plan of the first frame.
pub(super) fn plan<'a>(file: &'a [u8], moov: Reader<'a>) -> Result<Plan<'a>, Refusal> {
    let mut tracks = tracks(file, moov);
    let color = tracks.iter().position(Track::is_color);
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
        tone: Default::default(),
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
        media,
        whole: trak,
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
