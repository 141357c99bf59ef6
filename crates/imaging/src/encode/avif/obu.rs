//! The few bits of an AV1 stream (specification 5.3–5.5) that the container repeats.
//!
//! It reads what our own encoder wrote, yet trusts no length in it: what does not fit is `None`.

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;

/// What `av1C` says of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    /// 0 main, 1 high (4:4:4).
    pub(super) profile: u8,
    /// `seq_level_idx[0]`.
    pub(super) level: u8,
    /// `seq_tier[0]`.
    pub(super) tier: u8,
}

/// AV1-ISOBMFF 2.4: a sample holds no temporal delimiter. libaom begins with one.
pub(super) fn without_temporal_delimiter(stream: &[u8]) -> &[u8] {
    match next(stream) {
        Some((TEMPORAL_DELIMITER, _, rest)) => rest,
        _ => stream,
    }
}

/// The first sequence header, when it is that of a still picture with the reduced header.
pub(super) fn sequence(stream: &[u8]) -> Option<Sequence> {
    let bits = u16::from_be_bytes(*header(stream)?.first_chunk()?);
    let (still, reduced) = (bits >> 12 & 1, bits >> 11 & 1);
    (still == 1 && reduced == 1).then_some(Sequence {
        profile: (bits >> 13) as u8,
        level: (bits >> 6 & 31) as u8,
        tier: 0,
    })
}

/// The first sequence header, when it is that of several frames: the whole one, with a single operating point and
/// without times, which the container tells.
pub(super) fn moving_sequence(stream: &[u8]) -> Option<Sequence> {
    let bits = u32::from_be_bytes(*header(stream)?.first_chunk()?);
    let field = |at: u32, length: u32| bits >> (32 - at - length) & ((1 << length) - 1);
    // still_picture, reduced_still_picture_header, timing_info_present_flag; behind it initial_display_delay_present_flag;
    // operating_points_cnt_minus_1. Then 12 bits of operating_point_idc.
    if field(3, 3) != 0 || field(7, 5) != 0 {
        return None;
    }
    let level = field(24, 5) as u8;
    let tier = if level > 7 { field(29, 1) as u8 } else { 0 };
    Some(Sequence { profile: field(0, 3) as u8, level, tier })
}

/// The payload of the first sequence header.
fn header(mut stream: &[u8]) -> Option<&[u8]> {
    while let Some((kind, payload, rest)) = next(stream) {
        if kind == SEQUENCE_HEADER {
            return Some(payload);
        }
        stream = rest;
    }
    None
}

/// Type and payload of the first unit, and what follows it.
fn next(stream: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&header, mut rest) = stream.split_first()?;
    let (extended, sized) = (header & 4 != 0, header & 2 != 0);
    if extended {
        rest = rest.get(1..)?;
    }
    let mut size = rest.len();
    if sized {
        let (value, taken) = leb128(rest)?;
        rest = rest.get(taken..)?;
        size = value;
    }
    let (payload, rest) = rest.split_at_checked(size)?;
    Some((header >> 3 & 15, payload, rest))
}

fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_u64;
    for (i, &byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 127) << (7 * i);
        if byte & 128 == 0 {
            return Some((usize::try_from(value).ok()?, i + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_go_and_sequences_are_read() {
        // delimiter; sequence header of 2 bytes: profile 1, still, reduced, level 5
        let stream = [0x12, 0, 0x0a, 2, 0b0011_1001, 0b0100_0000, 0x32, 1, 9];
        let kept = without_temporal_delimiter(&stream);
        assert_eq!(kept, &stream[2..]);
        assert_eq!(sequence(kept), Some(Sequence { profile: 1, level: 5, tier: 0 }));
    }

    #[test]
    fn headers_of_several_frames_are_read() {
        // profile 0, not still, not reduced, no times, no delay, one point for everything; level 9, high tier.
        let several = [0x0a, 4, 0, 0, 0, 0b0100_1100];
        assert_eq!(moving_sequence(&several), Some(Sequence { profile: 0, level: 9, tier: 1 }));
        // At a level without tiers the bit belongs to what follows.
        assert_eq!(
            moving_sequence(&[0x0a, 4, 0x20, 0, 0, 0b0010_1100]).map(|s| (s.profile, s.level, s.tier)),
            Some((1, 5, 0))
        );
        let still = [0x0a, 4, 0b0001_1000, 0, 0, 0];
        assert_eq!((moving_sequence(&still), sequence(&several)), (None, None));
        assert_eq!(moving_sequence(&[0x0a, 4, 0, 0b0001_0000, 0, 0]), None, "two points");
    }

    #[test]
    fn lies_about_lengths_are_refused() {
        assert_eq!(sequence(&[0x0a, 200, 0x18]), None);
        assert_eq!(sequence(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(sequence(&[]), None);
    }
}
