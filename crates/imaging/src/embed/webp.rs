//! Chunks of the extended format (RFC 9649, section 2.7): `ICCP` behind `VP8X`, `EXIF` and `XMP ` at the end. A simple
//! file becomes an extended one.

use super::Attachments;
use crate::metadata::webp::{chunks, read};

const RIFF_HEADER: usize = 12;
const ICC: u8 = 0x20;
const ALPHA: u8 = 0x10;
const EXIF: u8 = 0x08;
const XMP: u8 = 0x04;

pub(super) fn attach(file: &[u8], attachments: &Attachments) -> Option<Vec<u8>> {
    let header = read(file)?;
    let mut flags = if header.alpha { ALPHA } else { 0 };
    let mut pixels = Vec::new();
    for (kind, body) in chunks(file.get(RIFF_HEADER..)?) {
        if kind == b"VP8X" {
            flags = *body.first()?;
        } else {
            pixels.push((kind, body));
        }
    }
    let places =
        [(attachments.icc.is_some(), ICC), (!attachments.exif.is_empty(), EXIF), (!attachments.xmp.is_empty(), XMP)];
    flags |= places.iter().filter(|(present, _)| *present).map(|(_, flag)| flag).sum::<u8>();
    let mut out = b"RIFF\0\0\0\0WEBP".to_vec();
    out.reserve(file.len() + attachments.room());
    let [w0, w1, w2, _] = (header.width - 1).to_le_bytes();
    let [h0, h1, h2, _] = (header.height - 1).to_le_bytes();
    chunk(b"VP8X", &[flags, 0, 0, 0, w0, w1, w2, h0, h1, h2], &mut out)?;
    if let Some(icc) = &attachments.icc {
        chunk(b"ICCP", icc, &mut out)?;
    }
    for (kind, body) in pixels {
        chunk(kind, body, &mut out)?;
    }
    for (kind, body) in [(b"EXIF", &attachments.exif), (b"XMP ", &attachments.xmp)] {
        if !body.is_empty() {
            chunk(kind, body, &mut out)?;
        }
    }
    let length = u32::try_from(out.len() - 8).ok()?;
    out.get_mut(4..8)?.copy_from_slice(&length.to_le_bytes());
    Some(out)
}

/// Kind, length, body, padded to an even length.
pub(crate) fn chunk(kind: &[u8; 4], body: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(kind);
    out.extend(u32::try_from(body.len()).ok()?.to_le_bytes());
    out.extend_from_slice(body);
    out.resize(out.len() + body.len() % 2, 0);
    Some(())
}
