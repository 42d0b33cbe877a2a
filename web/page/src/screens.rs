//! What a person sees.

mod arrival;
mod begin;
mod dialog;
mod explore;
mod kept;
mod leave_out;
mod menus;
mod native_worker;
mod network;
mod opening;
mod progress;
mod readout;
mod results;
mod side;
mod track;
mod workbench;

use leptos::mount::mount_to_body;
use leptos::prelude::*;

use native_worker::NativeWorkerMenu;
use native_worker::fetching;
use opening::{DropZone, Opening, UnderWay};

use crate::store::State;

/// Puts the page into the document.
pub fn mount() {
    mount_to_body(Page);
}

/// The whole page: the opening until a run is there, then the workbench.
#[component]
fn Page() -> impl IntoView {
    let state = State::new(begin::open);
    provide_context(state);
    fetching::begin(state);
    arrival::follow_address(state);
    menus::begin();
    begin::prepare(state);
    let is_open = Memo::new(move |_| state.has_content());
    let has_notice = Memo::new(move |_| state.arrival.notice.with(Option::is_some));
    let arrived = move || {
        let views = has_notice.get().then(|| state.workbench.get_value());
        views.flatten().map(|views| (views.arrival)())
    };
    view! {
        <TopBar/>
        {arrived}
        <Show when=move || is_open.get() fallback=|| view! { <Opening/> }>
            <UnderWay/>
            {move || state.workbench.get_value().map(|views| (views.main)())}
        </Show>
        <DropZone/>
        {fetching::shown(state.native_worker, |views| (views.history)())}
    }
}

#[component]
fn TopBar() -> impl IntoView {
    let state = State::here();
    let is_open = Memo::new(move |_| state.has_content());
    let middle = move || match is_open.get().then(|| state.workbench.get_value()).flatten() {
        Some(views) => (views.bar)(),
        None => view! { <span class="grow"></span> }.into_any(),
    };
    view! {
        <header class="bar">
            <span class="logo">
                <svg viewBox="0 0 22 22" width="22" height="22" aria-hidden="true">
                    <rect x="1" y="1" width="20" height="20" rx="6" fill="var(--accent)"/>
                    <polyline
                        points="4,15 8,13 11,14 14,8 18,6"
                        fill="none"
                        stroke="var(--accent-ink)"
                        stroke-width="2"
                        stroke-linecap="round"
                        stroke-linejoin="round"
                    />
                </svg>
                "ckptscope"
            </span>
            {middle}
            <NativeWorkerMenu/>
        </header>
    }
}
