//! CRC-32, which zip archives have of each entry.
//!
//! PyTorch's own reader ignores it, and a storage of which a bit was lost is read without a word.
//! Here it would be a wrong number. A tensor that is all of its storage is read whole anyway, so
//! that the check is one pass over bytes at hand. A tensor that is a part of its storage is not
//! checked: more would have to be read than is wanted. A checksum of 0 says nothing: PyTorch writes
//! it where it was told to compute none, and where the bytes were filled in later.
//!
//! The tables are computed, so that nobody who opens the page loads them.

use std::sync::OnceLock;

/// So many bytes are taken in at once, each by a table of its own.
const STRIDE: usize = 16;

/// The polynomial, its lowest power first.
const POLYNOMIAL: u32 = 0xedb8_8320;

type Tables = [[u32; 256]; STRIDE];

/// The CRC-32 of some bytes.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut checksum = Crc32::default();
    checksum.add(bytes);
    checksum.value()
}

/// The CRC-32 of bytes that come one piece after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crc32 {
    state: u32,
}

impl Default for Crc32 {
    fn default() -> Self {
        Self { state: u32::MAX }
    }
}

impl Crc32 {
    /// Takes in the next bytes.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.state = after(self.state, bytes);
    }

    /// Of all bytes so far.
    pub(crate) const fn value(self) -> u32 {
        !self.state
    }
}

fn after(mut state: u32, bytes: &[u8]) -> u32 {
    let tables = tables();
    let (strides, rest) = bytes.as_chunks::<STRIDE>();
    for stride in strides {
        let mut stride = *stride;
        let first = state.to_le_bytes();
        for (byte, state) in stride.iter_mut().zip(first) {
            *byte ^= state;
        }
        let looked_up = tables.iter().rev().zip(stride);
        state = looked_up.fold(0, |all, (table, byte)| all ^ table[usize::from(byte)]);
    }
    for byte in rest {
        state = (state >> 8) ^ tables[0][usize::from(state.to_le_bytes()[0] ^ byte)];
    }
    state
}

/// The first table has what a byte does to the state; each further one, what it does when a byte
/// more has followed it.
fn tables() -> &'static Tables {
    static TABLES: OnceLock<Box<Tables>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut tables = Box::new([[0; 256]; STRIDE]);
        for (byte, slot) in (0_u32..).zip(&mut tables[0]) {
            *slot = (0..8).fold(byte, |state, _| {
                (state >> 1) ^ if state & 1 == 1 { POLYNOMIAL } else { 0 }
            });
        }
        for place in 1..STRIDE {
            for byte in 0..256 {
                let before = tables[place - 1][byte];
                let low = usize::from(before.to_le_bytes()[0]);
                tables[place][byte] = (before >> 8) ^ tables[0][low];
            }
        }
        tables
    })
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_checks_of_the_standard() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(
            crc32(b"The quick brown fox jumps over the lazy dog"),
            0x414f_a339
        );
        let mut pieces = super::Crc32::default();
        pieces.add(b"1234567");
        pieces.add(b"89");
        assert_eq!(pieces.value(), 0xcbf4_3926);
        // Longer than one stride, and not a whole number of them.
        assert_eq!(crc32(&[0; 1000]), 0x060b_1780);
        let counted: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(crc32(&counted), 0x2905_8c73);
    }
}
