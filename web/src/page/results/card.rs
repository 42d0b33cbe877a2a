//! One chart with its legend.

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::Div;
use leptos::prelude::*;
use trainscope_plot::{Axes, Colour, Dash, LineChart, Series, Size, Theme, layer_colours};

use crate::page::readout;
use crate::page::state::State;
use crate::page::surroundings;
use crate::panel::{Line, Panel, PanelSignal, short};

const HEIGHT: u32 = 240;
const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::DashDotted];

/// A chart; the legend below it reads out the values at the cursor's step.
#[component]
pub(super) fn Card(panel: PanelSignal) -> impl IntoView {
    let state = State::here();
    let key = panel.with_untracked(|panel| panel.key.clone());
    let panel = Memo::new(move |_| only(panel.get(), state.view.heads.get()));
    let title = key.title();
    let subtitle = format!("{} · {}", key.data_type, key.split);
    view! {
        <article class="card">
            <header><h3>{title}</h3><span class="sub">{subtitle}</span></header>
            <Drawing panel/>
            <Legend panel/>
        </article>
    }
}

#[component]
fn Drawing(panel: Memo<Panel>) -> impl IntoView {
    let state = State::here();
    let element = NodeRef::<Div>::new();
    let width = surroundings::width_of(element);
    let chart = Memo::new(move |_| {
        let size = Size {
            width: width.get(),
            height: HEIGHT,
        };
        (size.width > 0).then(|| {
            let theme = state.theme.get();
            panel.with(|panel| LineChart {
                title: description(panel),
                x_scale: state.view.x_scale.get(),
                y_scale: state.view.y_scale.get(),
                series: series(panel, theme),
                size,
                theme,
                ..LineChart::default()
            })
        })
    });
    let axes = Memo::new(move |_| chart.with(|chart| chart.as_ref().map(LineChart::axes)));
    let steps = Memo::new(move |_| panel.with(Panel::steps));
    let svg = move || chart.with(|chart| chart.as_ref().map(LineChart::to_svg));
    let point = move |event: PointerEvent| {
        let nearest =
            axes.with(|axes| nearest(axes.as_ref()?, &steps.get(), f64::from(event.offset_x())));
        state.view.cursor.set(nearest);
    };
    let walk = move |event: KeyboardEvent| {
        if let Some(step) = neighbour(&steps.get(), state.view.cursor.get(), &event.key()) {
            event.prevent_default();
            state.view.cursor.set(Some(step));
        }
    };
    let cursor = move || {
        let position =
            axes.with(|axes| axes.as_ref()?.x.position(state.view.cursor.get()? as f64))?;
        Some(view! { <i class="cursor" style:left=format!("{position:.1}px")></i> })
    };
    view! {
        <div
            class="drawing"
            tabindex="0"
            node_ref=element
            on:pointermove=point
            on:pointerleave=move |_| state.view.cursor.set(None)
            on:keydown=walk
        >
            <div class="svg" inner_html=svg></div>
            {cursor}
        </div>
    }
}

#[component]
fn Legend(panel: Memo<Panel>) -> impl IntoView {
    let state = State::here();
    let entry = |series: Series, value: Option<f64>| {
        view! {
            <span class="series" data-test="series">
                {swatch(series.colour, series.dash)}
                <span class="name">{series.name}</span>
                <b>{readout::value(value)}</b>
            </span>
        }
    };
    let entries = move || {
        let panel = panel.get();
        let step = state
            .view
            .cursor
            .get()
            .or_else(|| panel.steps().last().copied())?;
        let values: Vec<_> = panel.lines.iter().map(|line| line.at(step)).collect();
        let all = series(&panel, state.theme.get()).into_iter().zip(values);
        Some(
            all.map(|(series, value)| entry(series, value))
                .collect_view(),
        )
    };
    view! { <div class="legend" data-test="legend">{entries}</div> }
}

fn swatch(colour: Colour, dash: Dash) -> impl IntoView {
    let dashes = match dash {
        Dash::Solid => "",
        Dash::Dashed => "5 3",
        Dash::Dotted => "2 2.5",
        Dash::DashDotted => "5 2 2 2",
    };
    view! {
        <svg width="20" height="8" aria-hidden="true">
            <line x1="0" x2="20" y1="4" y2="4" stroke=colour.to_string() stroke-width="2" stroke-dasharray=dashes/>
        </svg>
    }
}

/// The panel with its layers' lines only, or with its heads' only; all lines where it has no heads.
fn only(mut panel: Panel, heads: bool) -> Panel {
    if panel.has_heads() {
        panel
            .lines
            .retain(|line| line.subject.head.is_some() == heads);
    }
    panel
}

/// Lines as they are drawn: layers by colour, components by dash; heads by colour, layers by dash.
fn series(panel: &Panel, theme: Theme) -> Vec<Series> {
    let components = panel.components();
    let shade = |line: &Line| line.subject.head.unwrap_or(line.subject.layer);
    let count = panel
        .lines
        .iter()
        .map(shade)
        .max()
        .map_or(0, |last| last + 1);
    let colours = layer_colours(usize::try_from(count).unwrap_or(usize::MAX), theme);
    let draw = |line: &Line| {
        let component = components
            .iter()
            .position(|name| *name == line.subject.component);
        let dash = match line.subject.head {
            Some(_) => usize::try_from(line.subject.layer).unwrap_or(0),
            None => component.unwrap_or(0),
        };
        Series {
            name: line.subject.name(),
            faded: false,
            colour: colours
                .get(usize::try_from(shade(line)).unwrap_or(0))
                .copied()
                .unwrap_or_default(),
            dash: DASHES[dash % DASHES.len()],
            points: line
                .points
                .iter()
                .map(|&(step, value)| (step as f64, value))
                .collect(),
        }
    };
    panel.lines.iter().map(draw).collect()
}

/// What a screen reader says of the chart.
fn description(panel: &Panel) -> String {
    let components: Vec<&str> = panel.components().into_iter().map(short).collect();
    format!(
        "{} of {} ({}, {}) over training steps, {} lines",
        panel.key.title(),
        components.join(", "),
        panel.key.data_type,
        panel.key.split,
        panel.lines.len()
    )
}

/// The step whose place is nearest to a pixel.
fn nearest(axes: &Axes, steps: &[u64], x: f64) -> Option<u64> {
    let distance = |step: u64| {
        axes.x
            .position(step as f64)
            .map_or(f64::INFINITY, |at| (at - x).abs())
    };
    steps
        .iter()
        .copied()
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
}

/// The step before or after the cursor, as the arrow keys ask.
fn neighbour(steps: &[u64], cursor: Option<u64>, key: &str) -> Option<u64> {
    let last = steps.len().checked_sub(1)?;
    let at = cursor
        .and_then(|step| steps.binary_search(&step).ok())
        .unwrap_or(last);
    let index = match key {
        "ArrowLeft" => at.saturating_sub(1),
        "ArrowRight" => (at + 1).min(last),
        "Home" => 0,
        "End" => last,
        _ => return None,
    };
    steps.get(index).copied()
}
