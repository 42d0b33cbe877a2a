//! The files a person dropped or picked: the browser gives handles, and reads ranges of them.

use std::collections::BTreeMap;
use std::rc::Rc;

use ckptscope_checkpoint::source::checked_buffer;
use ckptscope_checkpoint::tree::entry_of;
use ckptscope_checkpoint::{FileEntry, ReadError, Source, Tree};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// What the traits' methods give: the crate that names it is theirs.
type Pending<'a, T> = std::pin::Pin<Box<dyn Future<Output = Result<T, ReadError>> + 'a>>;

/// One file's handle. Reads take the range that is asked for, and nothing else.
pub struct BlobSource {
    name: String,
    blob: Blob,
}

impl BlobSource {
    /// A file that messages call `name`.
    #[must_use]
    pub const fn new(name: String, blob: Blob) -> Self {
        Self { name, blob }
    }

    async fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let mut bytes = checked_buffer(self, offset, length)?;
        let failed = |error: &JsValue| self.failure(offset, length, error);
        let buffer = self
            .slice(offset, length)
            .map_err(|error| failed(&error))?
            .array_buffer();
        let buffer = JsFuture::from(buffer)
            .await
            .map_err(|error| failed(&error))?;
        let content = Uint8Array::new(buffer.unchecked_ref::<ArrayBuffer>());
        if u64::from(content.length()) != length {
            let path = self.name.clone();
            return Err(ReadError::Short {
                path,
                offset,
                length,
            });
        }
        content.copy_to(&mut bytes);
        Ok(bytes)
    }

    /// A handle to a range. The browser counts in float64, which is exact: no file is longer than
    /// 2^53 bytes.
    #[allow(clippy::cast_precision_loss)]
    fn slice(&self, offset: u64, length: u64) -> Result<Blob, JsValue> {
        let (start, end) = (offset as f64, (offset + length) as f64);
        self.blob.slice_with_f64_and_f64(start, end)
    }

    fn failure(&self, offset: u64, length: u64, error: &JsValue) -> ReadError {
        ReadError::Transport {
            path: self.name.clone(),
            offset,
            length,
            source: in_words(error).into(),
        }
    }
}

impl Source for BlobSource {
    fn name(&self) -> &str {
        &self.name
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a length, in whole bytes
    fn bytes(&self) -> u64 {
        self.blob.size() as u64
    }

    fn read_at(&self, offset: u64, length: u64) -> Pending<'_, Vec<u8>> {
        Box::pin(self.read(offset, length))
    }
}

/// Why the browser could not read, and what to do.
fn in_words(error: &JsValue) -> String {
    let Some(error) = error.dyn_ref::<js_sys::Error>() else {
        return format!("{error:?}");
    };
    let (name, message) = (String::from(error.name()), String::from(error.message()));
    match name.as_str() {
        "NotReadableError" | "NotFoundError" | "NotAllowedError" => format!(
            "the file was changed, moved or deleted since it was opened here; drop the folder again \
             ({message})"
        ),
        _ => format!("the browser says {name}: {message}"),
    }
}

/// Files by path; of a path that occurs twice, the last counts.
pub struct FilesTree {
    name: String,
    entries: Vec<FileEntry>,
    sources: BTreeMap<String, Rc<BlobSource>>,
}

impl FilesTree {
    /// Files that messages call `name` together.
    pub fn new(name: String, files: impl IntoIterator<Item = (String, Blob)>) -> Self {
        let sources: BTreeMap<String, Rc<BlobSource>> = files
            .into_iter()
            .map(|(path, blob)| (path.clone(), Rc::new(BlobSource::new(path, blob))))
            .collect();
        let entry = |(path, source): (&String, &Rc<BlobSource>)| FileEntry {
            path: path.clone(),
            bytes: source.bytes(),
        };
        Self {
            name,
            entries: sources.iter().map(entry).collect(),
            sources,
        }
    }
}

impl Tree for FilesTree {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn is_one_file(&self) -> bool {
        matches!(self.entries.as_slice(), [only] if only.path == self.name)
    }

    fn open<'a>(&'a self, path: &'a str) -> Pending<'a, Rc<dyn Source>> {
        Box::pin(async move {
            let known = self.sources.get(path).map(Rc::clone);
            match known {
                Some(source) => Ok(source as Rc<dyn Source>),
                None => Err(entry_of(self, path).err().unwrap_or(ReadError::NoSuchFile {
                    tree: self.name.clone(),
                    path: path.to_owned(),
                })),
            }
        })
    }
}
