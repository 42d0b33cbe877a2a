//! Handles by which a browser finds files again after a reload, where it has such.

use ckptscope_web_browser::in_words;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use js_sys::{Array, Function, Iterator, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, DataTransferItem};

use crate::files::{FileHandles, is_litter};

#[wasm_bindgen]
extern "C" {
    /// A file or a folder of this machine.
    #[derive(Clone)]
    type Handle;
    #[wasm_bindgen(method, getter)]
    fn kind(this: &Handle) -> String;
    #[wasm_bindgen(method, getter)]
    fn name(this: &Handle) -> String;
    #[wasm_bindgen(method, js_name = getFile)]
    fn get_file(this: &Handle) -> Promise;
    #[wasm_bindgen(method)]
    fn values(this: &Handle) -> Iterator;
    #[wasm_bindgen(method, js_name = isSameEntry)]
    fn is_same_entry(this: &Handle, other: &JsValue) -> Promise;
    #[wasm_bindgen(method, js_name = queryPermission)]
    fn query_permission(this: &Handle, options: &Object) -> Promise;
    #[wasm_bindgen(method, js_name = requestPermission)]
    fn request_permission(this: &Handle, options: &Object) -> Promise;
}

/// What stands in the way of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandleObstacle {
    /// The browser wants to ask the person first, which it does after a click.
    WantsClick,
    /// In words.
    Lost(String),
}

/// What leads to something that was dropped; none where the browser has no such handles. It is only
/// told while the event is handled.
#[must_use]
pub fn of_dropped(item: &DataTransferItem) -> Option<Promise> {
    let ask = Reflect::get(item, &"getAsFileSystemHandle".into()).ok()?;
    let ask: Function = ask.dyn_into().ok()?;
    ask.call0(item).ok()?.dyn_into().ok()
}

/// Whether the browser has a picker that gives handles.
#[must_use]
pub fn has_picker() -> bool {
    Reflect::has(&js_sys::global(), &"showDirectoryPicker".into()).unwrap_or(false)
}

/// Has the person choose a folder; none where they chose none.
///
/// # Errors
/// In the browser's words.
pub async fn pick_folder() -> Result<Option<Array>, String> {
    let pick = Reflect::get(&js_sys::global(), &"showDirectoryPicker".into());
    let pick: Function = pick.map_err(|it| in_words(&it))?.unchecked_into();
    let picked = pick.call0(&js_sys::global()).map_err(|it| in_words(&it))?;
    match JsFuture::from(picked.unchecked_into::<Promise>()).await {
        Ok(folder) => Ok(Some(Array::of1(&folder))),
        Err(error) => {
            let name = Reflect::get(&error, &"name".into()).ok();
            match name.and_then(|name| name.as_string()).as_deref() {
                Some("AbortError") => Ok(None),
                _ => Err(in_words(&error)),
            }
        }
    }
}

/// Whether handles lead to the same files and folders, as far as the browser says.
pub async fn are_same(some: &Array, others: &Array) -> bool {
    if some.length() != others.length() {
        return false;
    }
    for (one, other) in some.iter().zip(others.iter()) {
        let one: Handle = one.unchecked_into();
        let answer = JsFuture::from(one.is_same_entry(&other)).await;
        if !answer.is_ok_and(|answer| answer.is_truthy()) {
            return false;
        }
    }
    true
}

/// The files that handles lead to. `may_ask` says that a person has just clicked.
///
/// # Errors
/// [`HandleObstacle`].
pub async fn files(handles: &Array, may_ask: bool) -> Result<FileHandles, HandleObstacle> {
    let lost = |error: JsValue| HandleObstacle::Lost(in_words(&error));
    let mut found = Vec::new();
    for handle in handles.iter() {
        let handle: Handle = handle.unchecked_into();
        permit(&handle, may_ask).await?;
        let name = handle.name();
        walk(name, handle, &mut found).await.map_err(lost)?;
    }
    Ok(FileHandles {
        handles: Some(handles.clone()),
        ..FileHandles::chosen(found)
    })
}

async fn permit(handle: &Handle, may_ask: bool) -> Result<(), HandleObstacle> {
    let (options, lost) = (Object::new(), |it| HandleObstacle::Lost(in_words(&it)));
    Reflect::set(&options, &"mode".into(), &"read".into()).map_err(lost)?;
    let asked = match may_ask {
        true => handle.request_permission(&options),
        false => handle.query_permission(&options),
    };
    let answer = JsFuture::from(asked).await.map_err(lost)?;
    match (answer.as_string().as_deref(), may_ask) {
        (Some("granted"), _) => Ok(()),
        (_, false) => Err(HandleObstacle::WantsClick),
        (_, true) => Err(HandleObstacle::Lost(format!(
            "the browser may not read {}",
            handle.name()
        ))),
    }
}

fn walk<'a>(
    path: String,
    handle: Handle,
    found: &'a mut Vec<(String, Blob)>,
) -> LocalBoxFuture<'a, Result<(), JsValue>> {
    async move {
        if handle.kind() == "file" {
            if !is_litter(&path) {
                let file = JsFuture::from(handle.get_file()).await?;
                found.push((path, file.unchecked_into()));
            }
            return Ok(());
        }
        let entries = handle.values();
        loop {
            let next: Promise = entries.next()?.unchecked_into::<JsValue>().unchecked_into();
            let next = JsFuture::from(next).await?;
            if Reflect::get(&next, &"done".into())?.is_truthy() {
                return Ok(());
            }
            let entry: Handle = Reflect::get(&next, &"value".into())?.unchecked_into();
            let path = format!("{path}/{}", entry.name());
            walk(path, entry, found).await?;
        }
    }
    .boxed_local()
}
