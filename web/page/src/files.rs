//! The files of a run, as handles: their content stays where it is until somebody reads a range.

use ckptscope_vocabulary::sort::sort_by;
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, File};

/// Files by path, and what they are called together.
#[derive(Clone, Debug, Default)]
pub struct FileHandles {
    /// What messages call them: the folder, or the only file.
    pub name: String,
    /// Each file's path, separated by `/`, and its handle.
    pub files: Vec<(String, Blob)>,
    /// What leads to the same files after a reload, where the browser has that.
    pub handles: Option<Array>,
}

impl FileHandles {
    /// Files as they were chosen: their paths begin with the names of what was chosen. A folder
    /// that was chosen alone gives its name, and its paths begin below it.
    #[must_use]
    pub fn chosen(mut files: Vec<(String, Blob)>) -> Self {
        sort_by(&mut files, |(a, _), (b, _)| a.cmp(b));
        let paths = files.iter().map(|(path, _)| path.as_str());
        let (name, only_folder) = name_of(&paths.collect::<Vec<_>>());
        if let Some(folder) = only_folder {
            for (path, _) in &mut files {
                path.drain(..=folder.len());
            }
        }
        Self {
            name,
            files,
            handles: None,
        }
    }

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

    /// Those of a folder among them, or the file of that path.
    #[must_use]
    pub fn within(&self, path: &str) -> Self {
        let folder = path.trim_end_matches('/');
        let inside = |(file, blob): &(String, Blob)| {
            if file == path {
                let name = file.rsplit('/').next().unwrap_or(file);
                return Some((name.to_owned(), blob.clone()));
            }
            let rest = file.strip_prefix(folder)?.strip_prefix('/')?;
            Some((rest.to_owned(), blob.clone()))
        };
        Self {
            name: format!("{}/{folder}", self.name),
            files: self.files.iter().filter_map(inside).collect(),
            handles: None,
        }
    }

    /// The only YAML file beside others that was chosen by itself, and the others without it; none
    /// where there is no such.
    #[must_use]
    pub fn without_yaml(&self) -> Option<(String, Blob, Self)> {
        let is_yaml = |path: &str| path.ends_with(".yaml") || path.ends_with(".yml");
        let is_alone = |(path, _): &&(String, Blob)| !path.contains('/') && is_yaml(path);
        let mut found = self.files.iter().filter(is_alone);
        let (path, file) = found.next().filter(|_| found.next().is_none())?;
        let others = self.files.iter().filter(|(other, _)| other != path);
        let others: Vec<(String, Blob)> = others.cloned().collect();
        (!others.is_empty()).then(|| {
            let others = Self {
                handles: self.handles.clone(),
                ..Self::chosen(others)
            };
            (path.clone(), file.clone(), others)
        })
    }

    /// Whether the page fetched them itself: files of this machine know when they were changed.
    #[must_use]
    pub fn are_fetched(&self) -> bool {
        self.files
            .iter()
            .all(|(_, file)| !file.is_instance_of::<File>())
    }

    /// Changes where a path, a length or the time of a last change does: no content is read.
    #[must_use]
    pub fn mark(&self) -> String {
        let mut files: Vec<String> = self.files.iter().map(mark_of).collect();
        files.sort_unstable();
        // FNV-1a, of 64 bits.
        let bytes = files.iter().flat_map(|file| file.bytes().chain([0]));
        let mark = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |mark, byte| {
            (mark ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{mark:016x}")
    }

    /// Bytes of all of them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        // Sizes are whole numbers below 2^53.
        self.files.iter().map(|(_, blob)| blob.size() as u64).sum()
    }
}

fn mark_of((path, file): &(String, Blob)) -> String {
    let changed = js_sys::Reflect::get(file, &"lastModified".into()).ok();
    let changed = changed.and_then(|time| time.as_f64()).unwrap_or_default();
    format!("{path} {} {changed}", file.size())
}

/// What chosen files are called together, and the folder that all of them are in.
fn name_of(paths: &[&str]) -> (String, Option<String>) {
    let mut tops: Vec<&str> = Vec::new();
    for path in paths {
        let top = path.split('/').next().unwrap_or_default();
        if tops.last() != Some(&top) {
            tops.push(top);
        }
    }
    match tops.as_slice() {
        [] => ("no files".to_owned(), None),
        [top] => {
            let is_folder = paths.iter().all(|path| path.len() > top.len());
            ((*top).to_owned(), is_folder.then(|| (*top).to_owned()))
        }
        [first, others @ ..] => (format!("{first} and {} more", others.len()), None),
    }
}

/// What operating systems leave in folders.
pub(crate) fn is_litter(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini") || name.starts_with("._")
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_folder_chosen_alone_gives_its_name() {
        let (name, folder) = name_of(&["run/checkpoints/step_0/config.json", "run/notes.txt"]);
        assert_eq!(name, "run");
        assert_eq!(folder.as_deref(), Some("run"));
    }

    #[test]
    fn a_file_chosen_alone_keeps_its_path() {
        let (name, folder) = name_of(&["model.safetensors"]);
        assert_eq!((name.as_str(), folder), ("model.safetensors", None));
    }

    #[test]
    fn several_things_keep_their_names() {
        let (name, folder) = name_of(&["step_0/a.pt", "step_0/b.pt", "step_1/a.pt", "x.json"]);
        assert_eq!((name.as_str(), folder), ("step_0 and 2 more", None));
    }
}
