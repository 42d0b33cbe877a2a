//! The workbench's side: what was found, and what is asked.
//!
//! Each tab is a file with a [`Tab`], and a line in [`TABS`].

mod component;
mod cost;
mod editing;
mod entry;
mod field;
mod form;
mod history;
mod metric;
mod parameter;
mod past;
mod start_from;
mod steps;
mod suffixes;
mod tab;
mod trouble;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::store::State;
use cost::Footer;
use editing::Editing;
use past::Past;
use tab::Tab;

ckptscope_vocabulary::registry! {
    /// The tabs, in their order.
    const TABS: [&Tab] = mod {
        found: TAB;
        ask: TAB;
        yaml: TAB;
    }
}

/// The tab that is shown; none where no run is open.
pub(super) fn current(state: State) -> Option<&'static Tab> {
    let name = state.side.get();
    let shown = shown(state);
    let named = shown.iter().find(|tab| tab.name == name);
    named.or(shown.first()).copied()
}

fn shown(state: State) -> Vec<&'static Tab> {
    TABS.iter()
        .copied()
        .filter(|tab| (tab.is_shown)(state))
        .collect()
}

/// What is found and asked, and the way to run it; or where results come from that were read from
/// a file.
#[component]
pub(super) fn SidePanel() -> impl IntoView {
    let state = State::here();
    provide_context(Editing::new());
    let current = Memo::new(move |_| current(state));
    let has_tabs = Memo::new(move |_| current.get().is_some());
    let is_wide = move || current.get().is_some_and(|tab| tab.is_wide);
    view! {
        <aside class:wide=is_wide>
            <Show when=move || has_tabs.get() fallback=|| view! { <Past/> }>
                <Tabs current/>
                <Panel current/>
            </Show>
        </aside>
    }
}

#[component]
fn Tabs(current: Memo<Option<&'static Tab>>) -> impl IntoView {
    let state = State::here();
    let shown = Memo::new(move |_| shown(state));
    let walk = move |event: KeyboardEvent| {
        let tabs = shown.get_untracked();
        if let Some(tab) = neighbour(&tabs, current.get_untracked(), &event.key()) {
            event.prevent_default();
            state.side.set(tab.name);
            focus(&id_of(tab));
        }
    };
    let buttons = move || {
        let tabs = shown.get().into_iter();
        tabs.map(|tab| view! { <TabButton tab current/> })
            .collect_view()
    };
    view! {
        <div class="tabs" role="tablist" aria-label="Side" on:keydown=walk>{buttons}</div>
    }
}

#[component]
fn TabButton(tab: &'static Tab, current: Memo<Option<&'static Tab>>) -> impl IntoView {
    let state = State::here();
    let is_on = move || current.get() == Some(tab);
    view! {
        <button
            id=id_of(tab)
            role="tab"
            class:on=is_on
            aria-selected=move || is_on().to_string()
            aria-controls="side-panel"
            tabindex=move || if is_on() { "0" } else { "-1" }
            data-test=id_of(tab)
            on:click=move |_| state.side.set(tab.name)
        >
            {tab.title}
        </button>
    }
}

#[component]
fn Panel(current: Memo<Option<&'static Tab>>) -> impl IntoView {
    let has_footer = Memo::new(move |_| current.get().is_some_and(|tab| tab.has_footer));
    view! {
        <div
            class="panel"
            id="side-panel"
            role="tabpanel"
            aria-labelledby=move || current.get().map(id_of)
        >
            {move || current.get().map(|tab| (tab.view)())}
        </div>
        <Show when=move || has_footer.get()><Footer/></Show>
    }
}

/// The element of a tab.
fn id_of(tab: &Tab) -> String {
    format!("tab-{}", tab.name.0)
}

/// The tab that a key leads to.
fn neighbour(
    tabs: &[&'static Tab],
    current: Option<&'static Tab>,
    key: &str,
) -> Option<&'static Tab> {
    let at = tabs.iter().position(|tab| Some(*tab) == current)?;
    let count = tabs.len();
    let index = match key {
        "ArrowRight" => (at + 1) % count,
        "ArrowLeft" => (at + count - 1) % count,
        "Home" => 0,
        "End" => count - 1,
        _ => return None,
    };
    tabs.get(index).copied()
}

/// Moves the keyboard to an element.
fn focus(id: &str) {
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Fails for what cannot have it.
        let _ = element.focus();
    }
}
