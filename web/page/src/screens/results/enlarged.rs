//! One chart as large as the window.

use leptos::html::Dialog;
use leptos::prelude::*;

use super::basis::Basis;
use super::card::{Body, Heading};
use super::export::Tools;
use super::shown::Shown;
use crate::panel::PanelSlot;
use crate::screens::dialog::show_modal;
use crate::store::State;

/// Around the drawing of an enlarged chart: heading, legend, edges.
const REST: f64 = 330.0;
const LEAST_HEIGHT: f64 = 220.0;

/// The chart that was asked for, over everything else. Escape closes it.
#[component]
pub(super) fn Enlarged() -> impl IntoView {
    let state = State::here();
    let dialog = NodeRef::<Dialog>::new();
    let slot = Memo::new(move |_| {
        let id = state.view.enlarged.get()?;
        let panels = state.analysis.panels.get();
        panels
            .all
            .into_iter()
            .find(|slot| slot.id == id)
            .map(Wrapped)
    });
    Effect::new(move |_| {
        let is_wanted = slot.with(Option::is_some);
        if let Some(dialog) = dialog.get() {
            show_modal(&dialog, is_wanted);
        }
    });
    let close = move |_| state.view.enlarged.set(None);
    let content = move || slot.get().map(|Wrapped(chart)| view! { <Content chart/> });
    view! {
        <dialog class="large" node_ref=dialog aria-label="chart, enlarged" data-test="enlarged" on:close=close>
            {content}
        </dialog>
    }
}

/// A chart that is the same as long as its id is.
#[derive(Clone)]
struct Wrapped(PanelSlot);

impl PartialEq for Wrapped {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

#[component]
fn Content(chart: PanelSlot) -> impl IntoView {
    let state = State::here();
    let PanelSlot { id, panel } = chart.clone();
    let title = Basis::here().title(&id);
    let height = height();
    let body = move || {
        let is_near = Signal::derive(|| true);
        view! { <Body panel=panel.clone() shown=state.view.mode.with(Shown::of) is_near height/> }
    };
    view! {
        <article class="card">
            <header>
                <Heading title/>
                <Tools chart is_large=true/>
                <button data-test="enlarged-close" on:click=move |_| state.view.enlarged.set(None)>"Close"</button>
            </header>
            <div class="body">{body}</div>
        </article>
    }
}

/// Of the drawing: what the window leaves, and not higher than it is wide.
fn height() -> u32 {
    let length = |length: Result<wasm_bindgen::JsValue, _>| {
        let length = length.ok().and_then(|length| length.as_f64());
        length.unwrap_or(800.0)
    };
    let (width, height) = (
        length(window().inner_width()),
        length(window().inner_height()),
    );
    (height - REST).min(width * 0.7).max(LEAST_HEIGHT) as u32
}
