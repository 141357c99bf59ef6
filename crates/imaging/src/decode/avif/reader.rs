//! A cursor over bytes of a stranger, and the boxes of ISO/IEC 14496-12 in them.
//!
//! It never reads past its slice, never allocates, and every step forward is at least 8 bytes: loops over boxes end.

/// What is left to read. All methods return `None` at the end; callers turn that into "damaged".
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

/// A box: its type and its payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Boxed<'a> {
    pub(super) kind: [u8; 4],
    pub(super) payload: Reader<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn fourcc(&mut self) -> Option<[u8; 4]> {
        self.array()
    }

    /// An unsigned number of 0, 2, 4 or 8 bytes; other widths are not allowed anywhere.
    pub(super) fn sized(&mut self, bytes: u8) -> Option<u64> {
        match bytes {
            0 => Some(0),
            2 => self.u16().map(u64::from),
            4 => self.u32().map(u64::from),
            8 => self.u64(),
            _ => None,
        }
    }

    /// Version and flags of a full box.
    pub(super) fn version(&mut self) -> Option<(u8, u32)> {
        self.u32().map(|v| ((v >> 24) as u8, v & 0x00FF_FFFF))
    }

    /// The next box. `Ok(None)` at the end, `Err` when it is cut off or its size is impossible.
    pub(super) fn next_box(&mut self) -> Result<Option<Boxed<'a>>, ()> {
        if self.is_empty() {
            return Ok(None);
        }
        self.required_box().map(Some).ok_or(())
    }

    fn required_box(&mut self) -> Option<Boxed<'a>> {
        let size = self.u32()?;
        let kind = self.fourcc()?;
        let length = match size {
            0 => self.0.len(),
            1 => usize::try_from(self.u64()?).ok()?.checked_sub(16)?,
            _ => usize::try_from(size).ok()?.checked_sub(8)?,
        };
        let payload = Reader(self.take(length)?);
        Some(Boxed { kind, payload })
    }

    /// The payload of the first box of a type; `None` as well when something before it is damaged.
    pub(super) fn find(mut self, kind: &[u8; 4]) -> Option<Self> {
        while let Ok(Some(found)) = self.next_box() {
            if found.kind == *kind {
                return Some(found.payload);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_read_and_impossible_ones_refused() {
        let mut reader = Reader(b"\0\0\0\x0aabcd12\0\0\0\x08empt\0\0\0\0lastrest");
        let first = reader.next_box().ok().flatten().expect("a box");
        assert_eq!((&first.kind, first.payload.0), (b"abcd", &b"12"[..]));
        assert_eq!(reader.find(b"last").map(|r| r.0), Some(&b"rest"[..]));
        for damaged in [&b"\0\0\0\x07abcd"[..], b"\0\0\0\x09abcd", b"\0\0\0", b"\0\0\0\x01abcd\0\0\0\0\0\0\0\x0f"] {
            assert!(Reader(damaged).next_box().is_err(), "{damaged:?}");
        }
        assert!(matches!(Reader(b"").next_box(), Ok(None)));
    }

    #[test]
    fn a_64_bit_size_is_understood() {
        let mut reader = Reader(b"\0\0\0\x01wide\0\0\0\0\0\0\0\x12ok");
        assert_eq!(reader.next_box().ok().flatten().map(|b| b.payload.0), Some(&b"ok"[..]));
    }
}
