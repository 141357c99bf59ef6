//! The first directory of a TIFF (6.0, and BigTIFF): sizes, samples, where the pixels lie. It follows no other
//! directories, decompresses nothing, and keeps slices of the file.

use crate::orientation::Orientation;

/// More fields than any real directory has.
const MOST_FIELDS: u64 = 4096;

/// One field: its values are read where they lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    little: bool,
    kind: u16,
    /// All bytes of all values.
    pub(crate) data: &'a [u8],
}

impl Field<'_> {
    /// Bytes of one value by its type (TIFF 6.0, section 2; BigTIFF adds 16 to 18).
    const fn size(kind: u16) -> Option<usize> {
        match kind {
            1 | 2 | 6 | 7 => Some(1),
            3 | 8 => Some(2),
            4 | 9 | 11 | 13 => Some(4),
            5 | 10 | 12 | 16 | 17 | 18 => Some(8),
            _ => None,
        }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        Self::size(self.kind).map_or(0, |size| self.data.len() / size)
    }

    /// Value `at` of a field of whole numbers.
    pub(crate) fn value(&self, at: usize) -> Option<u64> {
        let size = Self::size(self.kind)?;
        let bytes = self.data.get(at.checked_mul(size)?..)?.get(..size)?;
        match self.kind {
            1 | 2 | 3 | 4 | 6 | 7 | 13 | 16 | 18 => Some(number(bytes, self.little)),
            _ => None,
        }
    }

    /// All values, as far as they are whole numbers.
    pub(crate) fn values(&self) -> impl Iterator<Item = u64> {
        (0..self.len()).map_while(|at| self.value(at))
    }
}

fn number(bytes: &[u8], little: bool) -> u64 {
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) }
}

/// What the first directory says, with the defaults of the specification.
#[derive(Clone, Debug)]
pub(crate) struct TiffHeader<'a> {
    /// The whole file.
    pub(crate) file: &'a [u8],
    /// Numbers begin with their lowest byte (`II`).
    pub(crate) little: bool,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Of every sample alike; 0 when they differ.
    pub(crate) bits: u16,
    pub(crate) samples: u16,
    /// 1 unsigned, 2 signed, 3 floating point; 0 when samples differ.
    pub(crate) format: u16,
    pub(crate) compression: u16,
    pub(crate) photometric: u16,
    pub(crate) predictor: u16,
    /// Each sample has chunks of its own.
    pub(crate) planar: bool,
    /// Bits of a byte run from the lowest to the highest.
    pub(crate) reversed: bool,
    /// Meaning of the first sample beyond the colours: 0 unspecified, 1 premultiplied alpha, 2 alpha; `None` unsaid.
    pub(crate) extra: Option<u16>,
    /// Of CCITT group 3.
    pub(crate) fax_options: u32,
    pub(crate) orientation: Orientation,
    /// Width and height of a chunk, and whether chunks are tiles (which have that size at the edges too).
    pub(crate) chunk: (u32, u32),
    pub(crate) tiled: bool,
    /// Where each chunk begins, and its length.
    pub(crate) offsets: Field<'a>,
    pub(crate) lengths: Option<Field<'a>>,
    /// All reds, all greens, all blues, 16 bits each.
    pub(crate) palette: Option<Field<'a>>,
    pub(crate) jpeg_tables: Option<&'a [u8]>,
    pub(crate) icc: Option<&'a [u8]>,
    pub(crate) has_metadata: bool,
}

/// Where the directories lie, in their order, until one is cut. Without end where they go round.
pub(crate) fn directories(file: &[u8]) -> impl Iterator<Item = usize> {
    let layout = Layout::of(file);
    let mut next = layout.as_ref().and_then(|layout| layout.first(file));
    std::iter::from_fn(move || {
        let (layout, this) = (layout.as_ref()?, next.filter(|at| *at != 0)?);
        let count = layout.number(file, this, layout.head)?;
        next = (|| {
            let fields = usize::try_from(count).ok()?.checked_mul(layout.entry)?;
            let after = this.checked_add(layout.head)?.checked_add(fields)?;
            usize::try_from(layout.number(file, after, layout.word)?).ok()
        })();
        Some(this)
    })
}

/// How a file writes its numbers.
struct Layout {
    little: bool,
    /// Bytes of a count of fields.
    head: usize,
    /// Of a field's count, of its value, of an offset.
    word: usize,
    /// Of a whole field.
    entry: usize,
}

impl Layout {
    fn of(file: &[u8]) -> Option<Self> {
        let little = file.starts_with(b"II");
        let classic = Self { little, head: 2, word: 4, entry: 12 };
        let big = classic.number(file, 2, 2)? == 43;
        Some(if big { Self { little, head: 8, word: 8, entry: 20 } } else { classic })
    }

    fn number(&self, file: &[u8], at: usize, size: usize) -> Option<u64> {
        Some(number(file.get(at..at.checked_add(size)?)?, self.little))
    }

    /// Where the first directory lies.
    fn first(&self, file: &[u8]) -> Option<usize> {
        usize::try_from(self.number(file, self.word, self.word)?).ok()
    }
}

/// Reads the first directory. `None` when it is cut, or lacks what every picture has.
pub(crate) fn read(file: &[u8]) -> Option<TiffHeader<'_>> {
    let layout = Layout::of(file)?;
    let Layout { little, head, word, entry } = layout;
    let at = |at: usize, size: usize| layout.number(file, at, size);
    let start = layout.first(file)?;
    let count = at(start, head)?;
    if count > MOST_FIELDS {
        return None;
    }
    let mut fields = Vec::new();
    for field in 0..count as usize {
        let place = start.checked_add(head + field * entry)?;
        let (Some(tag), Some(kind), Some(length)) = (at(place, 2), at(place + 2, 2), at(place + 4, word)) else {
            break;
        };
        let kind = kind as u16;
        let (Some(size), Ok(length)) = (Field::size(kind), usize::try_from(length)) else { continue };
        let Some(size) = size.checked_mul(length) else { continue };
        let inline = place + 4 + word;
        let from = if size <= word { inline } else { usize::try_from(at(inline, word)?).ok()? };
        // What a cut file lacks of a field is missing from its end.
        let data = file.get(from..from.saturating_add(size).min(file.len())).unwrap_or_default();
        fields.push((tag as u16, Field { little, kind, data }));
    }
    Directory { file, little, fields }.header()
}

struct Directory<'a> {
    file: &'a [u8],
    little: bool,
    fields: Vec<(u16, Field<'a>)>,
}

impl<'a> Directory<'a> {
    fn field(&self, tag: u16) -> Option<Field<'a>> {
        self.fields.iter().find(|(known, field)| *known == tag && !field.data.is_empty()).map(|(_, field)| *field)
    }

    fn first(&self, tag: u16) -> Option<u64> {
        self.field(tag)?.value(0)
    }

    fn short(&self, tag: u16, default: u16) -> u16 {
        self.first(tag).and_then(|value| u16::try_from(value).ok()).unwrap_or(default)
    }

    /// The value that all samples share, else 0.
    fn shared(&self, tag: u16, default: u16) -> u16 {
        let Some(field) = self.field(tag) else { return default };
        let mut values = field.values();
        let first = values.next().and_then(|value| u16::try_from(value).ok()).unwrap_or(0);
        if values.all(|value| value == u64::from(first)) { first } else { 0 }
    }

    fn header(&self) -> Option<TiffHeader<'a>> {
        let side = |tag| u32::try_from(self.first(tag)?).ok();
        let (width, height) = (side(256)?, side(257)?);
        let tile = side(322).zip(side(323));
        let rows = side(278).unwrap_or(u32::MAX).clamp(1, height.max(1));
        Some(TiffHeader {
            file: self.file,
            little: self.little,
            width,
            height,
            bits: self.shared(258, 1),
            samples: self.short(277, 1),
            format: self.shared(339, 1),
            compression: self.short(259, 1),
            photometric: self.short(262, 1),
            predictor: self.short(317, 1),
            planar: self.short(284, 1) == 2,
            reversed: self.short(266, 1) == 2,
            extra: self.first(338).and_then(|value| u16::try_from(value).ok()),
            fax_options: self.first(292).and_then(|value| u32::try_from(value).ok()).unwrap_or(0),
            orientation: Orientation::from_exif(self.short(274, 1).into()).unwrap_or_default(),
            chunk: tile.unwrap_or((width, rows)),
            tiled: tile.is_some(),
            offsets: self.field(if tile.is_some() { 324 } else { 273 })?,
            lengths: self.field(if tile.is_some() { 325 } else { 279 }),
            palette: self.field(320),
            jpeg_tables: self.field(347).map(|field| field.data),
            icc: self.field(34_675).map(|field| field.data),
            // XMP, IPTC, EXIF, GPS.
            has_metadata: [700, 33_723, 34_665, 34_853].iter().any(|&tag| self.field(tag).is_some()),
        })
    }
}

impl TiffHeader<'_> {
    /// Samples that make the colour, alpha not among them; 0 for a kind of picture that is not known.
    pub(crate) const fn colours(&self) -> u16 {
        match self.photometric {
            0 | 1 | 3 | 4 => 1,
            2 | 6 | 8 | 9 => 3,
            5 => 4,
            _ => 0,
        }
    }

    /// Whether a sample beyond the colours is alpha. Nameless ones are, in pictures of red, green and blue.
    pub(crate) fn has_alpha(&self) -> bool {
        let more = self.colours() > 0 && self.samples > self.colours();
        more && match self.extra {
            Some(kind) => matches!(kind, 1 | 2),
            None => self.photometric == 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(fields: &[(u16, u16, u32, u32)]) -> Vec<u8> {
        let mut out = b"II*\0\x08\0\0\0".to_vec();
        out.extend((fields.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in fields {
            out.extend(tag.to_le_bytes());
            out.extend(kind.to_le_bytes());
            out.extend(count.to_le_bytes());
            out.extend(value.to_le_bytes());
        }
        out
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let bytes = file(&[(256, 3, 1, 7), (257, 3, 1, 5), (273, 4, 1, 8)]);
        let header = read(&bytes).expect("a header");
        assert_eq!((header.width, header.height, header.bits, header.samples), (7, 5, 1, 1));
        assert_eq!((header.chunk, header.tiled, header.compression), ((7, 5), false, 1));
        assert!(read(&file(&[(256, 3, 1, 7), (257, 3, 1, 5)])).is_none(), "without pixels");
    }

    #[test]
    fn samples_that_differ_are_told() {
        let bytes = file(&[(256, 3, 1, 7), (257, 3, 1, 5), (273, 4, 1, 8), (258, 3, 2, 0x0004_0008)]);
        assert_eq!(read(&bytes).map(|h| h.bits), Some(0));
    }

    #[test]
    fn fields_that_reach_beyond_the_file_are_cut() {
        let bytes = file(&[(256, 3, 1, 7), (257, 3, 1, 5), (273, 4, u32::MAX, 8)]);
        assert!(read(&bytes).is_some_and(|h| h.offsets.data.len() <= bytes.len()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..300), big: bool) {
            let head: &[u8] = if big { b"MM\0\x2b\0\x08\0\0\0\0\0\0\0\0\0\x10" } else { b"II*\0\x08\0\0\0" };
            read(&[head, &tail].concat());
            read(&tail);
        }
    }
}
