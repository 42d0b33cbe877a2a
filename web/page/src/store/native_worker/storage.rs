//! What is kept of native workers: the address of one from one visit to the next, where a person
//! gave it; their tokens in this tab, so that a reload keeps them.
//!
//! The token arrives behind `#` and leaves the address bar at once. It stays in the tab's
//! `sessionStorage`, with the address it is for; links never have it.

use leptos::prelude::{document, window};
use wasm_bindgen::JsValue;
use web_sys::Storage;

use crate::store::address::decoded;

/// What the worker writes behind the address that it prints: `#token=TOKEN`.
const TOKEN_MARK: &str = "#token=";

/// Of the worker's address, in the browser's memory of this site.
const ADDRESS_KEY: &str = "ckptscope-worker";

/// Of a worker's token, in the tab's memory; a space and the worker's address follow.
const TOKEN_KEY: &str = "ckptscope-worker-token";

/// The token that came with the page's address. It is in the address bar no more.
pub(crate) fn take_token_out_of_the_address() -> Option<String> {
    let hash = window().location().hash().ok()?;
    let told = hash.strip_prefix(TOKEN_MARK)?;
    let (token, rest) = told.split_once('&').unwrap_or((told, ""));
    let address = window().location().href().ok()?;
    let page = address.split('#').next().unwrap_or_default();
    let rest = match rest {
        "" => page.to_owned(),
        rest => format!("{page}#{rest}"),
    };
    let history = window().history().ok()?;
    // Fails for addresses of others only.
    let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&rest));
    Some(decoded(token).trim().to_owned()).filter(|token| !token.is_empty())
}

/// Whether there is one to be taken.
pub(crate) fn has_token_in_address() -> bool {
    let hash = window().location().hash().unwrap_or_default();
    hash.starts_with(TOKEN_MARK)
}

/// Whether the page came from a worker, or one was given last time.
pub(crate) fn names_a_worker() -> bool {
    let named = document()
        .query_selector("meta[name=worker]")
        .ok()
        .flatten();
    let own = named.and_then(|meta| meta.get_attribute("content"));
    own.is_some_and(|own| !own.is_empty()) || address().is_some()
}

/// The address of the worker that was given last time.
pub(crate) fn address() -> Option<String> {
    of_this_site()?.get_item(ADDRESS_KEY).ok()?
}

/// Keeps it for the next visit.
pub(crate) fn keep_address(address: &str) {
    if let Some(storage) = of_this_site() {
        // A browser that keeps nothing asks for it again.
        let _ = storage.set_item(ADDRESS_KEY, address);
    }
}

/// The token for the worker at an address.
pub(crate) fn token(address: &str) -> Option<String> {
    of_this_tab()?.get_item(&token_key(address)).ok()?
}

/// Keeps it as long as the tab is open.
pub(crate) fn keep_token(address: &str, token: &str) {
    if let Some(storage) = of_this_tab() {
        let _ = storage.set_item(&token_key(address), token);
    }
}

/// Forgets the address of the worker that was given last time.
pub(crate) fn forget_address() {
    if let Some(storage) = of_this_site() {
        let _ = storage.remove_item(ADDRESS_KEY);
    }
}

/// Forgets the token for the worker at an address.
pub(crate) fn forget_token(address: &str) {
    if let Some(storage) = of_this_tab() {
        let _ = storage.remove_item(&token_key(address));
    }
}

fn token_key(address: &str) -> String {
    format!("{TOKEN_KEY} {address}")
}

fn of_this_site() -> Option<Storage> {
    window().local_storage().ok()?
}

fn of_this_tab() -> Option<Storage> {
    window().session_storage().ok()?
}
