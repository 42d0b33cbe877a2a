//! A chart of rows, and what the cell at the cursor says.

use std::sync::Arc;

use ckptscope_chart::{Chart, Curve, DrawRows, RowHeights};
use ckptscope_plot::{Cells, Heatmap, Size, between};
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::prelude::*;

use super::basis::Basis;
use super::drawing::walk;
use super::legend::Note;
use crate::panel::PanelSignal;
use crate::panel::chart::ChartPlan;
use crate::screens::readout;
use crate::store::State;

const fn heights(least: u32) -> RowHeights {
    RowHeights {
        row: 17,
        around: 44,
        least,
        most: 640,
    }
}

/// A chart of rows as it is on the screen.
struct Picture {
    plan: ChartPlan,
    xs: Vec<u64>,
    cells: Cells,
    svg: String,
    height: u32,
    /// What it does not show, and what several values share.
    note: Option<String>,
}

/// A chart of rows; below it stands what the cell at the cursor says.
#[component]
pub(super) fn RowsView(
    chart: &'static Chart,
    /// What draws it.
    drawing: DrawRows,
    panel: PanelSignal,
    is_near: Signal<bool>,
    height: u32,
) -> impl IntoView {
    let (element, picture) = Basis::here().drawn(chart, panel, is_near, move |plan, width| {
        Arc::new(draw(plan, drawing, (width, height)))
    });
    view! {
        <div node_ref=element>
            <Cellular picture height/>
        </div>
    }
}

fn draw(plan: ChartPlan, drawing: DrawRows, (width, least_height): (u32, u32)) -> Picture {
    let height = heights(least_height).of(plan.drawn().count());
    let heatmap = drawing(&plan.whole(Size { width, height }));
    Picture {
        xs: plan.panel.steps(),
        cells: heatmap.cells(),
        svg: heatmap.to_svg(),
        note: note(&plan, &heatmap),
        plan,
        height,
    }
}

/// What there is to know of a drawing of rows.
fn note(plan: &ChartPlan, heatmap: &Heatmap) -> Option<String> {
    let shared = |of: Option<(usize, usize)>, many: &str, one: &str| {
        let (least, most) = of?;
        let count = between(least, most);
        Some(format!(
            "{count} {many} per {one}: shown is the one furthest from the row's median"
        ))
    };
    let many = format!("{}s", plan.along.noun());
    let parts = [
        shared(heatmap.per_column(), &many, "column"),
        shared(heatmap.per_row(), "series", "row"),
        plan.omitted(),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The drawing, a frame around the cell at the cursor, and what that says.
#[component]
fn Cellular(picture: RwSignal<Option<Arc<Picture>>>, height: u32) -> impl IntoView {
    let state = State::here();
    let row = RwSignal::new(0);
    let svg = move || picture.with(|picture| Some(picture.as_ref()?.svg.clone()));
    let place = move |x: i32, y: i32| {
        let cell = picture.with_untracked(|picture| {
            let picture = picture.as_ref()?;
            let cell = picture.cells.at(f64::from(x), f64::from(y))?;
            Some((cell.row, *picture.xs.get(cell.column)?))
        });
        if let Some((at, _)) = cell {
            row.set(at);
        }
        state.view.point_at(cell.map(|(_, x)| x));
    };
    let walk = move |event: KeyboardEvent| {
        let Some(picture) = picture.get_untracked() else {
            return;
        };
        let last = picture.plan.drawn().count().saturating_sub(1);
        match event.key().as_str() {
            "ArrowUp" => row.update(|row| *row = row.saturating_sub(1)),
            "ArrowDown" => row.update(|row| *row = (*row + 1).min(last)),
            _ => return walk(state.view, &picture.xs, &event),
        }
        event.prevent_default();
        if state.view.cursor.get_untracked().is_none() {
            state.view.hold(picture.xs.last().copied());
        }
    };
    let tall = move || {
        let drawn = picture.with(|picture| Some(picture.as_ref()?.height));
        format!("{}px", drawn.unwrap_or(height))
    };
    view! {
        <div
            class="drawing"
            tabindex="0"
            role="group"
            aria-label="cells; arrow keys move the cursor"
            style:height=tall
            data-test="drawing"
            on:pointermove=move |event| place(event.offset_x(), event.offset_y())
            on:pointerdown=move |event| place(event.offset_x(), event.offset_y())
            on:pointerleave=move |_| state.view.point_at(None)
            on:click=move |_: MouseEvent| state.view.hold_pointed()
            on:keydown=walk
        >
            <div class="svg" inner_html=svg></div>
            {move || frame(picture.get()?.as_ref(), row.get(), state.view.cursor.get()?)}
        </div>
        <p class="reading" aria-live="polite" data-test="cell">
            {move || said(picture.get()?.as_ref(), row.get(), state.view.cursor.get())}
        </p>
        <Note words=Signal::derive(move || picture.with(|it| it.as_ref()?.note.clone()))/>
    }
}

/// A frame around a cell.
fn frame(picture: &Picture, row: usize, x: u64) -> Option<impl IntoView + use<>> {
    let column = picture.xs.binary_search(&x).ok()?;
    let area = picture.cells.rectangle(row, column)?;
    let pixels = |length: f64| format!("{length:.1}px");
    Some(view! {
        <i
            class="cell"
            style:left=pixels(area.left)
            style:top=pixels(area.top)
            style:width=pixels(area.width)
            style:height=pixels(area.height)
            data-test="cursor"
        ></i>
    })
}

/// What a cell says.
fn said(picture: &Picture, row: usize, cursor: Option<u64>) -> Option<String> {
    let at = cursor.or_else(|| picture.xs.last().copied())?;
    let (line, look) = picture.plan.drawn().nth(row)?;
    let value = readout::with_digits(line.at(at), 4);
    let status = status(line, at);
    Some(format!(
        "{} at {} {at}: {value}{status}",
        look.name,
        picture.plan.along.noun()
    ))
}

fn status(line: &Curve, at: u64) -> String {
    line.status(at)
        .map(|status| format!(" ({status})"))
        .unwrap_or_default()
}
