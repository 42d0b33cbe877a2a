//! One chart with what surrounds it.

use leptos::html::Article;
use leptos::prelude::*;

use super::basis::Basis;
use super::export::Tools;
use super::heads::Heads;
use super::heatmap::HeatmapView;
use super::lines::LinesView;
use super::near::near;
use super::render_queue::RenderQueue;
use super::table::Table;
use crate::choices::Mode;
use crate::panel::title::Title;
use crate::panel::{PanelSignal, PanelSlot};
use crate::store::State;

/// A chart, its heading, its tools and its legend. It is filled when it comes near the window.
#[component]
pub(super) fn Card(chart: PanelSlot) -> impl IntoView {
    let state = State::here();
    let element = NodeRef::<Article>::new();
    let is_near = near(element);
    let queue = RenderQueue::here();
    let slot = queue.slot();
    let mode = RwSignal::new(None);
    Effect::new(move |_| {
        let wanted = state.view.mode.get();
        if is_near.get() {
            queue.render(slot, move || {
                mode.try_set(Some(wanted));
            });
        } else if mode.get_untracked() != Some(wanted) {
            mode.set(None);
        }
    });
    let mode = Memo::new(move |_| mode.get());
    let PanelSlot { id, panel } = chart.clone();
    let title = Basis::here().title(&id);
    let heading = title.line();
    let body = move || {
        mode.get().map(|mode| {
            view! { <Body panel=panel.clone() mode is_near=is_near.into() height=HEIGHT/> }
        })
    };
    view! {
        <article class="card" node_ref=element aria-label=heading data-test="card">
            <header>
                <Heading title/>
                <Tools chart/>
            </header>
            <div class="body">{body}</div>
        </article>
    }
}

/// Of a chart's drawing, in pixels.
const HEIGHT: u32 = 240;

/// What a chart measures.
#[component]
pub(super) fn Heading(title: Title) -> impl IntoView {
    let label = title
        .label
        .map(|label| view! { <span class="name" data-test="label">{label}</span> });
    view! {
        <div class="heading">
            <h3 title=title.summary data-test="title">{title.name}</h3>
            <span class="sub">{title.details}</span>
            {label}
        </div>
    }
}

/// The chart itself, as it is to be shown.
#[component]
pub(super) fn Body(
    panel: PanelSignal,
    mode: Mode,
    /// Whether it is worth drawing.
    is_near: Signal<bool>,
    /// Of the drawing, in pixels.
    height: u32,
) -> impl IntoView {
    match mode {
        Mode::Lines => view! { <LinesView panel is_near height/> }.into_any(),
        Mode::Heatmap => view! { <HeatmapView panel is_near height/> }.into_any(),
        Mode::Heads => view! { <Heads panel is_near/> }.into_any(),
        Mode::Table => view! { <Table panel is_near/> }.into_any(),
    }
}
