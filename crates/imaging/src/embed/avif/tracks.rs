//! The tracks of a sequence (ISO/IEC 14496-12, 8.1 to 8.7) when `meta` grows in front of their frames: every place moves,
//! and the picture track tells the profile too, as players look there and not at the still picture.

use super::{Attachments, boxed, boxes, recoloured};
use crate::metadata::be32;

/// Fields of a visual sample entry before its boxes (12.1.3).
const SAMPLE_ENTRY: usize = 78;

/// A box of `moov`, written anew with everything in it.
pub(super) fn rewritten(kind: &[u8; 4], body: &[u8], delta: u32, attachments: &Attachments) -> Option<Vec<u8>> {
    let fields = match kind {
        b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" => 0,
        b"stsd" => 8,
        b"av01" => SAMPLE_ENTRY,
        b"stco" => return Some(boxed(kind, &[&moved(body, delta)?])),
        _ => return Some(boxed(kind, &[body])),
    };
    let (fields, children) = body.split_at_checked(fields)?;
    let mut out = fields.to_vec();
    for child in boxes(children)? {
        match (&child.kind, &attachments.icc) {
            (b"colr", Some(icc)) => {
                out.extend(recoloured(&child, attachments)?);
                out.extend(boxed(b"colr", &[b"prof", icc]));
            }
            (kind, _) => out.extend(rewritten(kind, child.body, delta, attachments)?),
        }
    }
    Some(boxed(kind, &[&out]))
}

/// The places in `stco`.
fn moved(body: &[u8], delta: u32) -> Option<Vec<u8>> {
    let (head, places) = body.split_at_checked(8)?;
    let mut out = head.to_vec();
    for at in (0..places.len()).step_by(4) {
        out.extend(be32(places, at)?.checked_add(delta)?.to_be_bytes());
    }
    Some(out)
}
