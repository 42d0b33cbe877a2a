//! One tensor from near.

use std::sync::Arc;

use ckptscope_protocol::tab::{SpectrumCost, TensorView};
use gloo_timers::callback::Interval;
use leptos::html::Section;
use leptos::prelude::*;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::distribution::{Bars, Spectrum};
use super::tree::in_words;
use crate::browser;
use crate::screens::readout;
use crate::screens::track::Track;
use crate::store::State;
use crate::store::explore::{Explore, Loadable, Route};

/// Nobody stops what takes so many seconds.
const WORTH_STOPPING: f64 = 2.0;

/// How often the time is told that has passed.
const TICK_MILLISECONDS: u32 = 250;

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
        Ok(cost) => view! { <SingularValues explore name cost/> }.into_any(),
        Err(reason) => view! { <p class="label" data-test="no-spectrum">{reason}</p> }.into_any(),
    };
    view! {
        {bars}
        <h4>"Singular values"</h4>
        {spectrum}
    }
}

/// The singular values, or the way to them.
#[component]
fn SingularValues(explore: Explore, name: String, cost: SpectrumCost) -> impl IntoView {
    let too_large = cost.too_large.clone();
    let routes = Memo::new(move |_| explore.routes(&cost));
    let unasked = move || {
        let why = too_large.clone().map(|why| format!("{why} "));
        let advice = move || {
            routes.with(Vec::is_empty).then_some(
                "Connect a worker (top right), which has no such limit and computes them at a click.",
            )
        };
        view! {
            <p class="label" data-test="no-spectrum">{why}{advice}</p>
            <Compute explore routes exactly=false/>
        }
    };
    move || match explore.spectrum.get() {
        Loadable::NotAsked => unasked().into_any(),
        Loadable::Loading => view! { <Waiting explore/> }.into_any(),
        Loadable::Failed(message) => {
            let estimate = explore.estimated();
            let exactly = estimate.is_some();
            let estimate =
                estimate.map(|spectrum| view! { <Spectrum name=name.clone() spectrum/> });
            view! {
                <p class="failure" role="alert" data-test="no-spectrum">{message}</p>
                {estimate}
                <Compute explore routes exactly/>
            }
            .into_any()
        }
        Loadable::Loaded(spectrum) => {
            let exactly = spectrum
                .is_estimated
                .then(|| view! { <Compute explore routes exactly=true/> });
            view! { <Spectrum name=name.clone() spectrum/>{exactly} }.into_any()
        }
    }
}

/// The ways to singular values, the soonest first.
#[component]
fn Compute(explore: Explore, routes: Memo<Vec<Route>>, exactly: bool) -> impl IntoView {
    let exactly = if exactly { " exactly" } else { "" };
    let button = move |route: Route| {
        let (test, place) = match &route {
            Route::Worker(worker, _) => ("decompose-worker", format!(" on {}", worker.host())),
            Route::Here(_) | Route::Estimate => ("decompose", " here".to_owned()),
        };
        let takes = readout::duration(route.seconds());
        view! {
            <button data-test=test on:click=move |_| explore.find_spectrum(route.clone())>
                {format!("Compute them{exactly}{place}: about {takes}")}
            </button>
        }
    };
    let buttons = move || routes.get().into_iter().map(button).collect_view();
    view! { <div class="row">{buttons}</div> }
}

/// What is to be seen while singular values are on their way: how far they are likely to be, and how
/// to give them up where that is worth it.
#[component]
fn Waiting(explore: Explore) -> impl IntoView {
    let began = browser::now_seconds();
    let elapsed = RwSignal::new(0.0);
    let tick = move || {
        elapsed.try_set(browser::now_seconds() - began);
    };
    // Ends with this view.
    StoredValue::new_local(Interval::new(TICK_MILLISECONDS, tick));
    let route = explore.route.get_untracked();
    let seconds = route.seconds();
    let takes = readout::duration(seconds);
    let status = match &route {
        Route::Estimate => "Estimating them…".to_owned(),
        Route::Here(_) => format!("Computing them: about {takes}…"),
        Route::Worker(worker, _) => {
            format!("Computing them on {}: about {takes}…", worker.host())
        }
    };
    // Nobody knows how far it is once the time is over.
    let percent = move || Some(elapsed.get() / seconds * 100.0).filter(|percent| *percent < 100.0);
    let percent = Signal::derive(percent);
    let bar =
        (seconds > WORTH_STOPPING).then(|| view! { <Track label="singular values" percent/> });
    let stop =
        (route == Route::Estimate || seconds > WORTH_STOPPING).then(|| view! { <Stop explore/> });
    view! {
        <p class="label" role="status">{status}</p>
        {bar}
        {stop}
    }
}

#[component]
fn Stop(explore: Explore) -> impl IntoView {
    view! {
        <button data-test="decompose-stop" on:click=move |_| explore.stop_decomposing()>
            "Stop"
        </button>
    }
}
