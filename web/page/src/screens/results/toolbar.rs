//! How charts are drawn.

use ckptscope_chart::{Chart, Of};
use ckptscope_results::Entry;
use leptos::prelude::*;

use super::basis::Basis;
use super::saving::Saving;
use super::share::Share;
use super::shown::Shown;
use crate::choices::{ColourBy, Lines, Spread};
use crate::panel::{Panel, Panels, title};
use crate::store::State;

const X: &[(&str, Spread)] = &[("linear", Spread::Linear), ("log", Spread::Log)];
const Y: &[(&str, Spread)] = &[
    ("auto", Spread::Auto),
    ("linear", Spread::Linear),
    ("log", Spread::Log),
];
const LINES: &[(&str, Lines)] = &[("layers", Lines::Layers), ("heads", Lines::Heads)];
const COLOURS: &[(&str, ColourBy)] = &[
    ("layer", ColourBy::Layer),
    ("part", ColourBy::Part),
    ("head", ColourBy::Head),
];

/// What charts look like, what lines are of, and what can be done with all of it.
#[component]
pub(super) fn Toolbar() -> impl IntoView {
    let state = State::here();
    let view = state.view;
    let has_heads = Memo::new(move |_| {
        let all = state.analysis.panels.with(|panels| panels.all.clone());
        all.iter().any(|slot| slot.panel.with(Panel::has_heads))
    });
    let is_over_layers = Basis::here().is_over_layers;
    let shown = move || view.mode.with(Shown::of);
    let has = move |has: fn(&Chart) -> bool| shown().chart().is_some_and(has);
    let has_x = move || has(Chart::has_x_axis) && !is_over_layers.get();
    let has_y = move || has(|_| true);
    let has_lines = move || has(|chart| chart.of == Of::LayersOrHeads) && has_heads.get();
    let has_colours = move || has(|chart| chart.has_colours);
    let views = || Shown::all().map(|shown| (shown.title(), shown)).collect();
    let colours = move || {
        let has_heads = view.lines.get() == Lines::Heads;
        let count = if has_heads {
            COLOURS.len()
        } else {
            COLOURS.len() - 1
        };
        COLOURS.get(..count).unwrap_or(COLOURS).to_vec()
    };
    view! {
        <div class="toolbar" data-test="toolbar">
            <Choice name="view" chosen=shown options=views choose=move |shown: Shown| view.mode.set(shown.mode())/>
            <Show when=has_x>
                <Choice name="x" chosen=move || view.x.get() options=|| X.to_vec() choose=move |x| view.x.set(x)/>
            </Show>
            <Show when=has_y>
                <Choice name="y" chosen=move || view.y.get() options=|| Y.to_vec() choose=move |y| view.y.set(y)/>
            </Show>
            <Show when=has_lines>
                <Choice name="lines" chosen=move || view.lines.get() options=|| LINES.to_vec() choose=move |lines| view.choose_lines(lines)/>
            </Show>
            <Show when=has_colours>
                <Choice name="colour by" chosen=move || view.colour.get() options=colours choose=move |colour| view.colour.set(colour)/>
            </Show>
            <Metric/>
            <AsTheyWere/>
            <span class="actions">
                <CursorNote/>
                <Saving/>
                <Share/>
            </span>
        </div>
    }
}

/// One of a few values.
#[component]
fn Choice<T: Clone + Copy + PartialEq + Send + Sync + 'static>(
    name: &'static str,
    chosen: impl Fn() -> T + Copy + Send + 'static,
    options: impl Fn() -> Vec<(&'static str, T)> + Send + 'static,
    choose: impl Fn(T) + Clone + Send + 'static,
) -> impl IntoView {
    let button = move |(option, value): (&'static str, T)| {
        let is_on = move || chosen() == value;
        let choose = choose.clone();
        view! {
            <button class:on=is_on aria-pressed=move || is_on().to_string() on:click=move |_| choose(value)>
                {option}
            </button>
        }
    };
    let buttons = move || options().into_iter().map(button.clone()).collect_view();
    let label = (name != "view").then(|| view! { <span class="label">{name}</span> });
    view! {
        <span class="option" data-test=format!("choose-{}", name.replace(' ', "-"))>
            {label}
            <span class="seg" role="group" aria-label=name>{buttons}</span>
        </span>
    }
}

/// All metrics, or one.
#[component]
fn Metric() -> impl IntoView {
    let state = State::here();
    let options = Memo::new(move |_| {
        let labels = state.analysis.panels.with(Panels::labels);
        let entries = state.analysis.results.with(|results| {
            let entries = results.as_ref().map(|results| results.entries.clone());
            entries.unwrap_or_default()
        });
        named(labels, &entries)
    });
    let items = move || {
        let item = |(label, name): (String, String)| view! { <option value=label>{name}</option> };
        options.get().into_iter().map(item).collect_view()
    };
    let choose = move |event| {
        let label = event_target_value(&event);
        state
            .view
            .metric
            .set(Some(label).filter(|label| !label.is_empty()));
    };
    view! {
        <Show when=move || { options.with(Vec::len) > 1 }>
            <select
                aria-label="metric"
                data-test="choose-metric"
                prop:value=move || state.view.metric.get().unwrap_or_default()
                on:change=choose
            >
                <option value="">"all metrics"</option>
                {items}
            </select>
        </Show>
    }
}

/// Labels and names for people; the label as well where two have the same name.
fn named(labels: Vec<String>, entries: &[Entry]) -> Vec<(String, String)> {
    let name = |label: &String| {
        let entry = entries.iter().find(|entry| entry.label == *label);
        entry.map_or_else(|| label.clone(), title::name)
    };
    let names: Vec<String> = labels.iter().map(name).collect();
    let is_shared = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let said = |(label, name): (String, &String)| {
        let name = if is_shared(name) {
            format!("{name} ({label})")
        } else {
            name.clone()
        };
        (label, name)
    };
    labels.into_iter().zip(&names).map(said).collect()
}

/// Brings hidden series back.
#[component]
fn AsTheyWere() -> impl IntoView {
    let basis = Basis::here();
    let view = State::here().view;
    let words = move || match (
        view.isolated.get(),
        view.hidden.with(std::collections::BTreeSet::len),
    ) {
        (Some(subject), _) => Some(format!("only {}", basis.names().name(&subject))),
        (None, 0) => None,
        (None, count) => Some(format!("{count} hidden")),
    };
    move || {
        words().map(|words| {
            view! {
                <span class="label">
                    {words}" "
                    <button class="more" data-test="show-all" on:click=move |_| view.show_all()>"show all"</button>
                </span>
            }
        })
    }
}

/// Where the values of all legends stand.
#[component]
fn CursorNote() -> impl IntoView {
    let view = State::here().view;
    let is_over_layers = Basis::here().is_over_layers;
    let words = move || {
        let name = if is_over_layers.get() {
            "layer"
        } else {
            "step"
        };
        view.cursor
            .get()
            .map_or_else(|| format!("last {name}"), |at| format!("{name} {at}"))
    };
    let held = move || {
        view.held.get().map(|_| {
            let release = move |_| view.hold(None);
            view! { <button class="more" data-test="release" on:click=release>"release"</button> }
        })
    };
    view! {
        <Show when=move || view.mode.with(Shown::of) != Shown::Table>
            <span class="label cursor-note" data-test="cursor-at">"values at "<b>{words}</b>" "{held}</span>
        </Show>
    }
}
