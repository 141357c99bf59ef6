//! Protocol Buffers as they are written: fields of a message, one after the other.
//!
//! Knows the encoding (protobuf.dev/programming-guides/encoding), no message. Invariant: a nested message's length is that of
//! its bytes, since it is written apart and put in whole.

/// A message that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// Wire types.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7F) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn tag(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    /// `bytes` and `string`.
    pub(super) fn bytes(&mut self, field: u64, bytes: &[u8]) -> &mut Self {
        self.tag(field, BYTES);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    /// A message inside of this one.
    pub(super) fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::new();
        write(&mut inner);
        self.bytes(field, &inner.0)
    }

    /// `int64`, `uint32`, `bool` and enumerations; negative numbers as two's complement.
    pub(super) fn number(&mut self, field: u64, value: i64) -> &mut Self {
        self.tag(field, VARINT);
        self.varint(value as u64);
        self
    }

    /// `fixed64`.
    pub(super) fn fixed64(&mut self, field: u64, value: u64) -> &mut Self {
        self.tag(field, FIXED64);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// `fixed32`.
    pub(super) fn fixed32(&mut self, field: u64, value: u32) -> &mut Self {
        self.tag(field, FIXED32);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// `double`.
    pub(super) fn double(&mut self, field: u64, value: f64) -> &mut Self {
        self.fixed64(field, value.to_bits())
    }

    /// `repeated double`, packed.
    pub(super) fn doubles(&mut self, field: u64, values: &[f64]) -> &mut Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(field, &bytes)
    }

    /// `repeated fixed64`, packed.
    pub(super) fn fixed64s(&mut self, field: u64, values: &[u64]) -> &mut Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(field, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the encoding's own documentation.
    #[test]
    fn as_documented() {
        let mut message = Message::new();
        message.number(1, 150);
        assert_eq!(message.into_bytes(), [0x08, 0x96, 0x01]);
        let mut message = Message::new();
        message.bytes(2, b"testing");
        assert_eq!(message.into_bytes(), b"\x12\x07testing");
        let mut message = Message::new();
        message.message(3, |inner| {
            inner.number(1, 150);
        });
        assert_eq!(message.into_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        let mut message = Message::new();
        message.number(1, -2);
        assert_eq!(message.into_bytes(), [0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        let mut message = Message::new();
        message.fixed64s(4, &[1, 2]).fixed32(5, 3).double(6, 1.0);
        let expected = [
            &[0x22, 16, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0x2d, 3, 0, 0, 0, 0x31][..],
            &1f64.to_le_bytes(),
        ];
        assert_eq!(message.into_bytes(), expected.concat());
    }
}
