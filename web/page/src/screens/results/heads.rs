//! A small chart for each layer, with a line for each head.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ckptscope_plot::{Axes, Colour, Dash, Figure, LineChart, Series, Size};
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::Div;
use leptos::prelude::*;

use super::basis::Basis;
use super::drawing::{Cursor, nearest, walk};
use super::legend::swatch;
use super::render_queue::RenderQueue;
use crate::browser;
use crate::choices::Spread;
use crate::panel::chart::{ChartPlan, series};
use crate::panel::look::LineLook;
use crate::panel::{Line, PanelSignal, Subject};
use crate::screens::readout;
use crate::store::State;

const HEIGHT: u32 = 124;
/// Below this width there are fewer small charts beside each other.
const LEAST_WIDTH: u32 = 210;
const GAP: u32 = 12;
/// Of exported small charts together, and of the plot of each.
const SHEET_WIDTH: u32 = 960;
const SHEET_HEIGHT: u32 = 170;
/// More values than this are not read out one by one.
const MOST_VALUES: usize = 8;

/// The small charts of one chart.
#[derive(Clone, Default)]
struct Multiples {
    all: Vec<Arc<Multiple>>,
    columns: u32,
    /// Heads and their colours.
    heads: Vec<(u64, Colour)>,
    /// Why there are no values at all; none where there are.
    reason: Option<String>,
}

/// One small chart.
struct Multiple {
    /// `layer 0 · ov_circuit`.
    name: String,
    lines: Vec<(Line, LineLook)>,
    xs: Vec<u64>,
    axes: Axes,
    svg: String,
}

/// The heads of all layers side by side, on the same axes.
#[component]
pub(super) fn Heads(panel: PanelSignal, is_near: Signal<bool>) -> impl IntoView {
    let basis = Basis::here();
    let queue = RenderQueue::here();
    let slot = queue.slot();
    let element = NodeRef::<Div>::new();
    let width = browser::width_of(element);
    let multiples = RwSignal::new(None::<Multiples>);
    Effect::new(move |_| {
        let width = width.get();
        if !is_near.get() || width == 0 {
            return;
        }
        basis.track(&panel);
        let panel = panel.clone();
        queue.render(slot, move || {
            multiples.try_set(Some(draw(&basis.plan_of_heads(&panel), width)));
        });
    });
    let body = move || {
        let drawn = multiples.get()?;
        if drawn.all.is_empty() {
            let words = "no heads here: this was measured for whole layers only";
            return Some(view! { <p class="nothing" data-test="no-heads">{words}</p> }.into_any());
        }
        let columns = format!("repeat({}, minmax(0, 1fr))", drawn.columns);
        let all = drawn
            .all
            .into_iter()
            .map(|multiple| view! { <Small multiple/> });
        Some(
            view! {
                <div class="multiples" style:grid-template-columns=columns>{all.collect_view()}</div>
                <HeadLegend heads=drawn.heads/>
                {drawn.reason.map(|reason| view! { <p class="statuses" data-test="statuses">{reason}</p> })}
            }
            .into_any(),
        )
    };
    view! { <div node_ref=element data-test="heads">{body}</div> }
}

fn draw(plan: &ChartPlan, width: u32) -> Multiples {
    let heads = lines_of_heads(plan);
    let groups = || heads.chunk_by(is_of_same_layer);
    let columns = columns(groups().count(), width);
    let size = Size {
        width: ((width + GAP) / columns).saturating_sub(GAP),
        height: HEIGHT,
    };
    let shared = Shared::of(plan, size);
    Multiples {
        all: groups().map(|group| Arc::new(shared.draw(group))).collect(),
        columns,
        heads: entries(&heads),
        reason: reason(&heads),
    }
}

/// What the statuses say, each once, where no line has a value.
fn reason(heads: &[Shown<'_>]) -> Option<String> {
    let mut points = heads.iter().flat_map(|(line, _)| line.points());
    if points.any(|point| point.1.is_some()) {
        return None;
    }
    let statuses = heads.iter().flat_map(|(line, _)| line.statuses());
    let statuses: BTreeSet<&str> = statuses.collect();
    let statuses: Vec<&str> = statuses.into_iter().collect();
    Some(statuses.join("; ")).filter(|words| !words.is_empty())
}

/// All small charts as one drawing, each with a heading and a legend; none without heads.
pub(super) fn sheet(plan: &ChartPlan) -> Option<(String, Size)> {
    let heads = lines_of_heads(plan);
    let groups: Vec<_> = heads.chunk_by(is_of_same_layer).collect();
    let columns = columns(groups.len(), SHEET_WIDTH);
    let shared = Shared::of(
        plan,
        Size {
            width: SHEET_WIDTH / columns,
            height: SHEET_HEIGHT,
        },
    );
    let charts: Vec<LineChart> = groups.iter().map(|group| shared.figure(group)).collect();
    // They have the same heads, and so the same height but for a layer that lacks some.
    let cell = charts.iter().map(LineChart::drawn_size);
    let cell = cell.reduce(|a, b| Size {
        width: a.width.max(b.width),
        height: a.height.max(b.height),
    })?;
    let rows = u32::try_from(charts.len()).ok()?.div_ceil(columns);
    let (width, height) = (cell.width * columns, cell.height * rows);
    let ground = plan.theme.ground();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"{ground}\"/>\n"
    );
    for (chart, index) in charts.iter().zip(0u32..) {
        let (x, y) = (index % columns * cell.width, index / columns * cell.height);
        let place = format!("<svg x=\"{x}\" y=\"{y}\" ");
        svg.push_str(&chart.to_svg().replacen("<svg ", &place, 1));
    }
    svg.push_str("</svg>\n");
    Some((svg, Size { width, height }))
}

fn lines_of_heads(plan: &ChartPlan) -> Vec<Shown<'_>> {
    let all = plan.panel.lines.iter().zip(&plan.looks);
    all.filter(|(line, _)| line.subject.head.is_some())
        .collect()
}

fn is_of_same_layer(a: &Shown<'_>, b: &Shown<'_>) -> bool {
    own(&a.0.subject) == own(&b.0.subject)
}

/// How many of `count` small charts stand beside each other; at least 1.
fn columns(count: usize, width: u32) -> u32 {
    let fitting = (width + GAP) / (LEAST_WIDTH + GAP);
    fitting.min(u32::try_from(count).unwrap_or(fitting)).max(1)
}

type Shown<'a> = (&'a Line, &'a LineLook);

/// What the small charts have in common.
struct Shared<'a> {
    plan: &'a ChartPlan,
    size: Size,
    xs: Vec<u64>,
    x_range: Option<(f64, f64)>,
    y_range: Option<(f64, f64)>,
}

impl<'a> Shared<'a> {
    fn of(plan: &'a ChartPlan, size: Size) -> Self {
        let xs = plan.panel.steps();
        let ends = xs.first().zip(xs.last());
        let is_log = plan.choices.y == Spread::Log;
        let points = plan.drawn().flat_map(|(line, _)| line.points());
        let values = points.filter_map(|point| point.1.filter(|value| !is_log || *value > 0.0));
        let y_range = values.fold(None, |range: Option<(f64, f64)>, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
        Self {
            plan,
            size,
            x_range: ends.map(|(first, last)| (*first as f64, *last as f64)),
            y_range,
            xs,
        }
    }

    /// One small chart.
    fn chart(&self, group: &[Shown<'_>]) -> LineChart {
        let (name, x_name) = (name(group), self.plan.x_name());
        LineChart {
            title: format!("{name}, {} heads over {x_name}s", group.len()),
            x_scale: self.plan.x_scale(),
            y_scale: self.plan.choices.y.of_values(),
            x_range: self.x_range,
            y_range: self.y_range,
            series: drawn(group).map(|shown| solid(series(*shown))).collect(),
            size: self.size,
            theme: self.plan.theme,
            ..LineChart::default()
        }
    }

    /// One small chart that can be published.
    fn figure(&self, group: &[Shown<'_>]) -> LineChart {
        let title = &self.plan.title;
        let mut chart = self.chart(group);
        for (series, (line, _)) in chart.series.iter_mut().zip(drawn(group)) {
            series.name = line
                .subject
                .head
                .map_or_else(String::new, |head| format!("head {head}"));
        }
        chart.figure = Some(Figure {
            title: title.name.clone(),
            subtitle: format!("{} · {}", name(group), title.details),
        });
        chart
    }

    /// One small chart as it is on the screen.
    fn draw(&self, group: &[Shown<'_>]) -> Multiple {
        let chart = self.chart(group);
        let cloned = |(line, look): &Shown<'_>| ((*line).clone(), (*look).clone());
        Multiple {
            name: name(group),
            lines: group.iter().map(cloned).collect(),
            xs: self.xs.clone(),
            axes: chart.axes(),
            svg: chart.to_svg(),
        }
    }
}

fn drawn<'a>(group: &'a [Shown<'a>]) -> impl Iterator<Item = &'a Shown<'a>> {
    group.iter().filter(|(_, look)| look.is_drawn)
}

/// `layer 0 · ov_circuit`.
fn name(group: &[Shown<'_>]) -> String {
    let subject = group.first().map(|(line, _)| own(&line.subject));
    subject.map(|subject| subject.name()).unwrap_or_default()
}

/// One layer a chart: dashes have nothing to tell apart.
fn solid(series: Series) -> Series {
    Series {
        dash: Dash::Solid,
        ..series
    }
}

/// The layer's own, of a head.
fn own(subject: &Subject) -> Subject {
    Subject {
        head: None,
        ..subject.clone()
    }
}

/// Each head once, with its colour.
fn entries(heads: &[Shown<'_>]) -> Vec<(u64, Colour)> {
    let entries = heads
        .iter()
        .filter_map(|(line, look)| Some((line.subject.head?, look.colour)));
    let entries: BTreeMap<u64, Colour> = entries.collect();
    entries.into_iter().collect()
}

#[component]
fn Small(multiple: Arc<Multiple>) -> impl IntoView {
    let state = State::here();
    let shown = multiple.clone();
    let point = move |event: PointerEvent| {
        let x = f64::from(event.offset_x());
        state.view.point_at(nearest(&shown.axes, &shown.xs, x));
    };
    let xs = multiple.xs.clone();
    let axes = multiple.axes.clone();
    let cursor = move || {
        let at = state.view.cursor.get()?;
        Some(view! { <Cursor axes=axes.clone() at/> })
    };
    let svg = multiple.svg.clone();
    let name = multiple.name.clone();
    view! {
        <figure class="small" data-test="head-chart">
            <figcaption>{name}</figcaption>
            <div
                class="drawing"
                tabindex="0"
                role="group"
                aria-label="small chart; arrow keys move the cursor"
                style:height=format!("{HEIGHT}px")
                on:pointermove=point.clone()
                on:pointerdown=point
                on:pointerleave=move |_| state.view.point_at(None)
                on:click=move |_| state.view.hold_pointed()
                on:keydown=move |event: KeyboardEvent| walk(state.view, &xs, &event)
            >
                <div class="svg" inner_html=svg></div>
                {cursor}
            </div>
            <Values multiple/>
        </figure>
    }
}

/// The heads' values at the cursor, in their colours.
#[component]
fn Values(multiple: Arc<Multiple>) -> impl IntoView {
    let state = State::here();
    let values = move || {
        let cursor = state.view.cursor.get();
        let Some(at) = cursor.or_else(|| multiple.xs.last().copied()) else {
            return ().into_any();
        };
        let drawn = multiple.lines.iter().filter(|(_, look)| look.is_drawn);
        if drawn.clone().count() > MOST_VALUES {
            let values: Vec<f64> = drawn.filter_map(|(line, _)| line.at(at)).collect();
            let (low, high) = (
                values.iter().copied().reduce(f64::min),
                values.iter().copied().reduce(f64::max),
            );
            let words = format!("{} to {}", readout::value(low), readout::value(high));
            return view! { <span>{words}</span> }.into_any();
        }
        let value = |(line, look): &(Line, LineLook)| {
            let status = line.status(at);
            let hint = status.map_or_else(|| look.name.clone(), |s| format!("{}: {s}", look.name));
            let colour = look.colour.to_string();
            view! { <span style:border-color=colour title=hint>{readout::value(line.at(at))}</span> }
        };
        drawn.map(value).collect_view().into_any()
    };
    view! { <div class="values" data-test="head-values">{values}</div> }
}

#[component]
fn HeadLegend(heads: Vec<(u64, Colour)>) -> impl IntoView {
    let entry = |(head, colour): (u64, Colour)| {
        view! { <span class="head">{swatch(colour, Dash::Solid)}{format!("head {head}")}</span> }
    };
    let entries = heads.into_iter().map(entry).collect_view();
    view! { <div class="head-legend" data-test="head-legend">{entries}</div> }
}
