//! Protobuf messages, as far as records need them: numbers, texts and messages in messages.
//!
//! Seven messages of a handful of fields are written and none is read, so a generated codec for
//! all of W&B's schema would be more to keep than these lines.

/// Field types of the wire format.
const VARINT: u64 = 0;
const LENGTH_DELIMITED: u64 = 2;

/// A message under way. As proto3 has it, a number that is 0 and a text that is empty are left
/// out: that is what a reader takes for a field that is not there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// A whole number, an `int32` or `int64` of the schema.
    pub(crate) fn number(mut self, field: u32, value: i64) -> Self {
        if value != 0 {
            self.varint(u64::from(field) << 3 | VARINT);
            // Negative ones take ten bytes, as two's complement of 64 bits.
            self.varint(value.cast_unsigned());
        }
        self
    }

    /// A text.
    pub(crate) fn text(self, field: u32, value: &str) -> Self {
        if value.is_empty() {
            return self;
        }
        self.repeated_text(field, value)
    }

    /// A text of a list, which counts even if it is empty.
    pub(crate) fn repeated_text(mut self, field: u32, value: &str) -> Self {
        self.delimited(field, value.as_bytes());
        self
    }

    /// A message in this one; it counts even if it is empty.
    pub(crate) fn message(mut self, field: u32, value: &Self) -> Self {
        self.delimited(field, &value.0);
        self
    }

    /// The bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn delimited(&mut self, field: u32, bytes: &[u8]) {
        self.varint(u64::from(field) << 3 | LENGTH_DELIMITED);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Seven bits to a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
