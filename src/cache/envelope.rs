//! The stored form of a rendition: what a tier outside of this process keeps, versioned and checksummed.
//!
//! Owns the bytes' layout. Knows neither HTTP nor where they are kept. Invariant: what [`Envelope::open`] gives is exactly
//! what [`Envelope::seal`] was given under that very name; everything else (another version, a flipped bit, a cut, other
//! bytes behind, the answer to another question) is told apart and is nothing but a miss.
//!
//! ```text
//! "tte" version | length of the head, u32 LE | head | BLAKE3 of all before, keyed with the name, 16 bytes | body
//! head: made u64 LE | generation u64 LE | BLAKE3 of the body, 32 bytes | source key, 32 bytes
//!       | modified (0 or 1, u64 LE) | kind | extension | origin | path | work, 16 bytes
//!       | count, u16 LE | tags       (texts: length, u16 LE, then UTF-8)
//! ```

use super::label::Label;
use super::tier::Name;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::sync::Arc;

/// Counts layouts: every change to what is above raises it.
pub const LAYOUT: u8 = 3;
/// Begins every envelope of this layout.
const MAGIC: [u8; 4] = [b't', b't', b'e', LAYOUT];
/// Of the head's checksum.
const CHECK: usize = 16;
/// No head is longer: with 50 tags of 256 bytes and a path of 4096.
const MAX_HEAD: usize = 32 << 10;
/// Tags that are stored; semantics allow no more.
const MAX_TAGS: usize = 50;

/// A rendition, with all that is needed to answer with it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// When it was made, seconds since 1970.
    pub made: u64,
    /// The last purge that its maker knew (`cache::marks`).
    pub generation: u64,
    /// BLAKE3 of the body; its entity tag is cut from it.
    pub hash: [u8; 32],
    /// The original that it was made of, whatever its version.
    pub source: [u8; 32],
    /// When the original last changed, seconds since 1970, where its origin tells.
    pub modified: Option<u64>,
    /// The media type.
    pub kind: String,
    /// Of a file name, without the point.
    pub extension: String,
    /// What it can be purged by.
    pub label: Arc<Label>,
    /// The picture.
    pub body: Bytes,
}

/// Why stored bytes are no envelope. To all but counters it is a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Damage {
    /// Another layout, perhaps of another release.
    Version,
    /// Cut short, altered, or put in under another name.
    Checksum,
}

impl Damage {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Checksum => "checksum",
        }
    }
}

impl Envelope {
    /// No head is longer, its frame included.
    pub const HEAD: usize = 8 + MAX_HEAD + CHECK;

    /// The bytes to store under the name. `hash` has to be the body's.
    pub fn seal(&self, name: &Name) -> Bytes {
        let mut out = BytesMut::with_capacity(256 + self.body.len());
        out.put_slice(&MAGIC);
        out.put_u32_le(0);
        out.put_u64_le(self.made);
        out.put_u64_le(self.generation);
        out.put_slice(&self.hash);
        out.put_slice(&self.source);
        out.put_u8(u8::from(self.modified.is_some()));
        out.put_u64_le(self.modified.unwrap_or(0));
        put_text(&mut out, &self.kind);
        put_text(&mut out, &self.extension);
        put_text(&mut out, self.label.origin());
        put_text(&mut out, self.label.path());
        out.put_slice(&self.label.work().unwrap_or_default());
        let tags = self.label.tags();
        let tags = tags.get(..MAX_TAGS).unwrap_or(tags);
        out.put_u16_le(tags.len() as u16);
        tags.iter().for_each(|tag| put_text(&mut out, tag));
        let head = (out.len() - 8) as u32;
        out[4..8].copy_from_slice(&head.to_le_bytes());
        let check = blake3::keyed_hash(name, &out);
        out.put_slice(&check.as_bytes()[..CHECK]);
        out.put_slice(&self.body);
        out.freeze()
    }

    /// Reads the bytes that were found under the name; the body is shared with them, not copied.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn open(stored: &Bytes, name: &Name) -> Result<Self, Damage> {
        let envelope = Self::open_head(stored, name)?;
        match *blake3::hash(&envelope.body).as_bytes() == envelope.hash {
            true => Ok(envelope),
            false => Err(Damage::Checksum),
        }
    }

    /// The same for the first [`Self::HEAD`] bytes of what is stored, or more: the head is proved, the body may be cut.
    ///
    /// # Errors
    /// What is wrong with the head.
    pub fn open_head(stored: &Bytes, name: &Name) -> Result<Self, Damage> {
        let version = stored.get(..4).ok_or(Damage::Checksum)?;
        if version != MAGIC {
            return Err(Damage::Version);
        }
        let head = stored.get(4..8).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes);
        let head = head.map(|length| length as usize).filter(|length| *length <= MAX_HEAD).ok_or(Damage::Checksum)?;
        let (end, body) = (8 + head, 8 + head + CHECK);
        let covered = stored.get(..end).ok_or(Damage::Checksum)?;
        let check = stored.get(end..body).ok_or(Damage::Checksum)?;
        if blake3::keyed_hash(name, covered).as_bytes()[..CHECK] != *check {
            return Err(Damage::Checksum);
        }
        read(stored.slice(8..end), stored.slice(body..)).ok_or(Damage::Version)
    }
}

/// `None` for a head that this layout cannot have.
fn read(mut head: Bytes, body: Bytes) -> Option<Envelope> {
    let made = head.try_get_u64_le().ok()?;
    let generation = head.try_get_u64_le().ok()?;
    let hash = take(&mut head)?;
    let source = take(&mut head)?;
    let flag = head.try_get_u8().ok()?;
    let modified = head.try_get_u64_le().ok().map(|modified| (flag == 1).then_some(modified))?;
    let kind = take_text(&mut head)?;
    let extension = take_text(&mut head)?;
    let (origin, path) = (take_text(&mut head)?, take_text(&mut head)?);
    let work = take(&mut head)?;
    let tags = (0..head.try_get_u16_le().ok()?).map(|_| take_text(&mut head)).collect::<Option<_>>()?;
    let label = Arc::new(Label::restore(&origin, &path, (work != [0; 16]).then_some(work), tags));
    head.is_empty().then_some(Envelope { made, generation, hash, source, modified, kind, extension, label, body })
}

fn take<const N: usize>(head: &mut Bytes) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    head.try_copy_to_slice(&mut bytes).ok()?;
    Some(bytes)
}

fn take_text(head: &mut Bytes) -> Option<String> {
    let length = usize::from(head.try_get_u16_le().ok()?);
    if head.len() < length {
        return None;
    }
    String::from_utf8(head.split_to(length).into()).ok()
}

/// Texts longer than 65535 bytes do not come here: all have limits far below.
fn put_text(out: &mut BytesMut, text: &str) {
    let text = text.as_bytes().get(..usize::from(u16::MAX)).unwrap_or(text.as_bytes());
    out.put_u16_le(text.len() as u16);
    out.put_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: Name = [9; 32];

    fn envelope(body: Vec<u8>, tags: Vec<String>, modified: Option<u64>) -> Envelope {
        Envelope {
            made: 1_700_000_000,
            generation: 1_800_000_000_000_000,
            hash: *blake3::hash(&body).as_bytes(),
            source: [7; 32],
            modified,
            kind: "image/webp".into(),
            extension: "webp".into(),
            label: Arc::new(Label::new("web", "a/b.jpg", "w=1", tags.into_iter())),
            body: body.into(),
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(
            body in proptest::collection::vec(any::<u8>(), 0..600),
            tags in proptest::collection::vec("[a-zé]{0,12}", 0..5),
            modified in proptest::option::of(any::<u64>()),
        ) {
            let envelope = envelope(body, tags, modified);
            prop_assert_eq!(Envelope::open(&envelope.seal(&NAME), &NAME), Ok(envelope));
        }

        #[test]
        fn one_flipped_bit_anywhere_is_a_miss(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut stored = envelope(vec![3; 300], vec!["route:a".into()], Some(5)).seal(&NAME).to_vec();
            let at = at.index(stored.len());
            stored[at] ^= 1 << bit;
            prop_assert!(Envelope::open(&stored.into(), &NAME).is_err());
        }

        #[test]
        fn every_cut_and_every_addition_is_a_miss(cut in any::<prop::sample::Index>()) {
            let stored = envelope(vec![3; 300], Vec::new(), None).seal(&NAME);
            prop_assert!(Envelope::open(&stored.slice(..cut.index(stored.len())), &NAME).is_err());
            let longer = [&stored[..], b"x"].concat();
            prop_assert_eq!(Envelope::open(&longer.into(), &NAME), Err(Damage::Checksum));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), ours: bool) {
            if ours && bytes.len() >= 4 {
                bytes[..4].copy_from_slice(&MAGIC);
            }
            prop_assert!(Envelope::open(&bytes.into(), &NAME).is_err());
        }
    }

    /// A tier that mixes up its answers, as one does whose connection has lost count, serves nobody another picture.
    #[test]
    fn what_is_kept_under_another_name_is_a_miss() {
        let stored = envelope(vec![1], Vec::new(), None).seal(&[8; 32]);
        assert_eq!(Envelope::open(&stored, &NAME), Err(Damage::Checksum));
        assert!(Envelope::open(&stored, &[8; 32]).is_ok());
    }

    #[test]
    fn another_version_is_told_from_damage() {
        let mut stored = envelope(vec![1], Vec::new(), None).seal(&NAME).to_vec();
        stored[3] += 1;
        assert_eq!(Envelope::open(&stored.into(), &NAME), Err(Damage::Version));
        assert_eq!(Envelope::open(&Bytes::new(), &NAME), Err(Damage::Checksum));
    }

    /// The layout is a promise to stored bytes: a change of it raises `LAYOUT`.
    #[test]
    fn the_layout_is_pinned() {
        let stored = envelope(vec![1, 2, 3], vec!["a".into()], Some(9)).seal(&NAME);
        let digest = blake3::hash(&stored).to_hex();
        assert_eq!((stored.len(), &digest[..16]), (PINNED.0, PINNED.1));
    }

    const PINNED: (usize, &str) = (169, "506780b66bd9ef09");
}
