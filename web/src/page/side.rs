//! The workbench's side: what was found, and what is asked.

mod component;
mod cost;
mod editing;
mod field;
mod form;
mod found;
mod groups;
mod history;
mod metric;
mod past;
mod start_from;
mod steps;
mod trouble;
mod yaml;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::store::{Side, State};
use cost::Footer;
use editing::Editing;
use form::Form;
use found::Found;
use past::Past;
use yaml::Yaml;

/// The sides in their order, and what their tabs say.
const SIDES: [(Side, &str, &str); 3] = [
    (Side::Explore, "Explore", "explore"),
    (Side::Ask, "Ask", "ask"),
    (Side::Yaml, "YAML", "yaml"),
];

/// What is found and asked, and the way to run it; or where results come from that were read from
/// a file.
#[component]
pub(super) fn SidePanel() -> impl IntoView {
    let state = State::here();
    provide_context(Editing::new());
    let is_run = Memo::new(move |_| state.opened.with(Option::is_some));
    let is_yaml = move || is_run.get() && state.side.get() == Side::Yaml;
    view! {
        <aside class:wide=is_yaml>
            <Show when=move || is_run.get() fallback=|| view! { <Past/> }>
                <Tabs/>
                <Panel/>
            </Show>
        </aside>
    }
}

#[component]
fn Tabs() -> impl IntoView {
    let state = State::here();
    let tabs = SIDES.map(|(side, name, id)| {
        let is_on = move || state.side.get() == side;
        view! {
            <button
                id=format!("tab-{id}")
                role="tab"
                class:on=is_on
                aria-selected=move || is_on().to_string()
                aria-controls="side-panel"
                tabindex=move || if is_on() { "0" } else { "-1" }
                data-test=format!("tab-{id}")
                on:click=move |_| state.side.set(side)
            >
                {name}
            </button>
        }
    });
    let walk = move |event: KeyboardEvent| {
        if let Some((side, id)) = neighbour(state.side.get_untracked(), &event.key()) {
            event.prevent_default();
            state.side.set(side);
            focus(&format!("tab-{id}"));
        }
    };
    view! {
        <div class="tabs" role="tablist" aria-label="Side" on:keydown=walk>{tabs.collect_view()}</div>
    }
}

#[component]
fn Panel() -> impl IntoView {
    let state = State::here();
    let tab = move || {
        let here = |(side, ..): &&(Side, &str, &str)| *side == state.side.get();
        SIDES.iter().find(here).map(|(.., id)| format!("tab-{id}"))
    };
    let is_ask = move || state.side.get() != Side::Explore;
    // Who asks for the side that is shown keeps what is in it.
    let side = Memo::new(move |_| state.side.get());
    view! {
        <div class="panel" id="side-panel" role="tabpanel" aria-labelledby=tab>
            {move || match side.get() {
                Side::Explore => view! { <Found/> }.into_any(),
                Side::Ask => view! { <Form/> }.into_any(),
                Side::Yaml => view! { <Yaml/> }.into_any(),
            }}
        </div>
        <Show when=is_ask><Footer/></Show>
    }
}

/// The side that a key leads to.
fn neighbour(side: Side, key: &str) -> Option<(Side, &'static str)> {
    let at = SIDES.iter().position(|(here, ..)| *here == side)?;
    let count = SIDES.len();
    let index = match key {
        "ArrowRight" => (at + 1) % count,
        "ArrowLeft" => (at + count - 1) % count,
        "Home" => 0,
        "End" => count - 1,
        _ => return None,
    };
    SIDES.get(index).map(|(side, _, id)| (*side, *id))
}

/// Moves the keyboard to an element.
fn focus(id: &str) {
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Fails for what cannot have it.
        let _ = element.focus();
    }
}
