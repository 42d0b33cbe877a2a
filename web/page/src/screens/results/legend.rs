//! The legend: what the lines are, and their values at the cursor.

use std::collections::BTreeMap;
use std::sync::Arc;

use ckptscope_plot::{Colour, Dash};
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::picture::Picture;
use super::pins::Pins;
use crate::browser;
use crate::panel::Subject;
use crate::panel::look::LineLook;
use crate::screens::readout;
use crate::store::State;
use crate::store::view::View;

/// Longer legends are folded.
const MOST_UNFOLDED: usize = 15;
/// What is left of them.
const FOLDED: usize = 12;

/// An entry for each line. A click hides the line, a double click isolates it.
#[component]
pub(super) fn Legend(picture: RwSignal<Option<Arc<Picture>>>) -> impl IntoView {
    let is_unfolded = RwSignal::new(false);
    let is_printed = browser::is_printed();
    let chosen = RwSignal::new(None::<Subject>);
    let looks = Memo::new(move |_| {
        let looks = picture.with(|picture| Some(picture.as_ref()?.plan.looks.clone()));
        looks.unwrap_or_default()
    });
    let omitted = Memo::new(move |_| picture.with(|picture| picture.as_ref()?.plan.omitted()));
    let shown = move || {
        // Nobody can unfold what is on paper.
        let is_unfolded = is_unfolded.get() || is_printed.get();
        looks.with(|looks| {
            let is_whole = is_unfolded || looks.len() <= MOST_UNFOLDED;
            let limit = if is_whole { looks.len() } else { FOLDED };
            let subjects = looks.iter().take(limit).map(|look| look.subject.clone());
            subjects.enumerate().collect::<Vec<_>>()
        })
    };
    view! {
        <div
            class="legend"
            role="group"
            aria-label="series; arrow keys move, Enter hides, Shift+Enter isolates, c colours"
            data-test="legend"
            on:keydown=|event| move_focus(&event)
        >
            <For each=shown key=Clone::clone let((place, subject))>
                <Entry is_first={place == 0} subject looks picture chosen/>
            </For>
        </div>
        <Fold looks is_unfolded/>
        <Pins chosen/>
        <Statuses picture/>
        <Note words=omitted/>
    }
}

/// What there is to know of a drawing, whatever the cursor.
#[component]
pub(super) fn Note(#[prop(into)] words: Signal<Option<String>>) -> impl IntoView {
    move || {
        words
            .get()
            .map(|words| view! { <p class="note" data-test="note">{words}</p> })
    }
}

/// Unfolds a long legend, and folds it again.
#[component]
fn Fold(looks: Memo<Vec<LineLook>>, is_unfolded: RwSignal<bool>) -> impl IntoView {
    let words = move || {
        if is_unfolded.get() {
            "fewer".to_owned()
        } else {
            format!("{} more", looks.with(Vec::len).saturating_sub(FOLDED))
        }
    };
    view! {
        <Show when=move || { looks.with(Vec::len) > MOST_UNFOLDED }>
            <button
                class="more"
                aria-expanded=move || is_unfolded.get().to_string()
                data-test="legend-more"
                on:click=move |_| is_unfolded.update(|is| *is = !*is)
            >
                {words}
            </button>
        </Show>
    }
}

#[component]
fn Entry(
    is_first: bool,
    subject: Subject,
    looks: Memo<Vec<LineLook>>,
    picture: RwSignal<Option<Arc<Picture>>>,
    chosen: RwSignal<Option<Subject>>,
) -> impl IntoView {
    let state = State::here();
    let subject = StoredValue::new(subject);
    let look = Memo::new(move |_| {
        let subject = subject.get_value();
        looks.with(|looks| looks.iter().find(|look| look.subject == subject).cloned())
    });
    let is_drawn = move || look.with(|look| look.as_ref().is_some_and(|look| look.is_drawn));
    let read = Memo::new(move |_| {
        let cursor = state.view.cursor.get();
        subject.with_value(|subject| read(picture.get().as_deref(), cursor, subject))
    });
    let press =
        move |event: MouseEvent| subject.with_value(|subject| press(state.view, subject, &event));
    let open = move || {
        let subject = subject.get_value();
        chosen.update(|chosen| {
            *chosen = Some(subject).filter(|subject| chosen.as_ref() != Some(subject));
        });
    };
    let key = move |event: KeyboardEvent| {
        if event.key() == "c" && !event.ctrl_key() && !event.meta_key() {
            open();
        }
    };
    let hint = move || read.with(|(_, status)| status.clone());
    let name = move || look.with(|look| Some(look.as_ref()?.name.clone()));
    let full = move || {
        let component = subject.with_value(|subject| subject.component.clone());
        Some(format!("{} ({component})", name()?))
    };
    let colour = move || Some(format!("colour of {}", name()?));
    let mark = move || look.with(|look| look.as_ref()?.mark.parse::<usize>().ok());
    let mark = move || mark().map(|mark| view! { <i class="mark">{mark}" "</i> });
    let swatch = move || look.get().map(|look| swatch(look.colour, look.dash));
    view! {
        <span
            class="series"
            class:off=move || !is_drawn()
            data-test="series"
            data-series=subject.with_value(ToString::to_string)
        >
            <button class="swatch" tabindex="-1" aria-label=colour data-test="series-colour" on:click=move |_| open()>
                {swatch}
            </button>
            <button
                class="entry"
                tabindex=if is_first { "0" } else { "-1" }
                aria-pressed=move || is_drawn().to_string()
                data-test="series-toggle"
                on:click=press
                on:keydown=key
            >
                <span class="name" title=full>{mark}{name}</span>
                <b class:noted=move || hint().is_some() title=hint>
                    {move || readout::value(read.with(|(value, _)| *value))}
                </b>
            </button>
        </span>
    }
}

/// Hides or shows a series. The second click of two, or one with Shift, isolates it.
fn press(view: View, subject: &Subject, event: &MouseEvent) {
    if event.detail() == 2 {
        view.undo_toggle();
    }
    if event.detail() == 2 || event.shift_key() {
        view.isolate(subject);
    } else {
        view.toggle(subject);
    }
}

/// A line's value at the cursor, or at the end, and what there is to know of it.
fn read(
    picture: Option<&Picture>,
    cursor: Option<u64>,
    subject: &Subject,
) -> (Option<f64>, Option<String>) {
    let found = picture.and_then(|picture| {
        let at = cursor.or_else(|| picture.xs.last().copied())?;
        let line = picture.plan.panel.line(subject)?;
        Some((line.at(at), line.status(at)))
    });
    found.unwrap_or_default()
}

/// What there is to know of the values at the cursor, in words, each once.
#[component]
fn Statuses(picture: RwSignal<Option<Arc<Picture>>>) -> impl IntoView {
    let state = State::here();
    let statuses = Memo::new(move |_| {
        let cursor = state.view.cursor.get();
        let picture = picture.get()?;
        let at = cursor.or_else(|| picture.xs.last().copied())?;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (line, _) in picture.plan.drawn() {
            if let Some(status) = line.status(at) {
                *counts.entry(status).or_default() += 1;
            }
        }
        Some(counts)
    });
    move || {
        let statuses = statuses.get().filter(|statuses| !statuses.is_empty())?;
        let said = statuses.into_iter().map(|(status, count)| match count {
            1 => status,
            several => format!("{status} ({several} series)"),
        });
        let said: Vec<String> = said.collect();
        let said = said.join("; ");
        let hint = said.clone();
        Some(view! { <p class="statuses" title=hint data-test="statuses">{said}</p> })
    }
}

/// A short piece of a line.
pub(super) fn swatch(colour: Colour, dash: Dash) -> impl IntoView {
    let dashes = match dash {
        Dash::Solid => "",
        Dash::Dashed => "5 3",
        Dash::Dotted => "2 2.5",
        Dash::DashDotted => "5 2 2 2",
    };
    view! {
        <svg width="20" height="8" aria-hidden="true">
            <line
                x1="0"
                x2="20"
                y1="4"
                y2="4"
                stroke=colour.to_string()
                stroke-width="2"
                stroke-dasharray=dashes
            />
        </svg>
    }
}

/// Arrow keys move from one entry's button to the next.
fn move_focus(event: &KeyboardEvent) {
    let forward = match event.key().as_str() {
        "ArrowDown" | "ArrowRight" => true,
        "ArrowUp" | "ArrowLeft" => false,
        _ => return,
    };
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let entry = target.and_then(|target| target.closest(".series").ok().flatten());
    let next = entry.and_then(|entry| match forward {
        true => entry.next_element_sibling(),
        false => entry.previous_element_sibling(),
    });
    let button = next.and_then(|next| next.query_selector(".entry").ok().flatten());
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        event.prevent_default();
        // Fails for nothing that is in the document.
        let _ = button.focus();
    }
}
