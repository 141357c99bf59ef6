//! Never larger: where a render changes nothing but the encoding and its bytes come out larger than the original's, the
//! original's are served, stripped of everything that is not pixels. The rule is told in `docs/never-larger.md`.
//!
//! Stripping copies what is known and needed, never what is unknown: no application segments, texts, comments, unknown
//! chunks, nor what stands behind the picture's end.

use super::Job;
use crate::embed::{png::chunk as png_chunk, webp::chunk as webp_chunk};
use crate::format::SourceFormat;
use crate::metadata::jpeg::next_marker;
use crate::metadata::{self, be16, jpeg, png, webp};
use crate::op::orient::Turn;
use cache_key::FormatClass;
use cache_key::transform::{Chroma, Codec, Format, Hdr, Output, Quality};

/// The stripped original and its format, where it could be served in place of what the encoder makes.
/// `srgb`: its stored colours are sRGB.
pub(super) fn stripped(job: &Job<'_>, srgb: bool) -> Option<(Codec, Vec<u8>)> {
    let [pass] = job.passes.as_slice() else { return None };
    let unchanged = pass.changes_nothing() && job.turn == Turn::default() && job.source.frames == 1 && srgb;
    let output = &job.variant.transform.output;
    if !unchanged || !leaves_encoding_open(output) || is_hdr(job.original, job.source.format) {
        return None;
    }
    let codec = codec_of(job.source.format)?;
    let compatible = match output.format {
        Format::Source => true,
        Format::Image(asked) => asked == codec,
        Format::Auto => match codec {
            Codec::Webp => job.variant.class != FormatClass::Baseline,
            _ => true,
        },
        Format::Json | Format::BlurHash | Format::ThumbHash => false,
    };
    if !compatible {
        return None;
    }
    let bytes = match codec {
        Codec::Jpeg => strip_jpeg(job.original, output),
        Codec::Png => strip_png(job.original),
        _ => strip_webp(job.original),
    }?;
    Some((codec, bytes))
}

/// Whether nothing is asked of the encoder that the original's bytes would not honour.
fn leaves_encoding_open(output: &Output) -> bool {
    let qualities = [output.quality_avif, output.quality_webp, output.quality_jpeg, output.quality_jxl];
    !matches!(output.quality, Quality::Dial(_))
        && qualities.iter().all(Option::is_none)
        && output.chroma == Chroma::Auto
        && output.hdr == Hdr::Sdr
}

/// Whether the stored values are PQ's or HLG's, and were tone-mapped.
pub(super) fn is_hdr(original: &[u8], format: SourceFormat) -> bool {
    let code_points = metadata::read(original, format).cicp;
    code_points.is_some_and(|[_, transfer, ..]| matches!(transfer, 16 | 18))
}

fn codec_of(format: SourceFormat) -> Option<Codec> {
    match format {
        SourceFormat::Jpeg => Some(Codec::Jpeg),
        SourceFormat::Png => Some(Codec::Png),
        SourceFormat::Webp => Some(Codec::Webp),
        _ => None,
    }
}

/// Tables, frame and scans up to the end marker, and of the application segments JFIF's (without its thumbnail) and
/// Adobe's, which say how colours are coded. Only what every client reads: 8 bits, Huffman, gray or three components.
fn strip_jpeg(bytes: &[u8], output: &Output) -> Option<Vec<u8>> {
    let header = jpeg::read(bytes)?;
    let progressive = header.process == 2;
    let common = matches!(header.process, 0..=2) && header.precision == 8 && matches!(header.components, 1 | 3);
    if !common || header.height == 0 || output.progressive.is_some_and(|asked| asked != progressive) {
        return None;
    }
    let mut out = vec![0xFF, 0xD8];
    let mut at = 2;
    let mut scanned = false;
    loop {
        let (marker, body) = next_marker(bytes, at)?;
        match marker {
            0xD9 if scanned => break,
            0x01 | 0xD0..=0xD9 => return None,
            _ => {}
        }
        let end = body.checked_add(usize::from(be16(bytes, body)?))?;
        let segment = bytes.get(body..end)?;
        match marker {
            0xE0 => {
                if let Some(jfif) = segment.get(2..14).filter(|body| body.starts_with(b"JFIF\0")) {
                    out.extend([0xFF, 0xE0, 0, 16]);
                    out.extend_from_slice(jfif);
                    out.extend([0, 0]);
                }
            }
            0xEE if segment.get(2..14).is_some_and(|body| body.starts_with(b"Adobe")) => {
                out.extend([0xFF, 0xEE, 0, 14]);
                out.extend_from_slice(segment.get(2..14)?);
            }
            0xE1..=0xEF | 0xFE => {}
            // Frame, tables, restart interval, scan. Anything else has no business here.
            0xC0..=0xC2 | 0xC4 | 0xDA | 0xDB | 0xDD => {
                out.extend([0xFF, marker]);
                out.extend_from_slice(segment);
            }
            _ => return None,
        }
        at = end;
        if marker == 0xDA {
            scanned = true;
            let data = bytes.get(end..)?;
            let length = data.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7))?;
            out.extend_from_slice(data.get(..length)?);
            at = end + length;
        }
    }
    out.extend([0xFF, 0xD9]);
    Some(out)
}

/// The chunks that make the pixels; all others go, so that colours are sRGB by default.
fn strip_png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..8)?.to_vec();
    for chunk in png::chunks(bytes) {
        match &chunk.kind {
            b"IHDR" | b"PLTE" | b"tRNS" | b"IDAT" => png_chunk(&chunk.kind, &[chunk.body], &mut out),
            b"IEND" => {
                png_chunk(b"IEND", &[], &mut out);
                return Some(out);
            }
            // Upper case: what nobody may ignore.
            [first, ..] if first.is_ascii_uppercase() => return None,
            _ => {}
        }
    }
    None
}

/// The chunks that make the pixels, with their alpha.
fn strip_webp(bytes: &[u8]) -> Option<Vec<u8>> {
    const RIFF_HEADER: usize = 12;
    const ALPHA: u8 = 0x10;
    let header = webp::read(bytes)?;
    let mut out = b"RIFF\0\0\0\0WEBP".to_vec();
    let mut pixels = false;
    for (kind, body) in webp::chunks(bytes.get(RIFF_HEADER..)?) {
        match kind {
            b"VP8X" if header.alpha => {
                let mut body = body.get(..10)?.to_vec();
                *body.first_mut()? = ALPHA;
                webp_chunk(kind, &body, &mut out)?;
            }
            b"ALPH" | b"VP8 " | b"VP8L" if !pixels => {
                pixels = kind != b"ALPH";
                webp_chunk(kind, body, &mut out)?;
            }
            _ => {}
        }
    }
    let length = u32::try_from(out.len() - 8).ok()?;
    out.get_mut(4..8)?.copy_from_slice(&length.to_le_bytes());
    pixels.then_some(out)
}
