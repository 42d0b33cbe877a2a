//! One chart as a file: a drawing, a picture, a table.

use ckptscope_chart::{CHARTS, ChartInput, Draw, DrawLines, DrawRows, RowHeights, Tiles};
use ckptscope_plot::Size;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::basis::Basis;
use super::picture::Drawn;
use super::shown::Shown;
use super::tiles;
use crate::panel::chart::ChartPlan;
use crate::panel::{PanelId, PanelSignal, PanelSlot};
use crate::save::{self, Download};
use crate::store::State;

/// Of exported plots, in CSS pixels.
const WIDTH: u32 = 760;
const HEIGHT: u32 = 380;
const HEIGHTS: RowHeights = RowHeights {
    row: 17,
    around: 48,
    least: HEIGHT / 2,
    most: 10 * HEIGHT,
};

/// The ways to take one chart along, and to see it large.
#[component]
pub(super) fn Tools(chart: PanelSlot, #[prop(optional)] is_large: bool) -> impl IntoView {
    let state = State::here();
    let basis = Basis::here();
    let PanelSlot { id, panel } = chart;
    let said = RwSignal::new(None::<String>);
    let name = basis.title(&id).line();
    let is_drawn = move || state.view.mode.with(Shown::of) != Shown::Table;
    let of = move |what: &str| format!("{what} of {name}");
    let (svg_label, png_label, csv_label) = (of("SVG"), of("PNG"), of("CSV"));
    let enlarge_label = of("enlarged view");
    let svg = {
        let (id, panel) = (id.clone(), panel.clone());
        move |_| said.set(save_svg(state, basis, &id, &panel).err())
    };
    let png = {
        let (id, panel) = (id.clone(), panel.clone());
        move |_| save_png((state, basis), &id, &panel, said)
    };
    let csv = {
        let id = id.clone();
        move |_| said.set(save_csv(state, &id).err())
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
            <NotSaved said/>
        </div>
    }
}

/// Why a file could not be saved, where it was asked for.
#[component]
pub(super) fn NotSaved(said: RwSignal<Option<String>>) -> impl IntoView {
    let dismiss = move |_| said.set(None);
    move || {
        let reason = said.get()?;
        Some(view! {
            <span class="not-saved failure" role="alert" data-test="not-saved">
                "The file could not be saved: "{reason}
                <button class="quiet" aria-label="dismiss" on:click=dismiss>"×"</button>
            </span>
        })
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

fn save_png(
    (state, basis): (State, Basis),
    id: &PanelId,
    panel: &PanelSignal,
    said: RwSignal<Option<String>>,
) {
    let name = file_name(state, id, "png");
    let drawn = drawn(state, basis, panel);
    spawn_local(async move {
        let Size { width, height } = drawn.size;
        let saved = save::save_as_png(&name, &drawn.svg, width, height).await;
        // Nobody waits for it where another chart is shown.
        let _ = said.try_set(saved.err());
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

/// The chart with a heading and a legend of its own; the first one where there is nothing that the
/// chosen one is of, or the table is shown.
fn drawn(state: State, basis: Basis, panel: &PanelSignal) -> Drawn {
    let first = CHARTS[0];
    let shown = state.view.mode.with_untracked(Shown::of);
    let chosen = shown.chart().unwrap_or(first);
    let plan = Some(basis.plan(chosen, panel)).filter(|plan| !plan.panel.lines.is_empty());
    let plan = plan.unwrap_or_else(|| basis.plan(first, panel));
    match (plan.chart.draw, plan.chart.tiles) {
        (Draw::Rows(draw), _) => drawn_as_rows(&plan, draw),
        (Draw::Lines(draw), Tiles::All) => drawn_as_lines(&plan, draw),
        (Draw::Lines(draw), _) => tiles::sheet(&plan, draw),
    }
}

fn drawn_as_lines(plan: &ChartPlan, draw: DrawLines) -> Drawn {
    let size = Size {
        width: WIDTH,
        height: HEIGHT,
    };
    let chart = draw(&published(plan, size));
    Drawn {
        svg: chart.to_svg(),
        size: chart.drawn_size(),
    }
}

fn drawn_as_rows(plan: &ChartPlan, draw: DrawRows) -> Drawn {
    let size = Size {
        width: WIDTH,
        height: HEIGHTS.of(plan.drawn().count()),
    };
    let heatmap = draw(&published(plan, size));
    Drawn {
        svg: heatmap.to_svg(),
        size: heatmap.drawn_size(),
    }
}

fn published(plan: &ChartPlan, size: Size) -> ChartInput<'_> {
    ChartInput {
        x_label: plan.x_label(),
        figure: Some(plan.figure()),
        ..plan.whole(size)
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
