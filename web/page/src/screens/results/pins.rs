//! The menu of one series of a legend: its colour, and whether it is seen.

use ckptscope_plot::{Colour, part_colours};
use leptos::prelude::*;

use super::basis::Basis;
use crate::panel::Subject;
use crate::panel::look::PINS;
use crate::store::State;
use crate::store::view::View;

/// Gives the chosen series a colour that it keeps in all charts.
#[component]
pub(super) fn Pins(chosen: RwSignal<Option<Subject>>) -> impl IntoView {
    move || chosen.get().map(|subject| view! { <Menu subject chosen/> })
}

#[component]
fn Menu(subject: Subject, chosen: RwSignal<Option<Subject>>) -> impl IntoView {
    let (state, basis) = (State::here(), Basis::here());
    let colours = part_colours(PINS, state.theme.get());
    let buttons = colours.into_iter().zip(0u8..).map(|(colour, place)| {
        view! { <Pin subject=subject.clone() colour place/> }
    });
    let buttons = buttons.collect_view();
    let act = |act: fn(View, &Subject)| {
        let subject = subject.clone();
        move |_| {
            act(state.view, &subject);
            chosen.set(None);
        }
    };
    let escape = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            event.stop_propagation();
            chosen.set(None);
        }
    };
    let name = basis.names().name(&subject);
    let label = format!("colour of {name}");
    view! {
        <div class="pins" role="group" aria-label=label data-test="pins" on:keydown=escape>
            <span class="label">{name}</span>
            <span class="colours">{buttons}</span>
            <button on:click=act(|view, subject| view.pin(subject, None)) data-test="pin-none">"automatic"</button>
            <button on:click=act(View::toggle) data-test="pin-hide">"hide"</button>
            <button on:click=act(View::isolate) data-test="pin-isolate">"only this"</button>
            <button aria-label="close" data-test="pin-close" on:click=move |_| chosen.set(None)>"×"</button>
        </div>
    }
}

#[component]
fn Pin(subject: Subject, colour: Colour, place: u8) -> impl IntoView {
    let state = State::here();
    let is_on = {
        let subject = subject.clone();
        Memo::new(move |_| {
            state
                .view
                .pinned
                .with(|pinned| pinned.get(&subject) == Some(&place))
        })
    };
    view! {
        <button
            class="pin"
            class:on=is_on
            aria-label=format!("colour {}", place + 1)
            aria-pressed=move || is_on.get().to_string()
            data-test="pin"
            on:click=move |_| state.view.pin(&subject, Some(place))
        >
            <svg width="14" height="14" aria-hidden="true"><circle cx="7" cy="7" r="6" fill=colour.to_string()/></svg>
        </button>
    }
}
