//! Bytes as text, by the mark at their beginning.

/// Why bytes are no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// No mark, and not UTF-8.
    #[error("it is not UTF-8, at byte {at}; save it as UTF-8")]
    NotUtf8 {
        /// The first byte that does not belong.
        at: usize,
    },
    /// Zero bytes, which no text has.
    #[error(
        "it has a zero byte, at byte {at}, as UTF-16 without a mark and UTF-32 have; save it as UTF-8"
    )]
    Zero {
        /// The first of them.
        at: usize,
    },
    /// Marked as UTF-16, which it is not.
    #[error("it begins as UTF-16 and is not; save it as UTF-8")]
    NotUtf16,
}

/// The text of a file: UTF-8, or UTF-16 where the file begins with its mark, as PowerShell's `>`
/// writes it. The mark is no part of it.
///
/// ```
/// use ckptscope_checkpoint::text::decode;
///
/// assert_eq!(decode(b"steps: all").as_deref(), Ok("steps: all"));
/// assert_eq!(decode(b"\xff\xfea\0:\0").as_deref(), Ok("a:"));
/// ```
///
/// # Errors
/// [`TextError`].
pub fn decode(bytes: &[u8]) -> Result<String, TextError> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => Err(TextError::Zero { at: 2 }),
        [0xff, 0xfe, units @ ..] => utf16(units, u16::from_le_bytes),
        [0xfe, 0xff, units @ ..] => utf16(units, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => utf8(text),
        text => utf8(text),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, TextError> {
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(TextError::Zero { at });
    }
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|error| TextError::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    Ok(text.to_owned())
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, TextError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    match (text, rest) {
        (Ok(text), []) => Ok(text),
        _ => Err(TextError::NotUtf16),
    }
}

#[cfg(test)]
mod tests {
    use super::{TextError, decode};

    #[test]
    fn a_mark_says_which_encoding_it_is() {
        let text = "é: 😀";
        let little = text.encode_utf16().flat_map(u16::to_le_bytes);
        let big = text.encode_utf16().flat_map(u16::to_be_bytes);
        let marked = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            marked(b"\xef\xbb\xbf", text.as_bytes().to_vec()),
            marked(b"\xff\xfe", little.collect()),
            marked(b"\xfe\xff", big.collect()),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text), "{bytes:?}");
        }
        assert_eq!(decode(b"ab\xff"), Err(TextError::NotUtf8 { at: 2 }));
        assert_eq!(decode(b"a\0:\0"), Err(TextError::Zero { at: 1 }));
        assert_eq!(decode(b"\0\0\xfe\xff"), Err(TextError::Zero { at: 0 }));
        let wide = b"\xff\xfe\0\0a\0\0\0";
        assert_eq!(decode(wide), Err(TextError::Zero { at: 2 }));
        assert_eq!(decode(b"\xff\xfea"), Err(TextError::NotUtf16));
        assert_eq!(decode(b"\xff\xfe\0\xd8"), Err(TextError::NotUtf16));
    }
}
