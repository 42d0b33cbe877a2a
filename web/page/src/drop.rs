//! Files that a person drops on the page or picks: listed with their paths, not read.

use std::cell::{Cell, RefCell};

use ckptscope_web_browser::in_words;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, try_join_all};
use js_sys::{Array, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, DataTransfer, File, FileList, FileSystemDirectoryEntry, FileSystemDirectoryReader,
    FileSystemEntry, FileSystemFileEntry,
};

use crate::files::{FileHandles, is_litter};
use crate::handles;

/// What was dropped: files and folders.
#[derive(Debug, Default)]
pub struct Dropped {
    entries: Vec<FileSystemEntry>,
    /// What the browser gives no entry for.
    files: Vec<File>,
    /// What leads to the same files after a reload, where the browser has that.
    handles: Vec<Promise>,
}

/// Files that could not be listed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// There is no file in it.
    #[error("{name} holds no files. Choose the folder of a training run, or its checkpoint files.")]
    Empty {
        /// The folder.
        name: String,
    },
    /// The browser may not read it.
    #[error(
        "{path} could not be read: {reason} Check that it still exists and that you may read it, then try again."
    )]
    Unreadable {
        /// The file or folder.
        path: String,
        /// In the browser's words.
        reason: String,
    },
    /// Nobody waits for it any more.
    #[error("stopped")]
    Stopped,
}

/// A listing under way.
struct Listing<'a> {
    found: RefCell<Vec<(String, Blob)>>,
    count: Cell<u64>,
    /// Hears how many files were found, and says whether to go on.
    goes_on: &'a dyn Fn(u64) -> bool,
}

impl Dropped {
    /// What a drop carries. The browser tells only while the event is handled.
    #[must_use]
    pub fn of(transfer: &DataTransfer) -> Self {
        let items = transfer.items();
        let mut dropped = Self::default();
        for item in (0..items.length()).filter_map(|index| items.get(index)) {
            if item.kind() != "file" {
                continue;
            }
            dropped.handles.extend(handles::of_dropped(&item));
            match item.webkit_get_as_entry() {
                Ok(Some(entry)) => dropped.entries.push(entry),
                _ => dropped.files.extend(item.get_as_file().ok().flatten()),
            }
        }
        dropped
    }

    /// Whether nothing that could be opened was dropped: text or a link.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.files.is_empty()
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self.entries.as_slice() {
            [entry] if self.files.is_empty() => entry.name(),
            _ => "the dropped files".to_owned(),
        }
    }

    /// All files in it, folders within folders included. `goes_on` hears now and then how many
    /// were found, and says whether anybody still waits.
    ///
    /// # Errors
    /// [`ListError`].
    pub async fn list(self, goes_on: impl Fn(u64) -> bool) -> Result<FileHandles, ListError> {
        let name = self.name();
        let listing = Listing {
            found: RefCell::new(Vec::new()),
            count: Cell::new(0),
            goes_on: &goes_on,
        };
        for file in self.files {
            listing.take(file.name(), file);
        }
        let entries = self.entries.into_iter();
        try_join_all(entries.map(|entry| listing.walk(entry.name(), entry))).await?;
        let found = listing.found.into_inner();
        if found.is_empty() {
            return Err(ListError::Empty { name });
        }
        let handles = try_join_all(self.handles.into_iter().map(JsFuture::from)).await;
        let handles = handles.ok().filter(|handles| !handles.is_empty());
        Ok(FileHandles {
            handles: handles.map(|handles| handles.into_iter().collect()),
            ..FileHandles::chosen(found)
        })
    }
}

/// The files of a file or folder picker.
#[must_use]
pub fn picked(list: &FileList) -> FileHandles {
    let files = (0..list.length()).filter_map(|index| list.get(index));
    let with_path = files.map(|file| {
        let within = js_sys::Reflect::get(&file, &"webkitRelativePath".into());
        let within = within.ok().and_then(|path| path.as_string());
        let path = within.filter(|path| !path.is_empty());
        (path.unwrap_or_else(|| file.name()), file)
    });
    let kept = with_path.filter(|(path, _)| !is_litter(path));
    FileHandles::chosen(kept.map(|(path, file)| (path, file.into())).collect())
}

impl Listing<'_> {
    fn take(&self, path: String, file: File) {
        if is_litter(&path) {
            return;
        }
        self.count.set(self.count.get() + 1);
        self.found.borrow_mut().push((path, file.into()));
    }

    /// Whoever lists a folder lists all its folders at once: the browser answers each in its turn.
    fn walk(
        &self,
        path: String,
        entry: FileSystemEntry,
    ) -> LocalBoxFuture<'_, Result<(), ListError>> {
        async move {
            if entry.is_directory() {
                let folder: FileSystemDirectoryEntry = entry.unchecked_into();
                return self.walk_folder(path, &folder.create_reader()).await;
            }
            let file = file_of(entry.unchecked_ref()).await;
            let file = file.map_err(|error| unreadable(&path, &error))?;
            self.take(path, file.unchecked_into());
            Ok(())
        }
        .boxed_local()
    }

    async fn walk_folder(
        &self,
        path: String,
        reader: &FileSystemDirectoryReader,
    ) -> Result<(), ListError> {
        loop {
            let batch = next_batch(reader).await;
            let batch: Array = batch
                .map_err(|error| unreadable(&path, &error))?
                .unchecked_into();
            if batch.length() == 0 {
                return Ok(());
            }
            let entries = batch.iter().map(JsCast::unchecked_into::<FileSystemEntry>);
            let walks = entries.map(|entry| self.walk(format!("{path}/{}", entry.name()), entry));
            try_join_all(walks).await?;
            if !(self.goes_on)(self.count.get()) {
                return Err(ListError::Stopped);
            }
        }
    }
}

/// At most a hundred entries of a folder; none at its end.
async fn next_batch(reader: &FileSystemDirectoryReader) -> Result<JsValue, JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        if let Err(error) = reader.read_entries_with_callback_and_callback(&resolve, &reject) {
            // A call of `reject` cannot fail.
            let _ = reject.call1(&JsValue::NULL, &error);
        }
    });
    JsFuture::from(promise).await
}

async fn file_of(entry: &FileSystemFileEntry) -> Result<JsValue, JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        entry.file_with_callback_and_callback(&resolve, &reject);
    });
    JsFuture::from(promise).await
}

fn unreadable(path: &str, error: &JsValue) -> ListError {
    ListError::Unreadable {
        path: path.to_owned(),
        reason: in_words(error),
    }
}
