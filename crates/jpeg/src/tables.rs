//! Quantisation tables and Huffman specifications as the file defines them (T.81 B.2.4.1, B.2.4.2), with the defaults
//! of K.3 for Motion JPEG, which leaves them out. Knows nothing of look-ups. Invariant: a stored specification is a
//! prefix code.

use crate::Error;

/// A Huffman code as DHT gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HuffmanSpec {
    /// How many codes of 1 … 16 bits.
    pub(crate) counts: [u8; 16],
    /// The symbols in the order of their codes; what is beyond the sum of `counts` is zero.
    pub(crate) symbols: [u8; 256],
}

impl HuffmanSpec {
    fn new(counts: [u8; 16], values: &[u8]) -> Result<Self, Error> {
        let mut code = 0u32;
        for (length, &count) in (1u32..).zip(&counts) {
            code += u32::from(count);
            if code > 1 << length {
                return Err(Error::Malformed("a Huffman table has more codes than bits allow"));
            }
            code <<= 1;
        }
        let mut symbols = [0; 256];
        let slots = symbols.get_mut(..values.len()).ok_or(Error::Malformed("a Huffman table has over 256 codes"))?;
        slots.copy_from_slice(values);
        Ok(Self { counts, symbols })
    }
}

/// Everything that DQT and DHT have defined so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    /// In zigzag order.
    pub(crate) quant: [Option<[u16; 64]>; 4],
    dc: [Option<HuffmanSpec>; 4],
    ac: [Option<HuffmanSpec>; 4],
}

impl Tables {
    /// Reads a DQT payload: one or several tables of 8 or 16 bits.
    pub(crate) fn read_quant(&mut self, mut payload: &[u8]) -> Result<(), Error> {
        while let Some((&head, rest)) = payload.split_first() {
            let (wide, index) = (head >> 4, usize::from(head & 15));
            if wide > 1 || index > 3 {
                return Err(Error::Malformed("a quantisation table's number or precision"));
            }
            let size = if wide == 1 { 128 } else { 64 };
            let (body, after) =
                rest.split_at_checked(size).ok_or(Error::Malformed("a quantisation table is too short"))?;
            let mut table = [0u16; 64];
            for (i, value) in table.iter_mut().enumerate() {
                *value =
                    if wide == 1 { u16::from_be_bytes([body[2 * i], body[2 * i + 1]]) } else { u16::from(body[i]) };
            }
            self.quant[index] = Some(table);
            payload = after;
        }
        Ok(())
    }

    /// Reads a DHT payload: one or several codes.
    pub(crate) fn read_huffman(&mut self, mut payload: &[u8]) -> Result<(), Error> {
        // Some writers pad the segment; a rest too short for a table is passed over.
        while payload.len() >= 17 {
            let (class, index) = (payload[0] >> 4, usize::from(payload[0] & 15));
            if class > 1 || index > 3 {
                return Err(Error::Malformed("a Huffman table's number or class"));
            }
            let mut counts = [0; 16];
            counts.copy_from_slice(&payload[1..17]);
            let total = counts.iter().map(|&n| usize::from(n)).sum();
            let (symbols, after) =
                payload[17..].split_at_checked(total).ok_or(Error::Malformed("a Huffman table is too short"))?;
            let spec = HuffmanSpec::new(counts, symbols)?;
            *(if class == 0 { &mut self.dc[index] } else { &mut self.ac[index] }) = Some(spec);
            payload = after;
        }
        Ok(())
    }

    /// The code for DC differences; what no DHT defined is K.3's.
    pub(crate) fn dc(&self, index: u8) -> HuffmanSpec {
        self.dc[usize::from(index & 3)].clone().unwrap_or_else(|| default_dc(index))
    }

    /// The code for AC coefficients; what no DHT defined is K.3's.
    pub(crate) fn ac(&self, index: u8) -> HuffmanSpec {
        self.ac[usize::from(index & 3)].clone().unwrap_or_else(|| default_ac(index))
    }
}

fn default_dc(index: u8) -> HuffmanSpec {
    let counts: [u8; 16] = if index == 0 {
        [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    } else {
        [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    };
    HuffmanSpec::new(counts, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).expect("K.3 tables 3 and 4 are prefix codes")
}

fn default_ac(index: u8) -> HuffmanSpec {
    let (counts, symbols): ([u8; 16], &[u8]) = if index == 0 {
        ([0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125], &LUMA_AC)
    } else {
        ([0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119], &CHROMA_AC)
    };
    HuffmanSpec::new(counts, symbols).expect("K.3 tables 5 and 6 are prefix codes")
}

/// T.81 table K.5.
#[rustfmt::skip]
const LUMA_AC: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
    0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72,
    0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x34, 0x35, 0x36, 0x37,
    0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
    0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3,
    0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3,
    0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
    0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
];

/// T.81 table K.6.
#[rustfmt::skip]
const CHROMA_AC: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
    0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0, 0x15, 0x62, 0x72, 0xD1,
    0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x35, 0x36,
    0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
    0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A,
    0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A,
    0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA,
    0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA,
    0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_codes_than_bits_allow_are_refused() {
        let mut payload = [0u8; 20];
        payload[1] = 3; // three codes of one bit
        assert_eq!(
            Tables::default().read_huffman(&payload),
            Err(Error::Malformed("a Huffman table has more codes than bits allow"))
        );
    }

    #[test]
    fn sixteen_bit_quantisation_is_read() {
        let mut payload = vec![0x12];
        payload.extend((0..64u16).flat_map(|i| (i + 300).to_be_bytes()));
        let mut tables = Tables::default();
        tables.read_quant(&payload).unwrap();
        assert_eq!(tables.quant[2].unwrap()[63], 363);
    }

    #[test]
    fn defaults_stand_in_for_missing_tables() {
        let tables = Tables::default();
        assert_eq!(tables.ac(0).symbols[..4], [1, 2, 3, 0]);
        assert_eq!(tables.dc(1).counts[1], 3);
    }
}
