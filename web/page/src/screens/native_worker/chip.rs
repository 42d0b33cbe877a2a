//! The worker in the page's top bar, and the menu behind it.

use leptos::html::Details;
use leptos::prelude::*;

use super::fetching::{fetch_views, shown};
use crate::store::State;
use crate::store::native_worker::Standing;

/// Who computes; unfolds into all that concerns a native worker.
#[component]
pub(crate) fn NativeWorkerMenu() -> impl IntoView {
    let state = State::here();
    let native_worker = state.native_worker;
    let menu = NodeRef::<Details>::new();
    let is_open = native_worker.is_menu_open;
    Effect::new(move |_| {
        let is_open = is_open.get();
        if let Some(menu) = menu.get() {
            menu.set_open(is_open);
        }
    });
    let toggled = move |_| {
        let now = menu.get_untracked().is_some_and(|menu| menu.open());
        if now != is_open.get_untracked() {
            is_open.set(now);
        }
        if now {
            fetch_views(state);
            if let Some(views) = native_worker.views.get_untracked() {
                (views.look)(native_worker);
            }
        }
    };
    let waiting = move || match native_worker.views.with(Option::is_some) {
        true => String::new(),
        false => native_worker
            .missing
            .get()
            .unwrap_or_else(|| "loading …".to_owned()),
    };
    view! {
        <details class="menu worker-menu" node_ref=menu on:toggle=toggled>
            <summary class="chip threads" data-test="worker-menu"><Summary/></summary>
            <div class="sheet" data-test="worker-sheet">
                {shown(native_worker, |views| (views.menu)())}
                <p class="label" role="status">{waiting}</p>
            </div>
        </details>
    }
}

/// How things stand, in a few words.
#[component]
fn Summary() -> impl IntoView {
    let state = State::here();
    let words = move || {
        let standing = state.native_worker.standing.get();
        let here = threads(state.web_workers.pool_size.get() as u64);
        let none = String::new;
        let (colour, mark, first, words, more) = match standing {
            Standing::None => ("ok", "●", "", "this tab", here),
            Standing::Connecting => ("dim", "○", "", "connecting …", none()),
            Standing::Ready(machine) => ("ok", "●", "", "worker", threads(machine.threads)),
            Standing::WantsToken => ("warn", "▲", "worker ", "wants a token", none()),
            Standing::Lost(_) => ("bad", "▲", "", "worker lost", none()),
        };
        view! {
            <span class=colour aria-hidden="true">{mark}</span>
            " "
            <span class="wide">{first}</span>
            {words}
            <span class="wide">{more}</span>
        }
    };
    view! {
        <span class="out-of-sight">"Worker: "</span>
        {words}
    }
}

/// Where there is room.
fn threads(count: u64) -> String {
    match count {
        1 => ", 1 thread".to_owned(),
        several => format!(", {several} threads"),
    }
}
