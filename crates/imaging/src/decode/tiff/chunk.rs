//! From the bytes of a strip or tile to its rows as stored: decompression under a known size, and the predictor.

use super::ccitt;
use crate::decode::malformed;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::metadata::tiff::TiffHeader;
use weezl::BitOrder;
use weezl::decode::Configuration;

/// Fills `stored` with `rows` rows of a chunk `width` pixels wide; what is not in the file is zero. `false` when nothing
/// of it could be read.
pub(super) fn unpack(
    header: &TiffHeader<'_>,
    bytes: &[u8],
    width: u32,
    rows: usize,
    stored: &mut Vec<u8>,
) -> Result<bool, Error> {
    let samples = if header.planar { 1 } else { usize::from(header.samples) };
    let stride = (width as usize * samples * usize::from(header.bits)).div_ceil(8);
    let size = stride.checked_mul(rows).ok_or_else(|| malformed(SourceFormat::Tiff, &"a chunk beyond all sizes"))?;
    stored.clear();
    stored.resize(size, 0);
    let turned: Vec<u8>;
    // The order of bits matters where codes are shorter than bytes.
    let bytes = if header.reversed {
        turned = bytes.iter().map(|byte| byte.reverse_bits()).collect();
        &turned
    } else {
        bytes
    };
    let filled = match header.compression {
        1 => copy(bytes, stored),
        3 | 4 => ccitt::unpack(header, bytes, width, stored, stride)?,
        5 => lzw(bytes, stored),
        8 | 32_946 => inflate(bytes, stored),
        _ => pack_bits(bytes, stored),
    };
    match header.predictor {
        2 => differences(stored, stride, samples, header),
        3 => floats(stored, stride, samples, header),
        _ => {}
    }
    Ok(filled > 0)
}

fn copy(bytes: &[u8], stored: &mut [u8]) -> usize {
    let common = bytes.len().min(stored.len());
    stored[..common].copy_from_slice(&bytes[..common]);
    common
}

/// TIFF's LZW: codes from the highest bit, wider one code early. Files of before 1990 had it the other way round.
fn lzw(bytes: &[u8], stored: &mut [u8]) -> usize {
    let old = matches!(bytes, [0, second, ..] if second & 1 == 1);
    let order = if old { BitOrder::Lsb } else { BitOrder::Msb };
    let configuration = if old { Configuration::new(order, 8) } else { Configuration::with_tiff_size_switch(order, 8) };
    let mut decoder = configuration.build();
    let (mut read, mut written) = (0, 0);
    while written < stored.len() {
        let step = decoder.decode_bytes(&bytes[read..], &mut stored[written..]);
        (read, written) = (read + step.consumed_in, written + step.consumed_out);
        if step.status.is_err() || (step.consumed_in == 0 && step.consumed_out == 0) {
            break;
        }
    }
    written
}

fn inflate(bytes: &[u8], stored: &mut [u8]) -> usize {
    let mut decoder = fdeflate::Decompressor::new();
    decoder.ignore_adler32();
    let (mut read, mut written) = (0, 0);
    while written < stored.len() && !decoder.is_done() {
        match decoder.read(&bytes[read..], stored, written, true) {
            Ok((0, 0)) | Err(_) => break,
            Ok((more, out)) => (read, written) = (read + more, written + out),
        }
    }
    written
}

/// Section 9: a count of literal bytes, or of repetitions of one.
fn pack_bits(bytes: &[u8], stored: &mut [u8]) -> usize {
    let (mut read, mut written) = (0, 0);
    while let (Some(&head), true) = (bytes.get(read), written < stored.len()) {
        read += 1;
        let room = stored.len() - written;
        match head {
            0..=127 => {
                let literal = bytes.get(read..).unwrap_or_default();
                let count = (usize::from(head) + 1).min(room).min(literal.len());
                stored[written..written + count].copy_from_slice(&literal[..count]);
                (read, written) = (read + usize::from(head) + 1, written + count);
            }
            128 => {}
            129.. => {
                let count = (257 - usize::from(head)).min(room);
                let Some(&value) = bytes.get(read) else { break };
                stored[written..written + count].fill(value);
                (read, written) = (read + 1, written + count);
            }
        }
    }
    written
}

/// Section 14: each sample is the difference from that of the pixel before. Whole bytes only.
fn differences(stored: &mut [u8], stride: usize, samples: usize, header: &TiffHeader<'_>) {
    let size = usize::from(header.bits / 8);
    if !matches!(header.bits, 8 | 16 | 32) {
        return;
    }
    let step = size * samples;
    for row in stored.chunks_exact_mut(stride) {
        for at in (step..(row.len() / size) * size).step_by(size) {
            let mut carry = 0u16;
            for byte in 0..size {
                let place = if header.little { byte } else { size - 1 - byte };
                let sum = u16::from(row[at + place]) + u16::from(row[at + place - step]) + carry;
                row[at + place] = sum as u8;
                carry = sum >> 8;
            }
        }
    }
}

/// Technical note 3: bytes of equal significance lie together, highest first, and each is a difference.
fn floats(stored: &mut [u8], stride: usize, samples: usize, header: &TiffHeader<'_>) {
    let size = usize::from(header.bits / 8).max(1);
    let mut copy = vec![0; stride];
    for row in stored.chunks_exact_mut(stride) {
        for at in samples..row.len() {
            row[at] = row[at].wrapping_add(row[at - samples]);
        }
        copy.copy_from_slice(row);
        let count = row.len() / size;
        for (number, value) in row.chunks_exact_mut(size).enumerate() {
            for byte in 0..size {
                let place = if header.little { size - 1 - byte } else { byte };
                value[place] = copy[byte * count + number];
            }
        }
    }
}

/// A whole JPEG file out of a chunk: the shared tables come first, and what tells that colours are no YCbCr.
pub(super) fn jpeg(header: &TiffHeader<'_>, bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0xFF, 0xD8];
    // ITU-T T.872, 6.5.3: transform 0.
    if header.photometric == 2 {
        file.extend(b"\xFF\xEE\x00\x0EAdobe\x00\x64\0\0\0\0\0");
    }
    let tables = header.jpeg_tables.unwrap_or_default();
    let tables = tables.strip_prefix(&[0xFF, 0xD8]).unwrap_or(tables);
    file.extend(tables.strip_suffix(&[0xFF, 0xD9]).unwrap_or(tables));
    file.extend(bytes.strip_prefix(&[0xFF, 0xD8]).unwrap_or(bytes));
    file
}
