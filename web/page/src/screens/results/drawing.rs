//! A drawing with a cursor over it.

use std::sync::Arc;

use ckptscope_plot::Axes;
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;

use super::picture::Picture;
use crate::panel::look::LineLook;
use crate::screens::readout;
use crate::store::State;
use crate::store::view::View;

/// A line chart's drawing. The cursor is laid over it: moving it draws nothing anew.
#[component]
pub(super) fn Drawing(picture: RwSignal<Option<Arc<Picture>>>, height: u32) -> impl IntoView {
    let state = State::here();
    let svg = move || picture.with(|picture| Some(picture.as_ref()?.svg.clone()));
    let point = move |event: PointerEvent| {
        let x = f64::from(event.offset_x());
        let nearest = picture.with_untracked(|picture| {
            let picture = picture.as_ref()?;
            nearest(&picture.axes, &picture.xs, x)
        });
        state.view.point_at(nearest);
    };
    let xs = move || {
        let xs = picture.with_untracked(|picture| Some(picture.as_ref()?.xs.clone()));
        xs.unwrap_or_default()
    };
    let walk = move |event: KeyboardEvent| walk(state.view, &xs(), &event);
    let has_focus = RwSignal::new(false);
    let cursor = move || {
        let at = state.view.cursor.get()?;
        let axes = picture.with(|picture| Some(picture.as_ref()?.axes.clone()))?;
        Some(view! { <Cursor axes at/> })
    };
    let height = format!("{height}px");
    view! {
        <div
            class="drawing"
            tabindex="0"
            role="group"
            aria-label="chart; arrow keys move the cursor"
            style:height=height
            data-test="drawing"
            on:pointermove=point
            on:pointerdown=point
            on:pointerleave=move |_| state.view.point_at(None)
            on:click=move |_| state.view.hold_pointed()
            on:keydown=walk
            on:focus=move |_| has_focus.set(true)
            on:blur=move |_| has_focus.set(false)
        >
            <div class="svg" inner_html=svg></div>
            {cursor}
            <Spoken picture has_focus/>
        </div>
    }
}

/// The line at the cursor's place.
#[component]
pub(super) fn Cursor(axes: Axes, at: u64) -> impl IntoView {
    let Axes { x, y } = axes;
    let position = x.position(at as f64)?;
    let (left, right) = x.pixels();
    let (bottom, top) = y.pixels();
    // A step of another chart may lie beside this one's.
    (left - 1.0..=right + 1.0).contains(&position).then(|| {
        view! {
            <i
                class="cursor"
                style:left=format!("{position:.1}px")
                style:top=format!("{top:.1}px")
                style:height=format!("{:.1}px", bottom - top)
                data-test="cursor"
            ></i>
        }
    })
}

/// So many values are spoken; nobody listens to two hundred at every key.
const MOST_SPOKEN: usize = 5;

/// What a screen reader says when keys move the cursor: the values of lines with colours of their
/// own where there are such, else of the first.
#[component]
fn Spoken(picture: RwSignal<Option<Arc<Picture>>>, has_focus: RwSignal<bool>) -> impl IntoView {
    let state = State::here();
    let words = move || {
        let at = state.view.held.get().filter(|_| has_focus.get())?;
        picture.with(|picture| {
            let plan = &picture.as_ref()?.plan;
            let pinned = |look: &LineLook| plan.choices.pinned.contains_key(&look.subject);
            let has_pins = plan.drawn().any(|(_, look)| pinned(look));
            let drawn = plan.drawn().filter(|(_, look)| !has_pins || pinned(look));
            let count = drawn.clone().count();
            let said = drawn.take(MOST_SPOKEN);
            let said =
                said.map(|(line, look)| format!("{} {}", look.name, readout::value(line.at(at))));
            let mut values: Vec<String> = said.collect();
            if count > MOST_SPOKEN {
                values.push(format!("and {} more", count - MOST_SPOKEN));
            }
            Some(format!("{} {at}: {}", plan.along.noun(), values.join(", ")))
        })
    };
    view! { <span class="spoken" aria-live="polite">{words}</span> }
}

/// Moves the held cursor as keys ask.
pub(super) fn walk(view: View, xs: &[u64], event: &KeyboardEvent) {
    let cursor = view.cursor.get_untracked();
    if event.key() == "Escape" && cursor.is_some() {
        // A dialog around the chart stays open: the key was for the cursor.
        event.prevent_default();
        event.stop_propagation();
        view.hold(None);
    } else if let Some(x) = neighbour(xs, cursor, &event.key()) {
        event.prevent_default();
        view.hold(Some(x));
    }
}

/// The place nearest to a pixel.
pub(super) fn nearest(axes: &Axes, xs: &[u64], pixel: f64) -> Option<u64> {
    let distance = |x: u64| {
        let position = axes.x.position(x as f64);
        position.map_or(f64::INFINITY, |position| (position - pixel).abs())
    };
    xs.iter()
        .copied()
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
}

/// The place before or after the cursor, as keys ask.
fn neighbour(xs: &[u64], cursor: Option<u64>, key: &str) -> Option<u64> {
    let last = xs.len().checked_sub(1)?;
    // Between two places, or after all of them, it counts as at the one before.
    let at = cursor.map_or(last, |cursor| {
        xs.partition_point(|x| *x <= cursor).saturating_sub(1)
    });
    let index = match (key, cursor) {
        ("ArrowLeft" | "ArrowRight", None) => last,
        ("ArrowLeft", _) => at.saturating_sub(1),
        ("ArrowRight", _) => (at + 1).min(last),
        ("Home", _) => 0,
        ("End", _) => last,
        _ => return None,
    };
    xs.get(index).copied()
}
