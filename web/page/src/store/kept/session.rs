//! What a tab remembers of itself over a reload.

use leptos::prelude::window;
use serde::{Deserialize, Serialize};
use web_sys::Storage;

/// Of the analysis that is shown.
const CURRENT_KEY: &str = "ckptscope-analysis";

/// Of the config that is being written.
const CONFIG_KEY: &str = "ckptscope-config";

#[derive(Serialize, Deserialize)]
struct Draft {
    run: String,
    text: String,
}

/// The kept analysis that the tab shows.
pub(super) fn current() -> Option<String> {
    storage()?.get_item(CURRENT_KEY).ok()?
}

/// Remembers which kept analysis is shown.
pub(super) fn show(id: &str) {
    set(CURRENT_KEY, id);
}

/// No kept analysis is shown any more.
pub(super) fn forget() {
    remove(CURRENT_KEY);
}

/// The config that a person wrote for a run, where it was not run or not kept.
pub(crate) fn config_of(run: &str) -> Option<String> {
    let text = storage()?.get_item(CONFIG_KEY).ok()??;
    let draft: Draft = serde_json::from_str(&text).ok()?;
    (draft.run == run).then_some(draft.text)
}

/// Keeps the config that a person writes for a run; none where it is one that was proposed.
pub(crate) fn keep_config(run: &str, text: Option<&str>) {
    let Some(text) = text else {
        return remove(CONFIG_KEY);
    };
    let draft = Draft {
        run: run.to_owned(),
        text: text.to_owned(),
    };
    if let Ok(text) = serde_json::to_string(&draft) {
        set(CONFIG_KEY, &text);
    }
}

fn set(key: &str, value: &str) {
    if let Some(storage) = storage() {
        // A browser that keeps nothing begins anew after a reload.
        let _ = storage.set_item(key, value);
    }
}

fn remove(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

fn storage() -> Option<Storage> {
    window().session_storage().ok()?
}
