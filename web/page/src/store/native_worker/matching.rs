//! Whether a native worker sees the same files: their paths, lengths and some of their bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ckptscope_protocol::service::{Sampled, SampledFile};
use ckptscope_web_browser::in_words;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use crate::files::FileHandles;

/// Length of a sample.
const SAMPLE_BYTES: u64 = 64;

/// The samples of so many files are read at once.
const FILES_AT_ONCE: usize = 128;

/// Paths, lengths and samples of all files; `progress` hears of how many there are some.
///
/// # Errors
/// Files that have changed or gone since they were chosen, in words.
pub(crate) async fn sampled(
    files: &FileHandles,
    progress: impl Fn(u64),
) -> Result<Sampled, String> {
    let mut sampled = Sampled::default();
    for some in files.files.chunks(FILES_AT_ONCE) {
        sampled.files.extend(samples_of(some).await?);
        progress(sampled.files.len() as u64);
    }
    Ok(sampled)
}

/// All samples in one piece, so that the browser is asked once.
async fn samples_of(files: &[(String, Blob)]) -> Result<Vec<SampledFile>, String> {
    let pieces = Array::new();
    for (path, blob) in files {
        for offset in offsets(path, bytes_of(blob)) {
            let end = (offset + SAMPLE_BYTES).min(bytes_of(blob));
            let piece = blob.slice_with_f64_and_f64(offset as f64, end as f64);
            pieces.push(&JsValue::from(piece.map_err(|error| in_words(&error))?));
        }
    }
    let whole = Blob::new_with_blob_sequence(&pieces).map_err(|error| in_words(&error))?;
    let content = bytes_in(&whole).await.map_err(|error| {
        let reason = in_words(&error);
        format!("files of the run cannot be read any more, they have changed or gone: {reason}")
    })?;
    let mut rest = content.as_slice();
    let taken = files
        .iter()
        .map(|(path, blob)| taken(path, bytes_of(blob), &mut rest));
    Ok(taken.collect())
}

/// A file's samples, taken from the beginning of `rest`.
fn taken(path: &str, bytes: u64, rest: &mut &[u8]) -> SampledFile {
    let sample = |offset: u64| {
        let length = SAMPLE_BYTES.min(bytes.saturating_sub(offset)) as usize;
        let (sample, others) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        *rest = others;
        (offset, STANDARD.encode(sample))
    };
    SampledFile {
        path: path.to_owned(),
        bytes,
        samples: offsets(path, bytes).into_iter().map(sample).collect(),
    }
}

/// Where samples begin: at the start, in the middle, at the end, and at a place that the path and
/// the length choose.
fn offsets(path: &str, bytes: u64) -> Vec<u64> {
    if bytes == 0 {
        return Vec::new();
    }
    let last = bytes.saturating_sub(SAMPLE_BYTES);
    let mut offsets = vec![0, last / 2, last, chosen(path, bytes) % (last + 1)];
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

/// FNV-1a of a path and a length.
fn chosen(path: &str, bytes: u64) -> u64 {
    let content = path.bytes().chain(bytes.to_le_bytes());
    content.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

async fn bytes_in(blob: &Blob) -> Result<Vec<u8>, JsValue> {
    let buffer = JsFuture::from(blob.array_buffer()).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// The length of a file.
pub(crate) fn bytes_of(blob: &Blob) -> u64 {
    // Sizes are whole numbers below 2^53.
    blob.size() as u64
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn samples_lie_within_the_file() {
        assert!(offsets("a", 0).is_empty());
        assert_eq!(offsets("a", 1), [0]);
        assert_eq!(offsets("a", 64), [0]);
        for bytes in [65, 100, 128, 1_000_000, u64::from(u32::MAX) * 100] {
            let offsets = offsets("checkpoints/step_0/model.safetensors", bytes);
            assert!(offsets.contains(&0) && offsets.contains(&(bytes - 64)));
            assert!(offsets.iter().all(|offset| offset + 64 <= bytes));
        }
        assert_eq!(offsets("a", 1_000_000).len(), 4);
    }

    #[test]
    fn samples_are_cut_out_of_one_piece() {
        let content: Vec<u8> = (0..100).collect();
        let mut rest = content.as_slice();
        let first = taken("a", 30, &mut rest);
        let second = taken("b", 70, &mut rest);
        assert_eq!(first.samples, [(0, STANDARD.encode(&content[..30]))]);
        assert_eq!(second.samples[0], (0, STANDARD.encode(&content[30..94])));
        assert_eq!(second.bytes, 70);
    }
}
