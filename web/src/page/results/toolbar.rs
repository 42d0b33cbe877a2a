//! How charts are drawn.

use leptos::prelude::*;
use trainscope_plot::Scale;

use crate::page::state::State;
use crate::panel::Panel;

/// Scales, and whether lines are layers or heads.
#[component]
pub(super) fn Toolbar() -> impl IntoView {
    let state = State::here();
    let has_heads = Memo::new(move |_| {
        let all = state.analysis.panels.with(|panels| panels.all.clone());
        all.iter().any(|slot| slot.panel.with(Panel::has_heads))
    });
    let cursor = move || match state.view.cursor.get() {
        Some(step) => format!("step {step}"),
        None => "last step".to_owned(),
    };
    view! {
        <div class="row">

            <Choice name="x" signal=state.view.x_scale options=vec![("linear", Scale::Linear), ("log", Scale::LogFromZero)]/>

            <Choice name="y" signal=state.view.y_scale options=vec![("linear", Scale::Linear), ("log", Scale::Log)]/>
            <Show when=move || has_heads.get()>

                <Choice name="lines" signal=state.view.heads options=vec![("layers", false), ("heads", true)]/>
            </Show>
            <span class="grow"></span>
            <span class="label">"values at "<b>{cursor}</b></span>
        </div>
    }
}

/// One of a few values.
#[component]
fn Choice<T: Clone + Copy + PartialEq + Send + Sync + 'static>(
    name: &'static str,
    signal: RwSignal<T>,
    options: Vec<(&'static str, T)>,
) -> impl IntoView {
    let buttons = options.into_iter().map(|(option, value)| {
        let is_on = move || signal.get() == value;
        view! {
            <button class:on=is_on aria-pressed=move || is_on().to_string() on:click=move |_| signal.set(value)>
                {option}
            </button>
        }
    });
    view! {
        <span class="option">
            <span class="label">{name}</span>
            <span class="seg" role="group" aria-label=name>{buttons.collect_view()}</span>
        </span>
    }
}
