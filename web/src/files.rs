//! The files of a run, as handles: their content stays where it is until somebody reads a range.

use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::Blob;

/// Files by path, and what they are called together.
#[derive(Clone, Debug, Default)]
pub struct RunFiles {
    /// What messages call them: the folder, or the only file.
    pub name: String,
    /// Each file's path, separated by `/`, and its handle.
    pub files: Vec<(String, Blob)>,
}

impl RunFiles {
    /// The paths, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.files.iter().map(|(path, _)| path.clone()).collect()
    }

    /// The handles, in the order of the paths, as a message carries them.
    #[must_use]
    pub fn handles(&self) -> Array {
        self.files
            .iter()
            .map(|(_, blob)| JsValue::from(blob.clone()))
            .collect()
    }

    /// Bytes of all of them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        // Sizes are whole numbers below 2^53.
        self.files.iter().map(|(_, blob)| blob.size() as u64).sum()
    }
}
