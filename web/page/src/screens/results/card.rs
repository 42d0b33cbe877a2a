//! One chart with what surrounds it.

use ckptscope_chart::{Draw, Tiles};
use leptos::html::Article;
use leptos::prelude::*;

use super::basis::Basis;
use super::export::Tools;
use super::lines::LinesView;
use super::near::near;
use super::render_queue::RenderQueue;
use super::rows::RowsView;
use super::shown::Shown;
use super::table::Table;
use super::tiles::TilesView;
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
    let shown = RwSignal::new(None);
    Effect::new(move |_| {
        let wanted = state.view.mode.with(Shown::of);
        if is_near.get() {
            queue.render(slot, move || {
                shown.try_set(Some(wanted));
            });
        } else if shown.get_untracked() != Some(wanted) {
            shown.set(None);
        }
    });
    let shown = Memo::new(move |_| shown.get());
    let PanelSlot { id, panel } = chart.clone();
    let title = Basis::here().title(&id);
    let heading = title.line();
    let body = move || {
        shown.get().map(|shown| {
            view! { <Body panel=panel.clone() shown is_near=is_near.into() height=HEIGHT/> }
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
    shown: Shown,
    /// Whether it is worth drawing.
    is_near: Signal<bool>,
    /// Of the drawing, in pixels.
    height: u32,
) -> impl IntoView {
    let Some(chart) = shown.chart() else {
        return view! { <Table panel is_near/> }.into_any();
    };
    match (chart.draw, chart.tiles) {
        (Draw::Rows(drawing), _) => {
            view! { <RowsView chart drawing panel is_near height/> }.into_any()
        }
        (Draw::Lines(drawing), Tiles::All) => {
            view! { <LinesView chart drawing panel is_near height/> }.into_any()
        }
        (Draw::Lines(drawing), _) => view! { <TilesView chart drawing panel is_near/> }.into_any(),
    }
}
