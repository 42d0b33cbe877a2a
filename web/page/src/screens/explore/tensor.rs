//! One tensor from near.

use std::sync::Arc;

use ckptscope_protocol::tab::TensorView;
use leptos::html::Section;
use leptos::prelude::*;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::distribution::{Bars, Spectrum};
use super::tree::in_words;
use crate::screens::readout;
use crate::store::State;
use crate::store::explore::{Explore, Loadable};

/// Nobody stops what takes so many seconds.
const WORTH_STOPPING: f64 = 2.0;

/// The chosen tensor, or how to choose one.
#[component]
pub(super) fn Tensor() -> impl IntoView {
    let explore = State::here().explore;
    let section = NodeRef::<Section>::new();
    // Beside the list on a wide screen; below it on a narrow one, and then out of sight.
    Effect::new(move |_| {
        let is_chosen = explore.name.with(Option::is_some);
        if let Some(section) = section.get().filter(|_| is_chosen) {
            let options = ScrollIntoViewOptions::new();
            options.set_block(ScrollLogicalPosition::Nearest);
            section.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    view! {
        <section class="near card" node_ref=section aria-label="The chosen tensor" data-test="tensor-view">
            <Show
                when=move || explore.name.with(Option::is_some)
                fallback=|| view! {
                    <p class="label">
                        "Choose a tensor to see its statistics, its histogram and its singular values."
                    </p>
                }
            >
                <Heading explore/>
                <Body explore/>
            </Show>
        </section>
    }
}

#[component]
fn Heading(explore: Explore) -> impl IntoView {
    let part = move || explore.part.with(|part| part.as_ref().map(in_words));
    view! {
        <header>
            <h3 class="mono">{move || explore.name.get()}</h3>
            <button
                class="quiet"
                aria-label="Close"
                title="Close"
                data-test="tensor-close"
                on:click=move |_| explore.look_away()
            >
                "×"
            </button>
        </header>
        <p class="label">{part}</p>
    }
}

#[component]
fn Body(explore: Explore) -> impl IntoView {
    move || match explore.tensor.get() {
        Loadable::NotAsked => ().into_any(),
        Loadable::Loading => view! {
            <p class="label" role="status" data-test="tensor-waiting">
                "Reading and computing… choose another tensor to give this one up."
            </p>
        }
        .into_any(),
        Loadable::Failed(message) => {
            view! { <p class="failure" role="alert" data-test="tensor-failed">{message}</p> }
                .into_any()
        }
        Loadable::Loaded(tensor) => {
            view! { <Statistics tensor=Arc::clone(&tensor)/><Drawings explore tensor/> }.into_any()
        }
    }
}

#[component]
fn Statistics(tensor: Arc<TensorView>) -> impl IntoView {
    let number = |value: Option<f64>| {
        value.map_or_else(
            || "–".to_owned(),
            |value| ckptscope_plot::significant(value, 4),
        )
    };
    let share = tensor.zeros as f64 / tensor.entries.max(1) as f64 * 100.0;
    let zeros = match tensor.zeros {
        0 => "none".to_owned(),
        zeros => format!("{} ({share:.1} %)", readout::count(zeros)),
    };
    let facts = [
        ("entries", readout::count(tensor.entries)),
        ("smallest", number(tensor.min)),
        ("largest", number(tensor.max)),
        ("mean", number(tensor.mean)),
        ("standard deviation", number(tensor.standard_deviation)),
        ("Frobenius norm", number(tensor.frobenius_norm)),
        ("exact zeros", zeros),
    ];
    let facts = facts.map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    let not_finite = (tensor.not_finite > 0).then(|| {
        let count = match tensor.not_finite {
            1 => "1 entry is".to_owned(),
            several => format!("{} entries are", readout::count(several)),
        };
        view! {
            <p class="failure" role="alert">
                {count}" not finite (infinite or not a number); left out of everything here."
            </p>
        }
    });
    let stored = tensor.stored.clone();
    let stored = stored.map(|it| view! { <p class="label" data-test="tensor-stored">{it}</p> });
    view! {
        {stored}
        <dl class="facts-list" data-test="tensor-statistics">{facts.collect_view()}</dl>
        {not_finite}
    }
}

#[component]
fn Drawings(explore: Explore, tensor: Arc<TensorView>) -> impl IntoView {
    let has_bars = tensor.histogram.iter().any(|count| *count > 0);
    let prospect = tensor.spectrum.clone();
    let name = tensor.name.clone();
    let bars = has_bars.then(|| {
        view! {
            <h4>"Distribution of entries"</h4>
            <Bars tensor/>
        }
    });
    let spectrum = match prospect {
        Ok(seconds) => view! { <SingularValues explore name seconds/> }.into_any(),
        Err(reason) => view! { <p class="label" data-test="no-spectrum">{reason}</p> }.into_any(),
    };
    view! {
        {bars}
        <h4>"Singular values"</h4>
        {spectrum}
    }
}

/// The singular values, or the way to them, which takes so many seconds.
#[component]
fn SingularValues(explore: Explore, name: String, seconds: f64) -> impl IntoView {
    let is_long = seconds > WORTH_STOPPING;
    let takes = format!("about {}", readout::duration(seconds));
    let waiting = format!("Computing them: {takes}…");
    let waiting = move || {
        if explore.is_estimating.get() {
            "Estimating them…".to_owned()
        } else {
            waiting.clone()
        }
    };
    move || {
        match explore.spectrum.get() {
        Loadable::NotAsked => view! {
            <p class="label">{format!("They take {takes}.")}</p>
            <button data-test="decompose" on:click=move |_| explore.decompose()>"Compute them"</button>
        }
        .into_any(),
        Loadable::Loading => view! {
            <p class="label" role="status">{waiting.clone()}</p>
            <Show when=move || is_long>
                <button data-test="decompose-stop" on:click=move |_| explore.stop_decomposing()>
                    "Stop"
                </button>
            </Show>
        }
        .into_any(),
        Loadable::Failed(message) => {
            view! { <p class="failure" role="alert" data-test="no-spectrum">{message}</p> }.into_any()
        }
        Loadable::Loaded(spectrum) => {
            let exactly = spectrum.is_estimated.then(|| {
                view! {
                    <button data-test="decompose" on:click=move |_| explore.decompose()>
                        {format!("Compute them exactly: {takes}")}
                    </button>
                }
            });
            view! { <Spectrum name=name.clone() spectrum/>{exactly} }.into_any()
        }
    }
    }
}
