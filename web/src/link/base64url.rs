//! Bytes as characters that addresses may hold (RFC 4648, section 5, without padding).

use super::LinkError;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Four characters for three bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0, |bits, (index, byte)| {
            bits | u32::from(*byte) << (16 - 8 * index)
        });
        let characters = (0..=group.len()).map(|index| bits >> (18 - 6 * index) & 63);
        text.extend(characters.map(|place| char::from(ALPHABET[place as usize])));
    }
    text
}

/// The bytes again.
///
/// # Errors
/// [`LinkError::Character`] and [`LinkError::CutOff`].
pub fn decode(text: &str) -> Result<Vec<u8>, LinkError> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0);
    for character in text.chars() {
        let place = place(character).ok_or(LinkError::Character { character })?;
        (bits, count) = (bits << 6 | place, count + 6);
        if count >= 8 {
            count -= 8;
            // The lowest eight bits that are complete.
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    // Six bits too many are a character that begins a byte and does not end it.
    if count == 6 {
        return Err(LinkError::CutOff);
    }
    Ok(bytes)
}

fn place(character: char) -> Option<u32> {
    let code = u32::from(character);
    match character {
        'A'..='Z' => Some(code - u32::from('A')),
        'a'..='z' => Some(code - u32::from('a') + 26),
        '0'..='9' => Some(code - u32::from('0') + 52),
        '-' => Some(62),
        '_' => Some(63),
        _ => None,
    }
}
