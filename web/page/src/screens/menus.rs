//! The one rule for all menus: they fold on Escape, on a click beside them, and when the focus
//! leaves.
//!
//! A menu is a `details` of the class `menu`. Whoever makes one need not think of it.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlDetailsElement, HtmlElement, Node};

/// Folds menus from now on, those that are still to be made too.
pub(super) fn begin() {
    // The page lives as long as the tab.
    let _ = window_event_listener(ev::pointerdown, |event| fold_others(&event));
    let _ = window_event_listener(ev::focusin, |event| fold_others(&event));
    let _ = window_event_listener(ev::keydown, |event| {
        if event.key() == "Escape" {
            fold_around(&event);
        }
    });
}

/// Folds the menu that is open, unless the event is in it.
fn fold_others(event: &Event) {
    if let Some(menu) = open_menu().filter(|menu| !has(menu, event)) {
        menu.set_open(false);
    }
}

/// Folds the menu that the event is in; what unfolds it has the focus again.
fn fold_around(event: &Event) {
    let Some(menu) = open_menu().filter(|menu| has(menu, event)) else {
        return;
    };
    menu.set_open(false);
    let opener = menu.query_selector("summary").ok().flatten();
    if let Some(opener) = opener.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
        // Fails for nothing that is in the document.
        let _ = opener.focus();
    }
}

/// The only one: another that is unfolded is a click beside it.
fn open_menu() -> Option<HtmlDetailsElement> {
    let found = document().query_selector("details.menu[open]").ok()??;
    found.dyn_into().ok()
}

fn has(menu: &HtmlDetailsElement, event: &Event) -> bool {
    let target = event.target().and_then(|it| it.dyn_into::<Node>().ok());
    menu.contains(target.as_ref())
}
