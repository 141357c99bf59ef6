//! Chunks behind `IHDR`: `cICP` and `iCCP` (which have to stand before palette and pixels), `eXIf`, XMP in `iTXt`.

use super::Attachments;

const SIGNATURE_AND_HEADER: usize = 8 + 25;
const XMP: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";

pub(super) fn attach(file: &[u8], attachments: &Attachments) -> Option<Vec<u8>> {
    if file.get(12..16)? != b"IHDR" {
        return None;
    }
    let (head, rest) = file.split_at_checked(SIGNATURE_AND_HEADER)?;
    let mut out = Vec::with_capacity(file.len() + attachments.room());
    out.extend_from_slice(head);
    if let Some((primaries, transfer)) = attachments.code_points {
        chunk(b"cICP", &[&[primaries, transfer, 0, 1]], &mut out);
    }
    if let Some(icc) = &attachments.icc {
        chunk(b"iCCP", &[b"ICC\0\0", &fdeflate::compress_to_vec(icc)], &mut out);
    }
    if !attachments.exif.is_empty() {
        chunk(b"eXIf", &[&attachments.exif], &mut out);
    }
    if !attachments.xmp.is_empty() {
        chunk(b"iTXt", &[XMP, &attachments.xmp], &mut out);
    }
    out.extend_from_slice(rest);
    Some(out)
}

/// Length, kind, body, and the CRC of the latter two.
pub(crate) fn chunk(kind: &[u8; 4], parts: &[&[u8]], out: &mut Vec<u8>) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    let start = out.len();
    out.extend_from_slice(kind);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    let sum = crc(out.get(start..).unwrap_or_default());
    out.extend(sum.to_be_bytes());
}

/// PNG third edition, annex D.
fn crc(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xEDB8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(u32::MAX, |sum, &byte| TABLE[usize::from(sum as u8 ^ byte)] ^ (sum >> 8))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sum_of_an_empty_end_chunk_is_the_known_one() {
        assert_eq!(super::crc(b"IEND"), 0xAE42_6082);
    }
}
