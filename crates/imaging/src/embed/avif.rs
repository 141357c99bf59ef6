//! A property of the primary item for the profile, items for EXIF and XMP (ISO/IEC 23008-12, annex A; MIAF 7.3.6).
//!
//! The `meta` box is written anew from its children, the new items' bytes follow at the end of the file in an `mdat` of
//! their own, and the places of all older items move by as much as what lies before them grew.

mod tracks;

use super::Attachments;
use crate::metadata::{be16, be32};

/// Of the new items; ours are few, so 16 bits are far away.
const XMP_TYPE: &[u8] = b"application/rdf+xml";

pub(super) fn attach(file: &[u8], attachments: &Attachments) -> Option<Vec<u8>> {
    let top = boxes(file)?;
    let meta = top.iter().find(|found| &found.kind == b"meta")?;
    let children = boxes(meta.body.get(4..)?)?;
    let child = |kind: &[u8; 4]| children.iter().find(|found| &found.kind == kind);
    let primary = be16(child(b"pitm")?.body, 4)?;
    let mut items = Items::of(child(b"iinf")?.body)?;
    let exif = (!attachments.exif.is_empty())
        .then(|| items.add(b"Exif", b"", [&[0; 4], attachments.exif.as_slice()].concat()));
    let xmp = (!attachments.xmp.is_empty()).then(|| items.add(b"mime", XMP_TYPE, attachments.xmp.clone()));
    let iprp = properties(child(b"iprp")?.body, primary, attachments)?;
    let described = [exif, xmp].into_iter().flatten();
    let references: Vec<u8> = described
        .flat_map(|id| boxed(b"cdsc", &[&id.to_be_bytes(), &1u16.to_be_bytes(), &primary.to_be_bytes()]))
        .collect();

    let assemble = |delta: u32, new_at: u32| -> Option<Vec<u8>> {
        let mut body = vec![0; 4];
        let mut referred = references.is_empty();
        for child in &children {
            match &child.kind {
                b"iloc" => body.extend(locations(child.body, delta, new_at, &items.new)?),
                b"iinf" => body.extend(items.write()),
                b"iprp" => body.extend(&iprp),
                b"iref" => {
                    referred = true;
                    body.extend(boxed(b"iref", &[child.body, &references]));
                }
                _ => body.extend_from_slice(child.whole),
            }
        }
        if !referred {
            body.extend(boxed(b"iref", &[&[0; 4], &references]));
        }
        Some(boxed(b"meta", &[&body]))
    };
    let movie = top.iter().find(|found| &found.kind == b"moov");
    let tracks = |delta: u32| match movie {
        Some(movie) => tracks::rewritten(&movie.kind, movie.body, delta, attachments),
        None => Some(Vec::new()),
    };
    let before = meta.whole.len() + movie.map_or(0, |movie| movie.whole.len());
    let delta = u32::try_from((assemble(0, 0)?.len() + tracks(0)?.len()).checked_sub(before)?).ok()?;
    let new_at = u32::try_from(file.len()).ok()?.checked_add(delta)?.checked_add(8)?;
    let mut out = Vec::with_capacity(file.len() + attachments.room());
    for found in &top {
        match &found.kind {
            b"meta" => out.extend(assemble(delta, new_at)?),
            b"moov" => out.extend(tracks(delta)?),
            _ => out.extend_from_slice(found.whole),
        }
    }
    if !items.new.is_empty() {
        let bodies: Vec<&[u8]> = items.new.iter().map(|(_, body)| body.as_slice()).collect();
        out.extend(boxed(b"mdat", &bodies));
    }
    Some(out)
}

struct Found<'a> {
    kind: [u8; 4],
    body: &'a [u8],
    whole: &'a [u8],
}

/// Boxes with 32-bit sizes, to the end.
fn boxes(mut bytes: &[u8]) -> Option<Vec<Found<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let size = usize::try_from(be32(bytes, 0)?).ok()?;
        let (whole, rest) = bytes.split_at_checked(size)?;
        found.push(Found { kind: *bytes.get(4..)?.first_chunk()?, body: whole.get(8..)?, whole });
        bytes = rest;
    }
    Some(found)
}

fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let size = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut out = Vec::with_capacity(size);
    out.extend(u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(kind);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// `iinf`, version 0.
struct Items {
    entries: Vec<u8>,
    count: u16,
    next: u16,
    /// Identifier and bytes of those that were added.
    new: Vec<(u16, Vec<u8>)>,
}

impl Items {
    fn of(body: &[u8]) -> Option<Self> {
        if body.first() != Some(&0) {
            return None;
        }
        let count = be16(body, 4)?;
        let entries = body.get(6..)?;
        let highest = boxes(entries)?.iter().filter_map(|entry| be16(entry.body, 4)).max()?;
        Some(Self { entries: entries.to_vec(), count, next: highest.checked_add(1)?, new: Vec::new() })
    }

    fn add(&mut self, kind: &[u8; 4], media_type: &[u8], body: Vec<u8>) -> u16 {
        let id = self.next;
        // Version 2, no protection, no name; a media type where there is one.
        let mut rest = vec![0];
        if !media_type.is_empty() {
            rest.extend_from_slice(media_type);
            rest.push(0);
        }
        self.entries.extend(boxed(b"infe", &[&[2, 0, 0, 1], &id.to_be_bytes(), &[0; 2], kind, &rest]));
        self.new.push((id, body));
        self.count = self.count.saturating_add(1);
        self.next = self.next.saturating_add(1);
        id
    }

    fn write(&self) -> Vec<u8> {
        boxed(b"iinf", &[&[0; 4], &self.count.to_be_bytes(), &self.entries])
    }
}

/// `iloc` of version 0 with 32-bit offsets and lengths and no base, the older items moved and the new ones added.
fn locations(body: &[u8], delta: u32, new_at: u32, new: &[(u16, Vec<u8>)]) -> Option<Vec<u8>> {
    if body.get(..6)? != [0, 0, 0, 0, 0x44, 0] {
        return None;
    }
    let count = be16(body, 6)?;
    let mut entries = body.get(8..)?.to_vec();
    let mut at = 0;
    for _ in 0..count {
        let extents = be16(&entries, at + 4)?;
        at += 6;
        for _ in 0..extents {
            let moved = be32(&entries, at)?.checked_add(delta)?;
            entries.get_mut(at..at + 4)?.copy_from_slice(&moved.to_be_bytes());
            at += 8;
        }
    }
    let mut place = new_at;
    for (id, body) in new {
        let length = u32::try_from(body.len()).ok()?;
        entries.extend(id.to_be_bytes());
        entries.extend([0, 0, 0, 1]);
        entries.extend(place.to_be_bytes());
        entries.extend(length.to_be_bytes());
        place = place.checked_add(length)?;
    }
    let count = count.checked_add(u16::try_from(new.len()).ok()?)?;
    Some(boxed(b"iloc", &[&[0, 0, 0, 0, 0x44, 0], &count.to_be_bytes(), &entries]))
}

/// `iprp`: the profile as one more property of the primary item, the code points in its `nclx`.
fn properties(body: &[u8], primary: u16, attachments: &Attachments) -> Option<Vec<u8>> {
    let found = boxes(body)?;
    let ipco = found.iter().find(|found| &found.kind == b"ipco")?;
    let ipma = found.iter().find(|found| &found.kind == b"ipma")?;
    let Some(icc) = &attachments.icc else { return Some(boxed(b"iprp", &[body])) };
    let list = boxes(ipco.body)?;
    let mut properties = Vec::new();
    for property in &list {
        properties.extend(recoloured(property, attachments)?);
    }
    properties.extend(boxed(b"colr", &[b"prof", icc]));
    let position = u8::try_from(list.len() + 1).ok().filter(|&position| position < 0x80)?;
    let associations = associate(ipma.body, primary, position)?;
    Some(boxed(b"iprp", &[&boxed(b"ipco", &[&properties]), &boxed(b"ipma", &[&associations])]))
}

/// A property as it is, but code points that only say what the profile does; unspecified where none do. The matrix stays.
fn recoloured(property: &Found<'_>, attachments: &Attachments) -> Option<Vec<u8>> {
    let mut whole = property.whole.to_vec();
    if property.body.starts_with(b"nclx") {
        let (primaries, transfer) = attachments.code_points.unwrap_or((2, 2));
        whole.get_mut(12..16)?.copy_from_slice(&[0, primaries, 0, transfer]);
    }
    Some(whole)
}

/// `ipma` of version 0 with 8-bit positions: one more for an item.
fn associate(body: &[u8], item: u16, position: u8) -> Option<Vec<u8>> {
    if be32(body, 0)? != 0 {
        return None;
    }
    let mut out = body.get(..8)?.to_vec();
    let mut at = 8;
    for _ in 0..be32(body, 4)? {
        let count = usize::from(*body.get(at + 2)?);
        let entry = body.get(at..at + 3 + count)?;
        let mut entry = entry.to_vec();
        if be16(body, at)? == item {
            *entry.get_mut(2)? = u8::try_from(count + 1).ok()?;
            entry.push(position);
        }
        out.extend(entry);
        at += 3 + count;
    }
    Some(out)
}
