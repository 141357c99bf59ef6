//! ICC and EXIF as the APPn segments hold them; knows nothing of what they say.
//! Invariant: a profile is never longer than the limit asked for, and never longer than the file.

/// Pieces of an ICC profile (ICC.1 annex B.4), in the order of the file: number, count, bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct IccPieces<'a>(Vec<(u8, u8, &'a [u8])>);

const ICC_SIGNATURE: &[u8] = b"ICC_PROFILE\0";
const EXIF_SIGNATURE: &[u8] = b"Exif\0";

impl<'a> IccPieces<'a> {
    /// Takes an APP2 payload if it is a piece of a profile. At most 255 pieces are kept: a profile has no more.
    pub(crate) fn read(&mut self, payload: &'a [u8]) {
        if let Some([number, count, bytes @ ..]) = payload.strip_prefix(ICC_SIGNATURE)
            && self.0.len() < 255
        {
            self.0.push((*number, *count, bytes));
        }
    }

    /// Whether there is any piece.
    pub(crate) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// The profile, if every piece from 1 to the count is there exactly once and it has at most `limit` bytes.
    pub(crate) fn assemble(&self, limit: usize) -> Option<Vec<u8>> {
        let count = self.0.first()?.1;
        let total: usize = self.0.iter().map(|piece| piece.2.len()).sum();
        if self.0.len() != usize::from(count) || self.0.iter().any(|piece| piece.1 != count) || total > limit {
            return None;
        }
        let mut profile = Vec::with_capacity(total);
        for number in 1..=count {
            profile.extend_from_slice(self.0.iter().find(|piece| piece.0 == number)?.2);
        }
        Some(profile)
    }
}

/// The TIFF structure of an APP1 payload that holds EXIF.
pub(crate) fn exif(payload: &[u8]) -> Option<&[u8]> {
    // The signature is "Exif", a zero and one byte of padding.
    payload.strip_prefix(EXIF_SIGNATURE)?.get(1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(number: u8, count: u8, bytes: &[u8]) -> Vec<u8> {
        [ICC_SIGNATURE, &[number, count], bytes].concat()
    }

    #[test]
    fn pieces_are_put_in_order_and_gaps_refused() {
        let (first, second) = (piece(1, 2, b"ab"), piece(2, 2, b"cd"));
        let mut pieces = IccPieces::default();
        pieces.read(&second);
        assert_eq!(pieces.assemble(100), None);
        pieces.read(&first);
        assert_eq!(pieces.assemble(100).unwrap(), b"abcd");
        assert_eq!(pieces.assemble(3), None);
    }

    #[test]
    fn exif_begins_behind_its_signature() {
        assert_eq!(exif(b"Exif\0\0MM"), Some(&b"MM"[..]));
        assert_eq!(exif(b"http://ns.adobe.com"), None);
    }
}
