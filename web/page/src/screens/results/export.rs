//! One chart as a file: a drawing, a picture, a table.

use ckptscope_plot::Size;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::basis::Basis;
use super::heads;
use crate::choices::Mode;
use crate::panel::chart::ChartPlan;
use crate::panel::{PanelId, PanelSignal, PanelSlot};
use crate::save::{self, Download};
use crate::store::State;

/// Of exported plots, in CSS pixels.
const WIDTH: u32 = 760;
const HEIGHT: u32 = 380;
/// A row of an exported heatmap.
const ROW: u32 = 17;
const REST: u32 = 48;

/// A finished drawing.
struct Drawn {
    svg: String,
    size: Size,
}

/// The ways to take one chart along, and to see it large.
#[component]
pub(super) fn Tools(chart: PanelSlot, #[prop(optional)] is_large: bool) -> impl IntoView {
    let state = State::here();
    let basis = Basis::here();
    let PanelSlot { id, panel } = chart;
    let name = basis.title(&id).line();
    let is_drawn = move || state.view.mode.get() != Mode::Table;
    let of = move |what: &str| format!("{what} of {name}");
    let (svg_label, png_label, csv_label) = (of("SVG"), of("PNG"), of("CSV"));
    let enlarge_label = of("enlarged view");
    let svg = {
        let (id, panel) = (id.clone(), panel.clone());
        move |_| report(state, save_svg(state, basis, &id, &panel))
    };
    let png = {
        let (id, panel) = (id.clone(), panel.clone());
        move |_| save_png(state, basis, &id, &panel)
    };
    let csv = {
        let id = id.clone();
        move |_| report(state, save_csv(state, &id))
    };
    let enlarge = move |_| state.view.enlarged.set(Some(id.clone()));
    view! {
        <div class="tools">
            <Show when=is_drawn>
                <button aria-label=svg_label.clone() data-test="save-svg" on:click=svg.clone()>"SVG"</button>
                <button aria-label=png_label.clone() data-test="save-png" on:click=png.clone()>"PNG"</button>
            </Show>
            <button aria-label=csv_label data-test="save-csv" on:click=csv>"CSV"</button>
            {(!is_large).then(|| view! {
                <button class="enlarge" aria-label=enlarge_label title="enlarge" data-test="enlarge" on:click=enlarge>
                    <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
                        <path d="M7 1h4v4M5 11H1V7M11 1L7.2 4.8M1 11l3.8-3.8" fill="none" stroke="currentColor" stroke-width="1.4"/>
                    </svg>
                </button>
            })}
        </div>
    }
}

/// Tells a failure where the page tells such things.
pub(super) fn report(state: State, outcome: Result<(), String>) {
    if let Err(reason) = outcome {
        let message = format!("the file could not be saved: {reason}");
        state
            .analysis
            .warnings
            .update(|warnings| warnings.push(message));
    }
}

fn save_svg(state: State, basis: Basis, id: &PanelId, panel: &PanelSignal) -> Result<(), String> {
    let file = Download {
        name: file_name(state, id, "svg"),
        media_type: "image/svg+xml",
        bytes: drawn(state, basis, panel).svg.into_bytes(),
    };
    file.save()
}

fn save_png(state: State, basis: Basis, id: &PanelId, panel: &PanelSignal) {
    let name = file_name(state, id, "png");
    let drawn = drawn(state, basis, panel);
    spawn_local(async move {
        let Size { width, height } = drawn.size;
        report(
            state,
            save::save_as_png(&name, &drawn.svg, width, height).await,
        );
    });
}

fn save_csv(state: State, id: &PanelId) -> Result<(), String> {
    let mut results = state
        .analysis
        .with_numbers()
        .ok_or("there are no results")?;
    results.series.retain(|series| id.has(series));
    let bytes = results.csv(&id.entry);
    let file = Download {
        name: file_name(state, id, "csv"),
        media_type: "text/csv",
        bytes: bytes.map_err(|error| error.to_string())?,
    };
    file.save()
}

/// The chart with a heading and a legend of its own.
fn drawn(state: State, basis: Basis, panel: &PanelSignal) -> Drawn {
    match state.view.mode.get_untracked() {
        Mode::Heatmap => drawn_as_heatmap(&basis.plan(panel)),
        Mode::Heads => drawn_as_heads(&basis.plan_of_heads(panel)),
        Mode::Lines | Mode::Table => drawn_as_lines(&basis.plan(panel)),
    }
}

/// As lines where there are no heads.
fn drawn_as_heads(plan: &ChartPlan) -> Drawn {
    match heads::sheet(plan) {
        Some((svg, size)) => Drawn { svg, size },
        None => drawn_as_lines(plan),
    }
}

fn drawn_as_lines(plan: &ChartPlan) -> Drawn {
    let mut chart = plan.line_chart(Size {
        width: WIDTH,
        height: HEIGHT,
    });
    chart.figure = plan.figure();
    plan.x_name().clone_into(&mut chart.x_label);
    Drawn {
        svg: chart.to_svg(),
        size: chart.drawn_size(),
    }
}

fn drawn_as_heatmap(plan: &ChartPlan) -> Drawn {
    let rows = u32::try_from(plan.drawn().count()).unwrap_or(u32::MAX);
    let height = rows.saturating_mul(ROW).saturating_add(REST);
    let mut heatmap = plan.heatmap(Size {
        width: WIDTH,
        height: height.clamp(HEIGHT / 2, 10 * HEIGHT),
    });
    heatmap.figure = plan.figure();
    plan.x_name().clone_into(&mut heatmap.x_label);
    Drawn {
        svg: heatmap.to_svg(),
        size: heatmap.drawn_size(),
    }
}

/// `demo_cka_val_activations.svg`.
fn file_name(state: State, id: &PanelId, extension: &str) -> String {
    let analysis = state.analysis.results.with_untracked(|results| {
        let name = results
            .as_ref()
            .map(|results| results.analysis_name.clone());
        name.unwrap_or_default()
    });
    let parts = [
        analysis.as_str(),
        &id.entry.label,
        &id.output,
        id.entry.split.name(),
        id.kind.name(),
    ];
    save::file_name(&parts, extension)
}
