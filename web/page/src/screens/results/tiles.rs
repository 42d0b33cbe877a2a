//! A chart of several small drawings, on the same axes.

use std::sync::Arc;

use ckptscope_chart::{Chart, ChartInput, Curve, DrawLines};
use ckptscope_plot::{Axes, Facets, LineChart, Series, Size, share_axes};
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;

use super::basis::Basis;
use super::drawing::{Cursor, nearest, walk};
use super::legend::{Note, swatch};
use super::picture::Drawn;
use crate::panel::chart::{ChartPlan, ShownLine};
use crate::panel::{PanelSignal, Subject};
use crate::screens::readout;
use crate::store::State;

const HEIGHT: u32 = 124;
/// Below this width there are fewer small drawings beside each other.
const LEAST_WIDTH: u32 = 210;
const GAP: u32 = 12;
/// Of exported small drawings together, and of a row of them.
const SHEET_WIDTH: u32 = 960;
const SHEET_HEIGHT: u32 = 170;
/// More values than this are not read out one by one.
const MOST_VALUES: usize = 8;

/// The small drawings of one chart.
#[derive(Clone, Default)]
struct Multiples {
    all: Vec<Arc<Multiple>>,
    columns: u32,
    /// What the lines are, each once.
    legend: Vec<Series>,
    /// What is not drawn, and why.
    note: Option<String>,
}

/// One small drawing.
struct Multiple {
    /// `layer 0 · ov_circuit`.
    name: String,
    /// Each line with the curve that it is of, where it is of one.
    lines: Vec<(Series, Option<Curve>)>,
    xs: Vec<u64>,
    axes: Axes,
    svg: String,
}

/// Small drawings side by side.
#[component]
pub(super) fn TilesView(
    chart: &'static Chart,
    /// What draws each.
    drawing: DrawLines,
    panel: PanelSignal,
    is_near: Signal<bool>,
) -> impl IntoView {
    let basis = Basis::here();
    let (element, multiples) = basis.drawn(chart, panel, is_near, move |plan, width| {
        draw(&plan, drawing, width)
    });
    let body = move || {
        let drawn = multiples.get()?;
        if drawn.all.is_empty() {
            return Some(
                view! { <p class="nothing" data-test="no-heads">{chart.lacking}</p> }.into_any(),
            );
        }
        let columns = format!("repeat({}, minmax(0, 1fr))", drawn.columns);
        let all = drawn
            .all
            .into_iter()
            .map(|multiple| view! { <Small multiple/> });
        Some(
            view! {
                <div class="multiples" style:grid-template-columns=columns>{all.collect_view()}</div>
                <TilesLegend lines=drawn.legend/>
                <Note words=Signal::stored(drawn.note)/>
            }
            .into_any(),
        )
    };
    view! { <div node_ref=element data-test="heads">{body}</div> }
}

fn draw(plan: &ChartPlan, drawing: DrawLines, width: u32) -> Multiples {
    let tiles = plan.tiles();
    let columns = columns(tiles.len(), width);
    let size = Size {
        width: ((width + GAP) / columns).saturating_sub(GAP),
        height: HEIGHT,
    };
    let mut charts: Vec<LineChart> = tiles
        .iter()
        .map(|tile| drawing(&input(plan, tile, size)))
        .collect();
    share_axes(&mut charts, true);
    let legend = legend(&charts);
    let xs = plan.panel.steps();
    let all = tiles.iter().zip(charts).map(|((of, lines), chart)| {
        let curve_of = |line: &Series| {
            let mut curves = lines.iter().map(|(curve, _)| *curve);
            curves.find(|curve| plan.chart.tiles.name(&curve.subject, &plan.names) == line.name)
        };
        Arc::new(Multiple {
            name: plan.names.name(of),
            xs: xs.clone(),
            axes: chart.axes(),
            svg: chart.to_svg(),
            lines: chart
                .series
                .into_iter()
                .map(|line| {
                    let curve = curve_of(&line).cloned();
                    (line, curve)
                })
                .collect(),
        })
    });
    Multiples {
        all: all.collect(),
        columns,
        legend,
        note: plan.omitted(),
    }
}

/// One small drawing, of the lines that are not hidden.
fn input<'a>(
    plan: &'a ChartPlan,
    (of, lines): &(Subject, Vec<ShownLine<'a>>),
    size: Size,
) -> ChartInput<'a> {
    let drawn = lines.iter().copied().filter(|(_, look)| look.is_drawn);
    plan.input(&plan.names.name(of), drawn, size)
}

/// The lines of all drawings, each once.
fn legend(charts: &[LineChart]) -> Vec<Series> {
    let mut legend: Vec<Series> = Vec::new();
    for line in charts.iter().flat_map(|chart| &chart.series) {
        if !legend.iter().any(|entry| entry.name == line.name) {
            legend.push(Series {
                points: Vec::new(),
                ..line.clone()
            });
        }
    }
    legend
}

/// All small drawings as one, with a heading and a legend.
pub(super) fn sheet(plan: &ChartPlan, drawing: DrawLines) -> Drawn {
    let tiles = plan.tiles();
    let columns = columns(tiles.len(), SHEET_WIDTH);
    let rows = u32::try_from(tiles.len())
        .unwrap_or(u32::MAX)
        .div_ceil(columns);
    let size = Size {
        width: SHEET_WIDTH,
        height: SHEET_HEIGHT.saturating_mul(rows),
    };
    let charts = tiles.iter().map(|tile| LineChart {
        y_label: plan.names.name(&tile.0),
        ..drawing(&input(plan, tile, size))
    });
    let mut charts: Vec<LineChart> = charts.collect();
    share_axes(&mut charts, true);
    let facets = Facets {
        title: plan.title.line(),
        figure: plan.figure(),
        legend: legend(&charts),
        charts,
        columns: columns as usize,
        size,
        theme: plan.theme,
    };
    Drawn {
        svg: facets.to_svg(),
        size: facets.drawn_size(),
    }
}

/// How many of `count` small drawings stand beside each other; at least 1.
fn columns(count: usize, width: u32) -> u32 {
    let fitting = (width + GAP) / (LEAST_WIDTH + GAP);
    fitting.min(u32::try_from(count).unwrap_or(fitting)).max(1)
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

/// The lines' values at the cursor, in their colours.
#[component]
fn Values(multiple: Arc<Multiple>) -> impl IntoView {
    let state = State::here();
    let values = move || {
        let cursor = state.view.cursor.get();
        let Some(at) = cursor.or_else(|| multiple.xs.last().copied()) else {
            return ().into_any();
        };
        if multiple.lines.len() > MOST_VALUES {
            let values = || {
                multiple
                    .lines
                    .iter()
                    .filter_map(|(line, _)| value(line, at))
            };
            let (low, high) = (values().reduce(f64::min), values().reduce(f64::max));
            let words = format!("{} to {}", readout::value(low), readout::value(high));
            return view! { <span>{words}</span> }.into_any();
        }
        let shown = |(line, curve): &(Series, Option<Curve>)| {
            let status = curve.as_ref().and_then(|curve| curve.status(at));
            let hint = status.map_or_else(|| line.name.clone(), |s| format!("{}: {s}", line.name));
            let colour = line.colour.to_string();
            view! { <span style:border-color=colour title=hint>{readout::value(value(line, at))}</span> }
        };
        multiple.lines.iter().map(shown).collect_view().into_any()
    };
    view! { <div class="values" data-test="head-values">{values}</div> }
}

/// The value of a line at a step: none where it has none there.
fn value(line: &Series, at: u64) -> Option<f64> {
    let points = &line.points;
    let place = points.binary_search_by(|point| point.0.total_cmp(&(at as f64)));
    points.get(place.ok()?)?.1
}

#[component]
fn TilesLegend(lines: Vec<Series>) -> impl IntoView {
    let entry = |line: Series| {
        view! { <span class="head">{swatch(line.colour, line.dash)}{line.name}</span> }
    };
    let entries = lines.into_iter().map(entry).collect_view();
    view! { <div class="head-legend" data-test="head-legend">{entries}</div> }
}
