//! The way on without a step that stands in the way.

use leptos::prelude::*;

use super::readout;
use crate::store::State;

/// What follows once the step is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The person sees what the config comes to.
    Look,
    /// It is computed again.
    Run,
}

/// A button that leaves a step out of the config's, beside what is wrong with that step; nothing
/// where the config cannot do without it.
#[component]
pub(super) fn LeaveOut(step: u64, then: Then) -> impl IntoView {
    let state = State::here();
    let is_possible = Memo::new(move |_| state.can_leave_out(step));
    let is_left = RwSignal::new(false);
    Effect::new(move |_| {
        if is_left.get() && then == Then::Run && !state.ask.is_checking.get() {
            is_left.set(false);
            if untrack(|| state.ask.is_right()) {
                state.run_anew();
            }
        }
    });
    let leave = move |_| {
        state.leave_out(step);
        is_left.set(true);
    };
    let number = readout::count(step);
    let words = match then {
        Then::Look => format!("Leave out step {number}"),
        Then::Run => format!("Leave out step {number} and run again"),
    };
    view! {
        <Show when=move || is_possible.get()>
            <button class="leave-out" data-test="leave-out" on:click=leave>{words.clone()}</button>
        </Show>
    }
}
