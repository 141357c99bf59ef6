//! What a PNG's chunks hold: `eXIf`, `iCCP`, `cICP`, and the texts, of which one may be XMP. Everything that is
//! compressed is decompressed under a limit.

use super::{MAX_BLOCK, MAX_PROFILE, MAX_TEXT, Metadata};
use crate::metadata::png::{chunks, compressed_profile};

/// Adobe XMP part 3, 1.1.5.
pub(crate) const XMP: &[u8] = b"XML:com.adobe.xmp";

/// Collects from all chunks.
pub(super) fn collect<'a>(bytes: &'a [u8], found: &mut Metadata<'a>) {
    for chunk in chunks(bytes) {
        match &chunk.kind {
            b"eXIf" => found.found_exif(chunk.body),
            b"cICP" => found.cicp = chunk.body.first_chunk().copied(),
            b"iCCP" => {
                let profile = compressed_profile(chunk.body).and_then(|stream| inflate(stream, MAX_PROFILE));
                profile.into_iter().for_each(|profile| found.found_icc(profile));
            }
            b"tEXt" => {
                if let Some((keyword, text)) = split(chunk.body) {
                    found.found_text(keyword, text);
                }
            }
            b"zTXt" => compressed_text(chunk.body, found),
            b"iTXt" => international(chunk.body, found),
            _ => {}
        }
    }
}

fn compressed_text(body: &[u8], found: &mut Metadata<'_>) {
    let Some((keyword, [0, stream @ ..])) = split(body) else { return };
    if let Some(text) = inflate(stream, MAX_TEXT) {
        found.found_text(keyword, &text);
    }
}

/// Section 11.3.3.4: keyword 0, compression flag and method, language 0, translated keyword 0, text.
fn international<'a>(body: &'a [u8], found: &mut Metadata<'a>) {
    let Some((keyword, [compressed, 0, rest @ ..])) = split(body) else { return };
    let Some((_translated, text)) = split(rest).and_then(|(_language, rest)| split(rest)) else { return };
    let is_xmp = keyword == XMP;
    let limit = if is_xmp { MAX_BLOCK } else { MAX_TEXT };
    match (compressed, is_xmp) {
        (0, true) => found.found_xmp(text),
        (0, false) => found.found_text(keyword, text),
        (_, true) => inflate(text, limit).into_iter().for_each(|text| found.found_xmp(text)),
        (_, false) => inflate(text, limit).into_iter().for_each(|text| found.found_text(keyword, &text)),
    }
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

fn inflate(stream: &[u8], limit: usize) -> Option<Vec<u8>> {
    fdeflate::decompress_to_vec_bounded(stream, limit).ok()
}
