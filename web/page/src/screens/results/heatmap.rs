//! Values as colours.

use std::sync::Arc;

use ckptscope_plot::{Cells, Size};
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html::Div;
use leptos::prelude::*;

use super::basis::Basis;
use super::drawing::walk;
use super::render_queue::RenderQueue;
use crate::browser;
use crate::panel::chart::ChartPlan;
use crate::panel::{Line, PanelSignal};
use crate::screens::readout;
use crate::store::State;

/// Of a row, in pixels, where there is room.
const ROW: u32 = 17;
const MOST_HEIGHT: u32 = 640;
/// Around the rows.
const REST: u32 = 44;

/// A heatmap as it is on the screen.
struct Picture {
    plan: ChartPlan,
    xs: Vec<u64>,
    cells: Cells,
    svg: String,
    height: u32,
}

/// A heatmap; below it stands what the cell at the cursor says.
#[component]
pub(super) fn HeatmapView(panel: PanelSignal, is_near: Signal<bool>, height: u32) -> impl IntoView {
    let basis = Basis::here();
    let queue = RenderQueue::here();
    let slot = queue.slot();
    let element = NodeRef::<Div>::new();
    let width = browser::width_of(element);
    let picture = RwSignal::new(None::<Arc<Picture>>);
    Effect::new(move |_| {
        let width = width.get();
        if !is_near.get() || width == 0 {
            return;
        }
        basis.track(&panel);
        let panel = panel.clone();
        queue.render(slot, move || {
            picture.try_set(Some(Arc::new(draw(basis.plan(&panel), width, height))));
        });
    });
    view! {
        <div node_ref=element>
            <Cellular picture height/>
        </div>
    }
}

fn draw(plan: ChartPlan, width: u32, least_height: u32) -> Picture {
    let rows = u32::try_from(plan.drawn().count()).unwrap_or(u32::MAX);
    let wanted = rows.saturating_mul(ROW).saturating_add(REST);
    let height = wanted.clamp(least_height, MOST_HEIGHT.max(least_height));
    let heatmap = plan.heatmap(Size { width, height });
    Picture {
        xs: plan.panel.steps(),
        cells: heatmap.cells(),
        svg: heatmap.to_svg(),
        plan,
        height,
    }
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
            aria-label="heatmap; arrow keys move the cursor"
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
        picture.plan.x_name()
    ))
}

fn status(line: &Line, at: u64) -> String {
    line.status(at)
        .map(|status| format!(" ({status})"))
        .unwrap_or_default()
}
